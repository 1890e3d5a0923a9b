import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fromBase64Url, fromHex, fromUtf8, sameBytes, toBase64Url, toCrockford, toHex, utf8 } from '../../src/domain/bytes.js';
import { canonicalize, parseCanonical, parseStrict, type Json } from '../../src/domain/json.js';

const bytes = fc.uint8Array({ maxLength: 64 });
const plain = (view: Uint8Array): number[] => [...view];

describe('one text per byte string', () => {
  test('base64url agrees with Node, both ways', () => {
    fc.assert(
      fc.property(
        bytes,
        (each) => toBase64Url(each) === Buffer.from(each).toString('base64url') && sameBytes(fromBase64Url(toBase64Url(each)), each),
      ),
    );
  });
  test('hex agrees with Node, both ways', () => {
    fc.assert(fc.property(bytes, (each) => toHex(each) === Buffer.from(each).toString('hex') && sameBytes(fromHex(toHex(each)), each)));
  });
  test('a base64url text that decodes is the one text of its bytes', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9_-]{0,12}$/), (text) => {
        try {
          return toBase64Url(fromBase64Url(text)) === text;
        } catch {
          return Buffer.from(text, 'base64url').toString('base64url') !== text;
        }
      }),
      { numRuns: 2_000 },
    );
  });
  test.each(['A', 'AAAAA', 'AA==', 'AAA=', 'AB', 'AAB', '-_9', 'A A', 'A\n', 'AA+A', 'AA/A', 'AAé', ' '])(
    'base64url refuses %j',
    (text) => {
      expect(() => fromBase64Url(text)).toThrow(RangeError);
    },
  );
  test.each(['a', 'AB', '0g', '0x', ' 00', '00 ', '00\n', 'é0'])('hex refuses %j', (text) => {
    expect(() => fromHex(text)).toThrow(RangeError);
  });

  test('Crockford base32 agrees with a naive one, in BigInt', () => {
    const naive = (each: Uint8Array): string => {
      const digits = Math.ceil((each.length * 8) / 5);
      const value = plain(each).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n) << BigInt(digits * 5 - each.length * 8);
      return Array.from({ length: digits }, (_, i) =>
        '0123456789abcdefghjkmnpqrstvwxyz'.charAt(Number((value >> BigInt(5 * (digits - 1 - i))) & 31n)),
      ).join('');
    };
    fc.assert(fc.property(bytes, (each) => toCrockford(each) === naive(each)));
    expect(toCrockford(new Uint8Array())).toBe('');
  });

  test('UTF-8 is strict and keeps a byte order mark', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => fromUtf8(utf8(text)) === text));
    expect(fromUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x41))).toBe('\ufeffA');
    for (const bad of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82], [0xf4, 0x90, 0x80, 0x80]])
      expect(() => fromUtf8(Uint8Array.from(bad))).toThrow();
  });

  test('sameBytes compares length and content', () => {
    expect(sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
    expect(sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
    expect(sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 0))).toBe(false);
  });
});

describe('canonical JSON round trips', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 8 });
  const number = fc.oneof(
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((each) => !Number.isInteger(each) || Number.isSafeInteger(each)),
  );
  const { value } = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      text,
      number,
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(
        text.filter((key) => key !== '__proto__'),
        tie('value'),
        { maxKeys: 4, noNullPrototype: true },
      ),
    ),
  }));

  test('what is written is read back as the same value, in the same bytes', () => {
    fc.assert(
      fc.property(value, (each) => {
        const written = canonicalize(each);
        return canonicalize(parseStrict(written)) === written && canonicalize(parseCanonical(utf8(written))) === written;
      }),
      { numRuns: 500 },
    );
  });
  test('JSON.parse reads the same value', () => {
    fc.assert(
      fc.property(value, (each) => canonicalize(JSON.parse(canonicalize(each))) === canonicalize(each)),
      { numRuns: 500 },
    );
  });
  test('the order of members does not matter, their content does', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string({ minLength: 1, maxLength: 3 }).filter((key) => key !== '__proto__'),
          fc.integer(),
        ),
        (each) => {
          return canonicalize(Object.fromEntries(Object.entries(each).reverse())) === canonicalize(each);
        },
      ),
    );
  });
  test('whatever text is given: refused, or JSON.parse agrees', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string({ maxLength: 30 }), fc.stringMatching(/^[[\]{}",:0-9eE.+\- tfn\\u]{0,20}$/)), (each) => {
        let read: Json;
        try {
          read = parseStrict(each);
        } catch {
          return true;
        }
        return canonicalize(read) === canonicalize(JSON.parse(each));
      }),
      { numRuns: 2_000 },
    );
  });
});
