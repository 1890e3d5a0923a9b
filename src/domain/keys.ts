import { ed25519 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import { fromBase64Url, sameBytes, toBase64Url, toHex } from './bytes.js';
import { sha256Bytes } from './hash.js';
import type { KeyId } from './ids.js';

/**
 * Public keys as the roster writes them:
 * `ed25519:<SPKI, base64url>` and `passkey:<credential id, base64url>:<P-256 SPKI, base64url>` (ES256 by WebAuthn).
 */
export type PublicKey =
  | { readonly algorithm: 'ed25519'; readonly id: KeyId; readonly raw: Uint8Array; readonly text: string }
  | { readonly algorithm: 'es256'; readonly id: KeyId; readonly raw: Uint8Array; readonly credentialId: string; readonly text: string };

const ED25519 = 'ed25519:';
const PASSKEY = 'passkey:';
const ED25519_SPKI = Uint8Array.from([0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00]);
const P256_SPKI = Uint8Array.from([
  0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
  0x03, 0x42, 0x00,
]);

/** Names a key by what it is, so that one key enrolled twice is seen: two spellings of a point have one id. */
function keyIdOf(raw: Uint8Array): KeyId {
  return toHex(sha256Bytes(raw).slice(0, 16)) as KeyId;
}

const MAX_KNOWN = 1_000;
/** What parsed stays known: the checks on the curve cost more than a signature. A pure cache: it changes no answer. */
const known = new Map<string, PublicKey>();

/** Strict: low-order and malformed points, foreign curves and stray bits are refused. Returns undefined then, never a weaker key. */
export function parsePublicKey(text: string): PublicKey | undefined {
  const before = known.get(text);
  if (before !== undefined) return before;
  const key = readKey(text, true);
  if (known.size >= MAX_KNOWN) known.clear();
  if (key !== undefined) known.set(text, key);
  return key;
}

/** The id a key text stands for, before anything is known of the point: to find a key, not to trust one. */
export const keyIdOfText = (text: string): KeyId | undefined => readKey(text, false)?.id;

function readKey(text: string, checkPoint: boolean): PublicKey | undefined {
  try {
    if (text.startsWith(ED25519)) return ed25519Key(text, text.slice(ED25519.length), checkPoint);
    if (text.startsWith(PASSKEY)) return passkey(text, text.slice(PASSKEY.length), checkPoint);
    return undefined;
  } catch {
    return undefined;
  }
}

/** Throws on what is no key, as do the functions it is made of. */
function ed25519Key(text: string, spki64: string, checkPoint: boolean): PublicKey | undefined {
  const raw = spkiBody(fromBase64Url(spki64), ED25519_SPKI, 32);
  // A low-order key verifies one constant signature over any message (attack case 42); a point off the prime subgroup has twins.
  if (checkPoint) {
    const point = ed25519.Point.fromBytes(raw, false);
    if (point.isSmallOrder() || !point.isTorsionFree()) return undefined;
  }
  return { algorithm: 'ed25519', id: keyIdOf(raw), raw, text };
}

function passkey(text: string, parts: string, checkPoint: boolean): PublicKey | undefined {
  // Without a colon the credential would be one character less than the SPKI: no whole bytes.
  const between = parts.lastIndexOf(':');
  const credentialId = parts.slice(0, between);
  const credential = fromBase64Url(credentialId);
  if (credential.length < 16 || credential.length > 1023) return undefined;
  const raw = spkiBody(fromBase64Url(parts.slice(between + 1)), P256_SPKI, 65);
  if (raw[0] !== 4) return undefined;
  if (checkPoint) p256.Point.fromBytes(raw).assertValidity();
  return { algorithm: 'es256', id: keyIdOf(raw), raw, credentialId, text };
}

function spkiBody(spki: Uint8Array, prefix: Uint8Array, length: number): Uint8Array {
  if (spki.length !== prefix.length + length || !sameBytes(spki.subarray(0, prefix.length), prefix)) throw new RangeError('another SPKI');
  return spki.slice(prefix.length);
}

/** The roster's text for a raw Ed25519 public key. */
export function ed25519KeyText(raw: Uint8Array): string {
  const spki = new Uint8Array(ED25519_SPKI.length + raw.length);
  spki.set(ED25519_SPKI);
  spki.set(raw, ED25519_SPKI.length);
  return `${ED25519}${toBase64Url(spki)}`;
}

/** The roster's text for a passkey: credential id and uncompressed P-256 point. */
export function passkeyText(credentialId: Uint8Array, point: Uint8Array): string {
  const spki = new Uint8Array(P256_SPKI.length + point.length);
  spki.set(P256_SPKI);
  spki.set(point, P256_SPKI.length);
  return `${PASSKEY}${toBase64Url(credentialId)}:${toBase64Url(spki)}`;
}
