import type { Database, Sql } from './database.js';

export interface Table {
  readonly name: string;
  readonly columns: readonly string[];
  /** Its primary key: every table of a ledger has one, by which it is read in pages. */
  readonly key: readonly string[];
}

/** In both, a table's columns in order, with their place in the primary key from 1, or null. */
const CATALOGUE: Readonly<Record<Database['kind'], string>> = {
  sqlite: `SELECT m.name AS "table", p.name AS "column", CASE p.pk WHEN 0 THEN NULL ELSE p.pk END AS place
    FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, p.cid`,
  postgres: `SELECT c.table_name AS "table", c.column_name AS "column", k.ordinal_position AS place
    FROM information_schema.columns c
    LEFT JOIN (information_schema.table_constraints t JOIN information_schema.key_column_usage k
      ON k.constraint_schema = t.constraint_schema AND k.constraint_name = t.constraint_name AND t.constraint_type = 'PRIMARY KEY')
      ON k.table_schema = c.table_schema AND k.table_name = c.table_name AND k.column_name = c.column_name
    WHERE c.table_schema = current_schema() ORDER BY c.table_name, c.ordinal_position`,
};

/** The tables of a ledger as the database itself knows them: none is forgotten because a list was not kept up. */
export async function tablesOf(sql: Sql, kind: Database['kind']): Promise<Table[]> {
  const columns = (await sql.all(CATALOGUE[kind])).map((row) => ({
    table: String(row['table']),
    column: String(row['column']),
    place: row['place'] === null ? undefined : Number(row['place']),
  }));
  return [...new Set(columns.map(({ table }) => table))].map((name) => {
    const own = columns.filter(({ table }) => table === name);
    const key = own.flatMap(({ column, place }) => (place === undefined ? [] : [{ column, place }])).sort((a, b) => a.place - b.place);
    if (key.length === 0) throw new Error(`the table ${name} has no primary key`);
    return { name, columns: own.map(({ column }) => column), key: key.map(({ column }) => column) };
  });
}
