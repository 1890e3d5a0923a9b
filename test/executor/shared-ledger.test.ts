import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { LEASE_MS, type Executor } from '../../src/executor/executor.js';
import { LedgerRefused, type Database } from '../../src/executor/ledger/database.js';
import { openLedger } from '../../src/executor/ledger/ledger.js';
import { liveRules } from '../../src/executor/live-rules.js';
import { approve, type SealedRevision } from '../helpers/messages.js';
import { DEPLOYMENT, policyText, rosterText } from '../helpers/rules-fixture.js';
import { EXECUTOR } from '../helpers/signers.js';
import { makeExecutor, memoryLedger, World } from '../helpers/world.js';

/** A ledger of several executors, as PostgreSQL is one; what it holds lies in SQLite. */
const shared = (database: Database): Database => ({ ...database, kind: 'postgres' });

const votesOn = (sealed: SealedRevision) => [approve('ana', sealed), approve('ben', sealed)];
const untilHanging = async ({ bank }: World, count = 1): Promise<void> => {
  while (bank.hangingNow < count) await new Promise((later) => setTimeout(later, 1));
};
/** Two executors on one ledger of this kind, and one action the first has begun and hangs at. */
async function pair(kind: Database['kind']) {
  const database = { ...(await memoryLedger()), kind };
  const one = await World.open({ database });
  const two = one.beside(await makeExecutor({ database, clock: one.clock, types: one.types, rules: one.rules }));
  const sealed = await one.propose();
  one.bank.plan({ run: ['hangs'] });
  const running = one.advance(sealed, votesOn(sealed));
  await untilHanging(one);
  return { database, one, two, sealed, running };
}

describe('who is at a step', () => {
  test('on a shared ledger another executor is, until its lease is over, to the millisecond; then its step is probed', async () => {
    const { one, two, sealed, running } = await pair('postgres');
    one.clock.pass(LEASE_MS - 1);
    expect(await two.advance(sealed)).toMatchObject({ kind: 'wait', code: 'busy', text: 'a step is under way' });
    expect(one.bank.callsOf('probe')).toEqual([]);
    one.clock.pass(1);
    expect(await two.advance(sealed)).toEqual({ kind: 'again' });
    expect(one.bank.callsOf('probe')).toEqual([`${sealed.id}/run/run/1`]);
    one.bank.release();
    expect(await running).toMatchObject({ kind: 'wait', code: 'busy', text: 'the action moved meanwhile; ask again' });
    expect(one.bank.effectsOf(sealed.id)).toEqual([]);
  });
  test('a file has one executor: the lease of any other is void at once', async () => {
    const { one, two, sealed, running } = await pair('sqlite');
    expect(await two.advance(sealed)).toEqual({ kind: 'again' });
    expect(one.bank.callsOf('probe')).toHaveLength(1);
    one.bank.release();
    await running;
  });
  test('this process is only at what it is doing: a step whose outcome it could not write it probes at once', async () => {
    const database = shared(await memoryLedger());
    const world = await World.open({ database });
    const sealed = await world.propose();
    const { ledger } = world.executor;
    const { transaction } = ledger;
    const { run } = world.bank;
    world.bank.run = async (act) => {
      ledger.transaction = () => Promise.reject(new Error('disk full'));
      return run.call(world.bank, act);
    };
    await expect(world.advance(sealed, votesOn(sealed))).rejects.toThrow('disk full');
    ledger.transaction = transaction;
    expect(await world.advance(sealed)).toEqual({ kind: 'end' });
    expect(world.bank.callsOf('probe')).toHaveLength(1);
    expect(world.bank.effectsOf(sealed.id)).toEqual(['run']);
  });
  test('two actions are two claims', async () => {
    const world = await World.open();
    const both = [await world.propose(), await world.propose()];
    world.bank.plan({ run: ['hangs', 'hangs'] });
    const running = both.map((sealed) => world.advance(sealed, votesOn(sealed)));
    await untilHanging(world, 2);
    expect([...world.executor.inFlight].sort()).toEqual(both.map(({ id }) => `${id}/1/run`).sort());
    while (world.bank.release());
    expect(await Promise.all(running)).toEqual([{ kind: 'end' }, { kind: 'end' }]);
    expect(world.executor.inFlight.size).toBe(0);
  });
});

