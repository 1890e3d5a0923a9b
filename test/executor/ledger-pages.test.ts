import { afterEach, describe, expect, test } from '@jest/globals';
import { canonicalize } from '../../src/domain/json.js';
import { sha256 } from '../../src/domain/hash.js';
import { utf8 } from '../../src/domain/bytes.js';
import { writeBackup } from '../../src/executor/ledger/backup.js';
import type { Database } from '../../src/executor/ledger/database.js';
import { openSqlite } from '../../src/executor/ledger/sqlite.js';
import { sourceIn, sourceOf } from '../../src/executor/ledger/source.js';
import { tablesOf } from '../../src/executor/ledger/tables.js';
import { roster } from '../cli/ran-once.js';
import { approve } from '../helpers/messages.js';
import { seal } from '../helpers/hand-made.js';
import { EXECUTOR } from '../helpers/signers.js';
import { memoryLedger, World } from '../helpers/world.js';

const opened: Database[] = [];
afterEach(async () => {
  for (const database of opened.splice(0)) await database.close();
});
async function ledger(): Promise<Database> {
  const database = await memoryLedger();
  opened.push(database);
  return database;
}
const SIGNED = approve('ana', seal());
const TEXT = canonicalize(SIGNED);
const digestNumber = (n: number): string => sha256(utf8(`row ${n}`));
/** So many rows, each written as it is. */
const filled = (database: Database, count: number, write: (n: number) => readonly [string, ...(string | number | null)[]]): Promise<void> =>
  database.transaction(async (sql) => {
    for (let n = 1; n <= count; n++) {
      const [text, ...values] = write(n);
      await sql.run(text, ...values);
    }
  });
async function all<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const row of rows) found.push(row);
  return found;
}

describe('a book has no last page: each row is read once, in order, however many there are', () => {
  test.each([0, 1, 499, 500, 501, 1_001])('%i entries', async (count) => {
    const database = await ledger();
    await filled(database, count, (n) => [
      'INSERT INTO entry (seq, action_id, n, digest, signed) VALUES (?, ?, ?, ?, ?)',
      n,
      n % 2 === 0 ? null : 'act',
      n,
      digestNumber(n),
      TEXT,
    ]);
    const found = await all(sourceOf(database).entries());
    expect(found).toEqual(
      Array.from({ length: count }, (_, i) => ({
        seq: i + 1,
        actionId: i % 2 === 0 ? 'act' : null,
        digest: digestNumber(i + 1),
        signed: SIGNED,
      })),
    );
  });
  test.each([0, 1, 500, 1_001])('%i envelopes', async (count) => {
    const database = await ledger();
    await filled(database, count, (n) => [
      'INSERT INTO envelope (digest, action_id, revision, view, signed, made_by) VALUES (?, ?, ?, ?, ?, ?)',
      digestNumber(n),
      'act',
      n,
      'view',
      TEXT,
      '',
    ]);
    const found = await database.transaction((sql) => all(sourceIn(sql).envelopes()));
    const digests = Array.from({ length: count }, (_, i) => digestNumber(i + 1)).sort();
    expect(found).toEqual(digests.map((digest) => ({ digest, actionId: 'act', view: 'view', signed: SIGNED })));
  });
  test.each([500, 501, 1_001])('%i rows of one table in a backup', async (count) => {
    const world = await World.open({ database: await ledger() });
    const known = (await world.database.transaction((sql) => sql.all('SELECT key FROM meta'))).length;
    await filled(world.database, count - known, (n) => ['INSERT INTO meta (key, value) VALUES (?, ?)', `row ${digestNumber(n)}`, 'x']);
    const lines: string[] = [];
    const options = { roster: roster(), signer: EXECUTOR, now: world.clock.ms };
    const backup = await writeBackup(world.database, options, async (line) => void lines.push(line));
    const rows = lines.slice(1, -1);
    expect([backup.rows, rows.length, new Set(rows).size]).toEqual([count, count, count]);
    expect(rows).toEqual([...rows].sort());
  });
  test('what is no row of this build is no entry', async () => {
    const database = await ledger();
    const insert = 'INSERT INTO entry (seq, action_id, n, digest, signed) VALUES (?, NULL, NULL, ?, ?)';
    await filled(database, 1, (n) => [insert, n, digestNumber(n), '{"payload":1}']);
    await expect(all(sourceOf(database).entries())).rejects.toThrow('payload');
  });
});

describe('the tables of a ledger, as the database knows them', () => {
  test('by name, with their columns in order, and their primary keys in the order of the key', async () => {
    const database = openSqlite(':memory:', { create: true });
    opened.push(database);
    await database.transaction(async (sql) => {
      await sql.run('CREATE TABLE b (first TEXT, second TEXT, third TEXT, PRIMARY KEY (third, first))');
      await sql.run('CREATE TABLE a (only_one TEXT PRIMARY KEY)');
    });
    expect(await database.transaction((sql) => tablesOf(sql, 'sqlite'))).toEqual([
      { name: 'a', columns: ['only_one'], key: ['only_one'] },
      { name: 'b', columns: ['first', 'second', 'third'], key: ['third', 'first'] },
    ]);
  });
  test('one without a primary key could not be read in pages: it is none', async () => {
    const database = await ledger();
    await database.transaction((sql) => sql.run('CREATE TABLE loose (a TEXT)'));
    await expect(database.transaction((sql) => tablesOf(sql, 'sqlite'))).rejects.toThrow('the table loose has no primary key');
  });
});
