import { admit, isIndependent, readDecision, ringOf, voteOf, type KeyRing, type Sealed } from '../admit.js';
import { seatPersonOf } from '../delegation.js';
import { refuse, type ErrorCode, type Refusal } from '../codes.js';
import { MAX_SIGNED_CHARS, readPayload, type Signed } from '../dsse.js';
import type { ActionId, Digest, PersonId } from '../ids.js';
import type { Dropped } from '../objects/answer.js';
import { envelopeSchema } from '../objects/envelope.js';
import type { SealedPeople } from '../objects/entry.js';
import { authorOf, type Tally } from '../tally.js';
import { rememberingVerify } from '../verify-memory.js';
import { viewDigestOf } from '../view/v1.js';
import { Ballot } from './ballot.js';
import { Clock, type Ring } from './clocks.js';
import { MAX_QUESTIONS } from './dialogue.js';
import type { DecisionState, Fate } from './fate.js';
import { KeptDecisions, type KeptDecision, type Next } from './kept.js';

/** After this many refusals a run takes no more signals: a flood must not stall the worker. */
export const MAX_REFUSED_SIGNALS = 100;

/**
 * One action under review, as the workflow holds it: pure, time is an argument in ms, no I/O. What it counts is for liveness;
 * the executor counts again from the same bytes with the same functions.
 */
export class Review {
  private readonly held = new KeptDecisions();
  private readonly revisions: Sealed[] = [];
  private readonly ballot = new Ballot();
  private ring: KeyRing = new Map();
  private readonly clock = new Clock();
  private readonly signedEnvelopes: Signed[] = [];
  /** Decisions that arrived while something was being settled, in order. */
  private readonly waiting: Digest[] = [];
  /** So it is until the first seal. */
  private settling = true;
  private ended = false;
  refusedSignatures = 0;
  refusedTotal = 0;
  lastRefusal: Refusal | undefined;

  private readonly verify = rememberingVerify();

  constructor(readonly id: ActionId) {}

  get newest(): Sealed | undefined {
    return this.revisions.at(-1);
  }
  /** The executor's own bytes of every revision, oldest first. */
  get envelopes(): readonly Signed[] {
    return this.signedEnvelopes;
  }

  /**
   * Takes a seal: a first revision, a next one, or the same again. Approvals of an earlier revision are void (§6.5), offsets never move.
   * False if it does not fit: then it is no seal of this action.
   */
  open(
    sealed: { readonly envelope: Signed; readonly digest: Digest; readonly view: Digest; readonly rejections: readonly Signed[] },
    people: SealedPeople,
    now: number,
  ): boolean {
    const envelope = envelopeSchema.safeParse(readPayload('envelope', sealed.envelope));
    if (!envelope.success || envelope.data.actionId !== this.id || viewDigestOf(envelope.data) !== sealed.view) return false;
    this.ring = ringOf(people);
    if (!this.revisions.some((revision) => revision.digest === sealed.digest)) {
      const revision = { envelope: envelope.data, digest: sealed.digest, view: sealed.view };
      this.revisions.push(revision);
      this.signedEnvelopes.push(sealed.envelope);
      this.ballot.turnTo(revision);
      for (const [, held] of this.held.all()) {
        if (held.fate.state === 'counted' && held.decision.verdict === 'approve')
          held.fate = refusedFate('revision_stale', 'the action has a newer revision');
      }
    }
    this.clock.set(envelope.data, now);
    this.settling = false;
    for (const signed of sealed.rejections) this.restore(signed, now);
    this.judgeWaiting(now);
    return true;
  }

  /** A rejection or withdrawal the ledger already holds. */
  private restore(signed: Signed, now: number): void {
    const admission = admit(signed, this.revisions, this.ring, now, this.verify);
    if (!admission.ok) return;
    if (this.held.get(admission.digest) === undefined) this.held.add(admission.digest, signed, admission.decision);
    this.stands(admission.digest);
  }

  /** Until `settled`, arriving decisions wait: a modify or a close is under way. */
  beginSettling(): void {
    this.settling = true;
  }
  settled(now: number): void {
    this.settling = false;
    this.judgeWaiting(now);
  }

  private judgeWaiting(now: number): void {
    for (const digest of this.waiting.splice(0)) {
      const held = this.held.get(digest);
      if (held?.fate.state !== 'waiting') continue;
      const refusal = this.examineNow(held.signed, now);
      if (refusal === undefined) this.accept(digest, held);
      else held.fate = this.note(refusal);
      // Nobody known signed it: it takes no place that a genuine decision needs, nor the digest of one with a true signature.
      if (refusal?.code === 'signature_invalid') this.held.forget(digest);
    }
  }

  /** The one judgement of Signal and Update: cheap checks first, the signature last. Changes nothing. Undefined: welcome. */
  examine(signed: Signed, now: number): Refusal | undefined {
    const read = readDecision(signed);
    if (read === undefined) return unreadable(signed);
    if (read.decision.actionId !== this.id) return refuse('audience_mismatch');
    // A repeat is answered with the decision's fate.
    if (this.held.get(read.digest) !== undefined) return undefined;
    if (this.ended) return refuse('action_ended');
    if (this.held.isFull) return refuse('rate_limited', 'this action has had more decisions than it keeps');
    return this.settling ? undefined : this.examineNow(signed, now);
  }

