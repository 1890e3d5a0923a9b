import { expect, test } from '@jest/globals';
import { commonPattern, coversMatch, coversPattern, matches, matchesType, typePatternSchema } from '../../src/domain/policy/match.js';
import { nearMiss } from '../../src/domain/policy/near.js';

test.each([
  ['payments.transfer', 'payments.transfer', true],
  ['payments.transfer', 'payments.transfer2', false],
  ['payments.*', 'payments.transfer', true],
  ['payments.*', 'payments.eu.transfer', true],
  ['payments.*', 'payments', false],
  ['payments.*', 'paymentsx.transfer', false],
  ['payments.*', 'x.payments.transfer', false],
])('pattern %s and type %s: %s', (pattern, type, expected) => {
  expect(matchesType(pattern, type)).toBe(expected);
});

test.each([
  ['a.*', 'a.b', true],
  ['a.*', 'a.b.*', true],
  ['a.*', 'a.*', true],
  ['a.b.*', 'a.*', false],
  ['a.b', 'a.*', false],
  ['a.*', 'ab.*', false],
])('%s covers %s: %s', (wide, narrow, expected) => {
  expect(coversPattern(wide, narrow)).toBe(expected);
});

test('what two patterns share is the narrower one, or nothing', () => {
  expect(commonPattern('a.*', 'a.b.*')).toBe('a.b.*');
  expect(commonPattern('a.b', 'a.*')).toBe('a.b');
  expect(commonPattern('a.b', 'a.c')).toBeUndefined();
});

test('an agent narrows a match', () => {
  const some = { type: 'a.*', agent: 'x' };
  expect(matches(some, { type: 'a.b', agent: 'x' })).toBe(true);
  expect(matches(some, { type: 'a.b', agent: 'y' })).toBe(false);
  expect(coversMatch({ type: 'a.*' }, some)).toBe(true);
  expect(coversMatch(some, { type: 'a.*' })).toBe(false);
  expect(coversMatch(some, { type: 'a.*', agent: 'y' })).toBe(false);
});

test.each(['*', '.*', 'a*', 'a.*.b', 'a.**', 'A.*', '', 'a..*', 'a.b.'])('"%s" is no pattern', (pattern) => {
  expect(typePatternSchema.safeParse(pattern).success).toBe(false);
});

test.each([
  ['quorom', 'quorum'],
  ['Quorum', 'quorum'],
  ['qourum', 'quorum'],
  ['approvewithin', 'approveWithin'],
  ['frm', 'from'],
  ['wxyz', undefined],
  ['from', undefined],
  ['q'.repeat(5_000), undefined],
])('%s was meant as %s', (word, meant) => {
  expect(nearMiss(word, ['quorum', 'approveWithin', 'from'])).toBe(meant);
});
