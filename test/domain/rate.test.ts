import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isFull, take, type Bucket } from '../../src/domain/rate.js';

const RATE = { perMinute: 60, burst: 3 };

/** How many of these tries, each so many ms after the start, are let through. */
function allowed(tries: readonly number[], rate = RATE): number {
  let bucket: Bucket | undefined;
  let count = 0;
  for (const at of tries) {
    const taken = take(bucket, rate, at);
    if (!taken.ok) continue;
    bucket = taken.bucket;
    count++;
  }
  return count;
}

describe('a rate', () => {
  test('so many at once, then one by one as time passes', () => {
    expect(allowed([0, 0, 0, 0, 0])).toBe(3);
    expect(allowed([0, 0, 0, 999])).toBe(3);
    expect(allowed([0, 0, 0, 1_000])).toBe(4);
    expect(allowed([0, 0, 0, 60_000, 60_000, 60_000, 60_000])).toBe(6);
  });
  test('says how long until there is one', () => {
    const full = take(undefined, { perMinute: 30, burst: 1 }, 5_000);
    if (!full.ok) throw new Error('the first is refused');
    expect(take(full.bucket, { perMinute: 30, burst: 1 }, 5_500)).toEqual({ ok: false, waitMs: 1_500 });
    expect(take({ left: 0, at: 0 }, { perMinute: 0, burst: 1 }, 5_000)).toEqual({ ok: false, waitMs: 60_000 });
  });
  test('a clock set back gives nothing for it', () => {
    expect(take({ left: 0.5, at: 10_000 }, RATE, 0)).toEqual({ ok: false, waitMs: 500 });
  });
  test('a full bucket is as good as none; one just used is not', () => {
    expect(isFull({ left: 2, at: 0 }, RATE, 999)).toBe(false);
    expect(isFull({ left: 2, at: 0 }, RATE, 1_000)).toBe(true);
  });
  test('never more than the burst and what the time gave, whatever the tries', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 120_000 }), { maxLength: 300 }), (tries) => {
        const sorted = [...tries].sort((a, b) => a - b);
        const span = (sorted.at(-1) ?? 0) - (sorted[0] ?? 0);
        expect(allowed(sorted)).toBeLessThanOrEqual(RATE.burst + span / 1_000 + 1e-6);
      }),
    );
  });
});
