import { expect, test } from '@jest/globals';
import { verifyEvidence } from '../../src/domain/evidence/verify.js';
import { readersRoster, smallestEvidence, survivors } from '../helpers/flips.js';

test('as built it verifies, so that the flips prove something', () => {
  const verdict = verifyEvidence(smallestEvidence(), readersRoster());
  expect(verdict).toMatchObject({ ok: true, outcome: { status: 'succeeded', effect: 'done' }, counted: [{ person: 'ana' }], warnings: [] });
});

test('any byte changed in the second half of an evidence file: it fails, whatever stands there (attack case 81)', () => {
  const good = smallestEvidence();
  const half = Math.floor(good.length / 2);
  const { tried, survived } = survivors(good, half, good.length);
  expect(tried).toBeGreaterThan(2 * half);
  expect(survived).toEqual([]);
}, 600_000);

test('a byte left out, doubled, or more at the end: it fails', () => {
  const good = smallestEvidence();
  const roster = readersRoster();
  const cuts = Array.from({ length: Math.ceil(good.length / 17) }, (_, i) => 17 * i);
  const bad = [
    ...cuts.map((at) => Buffer.concat([good.subarray(0, at), good.subarray(at + 1)])),
    ...cuts.map((at) => Buffer.concat([good.subarray(0, at + 1), good.subarray(at)])),
    Buffer.concat([good, Buffer.from('\n')]),
    Buffer.concat([good, Buffer.from(' ')]),
    Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), good]),
    good.subarray(0, -1),
    Buffer.alloc(0),
  ];
  expect(bad.filter((bytes) => verifyEvidence(bytes, roster).ok)).toEqual([]);
}, 120_000);
