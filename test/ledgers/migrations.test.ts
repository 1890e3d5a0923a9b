import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { checkLedger } from '../../src/executor/ledger/check.js';
import { sourceOf } from '../../src/executor/ledger/source.js';
import { digestSchema } from '../../src/domain/ids.js';
import { LedgerRefused, type Database } from '../../src/executor/ledger/database.js';
import { initLedger, openLedger } from '../../src/executor/ledger/ledger.js';
import type { Migration } from '../../src/executor/ledger/migrate.js';
import { MIGRATIONS } from '../../src/executor/ledger/migrations/all.js';
import { openPostgres } from '../../src/executor/ledger/postgres.js';
import { openSqlite } from '../../src/executor/ledger/sqlite.js';
import { packageRoot } from '../../src/temporal/paths.js';
import { roster } from '../cli/ran-once.js';
import { Folder } from '../cli/folder.js';
import { dump } from '../executor/ledger/databases.js';
import { approve, resolve, thaw } from '../helpers/messages.js';
import { query, startPostgres, type TestPostgres } from '../helpers/postgres.js';
import { DEPLOYMENT } from '../helpers/rules-fixture.js';
import { EXECUTOR } from '../helpers/signers.js';
import { makeExecutor, World } from '../helpers/world.js';
import { again, sealedAs, TOMBSTONE } from './scene.js';

const recorded = join(packageRoot, 'test', 'ledgers');
const SCHEMAS = readdirSync(recorded)
  .filter((name) => /^schema-\d+$/.test(name))
  .map((name) => Number(name.slice('schema-'.length)));
const KINDS = ['sqlite', 'postgres'] as const;

