import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { floorOf } from '../../src/domain/floor.js';
import { toInstant, toMs } from '../../src/domain/instant.js';
import { approve } from '../helpers/messages.js';
import { Rig } from '../helpers/rig.js';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start({ policy: { more: ['minTime: 4s', 'independent: 1'] } });
});
afterAll(() => rig.stop());

test('minTime: agreed at once, it says from when it may start, waits without asking again and again, and runs by itself', async () => {
  const { handle, sealed } = await rig.propose();
  const floor = floorOf(sealed.envelope);
  for (const person of ['ana', 'ben']) expect(await rig.decide(handle, approve(person, sealed))).toBe('counted');
  const waiting = await rig.when(handle, 'the floor', ({ outcome }) => outcome.reason.text.includes(toInstant(floor)));
  expect(waiting.outcome).toMatchObject({ status: 'approved', effect: 'none', final: false });
  expect(await rig.outcome(handle)).toMatchObject({ status: 'succeeded', effect: 'done' });

  const started = rig.executor.ledger.transaction((tx) => tx.entriesFrom(sealed.id, 0));
  const executing = (await started)
    .map((entry) => JSON.parse(Buffer.from(entry.payload, 'base64url').toString()) as { kind: string; at: string })
    .find(({ kind }) => kind === 'executing');
  expect(toMs(executing?.at as Parameters<typeof toMs>[0])).toBeGreaterThanOrEqual(floor);
  const { events } = await handle.fetchHistory();
  const advances = (events ?? []).filter((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'advance');
  // Asked once when the quorum was there, once when the floor had come, and the end; a clock that is ahead may cost one more.
  expect(advances.length).toBeLessThanOrEqual(4);
});
