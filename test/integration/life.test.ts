import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { toInstant } from '../../src/domain/instant.js';
import { attributes } from '../../src/temporal/attributes.js';
import { approve, cancel, modify, reject, resolve, withdraw } from '../helpers/messages.js';
import { Rig } from '../helpers/rig.js';

const now = (): { at: number } => ({ at: Date.now() });

describe('the life of an action, on a real Temporal server', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await Rig.start();
  });
  afterAll(() => rig.stop());

  test('held, agreed to by two people, run once', async () => {
    const { handle, sealed } = await rig.propose();
    expect(await rig.decide(handle, approve('ana', sealed, now()))).toBe('counted');
    expect(await rig.decide(handle, approve('ana', sealed, now()))).toBe('seat_taken');
    expect((await rig.snapshot(handle)).outcome.status).toBe('awaiting_approval');
    expect(await rig.decide(handle, approve('ben', sealed, now()))).toBe('counted');
    expect(await rig.outcome(handle)).toMatchObject({ status: 'succeeded', effect: 'done', final: true });
    expect([...rig.bank.done.keys()].filter((key) => key.startsWith(sealed.id))).toEqual([`${sealed.id}/run/run/1`]);
  });

  test('an operator sees who is asked, what is approved while no executor lives, and the end', async () => {
    const { handle, sealed } = await rig.propose();
    const listed = async (status: string): Promise<readonly string[]> => {
      for (const end = Date.now() + 20_000; Date.now() < end; await sleep(100)) {
        const { typedSearchAttributes } = await handle.describe();
        if (typedSearchAttributes.get(attributes.status) === status) return typedSearchAttributes.get(attributes.awaiting) ?? [];
      }
      throw new Error(`not listed as ${status}`);
    };
    expect(await listed('awaiting_approval')).toEqual(['ana', 'ben', 'cleo']);
    await rig.stopExecutor();
    await rig.decide(handle, approve('ana', sealed, now()));
    await rig.decide(handle, approve('ben', sealed, now()));
    expect(await listed('approved')).toEqual(['cleo']);
    expect((await rig.snapshot(handle)).outcome).toMatchObject({ status: 'approved', effect: 'none', final: false });
    await rig.startExecutor();
    expect(await rig.outcome(handle)).toMatchObject({ status: 'succeeded', effect: 'done' });
    expect(await listed('succeeded')).toEqual([]);
  });

  test("6.3 agent's owner is refused; an outsider's signature counts nothing", async () => {
    const { handle, sealed } = await rig.propose();
    expect(await rig.decide(handle, approve('dana', sealed, now()))).toBe('signature_invalid');
    expect(await rig.decide(handle, approve('eva', sealed, now()))).toBe('not_eligible');
    await handle.cancel();
    expect(await rig.outcome(handle)).toMatchObject({ status: 'cancelled', effect: 'none' });
  });

  test('6.5 6.6 a modify voids approvals, its author is excluded, the new parameters run', async () => {
    const { handle, sealed } = await rig.propose();
    await rig.decide(handle, approve('ben', sealed, now()));
    expect(await rig.decide(handle, modify('ana', sealed, { '/cents': 100 }, now()))).toBe('waiting');
    const second = await rig.sealed(handle, 2);
    expect((await rig.snapshot(handle)).progress).toEqual({ have: 0, need: 2 });
    expect(await rig.decide(handle, approve('ana', second, now()))).toBe('editor_excluded');
    expect(await rig.decide(handle, approve('cleo', sealed, now()))).toBe('revision_stale');
    await rig.decide(handle, approve('ben', second, now()));
    await rig.decide(handle, approve('cleo', second, now()));
    expect(await rig.outcome(handle)).toMatchObject({ status: 'succeeded' });
    expect([...rig.bank.done.values()].at(-1)?.cents).toBe(100);
  });

  test('6.6 a refused modify leaves revision and votes as they were', async () => {
    const { handle, sealed } = await rig.propose();
    await rig.decide(handle, approve('ben', sealed, now()));
    const refused = modify('ana', sealed, { '/vendor': 'Shell Co' }, now());
    await rig.decide(handle, refused);
    const after = await rig.when(handle, 'the modify is refused', (each) =>
      each.decisions.some((decision) => decision.fate.state === 'refused'),
    );
    expect(after.revision).toBe(1);
    expect(after.progress.have).toBe(1);
    expect(await rig.decide(handle, approve('cleo', sealed, now()))).toBe('counted');
    expect(await rig.outcome(handle)).toMatchObject({ status: 'succeeded' });
  });

  test('6.5 a rejection ends it and the agent is told by whom and why', async () => {
    const { handle, sealed } = await rig.propose();
    await rig.decide(handle, approve('ana', sealed, now()));
    await rig.decide(handle, reject('cleo', sealed, { ...now(), reason: 'paid in October' }));
    expect(await rig.outcome(handle)).toMatchObject({
      status: 'rejected',
      effect: 'none',
      reason: { by: 'person:cleo', text: 'paid in October' },
    });
  });

  test('6.11 a withdrawal leaves no vote; the seat is free again', async () => {
    const { handle, sealed } = await rig.propose();
    const first = approve('ana', sealed, now());
    await rig.decide(handle, first);
    await rig.decide(handle, withdraw('ana', sealed, first, now()));
    await rig.when(handle, 'withdrawn', (each) => each.progress.have === 0);
    expect(await rig.decide(handle, approve('ana', sealed, now()))).toBe('counted');
    expect(await rig.decide(handle, approve('ben', sealed, now()))).toBe('counted');
    expect(await rig.outcome(handle)).toMatchObject({ status: 'succeeded' });
  });

  test('a signed cancel before anything ran ends it without effect', async () => {
    const { handle, sealed } = await rig.propose();
    await rig.decide(handle, cancel(sealed.id, now()), 'lodge');
    expect(await rig.outcome(handle)).toMatchObject({ status: 'cancelled', effect: 'none', reason: { by: 'agent:ap-agent' } });
  });

  test('a later step fails for sure: what was done is undone', async () => {
    const { handle, sealed } = await rig.propose({ type: 'payments.batch' });
    rig.bank.plan({ run: ['ok', 'failed'] });
    await rig.decide(handle, approve('ana', sealed, now()));
    await rig.decide(handle, approve('ben', sealed, now()));
    expect(await rig.outcome(handle)).toMatchObject({ status: 'compensated', effect: 'undone' });
    expect([...rig.bank.done.keys()].filter((key) => key.startsWith(sealed.id))).toEqual([]);
  });

  test('an unknown outcome waits for a person, and ends by what the person found', async () => {
    const { handle, sealed } = await rig.propose({ type: 'payments.blind' });
    rig.bank.plan({ run: ['lost_after'] });
    await rig.decide(handle, approve('ana', sealed, now()));
    await rig.decide(handle, approve('ben', sealed, now()));
    await rig.status(handle, 'outcome_unknown');
    await rig.decide(handle, resolve('eva', sealed.id, 1, 'happened', now()), 'lodge');
    expect(await rig.outcome(handle)).toMatchObject({ status: 'succeeded', effect: 'done' });
  });

  test('a step that an answer was lost of is probed, not repeated', async () => {
    const { handle, sealed } = await rig.propose();
    rig.bank.plan({ run: ['lost_after'] });
    await rig.decide(handle, approve('ana', sealed, now()));
    await rig.decide(handle, approve('ben', sealed, now()));
    expect(await rig.outcome(handle)).toMatchObject({ status: 'succeeded' });
    expect(rig.bank.calls.filter((call) => call.startsWith(`run ${sealed.id}`))).toHaveLength(1);
  });

  test('votes that arrive while no worker lives are kept and counted', async () => {
    const { handle, sealed } = await rig.propose();
    await rig.stopWorker();
    await handle.signal('decision', approve('ana', sealed, now()));
    await handle.signal('decision', approve('ben', sealed, now()));
    await rig.startWorker();
    expect(await rig.outcome(handle)).toMatchObject({ status: 'succeeded' });
  });

  test('with the executor away the proposal waits in evaluating and says so', async () => {
    await rig.stopExecutor();
    const { request } = await import('../helpers/messages.js');
    const { id, signed } = request();
    const handle = await rig.start(id, [signed]);
    const waiting = await rig.status(handle, 'evaluating');
    expect(waiting.outcome).toMatchObject({
      effect: 'none',
      final: false,
      reason: { text: expect.stringContaining('executor') as unknown },
    });
    await rig.startExecutor();
    await rig.status(handle, 'awaiting_approval');
    await handle.cancel();
    await rig.outcome(handle);
  });
});

