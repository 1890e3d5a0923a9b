import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ActionType } from '../../src/executor/define-action.js';
import { LedgerRefused } from '../../src/executor/ledger/database.js';
import { openDatabase, startExecutor } from '../../src/executor/start-executor.js';
import { writeKeyFile } from '../../src/files/key-files.js';
import { privateKeyOf } from '../cli/folder.js';
import { FakeBank } from '../helpers/fake-bank.js';
import { policyText, rosterText, type RosterOptions } from '../helpers/rules-fixture.js';
import { bankTypes } from '../helpers/types.js';

const ALL = [...bankTypes(new FakeBank()).values()];
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

describe('an executor that cannot start safely says why, in words, and does not start', () => {
  let dir: string;
  const environment = { ...process.env };
  const listeners = SIGNALS.map((signal) => process.listeners(signal));
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'keyturn-start-'));
    await mkdir(join(dir, '.keyturn', 'keys'), { recursive: true });
  });
  afterEach(async () => {
    await rm(dir, { recursive: true, force: true });
    process.env = { ...environment };
    for (const [i, signal] of SIGNALS.entries())
      for (const listener of process.listeners(signal)) if (listeners[i]?.includes(listener) !== true) process.off(signal, listener);
  });
  async function folder(roster: RosterOptions = {}, policy = policyText()): Promise<void> {
    await writeFile(join(dir, 'roster.yaml'), rosterText(roster));
    await writeFile(join(dir, 'policy.yaml'), policy);
    await writeKeyFile(join(dir, '.keyturn', 'keys', 'executor-bank.key'), privateKeyOf('executor:bank'));
  }
  /** What it prints to the error output; it must have set exit code 1. */
  async function told(actions: readonly ActionType[] = ALL, options: { readonly dir?: string } = { dir }): Promise<string> {
    const { error } = console;
    const before = process.exitCode;
    const lines: unknown[] = [];
    console.error = (...line: unknown[]) => void lines.push(...line);
    try {
      await startExecutor({ actions, ...options });
      expect(process.exitCode).toBe(1);
    } finally {
      console.error = error;
      process.exitCode = before;
    }
    return lines.join('\n').replaceAll(dir, 'DIR');
  }

  test('files that are not there or not valid, each problem with its line', async () => {
    expect(await told()).toMatch(
      /^executor: not started\nDIR\/roster\.yaml:1: cannot be read: .*ENOENT.* Write: the file, or point to it$/,
    );
    await folder(
      {},
      policyText({ stages: '[{ name: finance, from: [group:finance], quorum: 9 }]', resolve: '{ from: [group:no], quorum: 1 }' }),
    );
    const said = await told();
    expect(said).toMatch(/^executor: not started\nDIR\/policy\.yaml:\d+: .*group "no"\. Write: a name the roster has$/);
  });
  test('the folder by KEYTURN_DIR where none is given', async () => {
    process.env['KEYTURN_DIR'] = join(dir, 'elsewhere');
    expect(await told(ALL, {})).toContain('DIR/elsewhere/roster.yaml:1: cannot be read');
    expect(await told(ALL, { dir })).toContain('DIR/roster.yaml:1: cannot be read');
    delete process.env['KEYTURN_DIR'];
    expect(await told(ALL, {})).toMatch(/roster\.yaml:1: cannot be read/);
  });
  test('a roster for development, unless the environment says so too', async () => {
    await folder({ more: 'development: true' });
    const refused =
      'executor: not started\nroster.yaml says development: true. Set KEYTURN_DEVELOPMENT=1 to run it so, or remove the line.';
    delete process.env['KEYTURN_DEVELOPMENT'];
    expect(await told()).toBe(refused);
    process.env['KEYTURN_DEVELOPMENT'] = '0';
    expect(await told()).toBe(refused);
    process.env['KEYTURN_DEVELOPMENT'] = '1';
    expect(await told([])).toContain('this program defines no such action');
  });
  test('actions the roster does not let it run, or that it says it runs and nobody defined, or two of one name', async () => {
    await folder({ runs: ['payments.transfer', 'payments.batch'] });
    const [transfer, batch, other] = ALL;
    if (transfer === undefined || batch === undefined || other === undefined) throw new Error('no types');
    expect(await told([transfer, batch, other])).toBe(
      `executor: not started\nroster.yaml does not let executor bank run ${other.name}. Add it under executors: bank: runs.`,
    );
    expect(await told([transfer])).toBe(
      'executor: not started\nroster.yaml says executor bank runs payments.batch, but this program defines no such action.',
    );
    expect(await told([transfer, batch, transfer])).toBe('executor: not started\nTwo actions of one name.');
  });
  test('no key, or the key of nobody', async () => {
    await folder();
    await rm(join(dir, '.keyturn', 'keys', 'executor-bank.key'));
    expect(await told()).toBe(
      'executor: not started\nNo executor in roster.yaml has a key in DIR/.keyturn/keys. Add it under executors, or set KEYTURN_EXECUTOR_KEY.',
    );
    process.env['KEYTURN_EXECUTOR_KEY'] = privateKeyOf('executor:nobody');
    expect(await told()).toBe(
      'executor: not started\nNo executor in roster.yaml has the key of KEYTURN_EXECUTOR_KEY. Add it under executors, or set KEYTURN_EXECUTOR_KEY.',
    );
  });
  test('no ledger where it should be: never a new empty one in its place', async () => {
    await folder();
    expect(await told()).toMatch(/^executor: not started\nledger_invalid: .*DIR\/\.keyturn\/ledger\.db/);
    process.env['KEYTURN_LEDGER'] = join(dir, 'other.db');
    expect(await told()).toMatch(/^executor: not started\nledger_invalid: .*DIR\/other\.db/);
  });
});

test('the database is chosen by its address; a file is only made where that is asked for', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'keyturn-start-'));
  try {
    const file = join(dir, 'ledger.db');
    await expect(openDatabase(file)).rejects.toThrow(LedgerRefused);
    const made = await openDatabase(file, { create: true });
    expect(made.kind).toBe('sqlite');
    await made.close();
    const again = await openDatabase(file);
    expect(again.kind).toBe('sqlite');
    await again.close();
    for (const scheme of ['postgres', 'postgresql']) await expect(openDatabase(`${scheme}://127.0.0.1:1/none`)).rejects.toThrow();
    await expect(openDatabase(join(dir, 'postgres://none'))).rejects.toThrow(LedgerRefused);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
