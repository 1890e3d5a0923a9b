import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { toInstant } from '../../src/domain/instant.js';
import { digestOfSigned, type Signed } from '../../src/domain/dsse.js';
import { restoreSchema } from '../../src/domain/objects/restore.js';
import { LedgerRefused, type Database, type Value } from '../../src/executor/ledger/database.js';
import { initLedger, openLedger } from '../../src/executor/ledger/ledger.js';
import type { Migration } from '../../src/executor/ledger/migrate.js';
import { MIGRATIONS } from '../../src/executor/ledger/migrations/all.js';
import { openSqlite } from '../../src/executor/ledger/sqlite.js';
import { transitions } from '../../src/executor/ledger/transitions.js';
import { DEPLOYMENT } from '../helpers/rules-fixture.js';
import { EXECUTOR } from '../helpers/signers.js';
import { dump } from './ledger/databases.js';
import { NOW } from './ledger/states.js';

const opened: Database[] = [];
let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'keyturn-open-'));
});
afterEach(async () => {
  for (const database of opened.splice(0)) await database.close();
});
afterAll(() => rm(dir, { recursive: true, force: true }));

function open(path = ':memory:', create = true): Database {
  const database = openSqlite(path, { create });
  opened.push(database);
  return database;
}
async function fresh(migrations: readonly Migration[] = MIGRATIONS): Promise<Database> {
  const database = open();
  await initLedger(database, DEPLOYMENT, migrations);
  return database;
}
const run = (database: Database, text: string, ...values: Value[]): Promise<number> =>
  database.transaction((sql) => sql.run(text, ...values));
const all = (database: Database, text: string) => database.transaction((sql) => sql.all(text));
/** The words it is refused with. Throws where it is not. */
async function refusal(opening: () => unknown): Promise<string> {
  try {
    await opening();
  } catch (error) {
    if (error instanceof LedgerRefused && error.code === 'ledger_invalid') return error.message.replaceAll(dir, 'DIR');
    throw error;
  }
  throw new Error('not refused');
}

