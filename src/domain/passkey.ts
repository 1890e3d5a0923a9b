import { p256 } from '@noble/curves/nist.js';
import { z } from 'zod';
import { fromBase64Url, fromUtf8, sameBytes, toBase64Url, utf8 } from './bytes.js';
import { sha256Bytes } from './hash.js';
import { parseStrict } from './json.js';
import type { PublicKey } from './keys.js';

/** Whom passkey signatures are made for; sealed in the envelope. */
export interface RelyingParty {
  readonly rpId: string;
  readonly origins: readonly string[];
}

const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
const clientDataSchema = z.looseObject({
  type: z.literal('webauthn.get'),
  challenge: z.string(),
  origin: z.string(),
  crossOrigin: z.literal(false).optional(),
});

/**
 * WebAuthn §7.2 for ES256, synchronous (the sandbox has no promises to wait on in a validator). The challenge is SHA-256 of the DSSE bytes;
 * user verified; the counter is ignored, because the ledger consumes an action once whatever a cloned key does.
 * May throw on malformed input: the caller treats a throw as a refusal.
 */
export function verifyAssertion(
  key: PublicKey,
  message: Uint8Array,
  signature: Uint8Array,
  assertion: { readonly authenticatorData: string; readonly clientDataJSON: string },
  party: RelyingParty,
): boolean {
  if (key.algorithm !== 'es256') return false;
  const clientData = fromBase64Url(assertion.clientDataJSON);
  const client = clientDataSchema.safeParse(parseStrict(fromUtf8(clientData)));
  if (!client.success) return false;
  if (client.data.challenge !== toBase64Url(sha256Bytes(message)) || !party.origins.includes(client.data.origin)) return false;

  const authenticator = fromBase64Url(assertion.authenticatorData);
  if (authenticator.length < 37 || !sameBytes(authenticator.subarray(0, 32), sha256Bytes(utf8(party.rpId)))) return false;
  const flags = authenticator[32] ?? 0;
  if ((flags & USER_PRESENT) === 0 || (flags & USER_VERIFIED) === 0) return false;

  const signedBytes = new Uint8Array(authenticator.length + 32);
  signedBytes.set(authenticator);
  signedBytes.set(sha256Bytes(clientData), authenticator.length);
  // Authenticators do not normalise s: both twins are theirs, and a decision is known by its payload, so a twin is no second vote.
  return p256.verify(signature, signedBytes, key.raw, { prehash: true, lowS: false, format: 'der' });
}
