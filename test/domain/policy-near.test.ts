import { describe, expect, test } from '@jest/globals';
import { didYouMean, nearMiss } from '../../src/domain/policy/near.js';

describe('what a typo was meant as', () => {
  test.each<[word: string, known: string, edits: string]>([
    ['quorm', 'quorum', 'a letter left out'],
    ['quoorum', 'quorum', 'a letter too many'],
    ['quotum', 'quorum', 'another letter'],
    ['quroum', 'quorum', 'two neighbours swapped'],
    ['uqorum', 'quorum', 'the first two swapped'],
    ['quormu', 'quorum', 'the last two swapped'],
    ['xquorum', 'quorum', 'one before'],
    ['quorumx', 'quorum', 'one behind'],
    ['uorum', 'quorum', 'without its first'],
    ['quoru', 'quorum', 'without its last'],
    ['quxyrum', 'quorum', 'two edits'],
    ['uqormu', 'quorum', 'two swaps'],
    ['kworum', 'quorum', 'two other letters'],
    ['QUORUM', 'quorum', 'in capitals'],
    ['when', 'When', 'but for case'],
    ['frm', 'from', 'a short word, one edit'],
    ['form', 'from', 'a short word, one swap'],
    ['a', 'b', 'one letter'],
    ['a', 'ab', 'one letter more'],
  ])('%s as %s: %s', (word, known) => {
    expect(nearMiss(word, [known])).toBe(known);
  });

  test.each<[word: string, known: string, why: string]>([
    ['quorum', 'quorum', 'the word itself'],
    ['qu', 'quorum', 'four letters left out'],
    ['quorumxyz', 'quorum', 'three letters too many'],
    ['xuoryz', 'quorum', 'three other letters'],
    ['fxxm', 'from', 'two edits in a short word'],
    ['orfm', 'from', 'two swaps in a short word'],
    ['abc', 'cba', 'letters swapped that are no neighbours'],
    ['fr', 'from', 'two letters left out of a short word'],
    ['when', 'from', 'another word'],
    ['abcd', 'badc', 'two swaps in four letters'],
  ])('%s not as %s: %s', (word, known) => {
    expect(nearMiss(word, [known])).toBeUndefined();
  });

  test('five letters bear two edits, four but one', () => {
    expect([nearMiss('abxye', ['abcde']), nearMiss('abxy', ['abcd'])]).toEqual(['abcde', undefined]);
  });

  test('two letters with another between them are not swapped by one edit', () => {
    expect([nearMiss('acbd', ['abcd']), nearMiss('acxbd', ['abcd']), nearMiss('ca', ['abc'])]).toEqual(['abcd', undefined, undefined]);
  });

  test('the nearest of all; the first of equally near ones', () => {
    expect(nearMiss('approveWithn', ['executeWithin', 'approveWithinX', 'approveWithin'])).toBe('approveWithin');
    expect(nearMiss('bat', ['cat', 'hat'])).toBe('cat');
    expect(nearMiss('bat', ['hat', 'cat'])).toBe('hat');
  });

  test('of words longer than 64 letters nobody guesses', () => {
    const [longest, longer] = ['x'.repeat(64), 'x'.repeat(65)];
    expect(nearMiss(longest, ['x'.repeat(63)])).toBe('x'.repeat(63));
    expect(nearMiss(longer, [longest])).toBeUndefined();
    expect(nearMiss('x'.repeat(63), [longer, longest])).toBe(longest);
    expect(nearMiss(longest, [longer])).toBeUndefined();
    expect(nearMiss('x', [])).toBeUndefined();
  });

  test('in words, or none', () => {
    expect(didYouMean('quorom', ['quorum'])).toBe(': did you mean "quorum"?');
    expect(didYouMean('colour', ['quorum'])).toBe('');
  });
});
