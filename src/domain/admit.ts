import { reasonMissing } from './break-glass.js';
import { refuse, type Refusal } from './codes.js';
import { confirmOf, unconfirmed } from './confirm.js';
import { keyIdOfSigned, readPayload, verifySigned, type Signed } from './dsse.js';
import { sha256 } from './hash.js';
import { payloadBytes } from './dsse.js';
import { mandateRefused, scopeRefused, seatPersonOf } from './delegation.js';
import type { Digest } from './ids.js';
import { toMs } from './instant.js';
import { validAt, type KeyRing } from './key-ring.js';
import { decisionSchema, MAX_DECISION_CHARS, type Decision } from './objects/decision.js';
import type { Envelope, Exclusion } from './objects/envelope.js';
import { peopleAt } from './quorum.js';
import type { Vote } from './tally.js';

export { ringOf, validAt, type KeyRing, type PersonKey } from './key-ring.js';

/** A decision may be dated this far ahead of the verifier's clock (§6.7). */
export const CLOCK_SKEW_MS = 120_000;

/** An envelope with the digests it is known by. */
export interface Sealed {
  readonly envelope: Envelope;
  readonly digest: Digest;
  readonly view: Digest;
}

/** The numbers of the executor's checks (§7) a single decision can fail. */
export type DecisionCheck = 6 | 7 | 8 | 9;
export type Admission =
  | { readonly ok: true; readonly digest: Digest; readonly decision: Decision }
  | { readonly ok: false; readonly digest: Digest | undefined; readonly check: DecisionCheck; readonly refusal: Refusal };

interface ReadDecision {
  readonly digest: Digest;
  readonly decision: Decision;
}
const MAX_READ = 100;
/** The same bytes are read at a door, by its handler, and for every check: what was read last stays at hand. A pure memory, by all the bytes. */
const lastRead = new Map<string, ReadDecision>();

/** A decision's bytes as an object, before anything is believed of it; its digest if the bytes can be read at all. */
export function readDecision(signed: Signed): ReadDecision | undefined {
  if (signed.payload.length > MAX_DECISION_CHARS) return undefined;
  const name = `${signed.payloadType} ${signed.payload}`;
  const before = lastRead.get(name);
  if (before !== undefined) return before;
  const decision = decisionSchema.safeParse(readPayload('decision', signed));
  if (!decision.success) return undefined;
  const read = { digest: sha256(payloadBytes(signed)), decision: decision.data };
  if (lastRead.size >= MAX_READ) lastRead.clear();
  lastRead.set(name, read);
  return read;
}

/**
 * Checks 6 to 8 on one decision: signature and key rules, binding, author (§6.3, §6.4, §7). The API, the workflow and the executor call this one
 * function with their own ring. `revisions` are all revisions of the action known here, the newest last: a rejection or a withdrawal may name
 * any of them, anything else only the newest (§6.5). `now` in ms.
 * `verify` is `verifySigned`, or the same with a memory.
 */
export function admit(
  signed: Signed,
  revisions: readonly Sealed[],
  ring: KeyRing,
  now: number,
  verify: typeof verifySigned = verifySigned,
): Admission {
  const read = readDecision(signed);
  if (read === undefined) return no(undefined, 6, 'request_invalid', 'not a decision: see the schema of decision v1');
  const { decision, digest } = read;
  const newest = revisions.at(-1);
  if (newest === undefined) return no(digest, 7, 'revision_stale');

  const keyId = keyIdOfSigned(signed);
  const holder = keyId === undefined ? undefined : ring.get(keyId);
  if (holder === undefined || decision.keyId !== keyId || holder.person !== decision.person) return no(digest, 6, 'signature_invalid');
  const key = holder.key();
  if (key === undefined || !verify('decision', signed, key, newest.envelope.webauthn)) return no(digest, 6, 'signature_invalid');
  const issuedAt = toMs(decision.issuedAt);
  if (!validAt(holder, issuedAt) || !validAt(holder, now))
    return no(digest, 6, 'signature_invalid', 'the key was not valid when the decision was made, or is not now');

  const mandate = mandateRefused(decision, newest.envelope, ring, now, verify);
  if (mandate !== undefined) return no(digest, 6, mandate.code, mandate.text);
  const bound = binds(decision, newest, revisions);
  if (bound !== undefined) return no(digest, 7, bound.code, bound.text);

  const author = scopeRefused(decision, newest.envelope) ?? authorRefused(decision, newest.envelope, issuedAt);
  if (author !== undefined) return no(digest, 8, author.code, author.text);
  const unmet =
    reasonMissing(newest.envelope, decision) ?? unconfirmed(decision, confirmOf(newest.envelope.guards, newest.envelope.params));
  if (unmet !== undefined) return no(digest, 8, unmet.code, unmet.text);
  if (issuedAt >= toMs(newest.envelope.approveBy) && decision.verdict !== 'reject' && decision.verdict !== 'withdraw')
    return no(digest, 8, 'decision_late');
  if (issuedAt > now + CLOCK_SKEW_MS) return no(digest, 8, 'decision_late', 'the decision is dated more than 2 minutes ahead');
  return { ok: true, digest, decision };
}

