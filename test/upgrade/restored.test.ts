import { expect, test } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import { openSqlite } from '../../src/executor/ledger/sqlite.js';
import { startWorker, type RunningWorker } from '../../src/worker.js';
import { approve, cancel, reject, resolve, thaw, withdraw } from '../helpers/messages.js';
import { backupOf, forget, restoreInto } from '../helpers/restored.js';
import { Rig } from '../helpers/rig.js';
import { ask, makeExecutor, TestClock } from '../helpers/world.js';

const now = (): { at: number } => ({ at: Date.now() });

/** Temporal and its runs live on; the ledger is lost, and stands again as it was at a backup made before. */
test('runs that outlive their ledger take the restored one at its word: nothing runs by old votes, nothing ends by a guess, people find out', async () => {
  const rig = await Rig.start({ policy: { rejections: 2 } });
  let restoredWorker: RunningWorker | undefined;
  let backup: string | undefined;
  const database = openSqlite(':memory:', { create: true });
  try {
    const pending = await rig.propose({ idempotencyKey: 'pending' });
    backup = await backupOf(rig.database, Date.now());
    // What the run knows and the backup does not: a rejection and its withdrawal, and a whole action.
    const no = reject('cleo', pending.sealed, now());
    expect(await rig.decide(pending.handle, no)).toBe('waiting');
    await rig.when(pending.handle, 'the no stands', ({ entries }) => entries.length === 2);
    await rig.decide(pending.handle, withdraw('cleo', pending.sealed, no, now()));
    await rig.when(pending.handle, 'it is taken back', ({ entries }) => entries.length === 3);
    const unknown = await rig.propose({ idempotencyKey: 'unknown to the backup' });
    for (const { handle, sealed } of [pending, unknown]) expect(await rig.decide(handle, approve('ana', sealed, now()))).toBe('counted');

    await rig.stopExecutor();
    const { freeze, inDoubt } = await restoreInto(database, backup, Date.now());
    expect(inDoubt).toBe(1);
    const executor = {
      ...(await makeExecutor({ database, clock: new TestClock(), types: rig.executor.types, rules: rig.rules })),
      now: Date.now,
    };
    restoredWorker = await startWorker({ role: 'executor', executor }, () => undefined, rig.settings);

    for (const { handle, sealed } of [pending, unknown]) await handle.signal('decision', approve('ben', sealed, now()));
    const kinds = async (handle: WorkflowHandle): Promise<number> => (await rig.snapshot(handle)).entries.length;
    await rig.status(pending.handle, 'outcome_unknown');
    expect(await kinds(pending.handle)).toBe(2);
    await rig.when(unknown.handle, 'it waits for the thaw', ({ outcome }) => outcome.reason.text.includes('until it is thawed'));
    expect((await rig.snapshot(unknown.handle)).outcome.final).toBe(false);
    expect(rig.bank.effects).toEqual([]);

    await rig.decide(pending.handle, resolve('eva', pending.sealed.id, 1, 'did_not', now()), 'lodge');
    await rig.status(pending.handle, 'failed');
    expect(await rig.outcome(pending.handle)).toMatchObject({ status: 'failed', effect: 'none' });
    for (const person of ['cleo', 'eva']) {
      const thawed = await ask(executor, 'lodge', { actionId: null, have: 0, signed: thaw(person, freeze, now()) });
      expect(thawed.result).toMatchObject({ kind: 'stands' });
    }
    await rig.when(unknown.handle, 'it is sealed anew', ({ digest }) => digest !== unknown.sealed.digest);
    const again = await rig.sealed(unknown.handle, 1);
    expect([again.envelope.epoch, again.envelope.preview.warnings[0]]).toEqual([2, expect.stringMatching(/^This ledger was restored/)]);
    expect((await rig.snapshot(unknown.handle)).progress.have).toBe(0);
    await rig.decide(unknown.handle, cancel(again.id, now()), 'lodge');
    await rig.status(unknown.handle, 'cancelled');
    expect(await rig.outcome(unknown.handle)).toMatchObject({ status: 'cancelled', effect: 'none' });
    expect(rig.bank.effects).toEqual([]);
  } finally {
    await restoredWorker?.stop();
    await database.close();
    if (backup !== undefined) await forget(backup);
    await rig.stop();
  }
}, 120_000);
