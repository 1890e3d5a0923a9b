import { eddsa, type EdwardsPoint } from '@noble/curves/abstract/edwards.js';
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';

/** Ed25519 by RFC 8032. Seeds and public keys have 32 bytes, signatures 64. */
export interface Ed25519 {
  sign(message: Uint8Array, seed: Uint8Array): Uint8Array;
  /** Strict: no non-canonical points. May throw on malformed input: a throw is a refusal. */
  verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean;
}

const MAX_KEYS = 32;
/** Of a few keys, an executor's and its reviewers', nearly all signatures are: what is worked out once for a key, and more than halves each check. */
const WINDOW = 4;
const USES_BEFORE_TABLE = 3;
const keys = new Map<string, { uses: number; point: EdwardsPoint | undefined }>();
const nameOf = (bytes: Uint8Array): string => bytes.join();

/** The library's own points and its own decoding, of keys in use remembered: these bytes decode to this point, whoever asks. */
class RememberingPoint extends ed25519.Point {
  static override fromBytes(bytes: Uint8Array, zip215?: boolean): EdwardsPoint {
    const known = zip215 === true ? undefined : keys.get(nameOf(bytes))?.point;
    return known ?? ed25519.Point.fromBytes(bytes, zip215);
  }
}
const remembering = eddsa(RememberingPoint, sha512, { zip215: false });

function count(publicKey: Uint8Array): void {
  const name = nameOf(publicKey);
  const key = keys.get(name) ?? { uses: 0, point: undefined };
  key.uses++;
  if (key.uses === USES_BEFORE_TABLE) key.point = ed25519.Point.fromBytes(publicKey, false).precompute(WINDOW);
  // The key used last goes to the end; the one not used for longest makes room.
  keys.delete(name);
  const oldest = keys.size >= MAX_KEYS ? keys.keys().next().value : undefined;
  if (oldest !== undefined) keys.delete(oldest);
  keys.set(name, key);
}

const portable: Ed25519 = {
  sign: (message, seed) => ed25519.sign(message, seed),
  // zip215: false is the strict rule of RFC 8032: no non-canonical points, no games with the cofactor.
  verify: (signature, message, publicKey) => {
    count(publicKey);
    return remembering.verify(signature, message, publicKey, { zip215: false });
  },
};

let backend: Ed25519 = portable;

/**
 * Processes with a native implementation put it here once, at their start: the same function, thirty times as fast. The workflow sandbox has none.
 * A native one may refuse what the portable one takes (a key owner's crafted signature), never the reverse.
 */
export function useEd25519(native: Ed25519): void {
  backend = native;
}
export const sign = (message: Uint8Array, seed: Uint8Array): Uint8Array => backend.sign(message, seed);
export const verify = (signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean =>
  signature.length === 64 && backend.verify(signature, message, publicKey);
export { portable as portableEd25519 };
