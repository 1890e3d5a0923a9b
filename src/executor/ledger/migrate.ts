import { LedgerRefused, type Sql } from './database.js';
import { MIGRATIONS } from './migrations/all.js';

/** One step of the schema. Same statements for SQLite and PostgreSQL. Rows of `entry` and `envelope` are signed: a step never touches them. */
export interface Migration {
  /** As its file: `002-budgets`. */
  readonly name: string;
  apply(sql: Sql): Promise<void>;
}

export const SCHEMA_VERSION = MIGRATIONS.length;

/** The tables of a new ledger, inside the transaction that makes it. */
export async function createTables(sql: Sql, migrations: readonly Migration[] = MIGRATIONS): Promise<void> {
  for (const migration of migrations) await migration.apply(sql);
}

/**
 * Brings an older ledger to this build's schema, inside the caller's one transaction: all steps or none. Returns the names of those it took.
 * Throws `LedgerRefused` for a ledger of a newer build, which may hold rules this one does not know, or of no schema at all.
 */
export async function migrate(sql: Sql, found: string | undefined, migrations: readonly Migration[] = MIGRATIONS): Promise<string[]> {
  const steps = migrations.slice(readSchema(found, migrations.length));
  for (const step of steps) {
    try {
      await step.apply(sql);
    } catch (error) {
      throw new LedgerRefused(
        `The ledger's step ${step.name} failed: ${error instanceof Error ? error.message : String(error)}. Nothing of it was changed; the build that wrote it still opens it.`,
      );
    }
  }
  if (steps.length > 0) await sql.run("UPDATE meta SET value = ? WHERE key = 'schema'", String(migrations.length));
  return steps.map(({ name }) => name);
}

/** The schema a ledger says it has. Throws `LedgerRefused` unless this build, whose schema is `mine`, knows it. */
export function readSchema(found: string | undefined, mine: number = SCHEMA_VERSION): number {
  if (found === undefined || !/^[1-9]\d{0,5}$/.test(found))
    throw new LedgerRefused(`The ledger names no schema but ${found ?? 'none'}: it is damaged.`);
  if (Number(found) > mine)
    throw new LedgerRefused(
      `The ledger has schema ${found}, made by a newer build; this build knows ${mine} at most and would not keep its rules. Run the newer build again.`,
    );
  return Number(found);
}
