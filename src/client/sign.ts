import { createHash, createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto';
import { fromBase64Url, toBase64Url, utf8 } from '../domain/bytes.js';
import { canonicalBytes } from '../domain/json.js';
import type { Signed } from '../domain/dsse.js';

/**
 * Signatures as src/domain/dsse.ts makes them, with node:crypto alone: an agent must not need zod and noble for one signature.
 * A test holds the two to the same bytes.
 */
export interface AgentKey {
  readonly id: string;
  sign(kind: SignedKind, value: unknown): SignedText;
}
export type SignedKind = 'request' | 'cancel' | 'reply' | 'read';
/** A signed object on its way to JSON: `Signed` without the brands. */
export type SignedText = Omit<Signed, 'signatures'> & { readonly signatures: readonly { readonly keyid: string; readonly sig: string }[] };

const PREFIX = 'keyturn-ed25519-private:';
/** PKCS #8 and SPKI around the 32 bytes of a seed and of a point. */
const PKCS8 = Uint8Array.from([0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20]);
const SPKI_HEAD = 12;

/** Reads the private key text that `keyturn init` and `keyturn keys` write. Throws `TypeError`; the text is never part of the message. */
export function agentKeyOf(text: string): AgentKey {
  const key = privateKeyOf(text.trim());
  const point = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(SPKI_HEAD);
  const id = createHash('sha256').update(point).digest('hex').slice(0, 32);
  return {
    id,
    sign(kind, value) {
      const payloadType = `application/vnd.keyturn.${kind}.v1+json`;
      const payload = canonicalBytes(value);
      const sig = sign(null, preAuthEncoding(payloadType, payload), key);
      return { payloadType, payload: toBase64Url(payload), signatures: [{ keyid: id, sig: toBase64Url(sig) }] };
    },
  };
}

function privateKeyOf(text: string): KeyObject {
  let seed: Uint8Array | undefined;
  try {
    if (text.startsWith(PREFIX)) seed = fromBase64Url(text.slice(PREFIX.length));
  } catch {
    seed = undefined;
  }
  if (seed?.length !== 32) throw new TypeError(`Keyturn: the agent's private key is not one: it begins with ${PREFIX}`);
  return createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
}

/** DSSE v1. */
export const preAuthEncoding = (payloadType: string, payload: Uint8Array): Uint8Array =>
  Buffer.concat([utf8(`DSSEv1 ${utf8(payloadType).length} ${payloadType} ${payload.length} `), payload]);
