import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { cut, FIRST, LAST } from '../../src/api/temporal/cut.js';

const FEW = { least: 5, most: 10 };
const NOW = Date.UTC(2026, 0, 1);

const crowd = fc
  .tuple(fc.integer({ min: -3e9, max: 8e9 }), fc.integer({ min: 0, max: 1e7 }), fc.integer({ min: 1, max: 60 }))
  .map(([start, width, n]) => Array.from({ length: n }, (_, i) => NOW + start + Math.floor((i * width) / n)));
const moments = fc.oneof(
  fc.array(crowd, { maxLength: 4 }).map((crowds) => crowds.flat()),
  fc.array(fc.integer({ min: FIRST + 1, max: LAST }), { maxLength: 40 }),
);

describe('where a window of deadlines ends', () => {
  test('it holds few, or one millisecond of many; without an end only where fewer are left', async () => {
    await fc.assert(
      fc.asyncProperty(moments, fc.option(fc.integer({ min: -5e9, max: 9e9 }), { nil: undefined }), fc.nat(), async (all, since, seed) => {
        const from = since === undefined ? undefined : NOW + since;
        const within = (to: number): number => all.filter((at) => (from === undefined || at >= from) && at < to).length;
        const hints = all.filter((at, i) => (i + seed) % 3 === 0 && (from === undefined || at >= from));
        let looks = 0;
        const to = await cut((at) => Promise.resolve((looks++, within(at))), from, hints, FEW, NOW);
        expect(looks).toBeLessThan(120);
        if (to === undefined) expect(within(Number.MAX_SAFE_INTEGER)).toBeLessThan(FEW.least);
        else if (within(to) > FEW.most) expect(within(to - 1)).toBeLessThan(FEW.least);
        else expect(within(to)).toBeGreaterThanOrEqual(FEW.least);
      }),
      { numRuns: 500 },
    );
  });

  test('twenty thousand that end within a minute, a day from now, are cut in a few looks', async () => {
    const all = Array.from({ length: 20_000 }, (_, i) => NOW + 86_400_000 + i * 3);
    let looks = 0;
    const to = await cut(
      (at) => Promise.resolve((looks++, all.filter((each) => each < at).length)),
      undefined,
      all.slice(-400),
      { least: 200, most: 400 },
      NOW,
    );
    expect(all.filter((each) => to !== undefined && each < to).length).toBeGreaterThanOrEqual(200);
    expect(looks).toBeLessThanOrEqual(5);
  });
});
