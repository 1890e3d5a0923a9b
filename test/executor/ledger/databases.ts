import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database, Sql } from '../../../src/executor/ledger/database.js';
import { openPostgres } from '../../../src/executor/ledger/postgres.js';
import { openSqlite } from '../../../src/executor/ledger/sqlite.js';
import { startPostgres, type TestPostgres } from '../../helpers/postgres.js';

/** A place for one ledger. Opened, closed and opened again, it is the same book. */
export interface Place {
  open(): Promise<Database>;
}
export interface Kind {
  readonly kind: Database['kind'];
  start(): Promise<void>;
  place(): Promise<Place>;
  stop(): Promise<void>;
}

function sqlite(): Kind {
  let folder = '';
  let places = 0;
  return {
    kind: 'sqlite',
    async start() {
      folder = await mkdtemp(join(tmpdir(), 'keyturn-ledger-'));
    },
    async place() {
      const path = join(folder, `ledger-${++places}.db`);
      return { open: async () => openSqlite(path, { create: true }) };
    },
    stop: () => rm(folder, { recursive: true, force: true }),
  };
}

function postgres(): Kind {
  let server: TestPostgres | undefined;
  return {
    kind: 'postgres',
    async start() {
      server = await startPostgres();
    },
    async place() {
      const address = (await server?.createDatabase()) ?? '';
      return { open: () => openPostgres(address) };
    },
    async stop() {
      await server?.stop();
    },
  };
}

/** Both databases keep one contract. A server that is missing fails the suite: nothing is skipped. */
export const KINDS: readonly Kind[] = [sqlite(), postgres()];

const TABLES = ['meta', 'action', 'envelope', 'step', 'lodged', 'entry'] as const;

/** All that stands in the book, to be compared. */
export const dump = (database: Database): Promise<string> => database.transaction(dumpIn);

export async function dumpIn(sql: Sql): Promise<string> {
  const tables = [];
  for (const table of TABLES) {
    const rows = await sql.all(`SELECT * FROM ${table}`);
    tables.push(rows.map((row) => JSON.stringify(Object.entries(row).sort())).sort());
  }
  return JSON.stringify(tables, null, 1);
}
