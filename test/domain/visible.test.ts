import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { visible } from '../../src/domain/view/visible.js';

describe('what a terminal or a page would hide, reorder or act on is written out (attack case 70)', () => {
  test.each([
    ['an escape sequence', 'Pay \u001b[2J\u001b[31mACME', 'Pay ‹U+001B›[2J‹U+001B›[31mACME'],
    ['a C1 control', 'a\u009b31mb', 'a‹U+009B›31mb'],
    ['backspaces over what stands before', '9000\b\b\b\b1', '9000‹U+0008›‹U+0008›‹U+0008›‹U+0008›1'],
    ['a carriage return over the line', 'EUR 9000\rEUR 1', 'EUR 9000‹U+000D›EUR 1'],
    ['a line break', 'a\nb', 'a‹U+000A›b'],
    ['other line ends', 'a\u2028b\u2029c\u0085d\u000be', 'a‹U+2028›b‹U+2029›c‹U+0085›d‹U+000B›e'],
    ['a tab', 'a\tb', 'a‹U+0009›b'],
    ['text turned around', 'pay \u202eEMCA\u202c', 'pay ‹U+202E›EMCA‹U+202C›'],
    ['isolates', '\u2066a\u2069', '‹U+2066›a‹U+2069›'],
    ['zero width', 'AC\u200bME\ufeff\u2060\u00ad', 'AC‹U+200B›ME‹U+FEFF›‹U+2060›‹U+00AD›'],
    ['tag characters', 'ok\u{e0041}\u{e0042}', 'ok‹U+E0041›‹U+E0042›'],
    ['variation selectors', 'a\ufe0fb\u{e0100}', 'a‹U+FE0F›b‹U+E0100›'],
    ['spaces that are none', 'a\u00a0b\u2003c\u3000d\u3164e\u115ff', 'a‹U+00A0›b‹U+2003›c‹U+3000›d‹U+3164›e‹U+115F›f'],
    ['private use and lone surrogates', '\ue000\ud800', '‹U+E000›‹U+D800›'],
    ['one of our own marks', '‹U+0041›', '‹U+2039›U+0041‹U+203A›'],
  ])('%s', (_name, text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  test('a line break stays only where the surface allows it; every other control goes all the same', () => {
    expect(visible('one\ntwo\r\u001b', { lines: true })).toBe('one\ntwo‹U+000D›‹U+001B›');
  });

  test('markup and fake boxes stay text: inert characters are left as they are', () => {
    const text = '<script>alert(1)</script> **approved** [link](http://x) ┌──┐ ✅ “quoted” – 100 €';
    expect(visible(text)).toBe(text);
  });
});

describe('letters that pass for others are written out', () => {
  test.each([
    ['Cyrillic in a Latin word', 'p\u0430ypal', 'p‹U+0430›ypal'],
    ['Greek in a Latin word', 'AC\u039cE', 'AC‹U+039C›E'],
    ['a word all of twins', '\u0430\u0440\u0440\u04cf\u0435', '‹U+0430›‹U+0440›‹U+0440›‹U+04CF›‹U+0435›'],
    ['full width', '\uff21CME', '‹U+FF21›CME'],
    ['mathematical', '\u{1d400}CME', '‹U+1D400›CME'],
    ['dotless i', 'B\u0131ll', 'B‹U+0131›ll'],
    ['a digit of another script among ASCII', 'DE\u09ea9 3\u0664', 'DE‹U+09EA›9 3‹U+0664›'],
  ])('%s', (_name, text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  test.each(['Müller GmbH', 'naïve café', 'Привет, Иван', 'Ελλάδα', '東京都', 'שלום', 'مرحبا ٣٤', 'Łódź', 'नमस्ते ४२'])(
    '%s reads as it is written',
    (text) => {
      expect(visible(text)).toBe(text);
    },
  );
});

describe('in general', () => {
  const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u;
  test('no text leaves anything hidden, and no two texts look the same', () => {
    const text = fc.string({ unit: 'binary', maxLength: 20 });
    fc.assert(
      fc.property(text, (each) => !HIDDEN.test(visible(each))),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(text, text, (a, b) => a === b || visible(a) !== visible(b)),
      { numRuns: 500 },
    );
  });

  test('plain ASCII is itself', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme-ascii' }), (each) => visible(each) === each));
  });
});

describe('every kind of hidden character, and no other', () => {
  const marked = (...codes: readonly number[]): string =>
    codes.map((code) => `‹U+${code.toString(16).toUpperCase().padStart(4, '0')}›`).join('');
  const HIDDEN_CODES = [
    ...[0x00, 0x1f, 0x7f, 0x9f, 0xa0, 0xad, 0x34f, 0x600, 0x61c, 0x115f, 0x1160, 0x1680, 0x17b4, 0x17b5, 0x180e],
    ...[0x2000, 0x200a, 0x200b, 0x200f, 0x2028, 0x2029, 0x202a, 0x202e, 0x202f, 0x205f, 0x2060, 0x2069, 0x3000, 0x3164],
    ...[0xe000, 0xf8ff, 0xfe00, 0xfe0f, 0xfeff, 0xffa0, 0xfff9, 0xe0001, 0xe007f, 0xe0100, 0xe01ef, 0xf0000, 0x10fffd, 0x2039, 0x203a],
  ];
  test.each(HIDDEN_CODES.map((code): [string, number] => [code.toString(16), code]))(
    'U+%s alone, in a word and between two',
    (_hex, code) => {
      const char = String.fromCodePoint(code);
      expect([visible(char), visible(`a${char}b`), visible(`a ${char} b`)]).toEqual([
        marked(code),
        `a${marked(code)}b`,
        `a ${marked(code)} b`,
      ]);
      expect(visible(char.repeat(2), { lines: true })).toBe(marked(code, code));
    },
  );
  test('of those that stay, a line break only where lines are allowed', () => {
    expect([visible('\n'), visible('\n', {}), visible('\n', { lines: false }), visible('\n', { lines: true })]).toEqual([
      marked(10),
      marked(10),
      marked(10),
      '\n',
    ]);
    expect(visible('a\nb', { lines: true })).toBe('a\nb');
  });
  test('what stands before, between and after words comes through once each', () => {
    expect(visible(' – one, “two” (3)! ')).toBe(' – one, “two” (3)! ');
    expect(visible('')).toBe('');
  });
});

describe('look-alikes are told by the word they stand in', () => {
  test.each([
    ['Cyrillic', 'pay\u0416', 'pay‹U+0416›'],
    ['Greek', 'pay\u03a9', 'pay‹U+03A9›'],
    ['Armenian', 'pay\u0555', 'pay‹U+0555›'],
    ['Cherokee', 'pay\u13a0', 'pay‹U+13A0›'],
    ['Coptic', 'pay\u2c80', 'pay‹U+2C80›'],
    ['Lisu', 'pay\ua4d0', 'pay‹U+A4D0›'],
    ['full width, outside of words too', '\uff01 \uff5e \uff21', '‹U+FF01› ‹U+FF5E› ‹U+FF21›'],
    ['mathematical digits', '\u{1d7ff}1', '‹U+1D7FF›1'],
    ['long s, script g and script l', '\u017f \u0261 \u2113', '‹U+017F› ‹U+0261› ‹U+2113›'],
    ['a foreign digit behind an ASCII digit', '1\u0661', '1‹U+0661›'],
    ['a foreign digit behind an ASCII letter', 'a\u0661', 'a‹U+0661›'],
    ['twins of either case', '\u0410\u0412 \u03bf', '‹U+0410›‹U+0412› ‹U+03BF›'],
  ])('%s', (_name, text, shown) => expect(visible(text)).toBe(shown));

  test.each([
    ['a letter of the same script without a Latin one', '\u0416\u0430'],
    ['a word of twins and one more', '\u0430\u0440\u0436'],
    ['one more before twins', '\u0436\u0430\u0440'],
    ['foreign digits among themselves', '\u0661\u0662'],
    ['a foreign digit behind a letter of its script', '\u0430\u0436\u0661'],
    ['Latin with accents', 'Čapek Øre ĳs'],
    ['ASCII digits among Cyrillic', '\u0416123'],
  ])('%s stays', (_name, text) => expect(visible(text)).toBe(text));
});
