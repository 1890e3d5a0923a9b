import { expect, test } from '@jest/globals';
import { smallestEvidence, survivors } from '../helpers/flips.js';

test('any byte changed in the first half of an evidence file: it fails, whatever stands there (attack case 81)', () => {
  const good = smallestEvidence();
  const half = Math.floor(good.length / 2);
  const { tried, survived } = survivors(good, 0, half);
  expect(tried).toBeGreaterThan(2 * half);
  expect(survived).toEqual([]);
}, 600_000);
