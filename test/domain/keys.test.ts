import { afterEach, describe, expect, test } from '@jest/globals';
import { fromBase64Url, toBase64Url, toHex, utf8 } from '../../src/domain/bytes.js';
import { signerOf as signerOfSeed } from '../../src/domain/dsse.js';
import { portableEd25519, sign, useEd25519, verify } from '../../src/domain/ed25519.js';
import { portableSha256, sha256, sha256Bytes, useSha256 } from '../../src/domain/hash.js';
import { ed25519KeyText, keyIdOfText, parsePublicKey, passkeyText } from '../../src/domain/keys.js';
import { verifyAssertion } from '../../src/domain/passkey.js';
import { Authenticator } from '../helpers/authenticator.js';
import { EXECUTOR, signerOf } from '../helpers/signers.js';

const { key } = EXECUTOR;

describe('the text of a public key', () => {
  test('both kinds, there and back', () => {
    expect(parsePublicKey(key.text)).toEqual(key);
    expect(ed25519KeyText(key.raw)).toBe(key.text);
    expect(key.id).toBe(toHex(sha256Bytes(key.raw).slice(0, 16)));
    expect(keyIdOfText(key.text)).toBe(key.id);
    // Known by then, it is the very same.
    expect(parsePublicKey(key.text)).toBe(parsePublicKey(key.text));
  });
  test.each([
    '',
    'ed25519',
    'ed25519:',
    'passkey:',
    'passkey::',
    `${key.text}:`,
    `${key.text}:${key.text}`,
    key.text.replace('ed25519', 'Ed25519'),
    key.text.replace('ed25519', 'passkey'),
    key.text.replace('ed25519', 'passkey:AAAAAAAAAAAAAAAAAAAAAA'),
    `${key.text}=`,
    key.text.slice(0, -1),
    `ed25519:${toBase64Url(new Uint8Array(44))}`,
  ])('%j is none, and names none', (text) => {
    expect(parsePublicKey(text)).toBeUndefined();
    expect(keyIdOfText(text)).toBeUndefined();
  });
  test('a credential id has 16 to 1023 bytes', () => {
    const device = new Authenticator('ana');
    const point = passkeyPoint(device.key.text);
    const of = (bytes: number): string => passkeyText(new Uint8Array(bytes).fill(7), point);
    expect([15, 16, 1_023, 1_024].map((bytes) => parsePublicKey(of(bytes)) !== undefined)).toEqual([false, true, true, false]);
    expect([15, 16, 1_023, 1_024].map((bytes) => keyIdOfText(of(bytes)) !== undefined)).toEqual([false, true, true, false]);
  });
  test('a key id is found before the point is looked at; a point that is none makes no key', () => {
    const bad = ed25519KeyText(new Uint8Array(32));
    expect(keyIdOfText(bad)).toBe(toHex(sha256Bytes(new Uint8Array(32)).slice(0, 16)));
    expect(parsePublicKey(bad)).toBeUndefined();
    expect(parsePublicKey(bad)).toBeUndefined();
  });
  test('a passkey’s id is found before its point is looked at, too; one of another form or length has none', () => {
    const device = new Authenticator('ana');
    const [, credential = '', spki = ''] = device.key.text.split(':');
    const of = (change: (bytes: Uint8Array) => Uint8Array): string => `passkey:${credential}:${toBase64Url(change(fromBase64Url(spki)))}`;
    const last = of((bytes) => bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte)));
    expect(keyIdOfText(last)).toMatch(/^[0-9a-f]{32}$/);
    expect(parsePublicKey(last)).toBeUndefined();
    const compressed = of((bytes) => bytes.map((byte, i) => (i === 26 ? 2 : byte)));
    const longer = of((bytes) => Uint8Array.of(...bytes, 0));
    const foreign = of((bytes) => bytes.map((byte, i) => (i === 10 ? byte ^ 1 : byte)));
    for (const text of [
      compressed,
      longer,
      foreign,
      `passkey:${spki}`,
      `passkey:${credential}:${spki}:`,
      `passkey:x:${credential}:${spki}`,
    ]) {
      expect(keyIdOfText(text)).toBeUndefined();
      expect(parsePublicKey(text)).toBeUndefined();
    }
    const tooLong = `ed25519:${toBase64Url(Uint8Array.of(...fromBase64Url(key.text.slice('ed25519:'.length)), 0))}`;
    expect(keyIdOfText(tooLong)).toBeUndefined();
  });
  test('attack 42: no spelling of a point beyond its own is a key', () => {
    for (let low = 0xed; low <= 0xff; low++)
      for (const high of [0x7f, 0xff]) {
        const raw = Uint8Array.of(low, ...new Array<number>(30).fill(0xff), high);
        expect([low, high, parsePublicKey(ed25519KeyText(raw))]).toEqual([low, high, undefined]);
      }
  });
  test('a seed has 32 bytes', () => {
    for (const bytes of [0, 31, 33])
      expect(() => signerOfSeed(new Uint8Array(bytes))).toThrow(new RangeError('an Ed25519 seed has 32 bytes'));
    expect(signerOfSeed(new Uint8Array(32).fill(1)).key.algorithm).toBe('ed25519');
  });
  test('an Ed25519 key never verifies an assertion', () => {
    const party = { rpId: 'localhost', origins: ['http://localhost:7878'] };
    expect(verifyAssertion(key, utf8('m'), new Uint8Array(64), { authenticatorData: '', clientDataJSON: '' }, party)).toBe(false);
  });
});

const passkeyPoint = (text: string): Uint8Array => fromBase64Url(text.split(':')[2] ?? '').slice(26);

describe('a native implementation takes the place of the portable one', () => {
  afterEach(() => {
    useEd25519(portableEd25519);
    useSha256(portableSha256);
  });
  test('for signatures; a signature has 64 bytes whatever it says', () => {
    const seed = new Uint8Array(32).fill(9);
    const { raw } = signerOfSeed(seed).key;
    const signature = sign(utf8('m'), seed);
    expect(verify(signature, utf8('m'), raw)).toBe(true);
    expect(verify(signature, utf8('n'), raw)).toBe(false);
    useEd25519({ sign: () => new Uint8Array(64).fill(5), verify: () => true });
    expect(sign(utf8('m'), seed)).toEqual(new Uint8Array(64).fill(5));
    expect(verify(signature, utf8('n'), raw)).toBe(true);
    expect([0, 63, 65].map((bytes) => verify(new Uint8Array(bytes), utf8('n'), raw))).toEqual([false, false, false]);
  });
  test('for digests', () => {
    expect(sha256(utf8('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    useSha256(() => new Uint8Array(32).fill(0xab));
    expect(sha256(utf8('abc'))).toBe('ab'.repeat(32));
    expect(sha256Bytes(utf8('abc'))).toEqual(new Uint8Array(32).fill(0xab));
  });
  test('signers of other words have other keys', () => {
    expect(signerOf('a').key.id).not.toBe(signerOf('b').key.id);
  });
});