describe('a lease is renewed while its holder acts', () => {
  /** What runs every so often, as it is told to; and what no longer does. */
  async function withIntervals<T>(
    work: (every: { readonly ms: number; readonly run: () => void; over: boolean }[]) => Promise<T>,
  ): Promise<T> {
    const { setInterval: realSet, clearInterval: realClear } = globalThis;
    const every: { readonly ms: number; readonly run: () => void; over: boolean }[] = [];
    globalThis.setInterval = ((run: () => void, ms: number) => every.push({ ms, run, over: false })) as unknown as typeof setInterval;
    globalThis.clearInterval = ((number: number) => {
      const found = every[number - 1];
      if (found !== undefined) found.over = true;
    }) as typeof clearInterval;
    try {
      return await work(every);
    } finally {
      Object.assign(globalThis, { setInterval: realSet, clearInterval: realClear });
    }
  }
  const leases = async ({ database }: World) =>
    (await database.transaction((sql) => sql.all("SELECT lease_until FROM step WHERE phase = 'run' ORDER BY since"))).map(
      (row) => row['lease_until'],
    );

  test('every third of its time, its own row alone, and no longer than it acts', () =>
    withIntervals(async (every) => {
      const world = await World.open();
      const both = [await world.propose(), await world.propose()];
      world.bank.plan({ run: ['hangs', 'hangs'] });
      const running = [];
      for (const [i, sealed] of both.entries()) {
        running.push(world.advance(sealed, votesOn(sealed)));
        await untilHanging(world, i + 1);
        world.clock.pass(1);
      }
      const began = world.clock.ms - 2;
      expect(await leases(world)).toEqual([began + LEASE_MS, began + 1 + LEASE_MS]);
      expect(every.map(({ ms }) => ms)).toEqual([LEASE_MS / 3, LEASE_MS / 3]);
      world.clock.pass(LEASE_MS / 3);
      every[0]?.run();
      await world.report(both[0]?.id ?? ('' as never));
      expect(await leases(world)).toEqual([world.clock.ms + LEASE_MS, began + 1 + LEASE_MS]);
      expect(every.map(({ over }) => over)).toEqual([false, false]);
      while (world.bank.release());
      expect(await Promise.all(running)).toEqual([{ kind: 'end' }, { kind: 'end' }]);
      expect(every.map(({ over }) => over)).toEqual([true, true]);
      every[0]?.run();
      expect(await leases(world)).toEqual([null, null]);
    }));
  test('one that cannot be is logged, and the step goes on', () =>
    withIntervals(async (every) => {
      const world = await World.open();
      const logged: unknown[] = [];
      world.executor = { ...world.executor, log: (event, detail) => void logged.push([event, detail]) } satisfies Executor;
      const sealed = await world.propose();
      world.bank.plan({ run: ['hangs'] });
      const running = world.advance(sealed, votesOn(sealed));
      await untilHanging(world);
      const { ledger } = world.executor;
      const { transaction } = ledger;
      ledger.transaction = () => Promise.reject(new Error('disk full'));
      every[0]?.run();
      ledger.transaction = transaction;
      world.bank.release();
      expect(await running).toEqual({ kind: 'end' });
      expect(logged).toEqual([['lease not renewed', { id: sealed.id, n: 1, phase: 'run', error: 'Error: disk full' }]]);
    }));
});

test('attack: of a newer build than this one, a shared ledger is neither written nor read on; a file has no other executor', async () => {
  const database = await memoryLedger();
  const [ours, alone] = await Promise.all([shared(database), database].map((each) => openLedger(each, DEPLOYMENT, EXECUTOR)));
  if (ours === undefined || alone === undefined) throw new Error('no ledger');
  const read = async (): Promise<string> => 'read';
  expect([await ours.transaction(read), await ours.snapshot(read)]).toEqual(['read', 'read']);
  await database.transaction((sql) => sql.run("UPDATE meta SET value = '99' WHERE key = 'schema'"));
  const words = 'A newer build has brought the ledger from schema 2 to 99: stop this executor.';
  await expect(ours.transaction(read)).rejects.toThrow(new LedgerRefused(words));
  await expect(ours.snapshot(read)).rejects.toThrow(new LedgerRefused(words));
  expect([await alone.transaction(read), await alone.snapshot(read)]).toEqual(['read', 'read']);
  await database.transaction((sql) => sql.run("DELETE FROM meta WHERE key = 'schema'"));
  await expect(ours.transaction(read)).rejects.toThrow('from schema 2 to undefined');
});

describe('attack 47: two executors on one ledger, whose files differ', () => {
  test.each<[Database['kind'], boolean]>([
    ['postgres', false],
    ['sqlite', true],
  ])('what one has seen on %s the other asks for again at every order: still good for it: %s', async (kind, stillGood) => {
    const dir = await mkdtemp(join(tmpdir(), 'keyturn-rules-'));
    const database = { ...(await memoryLedger()), kind };
    try {
      const files = { roster: join(dir, 'roster.yaml'), policy: join(dir, 'policy.yaml') };
      await writeFile(files.roster, rosterText());
      await writeFile(files.policy, policyText());
      const ledger = await openLedger(database, DEPLOYMENT, EXECUTOR);
      const rules = liveRules(ledger, files, EXECUTOR.key.id);
      expect((await rules()).ok).toBe(true);
      const [before] = await database.transaction((sql) => sql.all("SELECT value FROM meta WHERE key = 'policy'"));
      for (const key of ['roster', 'policy']) {
        const seen = async (value: string): Promise<void> => ledger.transaction((tx) => tx.setMeta(key, value));
        const own = await ledger.transaction((tx) => tx.meta(key));
        await seen(`2 ${'a'.repeat(64)}`);
        expect((await rules()).ok).toBe(stillGood);
        await seen(own ?? '');
        expect(await rules()).toMatchObject({ ok: true, policy: { version: 1 }, roster: { version: 1 } });
      }
      expect(await database.transaction((sql) => sql.all("SELECT value FROM meta WHERE key = 'policy'"))).toEqual([before]);
    } finally {
      await database.close();
      await rm(dir, { recursive: true, force: true });
    }
  });
});