const folder = mkdtempSync(join(tmpdir(), 'keyturn-migrations-'));
let server: TestPostgres | undefined;
let copies = 0;
const opened: Database[] = [];
beforeAll(async () => {
  server = await startPostgres();
});
afterEach(async () => {
  for (const database of opened.splice(0)) await database.close();
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A copy of the recorded ledger, and how to open it once more. */
async function copyOf(kind: Database['kind'], schema: number): Promise<() => Promise<Database>> {
  const from = join(recorded, `schema-${schema}`);
  let open: () => Promise<Database>;
  if (kind === 'sqlite') {
    const path = join(folder, `copy-${++copies}.db`);
    cpSync(join(from, 'ledger.db'), path);
    open = async () => openSqlite(path, { create: false });
  } else {
    const address = (await server?.createDatabase()) ?? '';
    await query(address, await readFile(join(from, 'ledger.sql'), 'utf8'));
    open = () => openPostgres(address);
  }
  return async () => {
    const database = await open();
    opened.push(database);
    return database;
  };
}

/** Steps of a build to come, for tests only: a table, a column with what older rows have in it. */
const NEXT: readonly Migration[] = [
  ...MIGRATIONS,
  { name: 'test-spent', apply: async (sql) => void (await sql.run('CREATE TABLE spent (agent TEXT PRIMARY KEY, cents BIGINT NOT NULL)')) },
  {
    name: 'test-risk',
    async apply(sql) {
      await sql.run("ALTER TABLE action ADD COLUMN risk TEXT NOT NULL DEFAULT 'high'");
      await sql.run("INSERT INTO spent (agent, cents) SELECT agent, count(*) FROM action WHERE agent <> '' GROUP BY agent");
    },
  },
];
const metaOf = (database: Database, key: string) =>
  database.transaction(async (sql) => (await sql.all('SELECT value FROM meta WHERE key = ?', key))[0]?.['value']);

test('there is a recorded ledger of schema 1', () => {
  expect(SCHEMAS).toContain(1);
});

describe.each(SCHEMAS.flatMap((schema) => KINDS.map((kind) => ({ kind, schema }))))(
  '$kind: a ledger of schema $schema',
  ({ kind, schema }) => {
    test('opens, every entry verifies, and what was pending goes on: approved, run once, undone, resolved, thawed', async () => {
      const database = await (await copyOf(kind, schema))();
      const world = await World.open({ database });
      expect(await metaOf(database, 'schema')).toBe(String(MIGRATIONS.length));
      expect(await checkLedger(sourceOf(database), roster())).toMatchObject({ ok: true });

      const pending = await sealedAs(world, 'pending');
      expect(await world.run(pending, [approve('ana', pending), approve('ben', pending)])).toEqual({ kind: 'end' });
      expect(world.outcome(pending.id)).toMatchObject({ status: 'succeeded', effect: 'done' });
      expect(world.bank.effectsOf(pending.id)).toEqual(['run']);

      const revised = await sealedAs(world, 'revised');
      expect([revised.envelope.revision, revised.envelope.params]).toEqual([2, { vendor: 'ACME', cents: 820 }]);
      expect(await world.advance(revised, [approve('ana', revised), approve('ben', revised)])).toMatchObject({ kind: 'ask' });
      expect(await world.run(revised, [approve('cleo', revised), approve('ben', revised)])).toEqual({ kind: 'end' });
      expect(world.outcome(revised.id).status).toBe('succeeded');

      const half = await sealedAs(world, 'half');
      expect(await world.run(half)).toEqual({ kind: 'end' });
      expect(world.outcome(half.id).status).toBe('succeeded');
      expect(world.bank.effectsOf(half.id)).toEqual(['send', 'notify']);

      const unknown = await sealedAs(world, 'unknown');
      expect(await world.run(unknown)).toMatchObject({ kind: 'wait', code: 'outcome_unknown' });
      await world.lodge(unknown.id, resolve('eva', unknown.id, 1, 'happened', { at: world.clock.ms }));
      expect(await world.run(unknown)).toEqual({ kind: 'end' });
      expect(world.outcome(unknown.id).status).toBe('succeeded');

      const frozen = await sealedAs(world, 'frozen');
      const votes = [approve('ana', frozen), approve('ben', frozen)];
      expect(await world.advance(frozen, votes)).toMatchObject({ kind: 'wait', code: 'frozen' });
      const [stop] = await database.transaction((sql) => sql.all("SELECT digest FROM lodged WHERE object = 'freeze'"));
      await world.lodge(null, thaw('eva', digestSchema.parse(stop?.['digest']), { at: world.clock.ms }));
      expect(await world.run(frozen, votes)).toEqual({ kind: 'end' });

      expect(await checkLedger(sourceOf(database), roster())).toMatchObject({ ok: true });
    });

    test('what ended stays ended, and is not run again', async () => {
      const world = await World.open({ database: await (await copyOf(kind, schema))() });
      for (const [name, status] of [
        ['succeeded', 'succeeded'],
        ['denied', 'denied'],
        ['rejected', 'rejected'],
      ] as const) {
        const { id, signed } = again(name);
        expect(await world.seal(id, signed)).toEqual({ kind: 'end' });
        expect(world.outcome(id).status).toBe(status);
      }
      await world.report(TOMBSTONE);
      expect(world.outcome(TOMBSTONE).status).toBe('cancelled');
      expect(world.bank.calls).toEqual([]);
    });

    test('steps to come are taken in order at open, once, and leave every signed byte as it was', async () => {
      const open = await copyOf(kind, schema);
      const database = await open();
      const signed = async () => database.transaction((sql) => sql.all('SELECT signed FROM entry ORDER BY seq'));
      const before = await signed();
      expect((await openLedger(database, DEPLOYMENT, EXECUTOR, NEXT)).steps).toEqual(NEXT.slice(schema).map(({ name }) => name));
      expect((await openLedger(database, DEPLOYMENT, EXECUTOR, NEXT)).steps).toEqual([]);
      expect(await metaOf(database, 'schema')).toBe(String(NEXT.length));
      expect(await database.transaction((sql) => sql.all('SELECT agent, cents FROM spent'))).toEqual([{ agent: 'ap-agent', cents: 8 }]);
      expect(await database.transaction((sql) => sql.all('SELECT DISTINCT risk FROM action'))).toEqual([{ risk: 'high' }]);
      expect(await signed()).toEqual(before);
      const ledger = await openLedger(database, DEPLOYMENT, EXECUTOR, NEXT);
      await ledger.transaction((tx) => tx.append({ kind: 'lodged', actionId: null, object: 'cancel', digest: null, by: 'unsigned' }, 0));
    });

    test('a step that fails takes back those before it: the ledger is as it was, and its own build opens it', async () => {
      const database = await (await copyOf(kind, schema))();
      const before = await dump(database);
      const broken = [
        ...NEXT,
        { name: 'test-broken', apply: async (sql) => void (await sql.run('INSERT INTO nowhere (a) VALUES (1)')) } satisfies Migration,
      ];
      const error = await openLedger(database, DEPLOYMENT, EXECUTOR, broken).catch((each: unknown) => each);
      expect(error).toBeInstanceOf(LedgerRefused);
      expect(String(error)).toContain('step test-broken failed');
      expect(await dump(database)).toBe(before);
      await openLedger(database, DEPLOYMENT, EXECUTOR);
    });

    test('attack: a ledger of a newer build is refused in plain words, and left as it is', async () => {
      const database = await (await copyOf(kind, schema))();
      await openLedger(database, DEPLOYMENT, EXECUTOR, NEXT);
      const before = await dump(database);
      const error = await openLedger(database, DEPLOYMENT, EXECUTOR).catch((each: unknown) => each);
      expect(error).toBeInstanceOf(LedgerRefused);
      expect(String(error)).toContain(`schema ${NEXT.length}, made by a newer build; this build knows ${MIGRATIONS.length} at most`);
      expect(await dump(database)).toBe(before);
    });
  },
);

test('two executors that open one older PostgreSQL ledger at once take each step once', async () => {
  const open = await copyOf('postgres', 1);
  const both = await Promise.all([open(), open()]);
  const ledgers = await Promise.all(both.map((database) => openLedger(database, DEPLOYMENT, EXECUTOR, NEXT)));
  expect(ledgers.map(({ steps }) => steps.length).sort()).toEqual([0, NEXT.length - 1]);
});

test('attack: an executor of an older build writes nothing more once a newer one has brought the ledger on', async () => {
  const open = await copyOf('postgres', 1);
  const database = await open();
  const world = await World.open({ database });
  const pending = await sealedAs(world, 'pending');
  await openLedger(await open(), DEPLOYMENT, EXECUTOR, NEXT);
  await expect(world.advance(pending, [approve('ana', pending), approve('ben', pending)])).rejects.toThrow('stop this executor');
  expect(world.bank.callsOf('run')).toEqual([]);
});

test('a new ledger has the tables of one that took every step', async () => {
  const columns = (database: Database) =>
    database.transaction((sql) =>
      sql.all('SELECT m.name AS t, p.name, p.type, p.pk FROM sqlite_master m, pragma_table_info(m.name) p ORDER BY t, p.cid'),
    );
  const older = await (await copyOf('sqlite', 1))();
  await openLedger(older, DEPLOYMENT, EXECUTOR);
  const fresh = openSqlite(':memory:', { create: true });
  opened.push(fresh);
  await initLedger(fresh, DEPLOYMENT);
  expect(await columns(older)).toEqual(await columns(fresh));
  expect(await makeExecutor({ database: fresh, clock: { now: () => 0, ms: 0, pass: () => undefined }, types: new Map() })).toBeDefined();
});

describe('keyturn ledger verify', () => {
  test('reads a ledger of an earlier release without changing it, and refuses one of a newer build', async () => {
    const desk = await Folder.make('http://127.0.0.1:1');
    try {
      const path = join(desk.dir, 'old.db');
      cpSync(join(recorded, 'schema-1', 'ledger.db'), path);
      const book = async (): Promise<string> => {
        const database = openSqlite(path, { create: false });
        const all = await dump(database);
        await database.close();
        return all;
      };
      const before = await book();
      expect((await desk.run(['ledger', 'verify', path])).terminal.lines[0]).toMatch(/^OK, \d+ entries, 8 envelopes$/);
      expect(await book()).toBe(before);
      const database = openSqlite(path, { create: false });
      await database.transaction((sql) => sql.run("UPDATE meta SET value = '900' WHERE key = 'schema'"));
      await database.close();
      expect((await desk.run(['ledger', 'verify', path])).terminal.said).toContain('made by a newer build');
    } finally {
      await desk.remove();
    }
  });
});
