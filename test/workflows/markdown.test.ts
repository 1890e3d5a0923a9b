import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { visible } from '../../src/domain/view/visible.js';
import { bytesOf, clip, fit, inert } from '../../src/workflows/markdown.js';
import { readReviewUrl } from '../../src/files/review-url.js';
import { kindsOf, textOf } from '../helpers/rendered.js';

/** What a forger would try, mixed with anything at all. */
const words = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom(
        ...['![a](//b)', '[a](b)', '[a]: //b', 'https://e.example', 'www.e.example', 'a@e.example', '<b>', '&lt;', '&#x202E;', '# ', '- '],
        ...[
          '**',
          '__',
          '~~',
          '`',
          '```',
          '\n',
          '\n\n',
          '\t',
          '\\',
          '{runId}',
          '| a |',
          '---',
          '===',
          '> ',
          '1. ',
          '[^1]',
          '[ ] ',
          '\u202E',
          '  ',
        ],
      ),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''));

describe('words of others inside markdown', () => {
  test('attack 70: whatever they are, they are one line of plain text, and read as they are', () => {
    fc.assert(
      fc.property(words, (text) => {
        const line = `**${inert(text, 600)}**`;
        const plain = visible(text).trim();
        if (plain === '') return;
        expect(new Set(kindsOf(line))).toEqual(new Set(['paragraph', 'strong', 'text']));
        expect(textOf(line)).toBe(clip(plain, 600));
        expect(line).not.toMatch(/[\r\n]|(?<!\\)\{/);
      }),
      { numRuns: 500 },
    );
  });

  test('a text is cut at a whole character, and says so', () => {
    expect(clip('abc', 3)).toBe('abc');
    expect(clip('abcdef', 5)).toBe('ab…');
    expect(clip('😀😀😀', 11)).toBe('😀😀…');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 3, max: 40 }), (text, max) => {
        expect(bytesOf(clip(text, max))).toBeLessThanOrEqual(max);
      }),
    );
  });

  test('of lines too many to show only whole ones are kept, and it says so', () => {
    expect(fit(['one', '', 'two'], 100)).toBe('one\n\ntwo');
    expect(fit(['- one', '- **two**', '- three'], 22)).toBe('- one\n- **two**\n…');
  });
});

describe('the address people look at', () => {
  test('is taken only as an http address with {id} in it that ends no link', () => {
    expect(readReviewUrl('https://desk.example/a/{id}?tab=1')).toBe('https://desk.example/a/{id}?tab=1');
    for (const wrong of [
      '',
      'desk.example/{id}',
      'https://desk.example/',
      'javascript:alert(1)//{id}',
      'https://desk.example/{id}) [x](y',
      'https://desk.example/{id}/{id}',
      'https://desk.example/{id}/{namespace}',
      'https://desk.example/{id} x',
      `https://desk.example/{id}/${'a'.repeat(500)}`,
    ])
      expect(() => readReviewUrl(wrong)).toThrow('KEYTURN_REVIEW_URL');
  });
});
