import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, test } from '@jest/globals';
import { digestOfSigned, readPayload, signedSchema } from '../../src/domain/dsse.js';
import { actionIdOf } from '../../src/domain/ids.js';
import { parseStrict } from '../../src/domain/json.js';
import { entrySchema } from '../../src/domain/objects/entry.js';
import { LedgerRefused, type Database } from '../../src/executor/ledger/database.js';
import { initLedger } from '../../src/executor/ledger/ledger.js';
import { openSqlite } from '../../src/executor/ledger/sqlite.js';
import { DEPLOYMENT } from '../helpers/rules-fixture.js';

const folder = mkdtempSync(join(tmpdir(), 'keyturn-sqlite-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const refused = (path: string): string => {
  try {
    openSqlite(path, { create: false });
  } catch (error) {
    if (error instanceof LedgerRefused && error.code === 'ledger_invalid') return error.message;
    throw error;
  }
  throw new Error(`${path} was opened`);
};

describe('ledger_invalid', () => {
  test('a file that is missing is never made by opening it', () => {
    const path = join(folder, 'missing.db');
    expect(refused(path)).toContain(`keyturn ledger init ${path}`);
    expect(refused(path)).toContain('No ledger at');
  });
  test('a file that is no database, a folder', () => {
    const path = join(folder, 'letter.db');
    writeFileSync(path, 'Dear ledger, '.repeat(1_000));
    expect(refused(path)).toContain(path);
    expect(refused(folder)).toContain(folder);
  });
  test('a second opener, in this process or in another, while the first holds it', async () => {
    const path = join(folder, 'held.db');
    const first = openSqlite(path, { create: true });
    await initLedger(first, DEPLOYMENT);
    expect(refused(path)).toContain('Does another executor hold it?');
    const other = spawn(process.execPath, ['--import', 'tsx', 'test/executor/ledger/writer.ts', path, DEPLOYMENT], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    other.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await once(other, 'exit');
    expect(said).toContain('LedgerRefused');
    await first.close();
    await openSqlite(path, { create: false }).close();
  });
});

/** What a killed writer left: the actions written, in order, each whole. Throws on half of one, or on a chain that is broken. */
async function inspect(database: Database): Promise<number> {
  return database.transaction(async (sql) => {
    const entries = (await sql.all('SELECT signed FROM entry ORDER BY seq')).map((row) => {
      const signed = signedSchema.parse(parseStrict(String(row['signed'])));
      return { digest: digestOfSigned(signed), entry: entrySchema.parse(readPayload('entry', signed)) };
    });
    for (const [i, { entry }] of entries.entries()) {
      expect(entry.seq).toBe(i + 1);
      expect(entry.prev).toBe(entries[i - 1]?.digest ?? null);
    }
    const kinds = ['sealed', 'executing', 'step_started', 'step_done', 'undo_started', 'undo_failed'];
    expect(entries.length % kinds.length).toBe(0);
    for (const [i, { entry }] of entries.entries()) {
      expect(entry.kind).toBe(kinds[i % kinds.length]);
      expect(entry.actionId).toBe(actionIdOf(DEPLOYMENT, 'ap-agent', `written ${Math.floor(i / kinds.length) + 1}`));
    }
    const actions = entries.length / kinds.length;
    const count = async (table: string): Promise<number> => Number((await sql.all(`SELECT count(*) AS n FROM ${table}`))[0]?.['n']);
    expect([await count('action'), await count('envelope'), await count('step')]).toEqual([actions, actions, 2 * actions]);
    const meta = new Map((await sql.all('SELECT key, value FROM meta')).map((row) => [row['key'], row['value']]));
    expect([meta.get('seq'), meta.get('head')]).toEqual([String(entries.length), entries.at(-1)?.digest]);
    return actions;
  });
}

test('attack 65: kill -9 in the middle of writing leaves all of a transaction, or none', async () => {
  let nothingWasWritten = true;
  for (const afterLines of [1, 4, 9, 15]) {
    const path = join(folder, `killed-${afterLines}.db`);
    const made = openSqlite(path, { create: true });
    await initLedger(made, DEPLOYMENT);
    await made.close();

    const child = spawn(process.execPath, ['--import', 'tsx', 'test/executor/ledger/writer.ts', path, DEPLOYMENT], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let told = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      told = Math.max(told, Number(line));
      if (told >= afterLines && !child.killed) {
        // Somewhere inside a later transaction, not at its edge.
        await new Promise((later) => setTimeout(later, (afterLines * 7) % 23));
        child.kill('SIGKILL');
      }
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    expect(child.signalCode).toBe('SIGKILL');

    const database = openSqlite(path, { create: false });
    // What was told as committed is there; at most one more was committed and not told any more.
    const written = await inspect(database);
    expect([told, told + 1]).toContain(written);
    nothingWasWritten &&= written === 0;
    await database.close();
  }
  expect(nothingWasWritten).toBe(false);
});
