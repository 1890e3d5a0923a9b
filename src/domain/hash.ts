import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import { toHex } from './bytes.js';
import { canonicalBytes } from './json.js';
import type { Digest } from './ids.js';

/** SHA-256 as 64 lower-case hexadecimal digits. */
export const sha256 = (bytes: Uint8Array): Digest => toHex(nobleSha256(bytes)) as Digest;

/** SHA-256 of a value's canonical JSON. Throws `JsonRefused` on what is not I-JSON. */
export const digestOf = (value: unknown): Digest => sha256(canonicalBytes(value));

export const sha256Bytes = (bytes: Uint8Array): Uint8Array => nobleSha256(bytes);
