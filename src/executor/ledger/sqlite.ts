import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Libsql from 'libsql';
import { LedgerRefused, type Database, type Row, type Sql, type Value } from './database.js';

/**
 * SQLite: one executor, one file. The exclusive lock makes a second executor on the same book impossible;
 * `synchronous=FULL` makes a committed transaction survive the machine.
 */
export function openSqlite(path: string, options: { readonly create: boolean }): Database {
  if (!options.create && !existsSync(path)) throw new LedgerRefused(`No ledger at ${path}. Make one: keyturn ledger init ${path}`);
  if (options.create) mkdirSync(dirname(path), { recursive: true });
  const file = connect(path);
  try {
    file.exec('PRAGMA locking_mode=EXCLUSIVE');
    file.exec('PRAGMA journal_mode=WAL');
    file.exec('PRAGMA synchronous=FULL');
    // The lock is taken by the first write, not by the pragma.
    file.exec('BEGIN IMMEDIATE');
    file.exec('COMMIT');
  } catch (error) {
    file.close();
    throw cannotOpen(path, error);
  }

  // The texts are constants of this code, some forty.
  const statements = new Map<string, Libsql.Statement>();
  const prepared = (text: string): Libsql.Statement => {
    const statement = statements.get(text) ?? file.prepare(text);
    statements.set(text, statement);
    return statement;
  };
  const sql: Sql = {
    all: async (text, ...values) => prepared(text).all(...values) as Row[],
    run: async (text, ...values: Value[]) => prepared(text).run(...values).changes,
  };
  let queue: Promise<unknown> = Promise.resolve();
  const transaction: Database['transaction'] = (work) => {
    const run = async (): Promise<Awaited<ReturnType<typeof work>>> => {
      file.exec('BEGIN IMMEDIATE');
      try {
        const result = await work(sql);
        file.exec('COMMIT');
        return result;
      } catch (error) {
        if (file.inTransaction) file.exec('ROLLBACK');
        throw error;
      }
    };
    // One connection: transactions of concurrent activities follow one another.
    const next = queue.then(run);
    queue = next.catch(() => undefined);
    return next;
  };
  return {
    kind: 'sqlite',
    transaction,
    snapshot: transaction,
    async close() {
      await queue;
      // Prepared statements keep the handle, and with it the exclusive lock, until they are collected: the lock is given back by hand.
      file.exec('PRAGMA journal_mode=DELETE');
      file.exec('PRAGMA locking_mode=NORMAL');
      file.exec('BEGIN IMMEDIATE');
      file.exec('COMMIT');
      file.close();
    },
  };
}

function connect(path: string): Libsql.Database {
  try {
    return new Libsql(path);
  } catch (error) {
    throw cannotOpen(path, error);
  }
}

const cannotOpen = (path: string, error: unknown): LedgerRefused =>
  new LedgerRefused(`The ledger ${path} cannot be opened: ${String(error)}. Does another executor hold it?`);
