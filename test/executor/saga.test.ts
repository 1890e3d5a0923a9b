import { describe, expect, test } from '@jest/globals';
import { approve, type SealedRevision } from '../helpers/messages.js';
import { HOUR, MINUTE, World } from '../helpers/world.js';

const both = (sealed: SealedRevision) => [approve('ana', sealed), approve('ben', sealed)];
async function started(type: string): Promise<{ world: World; sealed: SealedRevision; votes: ReturnType<typeof both> }> {
  const world = await World.open();
  const sealed = await world.propose({ type: `payments.${type}` });
  return { world, sealed, votes: both(sealed) };
}

describe('forward', () => {
  test('one step an advance; each undo row is written before its step starts', async () => {
    const { world, sealed, votes } = await started('batch');
    const rows: unknown[] = [];
    const { run } = world.bank;
    world.bank.run = async (act) => {
      rows.push(
        await world.database.transaction((sql) => sql.all("SELECT n, state, idempotency_key FROM step WHERE phase = 'undo' ORDER BY n")),
      );
      return run.call(world.bank, act);
    };
    expect(await world.advance(sealed, votes)).toEqual({ kind: 'again' });
    expect(world.bank.effectsOf(sealed.id)).toEqual(['reserve']);
    expect(world.statuses.get(sealed.id)).toBe('executing');
    expect(await world.advance(sealed)).toEqual({ kind: 'again' });
    expect(await world.advance(sealed)).toEqual({ kind: 'end' });
    const undoRow = (n: number, step: string) => ({ n, state: 'pending', idempotency_key: `${sealed.id}/${step}/undo` });
    const [one, two, three] = [undoRow(1, 'reserve'), undoRow(2, 'send'), undoRow(3, 'notify')];
    expect(rows).toEqual([[one], [one, two], [one, two, three]]);
    expect(world.kinds(sealed.id)).toEqual([
      'sealed',
      'executing',
      'step_started',
      'step_done',
      'step_started',
      'step_done',
      'step_started',
      'step_done',
      'ended',
    ]);
    expect(world.outcome(sealed.id)).toMatchObject({ status: 'succeeded', effect: 'done', result: { key: `${sealed.id}/notify/run/1` } });
  });

  test('NotStarted: the same step again under the next key, while executeWithin lasts', async () => {
    const { world, sealed, votes } = await started('transfer');
    world.bank.plan({ run: ['not_started', 'not_started'] });
    expect(await world.run(sealed, votes)).toEqual({ kind: 'end' });
    expect(world.bank.callsOf('run')).toEqual([1, 2, 3].map((n) => `${sealed.id}/run/run/${n}`));
    expect(world.bank.effectsOf(sealed.id)).toEqual(['run']);
  });

  test('6.7 NotStarted and the time is over: nothing took effect, so it failed', async () => {
    const { world, sealed, votes } = await started('transfer');
    world.bank.plan({ run: ['not_started'] });
    await world.advance(sealed, votes);
    world.clock.pass(30 * MINUTE);
    expect(await world.run(sealed)).toEqual({ kind: 'end' });
    expect(world.outcome(sealed.id)).toMatchObject({
      status: 'failed',
      effect: 'none',
      reason: { code: 'execution_late', text: 'the time to start was over before a step began' },
    });
    expect(world.bank.callsOf('run')).toHaveLength(1);
  });

  test('NotStarted at a later step and the time is over: what was done is undone', async () => {
    const { world, sealed, votes } = await started('batch');
    world.bank.plan({ run: ['ok', 'not_started'] });
    await world.advance(sealed, votes);
    await world.advance(sealed);
    world.clock.pass(30 * MINUTE);
    await world.run(sealed);
    expect(world.outcome(sealed.id)).toMatchObject({
      status: 'compensated',
      effect: 'undone',
      reason: { code: 'execution_late', text: 'the time to start was over before a step began' },
    });
    expect(world.bank.effectsOf(sealed.id)).toEqual([]);
  });

  test('Failed at the first step: failed, nothing is undone', async () => {
    const { world, sealed, votes } = await started('transfer');
    world.bank.plan({ run: ['failed'] });
    await world.run(sealed, votes);
    expect(world.outcome(sealed.id)).toMatchObject({
      status: 'failed',
      effect: 'none',
      reason: { code: 'failed', text: 'step 1 failed: account_blocked' },
    });
    expect(world.bank.callsOf('undo')).toEqual([]);
  });

  test('Failed at the third step: undone backwards, each undo with the key of its run', async () => {
    const { world, sealed, votes } = await started('batch');
    world.bank.plan({ run: ['ok', 'ok', 'failed'] });
    await world.run(sealed, votes);
    expect(world.outcome(sealed.id)).toMatchObject({ status: 'compensated', effect: 'undone', retry: 'new_proposal' });
    expect(world.bank.callsOf('undo')).toEqual([`${sealed.id}/send/undo`, `${sealed.id}/reserve/undo`]);
    expect([...world.bank.undone.keys()]).toEqual([`${sealed.id}/send/run/1`, `${sealed.id}/reserve/run/1`]);
    expect(world.kinds(sealed.id).slice(-6)).toEqual(['step_failed', 'undo_started', 'undo_done', 'undo_started', 'undo_done', 'ended']);
  });

  test('words of an error that no JSON can hold change nothing about what happened', async () => {
    const { Failed, NotStarted } = await import('../../src/executor/define-action.js');
    for (const [error, kind] of [
      [new Failed('', '\ud83d'), 'step_failed'],
      [new NotStarted('x'.repeat(5_000)), 'step_not_started'],
      [new Failed(7 as unknown as string, 'x'.repeat(5_000)), 'step_failed'],
      [Object.create(null), 'step_started'],
    ] as const) {
      const { world, sealed, votes } = await started('transfer');
      world.bank.run = () => Promise.reject(error as Error);
      await world.advance(sealed, votes);
      expect(world.kinds(sealed.id).at(-1)).toBe(kind);
    }
  });

  test('a bad result never changes done: it is left out, with a note', async () => {
    const deep = (depth: number): unknown => (depth === 0 ? 1 : [deep(depth - 1)]);
    for (const bad of [
      () => 1,
      'x'.repeat(20_000),
      new Map(),
      Number.NaN,
      { toJSON: () => 1 },
      { ['\ud83d'.repeat(300)]: 1 },
      deep(64),
      deep(100),
      2 ** 60,
      '\ud83d',
    ]) {
      const { world, sealed, votes } = await started('transfer');
      world.bank.result = () => bad;
      expect(await world.advance(sealed, votes)).toEqual({ kind: 'end' });
      expect(world.outcome(sealed.id)).toMatchObject({ status: 'succeeded', result: null });
      expect(world.entries(sealed.id).find(({ kind }) => kind === 'step_done')).toMatchObject({
        note: expect.stringContaining('left out') as unknown,
      });
    }
    const { world, sealed, votes } = await started('transfer');
    world.bank.result = () => undefined;
    await world.advance(sealed, votes);
    expect(world.outcome(sealed.id)).toMatchObject({ status: 'succeeded', result: null });
  });
});

