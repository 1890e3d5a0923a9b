import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Database } from '../../src/executor/ledger/database.js';
import { initLedger } from '../../src/executor/ledger/ledger.js';
import { MIGRATIONS } from '../../src/executor/ledger/migrations/all.js';
import { openSqlite } from '../../src/executor/ledger/sqlite.js';
import { startExecutor, startWith } from '../../src/executor/start-executor.js';
import type { Means } from '../../src/executor/stay-connected.js';
import { writeKeyFile } from '../../src/files/key-files.js';
import type { RunningWorker } from '../../src/worker.js';
import { privateKeyOf } from '../cli/folder.js';
import { FakeBank } from '../helpers/fake-bank.js';
import { freeze, reject } from '../helpers/messages.js';
import { backupOf, forget, restoreInto } from '../helpers/restored.js';
import { DEPLOYMENT, policyText, rosterText, type RosterOptions } from '../helpers/rules-fixture.js';
import { bankTypes } from '../helpers/types.js';
import { World } from '../helpers/world.js';

const ALL = [...bankTypes(new FakeBank()).values()];
const never = new Promise<never>(() => undefined);
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const environment = { ...process.env };
const before = new Set(SIGNALS.flatMap((signal) => process.listeners(signal)));

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'keyturn-serve-'));
  await mkdir(join(dir, '.keyturn', 'keys'), { recursive: true });
  await writeFile(join(dir, 'policy.yaml'), policyText());
  await writeKeyFile(join(dir, '.keyturn', 'keys', 'executor-bank.key'), privateKeyOf('executor:bank'));
  await roster();
  delete process.env['KEYTURN_DOOR'];
  delete process.env['KEYTURN_LEDGER'];
});
afterEach(async () => {
  process.env = { ...environment };
  for (const signal of SIGNALS) for (const listener of process.listeners(signal)) if (!before.has(listener)) process.off(signal, listener);
  await rm(dir, { recursive: true, force: true });
});
const roster = (options: RosterOptions = {}, change = (text: string): string => text): Promise<void> =>
  writeFile(join(dir, 'roster.yaml'), change(rosterText(options)));
const book = (name = 'ledger.db'): Database => openSqlite(join(dir, '.keyturn', name), { create: true });
async function newLedger(migrations = MIGRATIONS): Promise<void> {
  const database = book();
  await initLedger(database, DEPLOYMENT, migrations);
  await database.close();
}

interface Given {
  readonly means?: Means;
  readonly door?: string;
  /** What happens once it has printed something; it ends the executor's life. */
  readonly when: (lines: readonly string[], end: () => void) => unknown;
}
/** An executor of this folder until it ends: all it printed, and the exit code it set. It may not end this process. */
async function life({ means, door, when }: Given): Promise<{ readonly lines: string[]; readonly exit: unknown; readonly ends: number }> {
  const { error, log } = console;
  const { exitCode } = process;
  const real = globalThis.setTimeout;
  const lines: string[] = [];
  let ends = 0;
  let pending = Promise.resolve();
  const print = (...line: unknown[]): void => {
    lines.push(line.join(' ').replaceAll(dir, 'DIR'));
    pending = pending.then(async () => void (await when(lines, end)));
  };
  const end = (): void => {
    for (const listener of process.listeners('SIGTERM')) if (!before.has(listener)) listener('SIGTERM');
  };
  // The one that ends the process, three seconds after its work is over, would end this one.
  globalThis.setTimeout = ((work: () => void, ms?: number) => {
    if (ms === 3_000 && String(work).includes('process.exit')) ends++;
    return real(ms === 3_000 && String(work).includes('process.exit') ? () => undefined : work, ms);
  }) as typeof setTimeout;
  Object.assign(console, { error: print, log: print });
  try {
    process.exitCode = undefined;
    await (means === undefined ? startExecutor : startWith)(
      { actions: ALL, dir, ...(door === undefined ? {} : { door }) },
      ...(means === undefined ? [] : [means]),
    );
    await pending;
    return { lines, exit: process.exitCode, ends };
  } finally {
    Object.assign(console, { error, log });
    globalThis.setTimeout = real;
    process.exitCode = exitCode;
  }
}

/** A Temporal that is there, and what it was told. */
function temporal() {
  const told: string[] = [];
  const connection = {
    withDeadline: async (_deadline: number, work: () => Promise<unknown>) => work(),
    workflowService: {
      startWorkflowExecution: async ({ workflowId }: { workflowId: string }) => {
        told.push(`start ${workflowId}`);
        return { runId: 'run' };
      },
      signalWorkflowExecution: async (asked: { workflowExecution: { workflowId: string }; signalName: string }) => {
        told.push(`${asked.signalName} ${asked.workflowExecution.workflowId}`);
        return {};
      },
    },
  } as unknown as RunningWorker['connection'];
  let starts = 0;
  const means: Means = {
    async start() {
      // The first worker breaks; the second serves to the end.
      const finished = starts++ === 0 ? Promise.reject(new Error('poll failed')) : never;
      finished.catch(() => undefined);
      return { connection, finished, stop: async () => undefined };
    },
    // Ten waits are more than any of these takes.
    sleep: async () => (starts > 10 ? never : undefined),
  };
  return { means, told };
}
const READY = JSON.stringify({
  keyturn: 'executor',
  name: 'bank',
  pid: process.pid,
  runs: ALL.map(({ name }) => name),
  deployment: DEPLOYMENT,
});
const doorIn = (lines: readonly string[]): string | undefined =>
  /^executor bank: door open \{"url":"(http:\/\/127\.0\.0\.1:\d+)"\}$/.exec(lines.find((line) => line.includes('door open')) ?? '')?.[1];
