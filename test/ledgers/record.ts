import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database, Row, Value } from '../../src/executor/ledger/database.js';
import { createTables } from '../../src/executor/ledger/migrate.js';
import { MIGRATIONS } from '../../src/executor/ledger/migrations/all.js';
import { openSqlite } from '../../src/executor/ledger/sqlite.js';
import { packageRoot } from '../../src/temporal/paths.js';
import { memoryLedger, World } from '../helpers/world.js';
import { play } from './scene.js';

/**
 * `npm run ledgers`: records the ledger this build leaves behind, as a SQLite file and as statements for PostgreSQL, under `test/ledgers/schema-<n>`. Later
 * builds must open it and go on (`migrations.test.ts`). What a release recorded is never replaced. Until 0.1.0 is released, objects may still change their
 * shape: then remove an earlier folder and record it anew by its number, `npm run ledgers -- 1`, with the columns it had.
 */
const schema = Number(process.argv[2] ?? MIGRATIONS.length);
if (!Number.isInteger(schema) || schema < 1 || schema > MIGRATIONS.length) throw new Error(`Schemas so far: 1 to ${MIGRATIONS.length}.`);
const folder = join(packageRoot, 'test', 'ledgers', `schema-${schema}`);

/** Of `table` in the ledger that was played, the columns a ledger of this schema has. */
async function rowsOf(played: Database, recorded: Database, table: string): Promise<Row[]> {
  const columns = await recorded.transaction((sql) => sql.all('SELECT name FROM pragma_table_info(?)', table));
  return played.transaction((sql) => sql.all(`SELECT ${columns.map(({ name }) => String(name)).join(', ')} FROM ${table}`));
}

const literal = (value: Value): string =>
  value === null ? 'NULL' : typeof value === 'number' ? String(value) : `'${value.replaceAll("'", "''")}'`;
const insertInto = (table: string, row: Row, values: readonly string[]): string =>
  `INSERT INTO ${table} (${Object.keys(row).join(', ')}) VALUES (${values.join(', ')})`;

const played = await memoryLedger();
await play(await World.open({ database: played }));
await played.transaction((sql) => sql.run("UPDATE meta SET value = ? WHERE key = 'schema'", String(schema)));

await mkdir(folder, { recursive: true });
const recorded = openSqlite(join(folder, 'ledger.db'), { create: true });
const statements: string[] = [];
await recorded.transaction((sql) =>
  createTables(
    {
      all: sql.all,
      run: (text, ...values) => {
        statements.push(text.replace(/\s+/g, ' '));
        return sql.run(text, ...values);
      },
    },
    MIGRATIONS.slice(0, schema),
  ),
);
const tables = await recorded.transaction((sql) => sql.all("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"));
for (const table of tables.map(({ name }) => String(name))) {
  for (const row of await rowsOf(played, recorded, table)) {
    const values = Object.values(row);
    await recorded.transaction((sql) =>
      sql.run(
        insertInto(
          table,
          row,
          values.map(() => '?'),
        ),
        ...values,
      ),
    );
    statements.push(insertInto(table, row, values.map(literal)));
  }
}
await recorded.close();
await played.close();
await writeFile(join(folder, 'ledger.sql'), statements.map((each) => `${each};\n`).join(''), { flag: 'wx' });
console.log(`recorded ${folder}`);