  private examineNow(signed: Signed, now: number): Refusal | undefined {
    const admission = admit(signed, this.revisions, this.ring, now, this.verify);
    if (!admission.ok) return admission.refusal;
    const { decision } = admission;
    if (decision.verdict === 'ask' && this.questions().size >= MAX_QUESTIONS)
      return refuse('rate_limited', `an action takes ${MAX_QUESTIONS} questions; decide, or reject it`);
    const pair: readonly PersonId[] = [seatPersonOf(decision), decision.person];
    const seat = this.count().approvals.find((vote) => pair.includes(vote.person) || pair.includes(authorOf(vote)));
    if (decision.verdict === 'approve' && seat !== undefined) return refuse('seat_taken');
    if (decision.verdict === 'withdraw' && !this.ballot.isOf(decision.withdraws, decision.person))
      return refuse('request_invalid', 'there is no such vote of yours to withdraw');
    return undefined;
  }

  /** Takes a decision from either door. Returns its fate; a repeat gets the fate it has. */
  receive(signed: Signed, now: number): { readonly digest: Digest | null; readonly fate: Fate } {
    const read = readDecision(signed);
    if (read === undefined) return { digest: null, fate: this.note(unreadable(signed)) };
    const known = this.held.get(read.digest);
    if (known !== undefined) return { digest: read.digest, fate: known.fate };
    const refusal = this.examine(signed, now);
    if (refusal !== undefined) return { digest: read.digest, fate: this.note(refusal) };
    const held = this.held.add(read.digest, signed, read.decision);
    if (this.settling) this.waiting.push(read.digest);
    else this.accept(read.digest, held);
    return { digest: read.digest, fate: held.fate };
  }

  private accept(digest: Digest, held: KeptDecision): void {
    if (held.decision.verdict === 'ask') held.fate = { state: 'taken' };
    if (held.decision.verdict !== 'approve') return;
    this.cast(digest, held);
    held.fate = { state: 'counted' };
  }
  private cast(digest: Digest, { decision, signed }: KeptDecision): void {
    const vote = voteOf(digest, decision, isIndependent(signed, this.ring));
    if (vote !== undefined) this.ballot.cast(vote);
  }

  /** Records a refusal that no history event records, for the operator's view. */
  note(refusal: Refusal): Fate {
    this.refusedTotal++;
    if (refusal.code === 'signature_invalid') this.refusedSignatures++;
    // What comes in may carry more than a refusal: what goes out is exactly one.
    this.lastRefusal = { code: refusal.code, text: refusal.text };
    return refusedFate(refusal.code, refusal.text);
  }

  /** The ledger holds this "no" or withdrawal. */
  stands(digest: Digest): void {
    const held = this.held.get(digest);
    if (held === undefined || held.fate.state === 'stands') return;
    this.cast(digest, held);
    held.fate = { state: 'stands' };
  }

  /** A modify became a revision. */
  modified(digest: Digest): void {
    const held = this.held.get(digest);
    if (held !== undefined) held.fate = { state: 'counted' };
  }

  refuse(digest: Digest, code: ErrorCode, text: string): void {
    const held = this.held.get(digest);
    if (held === undefined) return;
    held.fate = this.note(refuse(code, text));
    this.ballot.takeBack(digest);
  }

  /** Decisions the executor dropped are dropped here too, so that it is never asked in a loop. True if any was. */
  drop(dropped: readonly Dropped[]): boolean {
    let any = false;
    for (const { digest, code, text } of dropped) {
      if (digest === null || !this.ballot.has(digest)) continue;
      this.refuse(digest, code, text);
      any = true;
    }
    return any;
  }

  /** The action ended: whatever still waits was too late. */
  end(): void {
    for (const [digest, { fate }] of this.held.all())
      if (fate.state === 'waiting') this.refuse(digest, 'decision_late', 'the action ended before this was judged');
    this.ended = true;
  }

  count(): Tally {
    return this.ballot.count();
  }

  /** The next thing to put before the executor, in order of arrival: a "no" before anything else. */
  nextToLodge(): Next | undefined {
    return this.held.nextWaiting(({ verdict }) => verdict === 'reject' || verdict === 'withdraw', this.waiting);
  }
  nextModify(): Next | undefined {
    return this.held.nextWaiting(({ verdict }) => verdict === 'modify', this.waiting);
  }

  /** The signed decisions the executor is shown: those that count. */
  evidence(): Signed[] {
    return this.ballot.digests().flatMap((digest) => this.held.get(digest)?.signed ?? []);
  }

  nextRing(): Ring | undefined {
    return this.clock.next();
  }
  rang(): void {
    this.clock.rang();
  }
  /** What has not rung yet, earliest first. */
  ringsLeft(): readonly Ring[] {
    return this.clock.left();
  }

  awaiting(now: number): PersonId[] {
    return this.ballot.awaiting(now);
  }
  progress(now?: number): ReturnType<Ballot['progress']> {
    return this.ballot.progress(now);
  }
  progressByStage(now: number): ReturnType<Ballot['progressByStage']> {
    return this.ballot.progressByStage(now);
  }
  deadline(): ReturnType<Ballot['deadline']> {
    return this.ballot.deadline();
  }

  questions(): ReadonlySet<Digest> {
    return this.held.questions();
  }
  askerOf(question: Digest): PersonId | undefined {
    return this.held.askerOf(question);
  }

  fateOf(digest: Digest): Fate | undefined {
    return this.held.get(digest)?.fate;
  }

  decisions(): DecisionState[] {
    return this.held.states();
  }
  /** Every decision kept, signed, in order of arrival. */
  signedDecisions(): Signed[] {
    return this.held.signed();
  }
}

/** Why no decision could be read. */
const unreadable = ({ payload }: Signed): Refusal =>
  payload.length > MAX_SIGNED_CHARS
    ? refuse('request_too_large')
    : refuse('request_invalid', 'not a decision: see the schema of decision v1');
const refusedFate = (code: ErrorCode, text: string): Fate => ({ state: 'refused', code, text });
