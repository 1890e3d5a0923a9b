import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { utf8 } from '../../src/domain/bytes.js';
import { digestOf, sha256 } from '../../src/domain/hash.js';
import { canonicalBytes, canonicalize, JsonRefused, parseCanonical, parseStrict } from '../../src/domain/json.js';
import { vectors } from '../helpers/vectors.js';

const named = z.array(z.strictObject({ name: z.string(), text: z.string() })).min(1);
const { accepted, numbers, refused, notCanonical } = vectors(
  'canonical-json',
  z.strictObject({
    about: z.string(),
    accepted: z.array(z.strictObject({ name: z.string(), text: z.string(), canonical: z.string(), sha256: z.string() })).min(1),
    numbers: z.array(z.strictObject({ bits: z.string(), text: z.string(), accepted: z.boolean() })).min(1),
    refused: named,
    notCanonical: named,
  }),
);

describe('canonical JSON, golden', () => {
  test.each(accepted)('$name', ({ text, canonical, sha256: digest }) => {
    const value = parseStrict(text);
    expect(canonicalize(value)).toBe(canonical);
    expect(digestOf(value)).toBe(digest);
    expect(sha256(canonicalBytes(value))).toBe(digest);
    expect(createHash('sha256').update(canonical).digest('hex')).toBe(digest);
    expect(canonicalize(parseCanonical(utf8(canonical)))).toBe(canonical);
  });

  test.each(numbers)('RFC 8785 appendix B: $bits is $text', ({ bits, text, accepted: taken }) => {
    const value = Buffer.from(bits, 'hex').readDoubleBE(0);
    if (taken) expect(canonicalize(value)).toBe(text);
    else expect(() => canonicalize(value)).toThrow(JsonRefused);
  });

  test.each(refused)('refused: $name', ({ text }) => {
    expect(() => parseStrict(text)).toThrow(JsonRefused);
    expect(() => parseCanonical(utf8(text))).toThrow(JsonRefused);
  });

  test.each(notCanonical)('not the one form: $name', ({ text }) => {
    expect(() => parseStrict(text)).not.toThrow();
    expect(() => parseCanonical(utf8(text))).toThrow(JsonRefused);
  });

  test('bytes that are no UTF-8', () => {
    expect(() => parseCanonical(Uint8Array.of(0x22, 0xff, 0x22))).toThrow(JsonRefused);
    expect(() => parseCanonical(Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22))).toThrow(JsonRefused);
  });
});

/** Attack cases 36 to 38: what three npm packages signed as something else. */
describe('values that are no plain data are refused before hashing', () => {
  class Money {
    constructor(readonly cents: number) {}
  }
  const cyclic: Record<string, unknown> = {};
  cyclic['self'] = cyclic;
  const hole = Object.assign(new Array<number>(3), { 0: 1, 2: 3 });
  const holeAndMore = Object.assign(new Array<number>(2), { 1: 2, more: 1 });
  let reads = 0;
  const bad: Record<string, unknown> = {
    undefined: undefined,
    'an undefined member': { a: undefined },
    'an undefined item': [undefined],
    'a function': () => 1,
    'a function member': { a: () => 1 },
    'a symbol': Symbol('a'),
    'a symbol key': { [Symbol('a')]: 1 },
    'a bigint': 1n,
    NaN: Number.NaN,
    Infinity: { a: Number.NEGATIVE_INFINITY },
    'an integer beyond 2^53 - 1': 2 ** 53,
    'a lone surrogate': '\ud800',
    'a lone surrogate in a key': { '\udfff': 1 },
    'toJSON of its own': { a: 1, toJSON: () => ({ a: 2 }) },
    'toJSON inherited': Object.assign(Object.create({ toJSON: () => 1 }) as object, { a: 1 }),
    'a Map': new Map([['a', 1]]),
    'a Set': new Set([1]),
    'a Date': new Date(0),
    'a RegExp': /a/,
    'an Error': new Error('a'),
    'a class': new Money(1),
    'a boxed text': Object('a') as unknown,
    'a boxed number': Object(1) as unknown,
    'a typed array': Uint8Array.of(1),
    'a promise': Promise.resolve(1),
    'a getter': {
      get a() {
        return ++reads;
      },
    },
    'a getter in an array': Object.defineProperty([1], 0, { get: () => ++reads, enumerable: true }),
    'a hole': hole,
    'a hole, and a member in its place': holeAndMore,
    'an array with members': Object.assign([1], { more: 2 }),
    'an array with a symbol': Object.assign([1], { [Symbol('a')]: 2 }),
    'a sparse giant': new Array(4_000_000_000),
    __proto__of: JSON.parse('{"__proto__":1}') as unknown,
    'inherited members': Object.create({ a: 1 }) as unknown,
    'inherited from what is no root': Object.create({ hasOwnProperty: 1 }) as unknown,
    'inherited from an empty root': Object.create(Object.create(null) as object) as unknown,
    'a cycle': cyclic,
    'deeper than 64': Array.from({ length: 70 }).reduce<unknown>((inner) => [inner], 1),
  };
  test.each(Object.keys(bad))('%s', (name) => {
    expect(() => canonicalize(bad[name])).toThrow(JsonRefused);
    expect(() => canonicalize({ nested: [bad[name]] })).toThrow(JsonRefused);
    expect(reads).toBe(0);
  });

  test('an object without a prototype is plain data', () => {
    expect(canonicalize(Object.assign(Object.create(null) as object, { b: 1, a: 2 }))).toBe('{"a":2,"b":1}');
  });

  test('"40.0" and 40 are two values: nothing is coerced (attack case 37)', () => {
    expect(canonicalize(['40.0', 40])).toBe('["40.0",40]');
  });
});
