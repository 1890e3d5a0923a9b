import { describe, expect, test } from '@jest/globals';
import { clip, codeText, errorText } from '../../src/executor/text.js';

describe("others' words, fit to be signed", () => {
  test('cut to size, and never half a character', () => {
    expect(clip('abcdef', 6)).toBe('abcdef');
    expect(clip('abcdef', 5)).toBe('abcde');
    expect(clip('ab😀c', 3)).toBe('ab\uFFFD');
    expect(clip('ab😀c', 4)).toBe('ab😀');
    expect(clip('\uD800a\uDC00', 9)).toBe('\uFFFDa\uFFFD');
  });
  test('whatever was thrown', () => {
    expect(errorText(new Error('No such account.'))).toBe('No such account.');
    expect(errorText('plain')).toBe('plain');
    expect(errorText(undefined)).toBe('undefined');
    expect(errorText(new Error(''))).toBe('no error text');
    expect(errorText('x'.repeat(501))).toBe('x'.repeat(500));
    expect(errorText('x'.repeat(501), 3)).toBe('xxx');
    const hostile = {
      toString: () => {
        throw new Error('no');
      },
    };
    expect(errorText(hostile)).toBe('no error text');
    expect(errorText(Object.create(null))).toBe('no error text');
  });
  test('the code of an error, or that it gave none', () => {
    expect(codeText('insufficient_funds')).toBe('insufficient_funds');
    expect(codeText('x'.repeat(201))).toBe('x'.repeat(200));
    for (const none of ['', 7, undefined, null, ['a']]) expect(codeText(none)).toBe('no_code');
  });
});
