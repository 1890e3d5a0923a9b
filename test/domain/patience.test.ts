import { expect, test } from '@jest/globals';
import { patienceMs } from '../../src/domain/review/patience.js';

const [SECOND, MINUTE, DAY] = [1_000, 60_000, 86_400_000];

test('what lasts is asked about ever more rarely: a tenth of the time it has lasted, ten minutes at most, never less than nothing', () => {
  expect([0, SECOND, MINUTE, 100 * MINUTE, DAY].map((lasted) => patienceMs(5, 5 + lasted))).toEqual([
    0,
    100,
    6 * SECOND,
    10 * MINUTE,
    10 * MINUTE,
  ]);
  expect(patienceMs(5, 0)).toBe(0);
});

test('a freeze of three weeks keeps a run below the 51,200 events at which Temporal ends it', () => {
  const [eventsAnAsking, first] = [14, 2 * SECOND];
  let events = 0;
  for (let now = 0; now < 21 * DAY; now += Math.max(first, patienceMs(0, now))) events += eventsAnAsking;
  expect(events).toBeLessThan(51_200);
});