function binds(decision: Decision, newest: Sealed, revisions: readonly Sealed[]): Refusal | undefined {
  const { envelope } = newest;
  if (decision.deployment !== envelope.deployment || decision.actionId !== envelope.actionId) return refuse('audience_mismatch');
  const carriesOver = decision.verdict === 'reject' || decision.verdict === 'withdraw';
  const target = revisions.find((revision) => revision.digest === decision.digest);
  if (target === undefined || decision.revision !== target.envelope.revision || (!carriesOver && target !== newest))
    return refuse('revision_stale');
  return decision.view === target.view ? undefined : refuse('view_mismatch');
}

const EXCLUDED = { owner: 'self_approval', on_behalf_of: 'self_approval', editor: 'editor_excluded' } as const;

function authorRefused(decision: Decision, envelope: Envelope, issuedAt: number): Refusal | undefined {
  if (decision.verdict === 'withdraw') return undefined;
  const seat = seatPersonOf(decision);
  // Neither the one who is asked nor who decides for him: no exclusion is got round by handing over.
  const excluded = envelope.exclusions.find(({ person, why }) => (person === seat || person === decision.person) && bars(why, decision));
  if (excluded !== undefined) return refuse(EXCLUDED[excluded.why]);
  const sinceOpened = issuedAt - toMs(envelope.openedAt);
  return envelope.stages.some((stage) => peopleAt(stage, sinceOpened).has(seat)) ? undefined : refuse('not_eligible');
}

/** An editor's approval never counts again; an editor may still say no, or modify once more. */
const bars = (why: Exclusion['why'], decision: Decision): boolean => why !== 'editor' || decision.verdict === 'approve';

function no(digest: Digest | undefined, check: DecisionCheck, code: Refusal['code'], text?: string): Admission {
  return { ok: false, digest, check, refusal: refuse(code, text) };
}

/**
 * §2: only the command line holds Ed25519 keys, and it checks the seal and renders the sealed bytes itself; a web page signs with a passkey.
 * By the ring's key, never by the decision's own words.
 */
export function isIndependent(signed: Signed, ring: KeyRing): boolean {
  const keyId = keyIdOfSigned(signed);
  return keyId !== undefined && ring.get(keyId)?.key()?.algorithm === 'ed25519';
}

/** The vote a counted decision is. A modify is none: it makes a revision. Nor is a question. */
export function voteOf(digest: Digest, decision: Decision, independent: boolean): Vote | undefined {
  const person = seatPersonOf(decision);
  const by = person === decision.person ? {} : { by: decision.person };
  const base = { digest, person, ...by, issuedAt: toMs(decision.issuedAt), independent, envelope: decision.digest };
  switch (decision.verdict) {
    case 'approve':
      return { ...base, act: { verdict: 'approve' } };
    case 'reject':
      return { ...base, act: { verdict: 'reject', reason: decision.reason } };
    case 'withdraw':
      return { ...base, act: { verdict: 'withdraw', withdraws: decision.withdraws } };
    case 'modify':
    case 'ask':
      return undefined;
  }
}
