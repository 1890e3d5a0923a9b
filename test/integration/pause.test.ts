import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { temporalBinary } from '../../src/temporal/binary.js';
import { Desk } from '../api/desk.js';
import { approve, reject } from '../helpers/messages.js';
import { Rig } from '../helpers/rig.js';

const now = (): { at: number } => ({ at: Date.now() });
/** Off where nobody switches it on: an experiment of Temporal's. */
const serverSettings = ['frontend.WorkflowPauseEnabled=true'];

async function operator(rig: Rig): Promise<Record<'pause' | 'unpause', (id: string) => Promise<void>>> {
  const { path } = await temporalBinary({ log: () => undefined });
  const press = (button: string) => async (id: string) => {
    const at = ['--address', rig.server.address, '--namespace', rig.server.namespace];
    await promisify(execFile)(path, ['workflow', button, '--workflow-id', id, '--reason', 'to have a look', ...at]);
  };
  return { pause: press('pause'), unpause: press('unpause') };
}

/** What docs/operating.md says of Pause. */
describe('an operator presses Pause', () => {
  test('nothing is judged and nothing runs, votes are kept; after Unpause they are judged, it runs once; a "no" among them wins', async () => {
    const desk = await Desk.open({ serverSettings });
    try {
      const { pause, unpause } = await operator(desk.rig);
      const [sealed, other] = [await desk.held(), await desk.held()];
      for (const { id } of [sealed, other]) await pause(id);
      expect(await desk.action(sealed.id)).toMatchObject({
        stale: true,
        running: true,
        outcome: { status: 'awaiting_approval', final: false },
      });
      for (const person of ['ana', 'ben']) expect((await desk.decide(approve(person, sealed, now()))).status).toBe(202);
      for (const vote of [approve('ana', other, now()), approve('ben', other, now()), reject('cleo', other, now())])
        expect((await desk.decide(vote)).status).toBe(202);
      await sleep(1_500);
      expect(desk.rig.bank.effects).toEqual([]);
      for (const { id } of [sealed, other]) await unpause(id);
      expect((await desk.when(sealed.id, ({ outcome }) => outcome.final)).outcome).toMatchObject({ status: 'succeeded', effect: 'done' });
      expect((await desk.when(other.id, ({ outcome }) => outcome.final)).outcome).toMatchObject({ status: 'rejected', effect: 'none' });
      expect(desk.rig.bank.effectsOf(sealed.id)).toEqual(['run']);
      expect(desk.rig.bank.effectsOf(other.id)).toEqual([]);
    } finally {
      await desk.stop();
    }
  }, 120_000);

  describe('while it runs, and past its time', () => {
    let rig: Rig;
    beforeAll(async () => {
      rig = await Rig.start({ serverSettings, policy: { executeWithin: '3s' } });
    });
    afterAll(() => rig.stop());

    test('the step under way ends, the next one begins after Unpause', async () => {
      const { pause, unpause } = await operator(rig);
      const { handle, sealed, id } = await rig.propose({ type: 'payments.batch' });
      rig.bank.plan({ run: ['hangs', 'ok', 'ok'] });
      for (const person of ['ana', 'ben']) await rig.decide(handle, approve(person, sealed, now()));
      await rig.when(handle, 'the first step is under way', () => rig.bank.isHanging);
      await pause(id);
      rig.bank.release();
      await sleep(1_500);
      expect(rig.bank.callsOf('run').filter((key) => key.startsWith(id))).toHaveLength(1);
      await unpause(id);
      expect(await rig.outcome(handle)).toMatchObject({ status: 'succeeded', effect: 'done' });
    });

    test('no clock stops for it: agreed to, and its time to start is over at Unpause: nothing runs', async () => {
      const { pause, unpause } = await operator(rig);
      const { handle, sealed, id } = await rig.propose();
      await pause(id);
      for (const person of ['ana', 'ben']) await handle.signal('decision', approve(person, sealed, now()));
      await sleep(3_500);
      await unpause(id);
      expect(await rig.outcome(handle)).toMatchObject({ status: 'execution_expired', effect: 'none' });
      expect(rig.bank.effectsOf(id)).toEqual([]);
    });
  });
});