const post = async (url: string, signed: unknown): Promise<number> => {
  const headers = { 'content-type': 'application/json' };
  return (await fetch(`${url}/v1/stops`, { method: 'POST', headers, body: JSON.stringify(signed) })).status;
};

describe('an executor that starts', () => {
  test('says once whom it serves, as soon as Temporal knows what it runs, though its worker breaks; and lets its ledger go at the end', async () => {
    await newLedger();
    const { means, told } = temporal();
    let seen = 0;
    const { lines, exit, ends } = await life({
      means,
      door: '127.0.0.1:0',
      when: (printed, end) => {
        if (printed.some((line) => line.includes('poll failed')) && seen++ === 0) setTimeout(end, 20);
      },
    });
    expect(lines.map((line) => line.replace(/127\.0\.0\.1:\d+/, 'HERE'))).toEqual([
      'executor bank: door open {"url":"http://HERE"}',
      READY,
      'executor bank: temporal does not answer {"error":"poll failed","againInMs":1000}',
    ]);
    expect(told).toEqual(['start executor_bank', 'start executor_bank']);
    expect([exit, ends]).toEqual([undefined, 1]);
    await book().close();
  });
  test('without a door it does not outlive Temporal: what failed is its end, in words', async () => {
    await newLedger();
    const { means, told } = temporal();
    const { lines, exit, ends } = await life({ means, when: () => undefined });
    expect(lines).toEqual([READY, 'executor: not started\npoll failed']);
    expect([told, exit, ends]).toEqual([['start executor_bank'], 1, 1]);
    await book().close();
  });
  test('a door that cannot be opened, and rules its ledger has seen newer ones of, keep it from starting', async () => {
    await newLedger();
    const { means } = temporal();
    expect((await life({ means, door: 'nowhere', when: () => undefined })).lines).toEqual([
      'executor: not started\n"nowhere" is no address for the door. Write host:port, as 127.0.0.1:7879.',
    ]);
    const database = book();
    await database.transaction((sql) => sql.run("UPDATE meta SET value = '7 x' WHERE key = 'policy'"));
    await database.close();
    expect((await life({ means, when: () => undefined })).lines).toEqual([
      'executor: not started\npolicy version 1 is older than version 7, which this ledger has seen: raise its version',
    ]);
    await book().close();
  });
  test('a door the roster names and nobody opens is told of', async () => {
    await newLedger();
    await roster({}, (text) => text.replace('bank: { runs', "bank: { door: 'http://127.0.0.1:7879', runs"));
    const { lines } = await life({ means: temporal().means, when: () => undefined });
    expect(lines[0]).toBe(
      'executor bank: no door {"text":"roster.yaml says it is at http://127.0.0.1:7879, but none is opened: set KEYTURN_DOOR, as 127.0.0.1:7879"}',
    );
  });
  test('by its door the brake works without Temporal, which is told later what stands', async () => {
    const database = book();
    await initLedger(database, DEPLOYMENT);
    const world = await World.open({ database });
    const sealed = await world.propose();
    await database.close();
    process.env['KEYTURN_DOOR'] = '127.0.0.1:0';
    const statuses: number[] = [];
    const { means, told } = temporal();
    let isThere = false;
    const away: Means = {
      start: (role) => (isThere ? means.start(role) : Promise.reject(new Error('no connection'))),
      sleep: () => new Promise((later) => setTimeout(later, 5)),
    };
    await life({
      means: away,
      when: async (lines, end) => {
        const url = doorIn(lines);
        if (url === undefined || statuses.length > 0) return;
        statuses.push(0);
        statuses.push(await post(url, reject('cleo', sealed)), await post(url, freeze('cleo', { all: true }, { at: Date.now() })));
        isThere = true;
        while (!told.some((each) => each.startsWith('decision'))) await new Promise((later) => setTimeout(later, 5));
        end();
      },
    });
    expect(statuses).toEqual([0, 200, 200]);
    expect(told).toContain(`decision ${sealed.id}`);
  });
  test('says which steps it brought its ledger on by, and that it was restored', async () => {
    await newLedger(MIGRATIONS.slice(0, 1));
    expect((await life({ means: temporal().means, when: () => undefined })).lines[0]).toBe('executor bank: ledger brought to 002-charges');
    const first = book();
    const file = await backupOf(first, Date.UTC(2026, 5, 1, 9));
    await first.close();
    const second = book('restored.db');
    await restoreInto(second, file, Date.UTC(2026, 5, 1, 10));
    await Promise.all([second.close(), forget(file)]);
    process.env['KEYTURN_LEDGER'] = join(dir, '.keyturn', 'restored.db');
    expect((await life({ means: temporal().means, when: () => undefined })).lines[0]).toBe(
      'executor bank: ledger restored on 2026-06-01T10:00:00.000Z from a backup of 2026-06-01T09:00:00.000Z; frozen until people have thawed it',
    );
  });
  test('by the real means, where Temporal cannot even be looked for', async () => {
    await newLedger();
    process.env['TEMPORAL_CONFIG_FILE'] = '/nowhere/temporal.toml';
    const { lines, exit } = await life({ when: () => undefined });
    expect(lines).toEqual([expect.stringMatching(/^executor: not started\nTEMPORAL_CONFIG_FILE names \/nowhere\/temporal\.toml/)]);
    expect(exit).toBe(1);
  });
});
