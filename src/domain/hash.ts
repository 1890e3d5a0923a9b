import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import { toHex } from './bytes.js';
import { canonicalBytes } from './json.js';
import type { Digest } from './ids.js';

type Sha256 = (bytes: Uint8Array) => Uint8Array;
let backend: Sha256 = nobleSha256;

/** Processes with a native implementation put it here once, at their start: the same function, many times as fast. The workflow sandbox has none. */
export function useSha256(native: Sha256): void {
  backend = native;
}

/** SHA-256 as 64 lower-case hexadecimal digits. */
export const sha256 = (bytes: Uint8Array): Digest => toHex(backend(bytes)) as Digest;

/** SHA-256 of a value's canonical JSON. Throws `JsonRefused` on what is not I-JSON. */
export const digestOf = (value: unknown): Digest => sha256(canonicalBytes(value));

export const sha256Bytes = (bytes: Uint8Array): Uint8Array => backend(bytes);
export { nobleSha256 as portableSha256 };
