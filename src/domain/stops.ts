import { readDecision, type KeyRing } from './admit.js';
import { keyIdOfSigned, verifySigned, type Signed } from './dsse.js';
import type { ActionId } from './ids.js';
import { toMs } from './instant.js';
import type { Envelope } from './objects/envelope.js';
import {
  cancelSchema,
  freezeSchema,
  resolveSchema,
  thawSchema,
  type Cancel,
  type Freeze,
  type Resolve,
  type Thaw,
} from './objects/stop.js';
import { holderOf, keyValidAt, type Roster } from './roster.js';
import { readSigned, refusedRead, signedBy, type Read } from './signed-message.js';

/** By the agent that asked, by its owner, or by the API for an agent that holds only a bearer key. */
export function readCancel(
  signed: Signed,
  roster: Roster,
  action: { readonly actionId: ActionId; readonly agent: string },
  now: number,
): Read<Cancel> {
  const found = readSigned('cancel', cancelSchema, signed);
  if (found === undefined) return refusedRead('request_invalid', 'not a cancel: see the schema of cancel v1');
  const { value, digest } = found;
  if (value.deployment !== roster.deployment || value.actionId !== action.actionId) return refusedRead('audience_mismatch');
  const holder = holderOf(roster, keyIdOfSigned(signed));
  const agent = [...roster.agents.values()].find((each) => each.id === action.agent);
  if (holder === undefined || agent === undefined || !keyValidAt(holder.key, now) || !keyValidAt(holder.key, toMs(value.issuedAt)))
    return refusedRead('credential_invalid');
  const byAgent =
    value.by === `agent:${agent.id}` &&
    ((holder.kind === 'agent' && holder.id === agent.id) || (holder.kind === 'api' && agent.bearer !== undefined));
  const byOwner = value.by === `person:${agent.owner}` && holder.kind === 'person' && holder.id === agent.owner;
  if ((!byAgent && !byOwner) || !verifySigned('cancel', signed, holder.key.key, roster.webauthn))
    return refusedRead('credential_invalid', 'only the agent or its owner cancels');
  return { ok: true, value, digest };
}

export function readFreeze(signed: Signed, ring: KeyRing, deployment: string, now: number): Read<Freeze> {
  const found = readSigned('freeze', freezeSchema, signed);
  if (found === undefined) return refusedRead('request_invalid', 'not a freeze: see the schema of freeze v1');
  if (found.value.deployment !== deployment) return refusedRead('audience_mismatch');
  if (signedBy('freeze', signed, found.value.by, found.value.issuedAt, ring, now) === undefined) return refusedRead('signature_invalid');
  return { ok: true, ...found };
}

export function readThaw(signed: Signed, ring: KeyRing, deployment: string, now: number): Read<Thaw> {
  const found = readSigned('thaw', thawSchema, signed);
  if (found === undefined) return refusedRead('request_invalid', 'not a thaw: see the schema of thaw v1');
  if (found.value.deployment !== deployment) return refusedRead('audience_mismatch');
  if (signedBy('thaw', signed, found.value.by, found.value.issuedAt, ring, now) === undefined) return refusedRead('signature_invalid');
  return { ok: true, ...found };
}

/** By people the sealed rule names, whose key stands in every ring given: the sealed one and the present roster's. */
export function readResolve(signed: Signed, envelope: Envelope, rings: readonly KeyRing[], now: number): Read<Resolve> {
  const found = readSigned('resolve', resolveSchema, signed);
  if (found === undefined) return refusedRead('request_invalid', 'not a resolve: see the schema of resolve v1');
  const { value, digest } = found;
  if (value.deployment !== envelope.deployment || value.actionId !== envelope.actionId) return refusedRead('audience_mismatch');
  if (!rings.every((ring) => signedBy('resolve', signed, value.by, value.issuedAt, ring, now, envelope.webauthn) !== undefined))
    return refusedRead('signature_invalid');
  if (!envelope.resolve.people.includes(value.by))
    return refusedRead('not_eligible', `${value.by} is not among those who may resolve this`);
  return { ok: true, value, digest };
}

/** A message that only stops: what the executor's own door takes. */
export interface StopMessage {
  readonly kind: 'reject' | 'withdraw' | 'cancel' | 'freeze';
  /** Null: a freeze belongs to no action. */
  readonly actionId: ActionId | null;
}

/**
 * Which stop message these bytes are; undefined for everything else: thaw and resolve, too, which let something go on. A withdrawal can lift a "no" of
 * one's own, never another's. Says nothing of the signature.
 */
export function stopMessageIn(signed: Signed): StopMessage | undefined {
  const decision = readDecision(signed)?.decision;
  if (decision?.verdict === 'reject' || decision?.verdict === 'withdraw') return { kind: decision.verdict, actionId: decision.actionId };
  const cancel = readSigned('cancel', cancelSchema, signed);
  if (cancel !== undefined) return { kind: 'cancel', actionId: cancel.value.actionId };
  return readSigned('freeze', freezeSchema, signed) === undefined ? undefined : { kind: 'freeze', actionId: null };
}

/** True if the key of a person, an agent or the API made it, whenever that key is valid: who is a stranger learns nothing from an answer. */
export function isByRoster(signed: Signed, { kind }: StopMessage, roster: Roster): boolean {
  const holder = holderOf(roster, keyIdOfSigned(signed));
  const object = kind === 'reject' || kind === 'withdraw' ? 'decision' : kind;
  return holder !== undefined && holder.kind !== 'executor' && verifySigned(object, signed, holder.key.key, roster.webauthn);
}
