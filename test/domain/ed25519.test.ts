import { describe, expect, test } from '@jest/globals';
import { ed25519 } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { fromHex } from '../../src/domain/bytes.js';
import { portableEd25519 as portable } from '../../src/domain/ed25519.js';
import { portableSha256 } from '../../src/domain/hash.js';
import { nativeEd25519 as native, nativeSha256 } from '../../src/files/native-crypto.js';

const seedOf = (n: number): Uint8Array => new Uint8Array(32).fill(n);
const plainly = (signature: Uint8Array, message: Uint8Array, key: Uint8Array): boolean => {
  try {
    return ed25519.verify(signature, message, key, { zip215: false });
  } catch {
    return false;
  }
};
const remembered = (signature: Uint8Array, message: Uint8Array, key: Uint8Array): boolean => {
  try {
    return portable.verify(signature, message, key);
  } catch {
    return false;
  }
};

/** The keys in use are remembered: that must change no answer, however often a key was used before. */
describe('Ed25519 with remembered keys answers as the library and as the native one', () => {
  test('valid and damaged signatures, by few keys used often and by many used once', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 5, max: 90 })),
        fc.uint8Array({ maxLength: 64 }),
        fc.constantFrom('none', 'signature', 'message', 'key'),
        fc.integer({ min: 0, max: 511 }),
        (n, message, damaged, bit) => {
          const key = ed25519.getPublicKey(seedOf(n));
          const signature = ed25519.sign(message, seedOf(n));
          const flip = (bytes: Uint8Array): Uint8Array =>
            bytes.map((byte, i) => (i === (bit >> 3) % Math.max(1, bytes.length) ? byte ^ (1 << (bit & 7)) : byte));
          const of = (what: string, bytes: Uint8Array): Uint8Array => (what === damaged ? flip(bytes) : bytes);
          const args = [of('signature', signature), of('message', message), of('key', key)] as const;
          const expected = plainly(...args);
          expect(expected).toBe(damaged === 'none' || (damaged === 'message' && message.length === 0));
          expect(remembered(...args)).toBe(expected);
          expect(native.verify(...args)).toBe(expected);
        },
      ),
      { numRuns: 400 },
    );
  });

  test('a signature of one key is none of another, though both are remembered', () => {
    const message = new Uint8Array([1]);
    const [a, b] = [seedOf(101), seedOf(102)];
    for (let i = 0; i < 6; i++) {
      expect(portable.verify(ed25519.sign(message, a), message, ed25519.getPublicKey(a))).toBe(true);
      expect(portable.verify(ed25519.sign(message, b), message, ed25519.getPublicKey(b))).toBe(true);
      expect(portable.verify(ed25519.sign(message, a), message, ed25519.getPublicKey(b))).toBe(false);
      expect(portable.verify(ed25519.sign(message, b), message, ed25519.getPublicKey(a))).toBe(false);
    }
  });

  test.each([
    ['the neutral point', `01${'00'.repeat(31)}`],
    ['a point of order 2', `ec${'ff'.repeat(30)}7f`],
    ['a point of order 4', '00'.repeat(32)],
    ['a point of order 8', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'],
    ['y = p + 1, not canonical', `ee${'ff'.repeat(30)}7f`],
    ['no point at all', `02${'00'.repeat(31)}`],
  ])('%s as a key, and as R: never more than the library takes, at any use', (_, hex) => {
    const point = fromHex(hex);
    const message = new Uint8Array([7]);
    const zeroS = new Uint8Array([...point, ...new Uint8Array(32)]);
    const own = ed25519.sign(message, seedOf(103));
    for (let i = 0; i < 5; i++) {
      expect(remembered(zeroS, message, point)).toBe(plainly(zeroS, message, point));
      expect(remembered(own, message, point)).toBe(false);
      const asR = new Uint8Array([...point, ...own.subarray(32)]);
      expect(remembered(asR, message, ed25519.getPublicKey(seedOf(103)))).toBe(false);
    }
  });

  test('a key repeated as R is decoded the same way', () => {
    const key = ed25519.getPublicKey(seedOf(104));
    const message = new Uint8Array([9]);
    const crafted = new Uint8Array([...key, ...ed25519.sign(message, seedOf(104)).subarray(32)]);
    for (let i = 0; i < 5; i++) expect(remembered(crafted, message, key)).toBe(plainly(crafted, message, key));
  });
});

test('SHA-256: the native one is the portable one', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => expect(nativeSha256(bytes)).toEqual(portableSha256(bytes))));
  expect(Buffer.from(nativeSha256(new Uint8Array())).toString('hex')).toBe(
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  );
});
