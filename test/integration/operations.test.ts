import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { temporalBinary } from '../../src/temporal/binary.js';
import { approve, resolve } from '../helpers/messages.js';
import { Rig, type Held } from '../helpers/rig.js';

const now = (): { at: number } => ({ at: Date.now() });

/** What docs/operating.md says of the Web UI's buttons, and attacks.test.ts does not show. */
describe('an operator presses Request Cancellation', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await Rig.start();
  });
  afterAll(() => rig.stop());

  async function agree({ handle, sealed }: Held): Promise<void> {
    await rig.decide(handle, approve('ana', sealed, now()));
    await rig.decide(handle, approve('ben', sealed, now()));
  }

  test('nothing began: cancelled, effect none', async () => {
    const held = await rig.propose();
    await rig.decide(held.handle, approve('ana', held.sealed, now()));
    await held.handle.cancel();
    expect(await rig.outcome(held.handle)).toMatchObject({ status: 'cancelled', effect: 'none', reason: { by: 'unsigned' } });
    expect(rig.bank.effectsOf(held.id)).toEqual([]);
  });

  test('one of three steps is done: undone', async () => {
    const held = await rig.propose({ type: 'payments.batch' });
    rig.bank.plan({ run: ['ok', 'hangs'] });
    await agree(held);
    await rig.when(held.handle, 'the second step is under way', () => rig.bank.isHanging);
    await held.handle.cancel();
    rig.bank.release();
    expect(await rig.outcome(held.handle)).toMatchObject({ status: 'compensated', effect: 'undone', reason: { code: 'cancelled' } });
    expect(rig.bank.callsOf('run').filter((key) => key.startsWith(held.id))).toHaveLength(2);
    expect(rig.bank.effectsOf(held.id)).toEqual([]);
  });

  test('a person is needed: nothing changes', async () => {
    const held = await rig.propose({ type: 'payments.blind' });
    rig.bank.plan({ run: ['lost_after'] });
    await agree(held);
    await rig.status(held.handle, 'outcome_unknown');
    expect((await rig.snapshot(held.handle)).awaiting).toEqual(['eva']);
    await held.handle.cancel();
    await new Promise((done) => setTimeout(done, 1_500));
    expect((await rig.snapshot(held.handle)).outcome.status).toBe('outcome_unknown');
    await rig.decide(held.handle, resolve('eva', held.sealed.id, 1, 'happened', now()), 'lodge');
    expect(await rig.outcome(held.handle)).toMatchObject({ status: 'succeeded' });
  });

  test('a batch cancels each action of its query', async () => {
    const held = [await rig.propose(), await rig.propose()];
    const { path } = await temporalBinary({ log: () => undefined });
    const query = "KeyturnStatus = 'awaiting_approval' AND ExecutionStatus = 'Running'";
    for (const { handle } of held) await rig.when(handle, 'held', (each) => each.outcome.status === 'awaiting_approval');
    await new Promise((done) => setTimeout(done, 1_000));
    const args = ['workflow', 'cancel', '--query', query, '--reason', 'all of them', '--yes', '--address', rig.server.address];
    await promisify(execFile)(path, [...args, '--namespace', rig.settings.namespace]);
    for (const { handle } of held) expect(await rig.outcome(handle)).toMatchObject({ status: 'cancelled', effect: 'none' });
  });
});
