import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkLedger } from '../../src/executor/ledger/check.js';
import { sourceOf, type LedgerSource } from '../../src/executor/ledger/source.js';
import { LedgerTransaction } from '../../src/executor/ledger/ledger.js';
import { openSqlite } from '../../src/executor/ledger/sqlite.js';
import { digestOfSigned } from '../../src/domain/dsse.js';
import { digestOf } from '../../src/domain/hash.js';
import type { Digest } from '../../src/domain/ids.js';
import { HandLedger, LEDGER, OPENED } from '../helpers/hand-made.js';
import { DEPLOYMENT } from '../helpers/rules-fixture.js';
import { EXECUTOR } from '../helpers/signers.js';
import type { World } from '../helpers/world.js';
import { Folder, privateKeyOf } from './folder.js';
import { ranOnce, roster } from './ran-once.js';

let folder: Folder;
beforeEach(async () => {
  folder = await Folder.make('http://127.0.0.1:1');
});
afterEach(() => folder.remove());

describe('ledger verify', () => {
  const check = (world: World) => checkLedger(sourceOf(world.database), roster());
  const sql = (world: World, text: string, ...values: (string | number)[]): Promise<number> =>
    world.database.transaction((tx) => tx.run(text, ...values));

  test('a whole book', async () => {
    const { world } = await ranOnce();
    await world.propose();
    expect(await check(world)).toEqual({ ok: true, entries: 6, envelopes: 2 });
  });

  test.each([
    ['an entry cut out', 'DELETE FROM entry WHERE seq = 3', 'entry 4'],
    ['the last entry cut off', 'DELETE FROM entry WHERE seq = 5', 'meta'],
    ['two entries exchanged', 'UPDATE entry SET signed = (SELECT signed FROM entry WHERE seq = 2) WHERE seq = 3', 'entry 3'],
    ['an entry on another action', "UPDATE entry SET action_id = 'act_other' WHERE seq = 2", 'entry 2'],
    ['an envelope gone', 'DELETE FROM envelope', 'envelope'],
    ['an envelope shown as another view', "UPDATE envelope SET view = '0'", 'envelope'],
    ['rows that are none', "UPDATE entry SET signed = '{}' WHERE seq = 1", 'rows'],
    ['the book of another deployment', "UPDATE meta SET value = 'acme-prod' WHERE key = 'deployment'", 'meta'],
  ])('%s', async (_name, text, step) => {
    const { world } = await ranOnce();
    await sql(world, text);
    const report = await check(world);
    expect(report.ok).toBe(false);
    expect(!report.ok && report.step).toContain(step);
  });

  test('an entry of an epoch no restore began', async () => {
    const { world } = await ranOnce();
    const identity = { ...world.executor.ledger.identity, epoch: 2 };
    await world.database.transaction((tx) =>
      new LedgerTransaction(tx, identity, EXECUTOR).append(
        { kind: 'lodged', actionId: null, object: 'freeze', digest: null, by: 'x' },
        OPENED,
      ),
    );
    expect(await check(world)).toMatchObject({ ok: false, step: 'entry 6', text: 'of another epoch, which no restore began' });
  });

  test('an entry signed by somebody else', async () => {
    const { world } = await ranOnce();
    const [row] = await world.database.transaction((tx) => tx.all('SELECT signed FROM entry WHERE seq = 5'));
    const forged = String(row?.['signed']).replace(/"sig":"./, (start) => `${start.slice(0, -1)}${start.endsWith('A') ? 'B' : 'A'}`);
    await sql(world, 'UPDATE entry SET signed = ? WHERE seq = 5', forged);
    expect(await check(world)).toMatchObject({ ok: false, step: 'entry 5' });
  });

  test('an entry of another line of the same book, validly signed, between two of different actions', async () => {
    const reason = { code: 'rule_missing', text: 'no rule' } as const;
    const body = { kind: 'denied', request: digestOf('x'), status: 'denied', reason } as const;
    const book = (prev: Digest | undefined): LedgerSource => {
      const [first, second] = [new HandLedger(`act_${'0'.repeat(26)}`), new HandLedger(`act_${'1'.repeat(26)}`)];
      const head = first.append(body, OPENED);
      const last = second.append(body, OPENED, { seq: 2, prev: prev ?? head });
      const rows = [...first.entries, ...second.entries].map((signed, i) => ({
        seq: i + 1,
        actionId: `act_${String(i).repeat(26)}`,
        digest: digestOfSigned(signed),
        signed,
      }));
      const meta = { deployment: DEPLOYMENT, ledger: LEDGER, epoch: '1', seq: '2', head: last };
      return {
        meta: async () => new Map(Object.entries(meta)),
        entries: async function* () {
          yield* rows;
        },
        envelopes: async function* () {
          yield* [];
        },
      };
    };
    expect(await checkLedger(book(undefined), roster())).toEqual({ ok: true, entries: 2, envelopes: 0 });
    expect(await checkLedger(book(digestOf('another line')), roster())).toMatchObject({ ok: false, step: 'entry 2' });
  });

  test('init makes one, never over another; verify checks it', async () => {
    expect((await folder.run(['ledger', 'init'])).exit).toBe(0);
    const again = await folder.run(['ledger', 'init']);
    expect(again.exit).toBe(1);
    expect(again.terminal.said).toContain('(ledger_invalid)');
    const path = join(folder.dir, '.keyturn', 'ledger.db');
    expect((await folder.run(['ledger', 'verify', path])).terminal.lines[0]).toBe('OK, 0 entries, 0 envelopes');
    expect((await folder.run(['ledger', 'verify', join(folder.dir, 'no.db')])).terminal.said).toContain('(ledger_invalid)');
  });

  test('init without a place makes it where the executor will look: KEYTURN_LEDGER, or the file that holds it', async () => {
    const [path, mounted] = [join(folder.dir, 'book.db'), join(folder.dir, 'ledger-address')];
    await writeFile(mounted, `${path}\n`);
    expect((await folder.run(['ledger', 'init'], undefined, { KEYTURN_LEDGER_FILE: mounted })).exit).toBe(0);
    expect((await folder.run(['ledger', 'init'], undefined, { KEYTURN_LEDGER: path })).terminal.said).toContain('(ledger_invalid)');
    expect((await folder.run(['ledger', 'verify', path])).terminal.lines[0]).toBe('OK, 0 entries, 0 envelopes');
  });
});

describe('ledger backup, ledger restore', () => {
  const env = { KEYTURN_EXECUTOR_KEY: privateKeyOf('executor:bank') };
  const run = (...args: string[]) => folder.run(['ledger', ...args], undefined, env);
  const at = (name: string): string => join(folder.dir, name);

  test('a backup, its restore, and what it says of the freeze; never over a file or a ledger', async () => {
    await run('init', at('old.db'));
    const made = await run('backup', at('one.backup'), at('old.db'));
    expect([made.exit, made.terminal.lines[0]]).toEqual([0, `OK, 5 rows, 0 entries, epoch 1: ${at('one.backup')}`]);
    expect((await stat(at('one.backup'))).mode & 0o777).toBe(0o600);
    expect((await run('backup', at('one.backup'), at('old.db'))).terminal.said).toContain('(file_exists)');

    const restored = await run('restore', at('one.backup'), at('new.db'));
    expect(restored.exit).toBe(0);
    expect(restored.terminal.said).toMatch(/now epoch 2 frozen: .* keyturn thaw [0-9a-f]{64} --reason/);
    expect((await run('verify', at('new.db'))).terminal.lines[0]).toBe('OK, 1 entries, 0 envelopes');
    expect((await run('restore', at('one.backup'), at('new.db'))).terminal.said).toContain('There is something here already');
    expect((await run('restore', at('one.backup'), at('old.db'))).exit).toBe(1);
    expect((await run('restore', at('none.backup'), at('third.db'))).terminal.said).toContain('(ledger_invalid)');
  });

  test('an executor that runs holds its SQLite ledger alone: stop it first', async () => {
    await run('init', at('held.db'));
    const held = openSqlite(at('held.db'), { create: false });
    try {
      expect((await run('backup', at('held.backup'), at('held.db'))).terminal.said).toContain('Does another executor hold it?');
      expect(existsSync(at('held.backup'))).toBe(false);
    } finally {
      await held.close();
    }
  });

  test('without the key of an executor there is nobody to sign it', async () => {
    await run('init', at('old.db'));
    expect((await folder.run(['ledger', 'backup', at('x.backup'), at('old.db')])).terminal.said).toContain('No executor in roster.yaml');
  });
});
