import { ed25519 } from '@noble/curves/ed25519.js';

/** Ed25519 by RFC 8032. Seeds and public keys have 32 bytes, signatures 64. */
export interface Ed25519 {
  sign(message: Uint8Array, seed: Uint8Array): Uint8Array;
  /** Strict: no non-canonical points. May throw on malformed input: a throw is a refusal. */
  verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean;
}

const portable: Ed25519 = {
  sign: (message, seed) => ed25519.sign(message, seed),
  // zip215: false is the strict rule of RFC 8032: no non-canonical points, no games with the cofactor.
  verify: (signature, message, publicKey) => ed25519.verify(signature, message, publicKey, { zip215: false }),
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