describe('which book is opened', () => {
  test.each<[string, string, string | null, string]>([
    [
      'of no deployment',
      'deployment',
      null,
      'The ledger belongs to deployment none, the roster names acme-test. Use the ledger of this deployment.',
    ],
    [
      'of another deployment',
      'deployment',
      'acme-prod',
      'The ledger belongs to deployment acme-prod, the roster names acme-test. Use the ledger of this deployment.',
    ],
    ...([null, '', 'f'.repeat(31), 'f'.repeat(33), 'F'.repeat(32), `${'f'.repeat(32)}\n`] as const).map(
      (value): [string, string, string | null, string] => [
        `a name that is none: ${JSON.stringify(value)}`,
        'ledger',
        value,
        "The ledger's meta table is damaged.",
      ],
    ),
    ...([null, '', '0', '-1', '1.5', 'x', '9007199254740993'] as const).map((value): [string, string, string | null, string] => [
      `an epoch that is none: ${JSON.stringify(value)}`,
      'epoch',
      value,
      "The ledger's meta table is damaged.",
    ]),
    ['an epoch no restore began', 'epoch', '2', 'The ledger says epoch 2, but holds no restore that began it.'],
    ['of no schema', 'schema', null, 'The ledger names no schema but none: it is damaged.'],
    ...(['', '0', '01', '-1', '1.0', ' 1', '1 ', 'x1', '1x', '1000000'] as const).map((value): [string, string, string | null, string] => [
      `a schema that is none: ${JSON.stringify(value)}`,
      'schema',
      value,
      `The ledger names no schema but ${value}: it is damaged.`,
    ]),
    [
      'of a newer build',
      'schema',
      '3',
      'The ledger has schema 3, made by a newer build; this build knows 2 at most and would not keep its rules. Run the newer build again.',
    ],
  ])('attack: %s: refused in words, and left as it is', async (_what, key, value, words) => {
    const database = await fresh();
    if (value === null) await run(database, 'DELETE FROM meta WHERE key = ?', key);
    else await run(database, 'UPDATE meta SET value = ? WHERE key = ?', value, key);
    const before = await dump(database);
    expect(await refusal(() => openLedger(database, DEPLOYMENT, EXECUTOR))).toBe(words);
    expect(await dump(database)).toBe(before);
  });
  test('what is no ledger, and a second ledger where one is', async () => {
    expect(await refusal(() => openLedger(open(), DEPLOYMENT, EXECUTOR))).toBe(
      'This is no Keyturn ledger (no such table: meta). Make one: keyturn ledger init',
    );
    const database = await fresh();
    const before = await dump(database);
    expect(await refusal(() => initLedger(database, DEPLOYMENT))).toBe('No new ledger was made here: table meta already exists');
    expect(await dump(database)).toBe(before);
    const thrower: Database = { ...database, transaction: () => Promise.reject(new Error('away')) };
    expect(await refusal(() => initLedger(thrower, DEPLOYMENT))).toBe('No new ledger was made here: away');
  });
  test('a new one is named at random, in its first epoch, at the newest schema, with no entry', async () => {
    const database = open();
    const identity = await initLedger(database, DEPLOYMENT);
    expect(identity).toEqual({ deployment: DEPLOYMENT, ledger: expect.stringMatching(/^[0-9a-f]{32}$/), epoch: 1 });
    expect(new Map((await all(database, 'SELECT * FROM meta')).map((row) => [row['key'], row['value']]))).toEqual(
      new Map(Object.entries({ schema: '2', deployment: DEPLOYMENT, ledger: identity.ledger, epoch: '1', seq: '0' })),
    );
    const ledger = await openLedger(database, DEPLOYMENT, EXECUTOR);
    expect([ledger.identity, ledger.kind, ledger.steps, ledger.restored]).toEqual([identity, 'sqlite', [], undefined]);
    expect((await initLedger(open(), DEPLOYMENT)).ledger).not.toBe(identity.ledger);
  });
  test('an epoch is begun by its own restore, of this very ledger', async () => {
    const database = await fresh();
    const ledger = await openLedger(database, DEPLOYMENT, EXECUTOR);
    const restoreOf = (change: object) =>
      restoreSchema.parse({
        v: 1,
        ...ledger.identity,
        epoch: 2,
        nonce: 'f'.repeat(32),
        backup: 'a'.repeat(64),
        backupAt: toInstant(NOW),
        at: toInstant(NOW),
        ...change,
      });
    const lodge = (signed: Signed, object: 'restore' | 'freeze' = 'restore'): Promise<void> =>
      ledger.transaction((tx) => transitions.lodge(tx, null, object, digestOfSigned(signed), 'executor:bank', signed, NOW));
    await run(database, "UPDATE meta SET value = '2' WHERE key = 'epoch'");
    const nobody = 'The ledger says epoch 2, but holds no restore that began it.';
    await lodge(EXECUTOR.sign('restore', restoreOf({ epoch: 3 })));
    await lodge(EXECUTOR.sign('restore', restoreOf({ ledger: 'e'.repeat(32) })));
    const freeze = { v: 1, deployment: DEPLOYMENT, nonce: 'f'.repeat(32), issuedAt: toInstant(NOW), by: 'cleo', scope: { all: true } };
    await lodge(EXECUTOR.sign('freeze', { ...freeze, reason: 'x' }), 'freeze');
    expect(await refusal(() => openLedger(database, DEPLOYMENT, EXECUTOR))).toBe(nobody);
    const own = restoreOf({});
    await lodge(EXECUTOR.sign('restore', own));
    expect((await openLedger(database, DEPLOYMENT, EXECUTOR)).restored).toEqual(own);
  });
});

describe('a ledger of an earlier release', () => {
  const NEXT: readonly Migration[] = [
    ...MIGRATIONS,
    { name: 'test-one', apply: async (sql) => void (await sql.run('CREATE TABLE one (a TEXT PRIMARY KEY)')) },
    { name: 'test-two', apply: async (sql) => void (await sql.run("INSERT INTO one (a) VALUES ('x')")) },
  ];
  const schemaOf = async (database: Database) => (await all(database, "SELECT value FROM meta WHERE key = 'schema'"))[0]?.['value'];

  test('takes the steps it has not taken, in order, once; the tables are then those of a new one', async () => {
    const database = await fresh(MIGRATIONS.slice(0, 1));
    expect(await schemaOf(database)).toBe('1');
    expect((await openLedger(database, DEPLOYMENT, EXECUTOR)).steps).toEqual(['002-charges']);
    expect(await schemaOf(database)).toBe('2');
    const tables = (of: Database) => all(of, 'SELECT name, sql FROM sqlite_master ORDER BY name');
    expect(await tables(database)).toEqual(await tables(await fresh()));
    expect((await openLedger(database, DEPLOYMENT, EXECUTOR, NEXT)).steps).toEqual(['test-one', 'test-two']);
    expect((await openLedger(database, DEPLOYMENT, EXECUTOR, NEXT)).steps).toEqual([]);
    expect([await schemaOf(database), await all(database, 'SELECT a FROM one')]).toEqual(['4', [{ a: 'x' }]]);
    expect(await refusal(() => openLedger(database, DEPLOYMENT, EXECUTOR))).toContain('made by a newer build; this build knows 2 at most');
  });
  test('a step that fails takes back those before it, and says which it was', async () => {
    const database = await fresh();
    const before = await all(database, 'SELECT name FROM sqlite_master ORDER BY name');
    const broken = [
      ...NEXT,
      { name: 'test-broken', apply: async (sql) => void (await sql.run('INSERT INTO nowhere (a) VALUES (1)')) } satisfies Migration,
    ];
    expect(await refusal(() => openLedger(database, DEPLOYMENT, EXECUTOR, broken))).toBe(
      "The ledger's step test-broken failed: no such table: nowhere. Nothing of it was changed; the build that wrote it still opens it.",
    );
    expect(await all(database, 'SELECT name FROM sqlite_master ORDER BY name')).toEqual(before);
    expect((await openLedger(database, DEPLOYMENT, EXECUTOR)).steps).toEqual([]);
  });
});

