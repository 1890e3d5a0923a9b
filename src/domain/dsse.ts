import { ed25519 } from '@noble/curves/ed25519.js';
import { sign, verify } from './ed25519.js';
import { z } from 'zod';
import { fromBase64Url, toBase64Url, utf8 } from './bytes.js';
import { sha256 } from './hash.js';
import { keyIdSchema, type Digest, type KeyId } from './ids.js';
import { canonicalBytes, parseCanonical, type Json } from './json.js';
import { ed25519KeyText, parsePublicKey, type PublicKey } from './keys.js';
import { verifyAssertion, type RelyingParty } from './passkey.js';

/**
 * DSSE: every signature covers its payload's type and bytes, so that an object of one kind never passes as another (attack case 40).
 * One signature an object; two people sign two objects.
 */
export const PAYLOAD_TYPES = {
  request: 'application/vnd.keyturn.request.v1+json',
  envelope: 'application/vnd.keyturn.envelope.v1+json',
  decision: 'application/vnd.keyturn.decision.v1+json',
  delegation: 'application/vnd.keyturn.delegation.v1+json',
  reply: 'application/vnd.keyturn.reply.v1+json',
  cancel: 'application/vnd.keyturn.cancel.v1+json',
  freeze: 'application/vnd.keyturn.freeze.v1+json',
  thaw: 'application/vnd.keyturn.thaw.v1+json',
  resolve: 'application/vnd.keyturn.resolve.v1+json',
  backup: 'application/vnd.keyturn.backup.v1+json',
  restore: 'application/vnd.keyturn.restore.v1+json',
  review: 'application/vnd.keyturn.review.v1+json',
  entry: 'application/vnd.keyturn.entry.v1+json',
  answer: 'application/vnd.keyturn.answer.v1+json',
  manifest: 'application/vnd.keyturn.manifest.v1+json',
  read: 'application/vnd.keyturn.read.v1+json',
} as const;
export type ObjectKind = keyof typeof PAYLOAD_TYPES;

const base64Url = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^[A-Za-z0-9_-]*$/, 'expected unpadded base64url');

/** Largest signed object taken anywhere: an envelope with a full preview, in base64url. */
export const MAX_SIGNED_CHARS = 1_400_000;

export const signedSchema = z.strictObject({
  payloadType: z.string().max(100),
  payload: base64Url(MAX_SIGNED_CHARS),
  signatures: z
    .array(
      z.strictObject({
        keyid: keyIdSchema,
        sig: base64Url(200),
        /** Present exactly when the key is a passkey: what the authenticator signed around the challenge. */
        passkey: z.strictObject({ authenticatorData: base64Url(2_000), clientDataJSON: base64Url(4_000) }).optional(),
      }),
    )
    .length(1),
});
export type Signed = z.infer<typeof signedSchema>;

/** Pre-authentication encoding of DSSE v1. */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const head = utf8(`DSSEv1 ${utf8(payloadType).length} ${payloadType} ${payload.length} `);
  const bytes = new Uint8Array(head.length + payload.length);
  bytes.set(head);
  bytes.set(payload, head.length);
  return bytes;
}

export const payloadBytes = (signed: Signed): Uint8Array => fromBase64Url(signed.payload);

/** The digest an object is known by: of its payload, so that a malleable signature makes no second object. Throws on bad base64url. */
export const digestOfSigned = (signed: Signed): Digest => sha256(payloadBytes(signed));

export const keyIdOfSigned = (signed: Signed): KeyId | undefined => signed.signatures[0]?.keyid;

/** The payload as strict canonical JSON, if it is of this kind; undefined otherwise. Says nothing of the signature. */
export function readPayload(kind: ObjectKind, signed: Signed): Json | undefined {
  if (signed.payloadType !== PAYLOAD_TYPES[kind]) return undefined;
  try {
    return parseCanonical(payloadBytes(signed));
  } catch {
    return undefined;
  }
}

/** True only if `key` made this signature over exactly these bytes as this kind. Total: never throws. */
export function verifySigned(kind: ObjectKind, signed: Signed, key: PublicKey, party?: RelyingParty): boolean {
  const signature = signed.signatures[0];
  if (signed.payloadType !== PAYLOAD_TYPES[kind] || signature === undefined || signature.keyid !== key.id) return false;
  try {
    const message = preAuthEncoding(signed.payloadType, payloadBytes(signed));
    const bytes = fromBase64Url(signature.sig);
    if (key.algorithm === 'ed25519') {
      return signature.passkey === undefined && verify(bytes, message, key.raw);
    }
    return signature.passkey !== undefined && party !== undefined && verifyAssertion(key, message, bytes, signature.passkey, party);
  } catch {
    return false;
  }
}

/** A private Ed25519 key: signs payloads of a kind. Held by executors, agents, the API, reviewers' devices. */
export interface Signer {
  readonly key: PublicKey;
  sign(kind: ObjectKind, value: unknown): Signed;
}

/** Throws `RangeError` unless the seed is 32 bytes. */
export function signerOf(seed: Uint8Array): Signer {
  if (seed.length !== 32) throw new RangeError('an Ed25519 seed has 32 bytes');
  const key = parsePublicKey(ed25519KeyText(ed25519.getPublicKey(seed)));
  if (key === undefined) throw new RangeError('unusable Ed25519 seed');
  return {
    key,
    sign(kind, value) {
      const payload = canonicalBytes(value);
      const sig = sign(preAuthEncoding(PAYLOAD_TYPES[kind], payload), seed);
      return { payloadType: PAYLOAD_TYPES[kind], payload: toBase64Url(payload), signatures: [{ keyid: key.id, sig: toBase64Url(sig) }] };
    },
  };
}
