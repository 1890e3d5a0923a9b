import { describe, expect, test } from '@jest/globals';
import { Windows } from '../../src/api/temporal/windows.js';

describe('where pages ended lately', () => {
  test('ends behind a place, nearest first, each once, each list its own', () => {
    const windows = new Windows();
    for (const end of [300, 100, 200, 100]) windows.remember('mine', end);
    expect(windows.after('mine', undefined)).toEqual([100, 200, 300]);
    expect(windows.after('mine', 99)).toEqual([100, 200, 300]);
    expect(windows.after('mine', 100)).toEqual([200, 300]);
    expect(windows.after('mine', 300)).toEqual([]);
    expect(windows.after('yours', undefined)).toEqual([]);
  });

  test('of one list the last 32 are kept, of all lists those used last', () => {
    const windows = new Windows();
    for (let end = 1; end <= 40; end++) windows.remember('mine', end);
    expect(windows.after('mine', undefined)).toEqual(Array.from({ length: 32 }, (_, i) => i + 9));
    for (let i = 0; i < 999; i++) windows.remember(`list ${i}`, i + 1);
    windows.remember('mine', 41);
    windows.remember('one more', 7);
    expect(windows.after('list 0', undefined)).toEqual([]);
    expect(windows.after('list 1', undefined)).toEqual([2]);
    expect(windows.after('mine', undefined).at(-1)).toBe(41);
    expect(windows.after('one more', undefined)).toEqual([7]);
  });
});
