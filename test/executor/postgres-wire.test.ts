import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { LedgerRefused, type Database } from '../../src/executor/ledger/database.js';
import { openPostgres } from '../../src/executor/ledger/postgres.js';
import { PostgresWire, type Reply } from '../helpers/postgres-wire.js';

const [INT8, TEXT, BOOL] = [20, 25, 16];
const soon = (ms = 20): Promise<void> => new Promise((done) => setTimeout(done, ms));
const sync = (value?: string): Reply => ({
  columns: [['synchronous_commit', TEXT]],
  rows: value === undefined ? [] : [[value]],
  tag: 'SHOW',
});

let wire: PostgresWire;
const opened: Database[] = [];
beforeEach(async () => {
  wire = await PostgresWire.start();
  answering({});
});
afterEach(async () => {
  for (const database of opened.splice(0)) await database.close();
  await wire.close();
});
/** These statements are answered so; the server says that a commit is one. */
function answering(replies: Readonly<Record<string, Reply>>): void {
  wire.answer = (statement) => replies[statement] ?? (statement === 'SHOW synchronous_commit' ? sync('on') : undefined);
}
async function open(): Promise<Database> {
  const database = await openPostgres(wire.url);
  opened.push(database);
  wire.asked.splice(0);
  return database;
}
const LOCK = 'SELECT pg_advisory_xact_lock($1) <- 7305481';

describe('a ledger is opened only where a commit stays', () => {
  const refusal = async (url = wire.url): Promise<string> => {
    const error = await openPostgres(url).catch((each: unknown) => each);
    if (!(error instanceof LedgerRefused)) throw new Error(`not refused: ${String(error)}`);
    return error.message;
  };
  const NOT_DURABLE = 'PostgreSQL runs with synchronous_commit=off: a committed entry could be lost. Set it to on.';
  test.each<[string, Reply, string]>([
    ['off', sync('off'), NOT_DURABLE],
    ['nothing', sync(), NOT_DURABLE],
    ['an error', { error: 'no such setting' }, "The ledger's PostgreSQL does not answer: no such setting"],
    ['no word', 'cut', "The ledger's PostgreSQL does not answer: Connection terminated unexpectedly"],
  ])('a server that says %s is refused, and no connection is left', async (_what, reply, words) => {
    answering({ 'SHOW synchronous_commit': reply });
    expect(await refusal()).toBe(words);
    await soon();
    expect([wire.open, wire.asked]).toEqual([0, ['1: SHOW synchronous_commit']]);
  });
  test.each(['on', 'local', 'remote_apply'])('synchronous_commit=%s will do', async (value) => {
    answering({ 'SHOW synchronous_commit': sync(value) });
    expect((await open()).kind).toBe('postgres');
  });
});

describe('transactions', () => {
  test('follow one another by one lock, taken first; statements are numbered in the dialect; what changed is counted', async () => {
    answering({
      'SELECT a, b, c FROM t WHERE x = $1 AND y = $2 <- 7, null': {
        columns: [
          ['a', INT8],
          ['b', TEXT],
          ['c', BOOL],
        ],
        rows: [['9007199254740991', 'x', 't']],
        tag: 'SELECT 1',
      },
      'UPDATE t SET a = $1 <- z': { tag: 'UPDATE 3' },
    });
    const database = await open();
    const said = await database.transaction(async (sql) => [
      await sql.all('SELECT a, b, c FROM t WHERE x = ? AND y = ?', 7, null),
      await sql.run('UPDATE t SET a = ?', 'z'),
      await sql.run('CREATE TABLE t'),
    ]);
    expect(said).toEqual([[{ a: 9_007_199_254_740_991, b: 'x', c: true }], 3, 0]);
    expect(wire.asked).toEqual(
      [
        'BEGIN',
        LOCK,
        'SELECT a, b, c FROM t WHERE x = $1 AND y = $2 <- 7, null',
        'UPDATE t SET a = $1 <- z',
        'CREATE TABLE t',
        'COMMIT',
      ].map((each) => `1: ${each}`),
    );
  });
  test('a snapshot reads one moment and takes no lock', async () => {
    const database = await open();
    await database.snapshot(async (sql) => sql.all('SELECT 1'));
    expect(wire.asked).toEqual(['BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY', 'SELECT 1', 'COMMIT'].map((each) => `1: ${each}`));
  });
  test('a throw rolls back, and the connection serves on', async () => {
    const database = await open();
    await expect(database.transaction(() => Promise.reject(new Error('power cut')))).rejects.toThrow('power cut');
    await database.transaction(async () => undefined);
    expect(wire.asked).toEqual(['BEGIN', LOCK, 'ROLLBACK', 'BEGIN', LOCK, 'COMMIT'].map((each) => `1: ${each}`));
  });
  test('a commit that fails is no commit', async () => {
    const database = await open();
    answering({ COMMIT: { error: 'could not serialize' } });
    await expect(database.transaction(async () => 'done')).rejects.toThrow('could not serialize');
    expect(wire.asked.at(-1)).toBe('1: ROLLBACK');
  });
  test.each(['BEGIN', LOCK])('without %s nothing is worked', async (statement) => {
    const database = await open();
    answering({ [statement]: { error: 'no' } });
    let worked = false;
    await expect(database.transaction(async () => void (worked = true))).rejects.toThrow('no');
    expect(worked).toBe(false);
  });
  test('at most eight connections, one a transaction, each given back', async () => {
    const database = await open();
    let most = 0;
    const one = () =>
      database.transaction(async () => {
        await soon(5);
        most = Math.max(most, wire.open);
      });
    for (let round = 0; round < 2; round++) await Promise.all(Array.from({ length: 20 }, one));
    expect(most).toBe(8);
    expect(wire.asked.filter((each) => each.endsWith('COMMIT'))).toHaveLength(40);
  });
});

describe('a server that dies', () => {
  test('in the middle of a statement: its call fails, and the next one has a connection of its own', async () => {
    const database = await open();
    answering({ 'SELECT 1': 'cut' });
    await expect(database.transaction((sql) => sql.all('SELECT 1'))).rejects.toThrow('Connection terminated unexpectedly');
    await database.transaction(async () => undefined);
    expect(wire.asked.slice(-3)).toEqual(['BEGIN', LOCK, 'COMMIT'].map((each) => `2: ${each}`));
  });
  test('while nobody asks anything, or between two statements: no error of the process', async () => {
    const database = await open();
    wire.cut();
    await soon();
    await expect(
      database.transaction(async (sql) => {
        wire.cut();
        await soon();
        await sql.all('SELECT 1');
      }),
    ).rejects.toThrow();
    expect(await database.transaction(async () => 'goes on')).toBe('goes on');
  });
  test('a rollback that fails gives the connection up', async () => {
    const database = await open();
    answering({ ROLLBACK: { error: 'no' } });
    await expect(database.transaction(() => Promise.reject(new Error('power cut')))).rejects.toThrow('power cut');
    await database.transaction(async () => undefined);
    expect(wire.asked.slice(-3)).toEqual(['BEGIN', LOCK, 'COMMIT'].map((each) => `2: ${each}`));
  });
});

test('closed, it holds no connection', async () => {
  const database = await openPostgres(wire.url);
  await database.transaction(async () => undefined);
  expect(wire.open).toBe(1);
  await database.close();
  await soon();
  expect(wire.open).toBe(0);
});
