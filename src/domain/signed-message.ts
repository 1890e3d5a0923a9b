import type { z } from 'zod';
import { CLOCK_SKEW_MS, validAt, type KeyRing, type PersonKey } from './admit.js';
import { refuse, type Refusal } from './codes.js';
import { digestOfSigned, keyIdOfSigned, readPayload, verifySigned, type ObjectKind, type Signed } from './dsse.js';
import type { Digest, PersonId } from './ids.js';
import { toMs, type Instant } from './instant.js';
import { MAX_DECISION_CHARS } from './objects/decision.js';
import type { Envelope } from './objects/envelope.js';

/** A signed message: read, and believed only if its author signed it with a key valid then and now. Times in ms. */
export type Read<T> = { readonly ok: true; readonly value: T; readonly digest: Digest } | { readonly ok: false; readonly refusal: Refusal };

export const refusedRead = <T>(code: Refusal['code'], text?: string): Read<T> => ({ ok: false, refusal: refuse(code, text) });

/** The object of this kind, if it is one, before anything of it is believed. */
export function readSigned<T>(kind: ObjectKind, schema: z.ZodType<T>, signed: Signed): { value: T; digest: Digest } | undefined {
  if (signed.payload.length > MAX_DECISION_CHARS) return undefined;
  const parsed = schema.safeParse(readPayload(kind, signed));
  return parsed.success ? { value: parsed.data, digest: digestOfSigned(signed) } : undefined;
}

/** The key of the signature, if it is this person's in this ring, verifies, and is valid at both times. */
export function signedBy(
  kind: ObjectKind,
  signed: Signed,
  person: PersonId,
  issuedAt: Instant,
  ring: KeyRing,
  now: number,
  party?: Envelope['webauthn'],
): PersonKey | undefined {
  const keyId = keyIdOfSigned(signed);
  const holder = keyId === undefined ? undefined : ring.get(keyId);
  if (holder === undefined || holder.person !== person || toMs(issuedAt) > now + CLOCK_SKEW_MS) return undefined;
  if (!validAt(holder, toMs(issuedAt)) || !validAt(holder, now)) return undefined;
  const key = holder.key();
  return key !== undefined && verifySigned(kind, signed, key, party) ? holder : undefined;
}
