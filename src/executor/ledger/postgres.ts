import { Pool, types, type PoolClient } from 'pg';
import { LedgerRefused, type Database, type Row, type Sql, type Value } from './database.js';

/** The oid of BIGINT: read as a number, as SQLite gives it. */
const INT8: number = types.builtins.INT8;
/** Any constant: transactions of all executors on this ledger follow one another, as the chain of entries does. */
const ONE_WRITER = 7_305_481;

/** PostgreSQL: several executors on one ledger. One advisory lock a transaction: the chain of entries has one writer at a time. */
export async function openPostgres(url: string): Promise<Database> {
  const pool = new Pool({
    connectionString: url,
    max: 8,
    types: {
      getTypeParser: (oid, format) =>
        Number(oid) === INT8 ? (text: string) => Number(text) : (types.getTypeParser(oid, format) as (text: string) => unknown),
    },
  });
  // A connection that dies fails its call and is replaced by the pool; without listeners, idle or in use, its error would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  try {
    const {
      rows: [found],
    } = await pool.query<{ synchronous_commit: string }>('SHOW synchronous_commit');
    if (found === undefined || found.synchronous_commit === 'off')
      throw new LedgerRefused('PostgreSQL runs with synchronous_commit=off: a committed entry could be lost. Set it to on.');
  } catch (error) {
    await pool.end();
    throw error instanceof LedgerRefused
      ? error
      : new LedgerRefused(`The ledger's PostgreSQL does not answer: ${error instanceof Error ? error.message : String(error)}`);
  }
  const within = async <T>(begin: (client: PoolClient) => Promise<unknown>, work: (sql: Sql) => Promise<T>): Promise<T> => {
    const client = await pool.connect();
    try {
      await begin(client);
      const result = await work(sqlOf(client));
      await client.query('COMMIT');
      client.release();
      return result;
    } catch (error) {
      await client.query('ROLLBACK').then(
        () => client.release(),
        () => client.release(true),
      );
      throw error;
    }
  };
  return {
    kind: 'postgres',
    transaction: (work) =>
      within(async (client) => {
        await client.query('BEGIN');
        await client.query('SELECT pg_advisory_xact_lock($1)', [ONE_WRITER]);
      }, work),
    snapshot: (work) => within((client) => client.query('BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY'), work),
    close: () => pool.end(),
  };
}

function sqlOf(client: PoolClient): Sql {
  const numbered = (text: string): string => {
    let n = 0;
    return text.replace(/\?/g, () => `$${++n}`);
  };
  return {
    all: async (text, ...values: Value[]) => (await client.query<Row>(numbered(text), values)).rows,
    run: async (text, ...values: Value[]) => (await client.query(numbered(text), values)).rowCount ?? 0,
  };
}