describe('a file', () => {
  test('that is not there is made only where that is asked for, with its folders', async () => {
    const path = join(dir, 'some', 'where', 'ledger.db');
    expect(await refusal(() => openSqlite(path, { create: false }))).toBe(
      'No ledger at DIR/some/where/ledger.db. Make one: keyturn ledger init DIR/some/where/ledger.db',
    );
    expect(existsSync(path)).toBe(false);
    open(path);
    expect(existsSync(path)).toBe(true);
  });
  test('that is no database, or cannot be one', async () => {
    const path = join(dir, 'letter.db');
    await writeFile(path, 'Dear Sir or Madam, this is no database at all.'.repeat(100));
    expect(await refusal(() => openSqlite(path, { create: false }))).toBe(
      'The ledger DIR/letter.db cannot be opened: SqliteError: file is not a database. Does another executor hold it?',
    );
    expect(await refusal(() => openSqlite(dir, { create: false }))).toMatch(
      /^The ledger DIR cannot be opened: .+\. Does another executor hold it\?$/,
    );
  });
  test('is written through to the disk, and locked by who opened it', async () => {
    const path = join(dir, 'locked.db');
    const database = open(path);
    const pragma = async (name: string): Promise<Value[]> => (await all(database, `PRAGMA ${name}`)).flatMap((row) => Object.values(row));
    expect([await pragma('journal_mode'), await pragma('synchronous'), await pragma('locking_mode')]).toEqual([
      ['wal'],
      [2],
      ['exclusive'],
    ]);
    expect(await refusal(() => openSqlite(path, { create: false }))).toBe(
      'The ledger DIR/locked.db cannot be opened: SqliteError: database is locked. Does another executor hold it?',
    );
  });
  test('is whole in one file once it is closed, after what is under way, and the lock is given back', async () => {
    const path = join(dir, 'closed.db');
    const first = openSqlite(path, { create: true });
    await initLedger(first, DEPLOYMENT);
    const writing = first.transaction(async (sql) => {
      await new Promise((later) => setTimeout(later, 10));
      await sql.run("INSERT INTO meta (key, value) VALUES ('late', 'x')");
    });
    await Promise.all([first.close(), writing]);
    expect(['-wal', '-shm', '-journal'].map((end) => existsSync(path + end))).toEqual([false, false, false]);
    const again = open(path, false);
    expect(await all(again, "SELECT value FROM meta WHERE key = 'late'")).toEqual([{ value: 'x' }]);
  });
});

describe('transactions of one file', () => {
  test('one that fails takes back what it wrote, and the next is not held up', async () => {
    const database = await fresh();
    const failing = database.transaction(async (sql) => {
      await sql.run("INSERT INTO meta (key, value) VALUES ('a', 'x')");
      throw new Error('power cut');
    });
    const next = all(database, "SELECT * FROM meta WHERE key = 'a'");
    await expect(failing).rejects.toThrow('power cut');
    expect(await next).toEqual([]);
  });
  test('one whose work has ended it itself fails with its own error', async () => {
    const database = await fresh();
    const odd = database.transaction(async (sql) => {
      await sql.run('ROLLBACK');
      throw new Error('power cut');
    });
    await expect(odd).rejects.toThrow('power cut');
    expect(await run(database, "UPDATE meta SET value = '0' WHERE key = 'seq'")).toBe(1);
    expect(await run(database, "UPDATE meta SET value = '0' WHERE key = 'nothing'")).toBe(0);
  });
});