describe('clocks', () => {
  test('6.7 6.8 silence is reminded, escalated, and expires; nothing runs', async () => {
    const rig = await Rig.start({
      policy: {
        stages: '[{ name: finance, from: [group:finance], quorum: 2, remind: [1s], escalate: [{ after: 2s, to: [group:finance-leads] }] }]',
        approveWithin: '3s',
      },
    });
    try {
      const { handle, sealed } = await rig.propose();
      expect(await rig.decide(handle, approve('eva', sealed, now()))).toBe('not_eligible');
      expect(await rig.outcome(handle)).toMatchObject({ status: 'expired', effect: 'none', reason: { code: 'expired' } });
      expect(rig.bank.done.size).toBe(0);
      expect(rig.notices.map((line) => line.split(/ +/)[1])).toEqual(['asked', 'reminded', 'escalated', 'ended']);
      // Dated before the deadline, it comes after the end all the same.
      await expect(rig.decide(handle, approve('ana', sealed, { at: Date.parse(sealed.envelope.openedAt) }))).rejects.toThrow();
    } finally {
      await rig.stop();
    }
  });

  test('6.7 a vote made in time counts though no worker lived when the deadline passed', async () => {
    const rig = await Rig.start({ policy: { approveWithin: '3s', executeWithin: '30m' } });
    try {
      const { handle, sealed } = await rig.propose();
      const opened = Date.parse(sealed.envelope.openedAt);
      await rig.stopWorker();
      await handle.signal('decision', approve('ana', sealed, { at: opened + 100 }));
      await handle.signal('decision', approve('ben', sealed, { at: opened + 200 }));
      await new Promise((done) => setTimeout(done, Math.max(0, opened + 3_500 - Date.now())));
      await rig.startWorker();
      expect(await rig.outcome(handle)).toMatchObject({ status: 'succeeded' });
    } finally {
      await rig.stop();
    }
  });

  test('6.7 a vote dated at the deadline is late, whenever it is judged', async () => {
    const rig = await Rig.start({ policy: { approveWithin: '4s' } });
    try {
      const { handle, sealed } = await rig.propose();
      const late = { at: Date.parse(sealed.envelope.approveBy) };
      expect(toInstant(late.at)).toBe(sealed.envelope.approveBy);
      expect(await rig.decide(handle, approve('ana', sealed, late))).toBe('decision_late');
      expect(await rig.outcome(handle)).toMatchObject({ status: 'expired' });
    } finally {
      await rig.stop();
    }
  });
});
