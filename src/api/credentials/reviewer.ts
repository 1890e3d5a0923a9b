import { readDecision } from '../../domain/admit.js';
import { refuse, type Refusal } from '../../domain/codes.js';
import { mandateRefused } from '../../domain/delegation.js';
import { keyIdOfSigned, readPayload, verifySigned, type ObjectKind, type Signed } from '../../domain/dsse.js';
import { rosterRing } from '../../domain/evidence/people.js';
import type { ActionId, Digest, PersonId } from '../../domain/ids.js';
import { toMs, type Instant } from '../../domain/instant.js';
import { reviewSchema } from '../../domain/objects/review.js';
import { freezeSchema, resolveSchema, thawSchema } from '../../domain/objects/stop.js';
import { holderOf, keyValidAt, type Roster } from '../../domain/roster.js';

/**
 * The API's own look at a decision (§6.4): a person of its roster, by a key valid then and now, on this action. Who of them may decide this action
 * is in its sealed envelope: the workflow answers that, and the executor after it. Undefined: pass it on. `now` in ms.
 */
export function decisionRefused(signed: Signed, id: ActionId, roster: Roster, now: number): Refusal | undefined {
  const read = readDecision(signed);
  // The door is closed to agents before anything else is asked: whatever they sign, they never decide.
  if (isForeign(signed, roster)) return refuse('not_a_reviewer');
  if (read === undefined) return refuse('request_invalid', 'not a decision: see the schema of decision v1');
  const { decision } = read;
  if (decision.keyId !== keyIdOfSigned(signed)) return refuse('signature_invalid');
  return (
    personRefused({ kind: 'decision', person: decision.person, issuedAt: decision.issuedAt }, signed, roster, now) ??
    misaddressed(decision, id, roster) ??
    mandateRefused(decision, roster, rosterRing(roster), now, verifySigned)
  );
}

/** The same for a resolve: which people may is in the envelope. */
export function resolveRefused(signed: Signed, id: ActionId, roster: Roster, now: number): Refusal | undefined {
  const read = resolveSchema.safeParse(readPayload('resolve', signed));
  if (isForeign(signed, roster)) return refuse('not_a_reviewer');
  if (!read.success) return refuse('request_invalid', 'not a resolve: see the schema of resolve v1');
  const { by, issuedAt } = read.data;
  return personRefused({ kind: 'resolve', person: by, issuedAt }, signed, roster, now) ?? misaddressed(read.data, id, roster);
}

/** The same for a post-review: whose word counts is in the action's entries. */
export function reviewRefused(signed: Signed, id: ActionId, roster: Roster, now: number): Refusal | undefined {
  const read = reviewSchema.safeParse(readPayload('review', signed));
  if (isForeign(signed, roster)) return refuse('not_a_reviewer');
  if (!read.success) return refuse('request_invalid', 'not a review: see the schema of review v1');
  const { by, issuedAt } = read.data;
  return personRefused({ kind: 'review', person: by, issuedAt }, signed, roster, now) ?? misaddressed(read.data, id, roster);
}

/** A freeze, by a person of the roster; who of them may, each executor's policy says. */
export function freezeRefused(signed: Signed, roster: Roster, now: number): Refusal | undefined {
  const read = freezeSchema.safeParse(readPayload('freeze', signed));
  if (isForeign(signed, roster)) return refuse('not_a_reviewer');
  if (!read.success) return refuse('request_invalid', 'not a freeze: see the schema of freeze v1');
  const { by, issuedAt, deployment } = read.data;
  if (deployment !== roster.deployment) return refuse('audience_mismatch');
  return personRefused({ kind: 'freeze', person: by, issuedAt }, signed, roster, now);
}

export function thawRefused(signed: Signed, freeze: Digest, roster: Roster, now: number): Refusal | undefined {
  const read = thawSchema.safeParse(readPayload('thaw', signed));
  if (isForeign(signed, roster)) return refuse('not_a_reviewer');
  if (!read.success) return refuse('request_invalid', 'not a thaw: see the schema of thaw v1');
  const { by, issuedAt, deployment } = read.data;
  if (deployment !== roster.deployment || read.data.freeze !== freeze)
    return refuse('audience_mismatch', 'this was signed for another deployment or freeze');
  return personRefused({ kind: 'thaw', person: by, issuedAt }, signed, roster, now);
}

/** A key the roster gives to an agent, an executor or an API. */
function isForeign(signed: Signed, roster: Roster): boolean {
  const keyId = keyIdOfSigned(signed);
  const holder = keyId === undefined ? undefined : holderOf(roster, keyId);
  return holder !== undefined && holder.kind !== 'person';
}

interface Claim {
  readonly kind: ObjectKind;
  readonly person: PersonId;
  readonly issuedAt: Instant;
}

function personRefused({ kind, person, issuedAt }: Claim, signed: Signed, roster: Roster, now: number): Refusal | undefined {
  const keyId = keyIdOfSigned(signed);
  const holder = keyId === undefined ? undefined : holderOf(roster, keyId);
  if (holder?.kind !== 'person' || holder.id !== person) return refuse('signature_invalid');
  if (!keyValidAt(holder.key, toMs(issuedAt)) || !keyValidAt(holder.key, now))
    return refuse('signature_invalid', 'the key was not valid when this was signed, or is not now');
  return verifySigned(kind, signed, holder.key.key, roster.webauthn) ? undefined : refuse('signature_invalid');
}

function misaddressed(
  message: { readonly deployment: string; readonly actionId: ActionId },
  id: ActionId,
  roster: Roster,
): Refusal | undefined {
  if (message.deployment === roster.deployment && message.actionId === id) return undefined;
  return refuse('audience_mismatch', 'this was signed for another deployment or action');
}