describe('after a crash or a lost answer: probe (attack 65)', () => {
  test('done: it is written as done, with what the probe says, and never run again', async () => {
    const { world, sealed, votes } = await started('transfer');
    world.bank.plan({ run: ['lost_after'] });
    expect(await world.advance(sealed, votes)).toEqual({ kind: 'again' });
    expect(await world.advance(sealed)).toEqual({ kind: 'end' });
    expect(world.outcome(sealed.id)).toMatchObject({ status: 'succeeded', result: { cents: 480_000 } });
    expect(world.bank.callsOf('run')).toHaveLength(1);
  });

  test('fenced: it counts as not started, and runs under the next key', async () => {
    const { world, sealed, votes } = await started('transfer');
    world.bank.plan({ run: ['lost_before'] });
    expect(await world.run(sealed, votes)).toEqual({ kind: 'end' });
    expect(world.kinds(sealed.id).slice(2)).toEqual(['step_started', 'step_not_started', 'step_started', 'step_done', 'ended']);
    expect([...world.bank.fenced]).toEqual([`${sealed.id}/run/run/1`]);
    expect(world.bank.effectsOf(sealed.id)).toEqual(['run']);
  });

  test('unknown, garbage, or no probe: a person, and nothing is run again', async () => {
    for (const [type, probe] of [
      ['transfer', 'unknown'],
      ['transfer', 'garbage'],
      ['blind', 'honest'],
    ] as const) {
      const { world, sealed, votes } = await started(type);
      world.bank.plan({ run: ['lost_after'], probe: [probe] });
      expect(await world.run(sealed, votes)).toMatchObject({
        kind: 'wait',
        code: 'outcome_unknown',
        text: 'step 1 needs a person: keyturn resolve',
      });
      expect(world.statuses.get(sealed.id)).toBe('outcome_unknown');
      world.clock.pass(5 * HOUR);
      expect(await world.run(sealed, votes)).toMatchObject({
        kind: 'wait',
        code: 'outcome_unknown',
        text: 'step 1 needs a person: keyturn resolve',
      });
      expect(world.bank.callsOf('run')).toHaveLength(1);
    }
  });

  test('a probe that throws is asked again, for a minute; then a person', async () => {
    const { world, sealed, votes } = await started('transfer');
    world.bank.plan({ run: ['lost_before'], probe: ['throws', 'throws'] });
    expect(await world.run(sealed, votes)).toEqual({ kind: 'end' });
    expect(world.bank.callsOf('probe')).toHaveLength(3);

    const { world: other, sealed: again, votes: two } = await started('transfer');
    other.bank.plan({ run: ['lost_before'], probe: Array.from({ length: 200 }, () => 'throws' as const) });
    expect(await other.run(again, two)).toMatchObject({
      kind: 'wait',
      code: 'outcome_unknown',
      text: 'step 1 needs a person: keyturn resolve',
    });
    expect(other.entries(again.id).at(-1)).toMatchObject({ kind: 'step_unknown', code: 'probe_failed: bank does not answer' });
  });

  test('the process dies during the step: the new one probes; the zombie’s late answer counts for nothing', async () => {
    const { world, sealed, votes } = await started('transfer');
    world.bank.plan({ run: ['hangs'] });
    const zombie = world.advance(sealed, votes);
    while (!world.bank.isHanging) await new Promise((resume) => setTimeout(resume, 5));
    await world.restart();
    expect(await world.run(sealed)).toEqual({ kind: 'end' });
    world.bank.release();
    expect(await zombie).toMatchObject({ kind: 'wait', code: 'busy', text: 'the action moved meanwhile; ask again' });
    expect(world.bank.effectsOf(sealed.id)).toEqual(['run']);
    expect(world.bank.callsOf('run')).toEqual([1, 2].map((n) => `${sealed.id}/run/run/${n}`));
    await world.report(sealed.id);
    expect(world.outcome(sealed.id).status).toBe('succeeded');
  });

  test('a step under way in this process answers busy, and is never probed', async () => {
    const { world, sealed, votes } = await started('batch');
    world.bank.plan({ run: ['ok', 'hangs'] });
    await world.advance(sealed, votes);
    const running = world.advance(sealed);
    while (!world.bank.isHanging) await new Promise((resume) => setTimeout(resume, 5));
    const others = await Promise.all(Array.from({ length: 10 }, () => world.advance(sealed)));
    expect(others.every((each) => each.kind === 'wait' && each.code === 'busy')).toBe(true);
    world.bank.release();
    expect(await running).toEqual({ kind: 'again' });
    expect(world.bank.callsOf('probe')).toEqual([]);
  });
});
