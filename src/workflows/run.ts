import { readDecision, ringOf } from '../domain/admit.js';
import { refuse, type ErrorCode, type Refusal } from '../domain/codes.js';
import { digestOfSigned, PAYLOAD_TYPES, readPayload, type Signed } from '../domain/dsse.js';
import { actionIdSchema, type ActionId, type Digest, type PersonId } from '../domain/ids.js';
import type { Instant } from '../domain/instant.js';
import { MAX_DECISION_CHARS } from '../domain/objects/decision.js';
import type { Entry, SealedPeople } from '../domain/objects/entry.js';
import { reviewSchema } from '../domain/objects/review.js';
import { cancelSchema, resolveSchema } from '../domain/objects/stop.js';
import { outcomeOf, STATUSES, type Outcome, type Status } from '../domain/outcome.js';
import { owedBy, postReviewOf, readReview, reviewersAwaited, type PostReview } from '../domain/post-review.js';
import { endOf, extendReceipt, type Receipt } from '../domain/receipt.js';
import { Dialogue } from '../domain/review/dialogue.js';
import type { Fate } from '../domain/review/fate.js';
import { readSigned } from '../domain/signed-message.js';
import { patienceMs } from '../domain/review/patience.js';
import { Review } from '../domain/review/review.js';
import type { Snapshot } from '../domain/review/snapshot.js';
import type { Trusted } from './ask-executor.js';
import type { Door, MessageReceipt } from './doors.js';

const MAX_MESSAGES = 50;

interface Waiter {
  readonly holds: () => boolean;
  readonly go: () => void;
}

/** One run of `agentAction`: the review, the receipt, and what the ledger said last. All state of the workflow is here. */
export class Run {
  readonly review: Review;
  readonly dialogue = new Dialogue();
  receipt: Receipt = [];
  entries: Signed[] = [];
  executor: Trusted | undefined;
  /** Where the ledger has the action, as its last valid answer said. */
  ledgerStatus: Status | null = null;
  /** Why it stands still, in the executor's words. */
  standing: { readonly code: string; readonly text: string } | undefined;
  outcome: Outcome | undefined;
  /** Somebody pressed Cancel in Temporal. */
  cancelRequested = false;
  expiring = false;
  receiptsInvalid = 0;
  /** The highest of its ledger that a valid answer named: it rises with each restore. */
  private epoch: number | undefined;
  /** What it waits for, and since when, in ms. */
  private stood: { readonly code: string; readonly since: number } | undefined;
  /** The one live timer: of the next reminder, escalation or expiry. */
  timer: { readonly at: number; fired: boolean } | undefined;
  /** Everybody was told that a break-glass action began. */
  toldOfStart = false;
  /** A timer is under way that will show the operator what still lasts. */
  showing = false;
  private newsCount = 0;
  private waiting: Waiter[] = [];
  private readonly messages = new Map<Digest, { readonly signed: Signed; fate: Fate }>();

  constructor(
    workflowId: string,
    readonly request: unknown,
    private readonly now: () => number,
  ) {
    // An id that is none is no action's: whatever is signed for it binds nothing, and the executor refuses it.
    this.review = new Review(actionIdSchema.safeParse(workflowId).data ?? (workflowId as ActionId));
  }

  /** Rises with everything that may change what is to be done next. */
  get news(): number {
    return this.newsCount;
  }
  touch(): void {
    this.newsCount++;
    this.wake();
  }
  /** Lets whoever waits look again, without saying that there is news. */
  wake(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const waiter of waiting) {
      if (waiter.holds()) waiter.go();
      else this.waiting.push(waiter);
    }
  }
  /**
   * Resolves at the first wake at which this holds; it does not look now. A plain promise: `condition` would be asked again at every activation, and costs
   * one more call into the sandbox. And one alone: the SDK takes a stack trace for each promise made here, which is dearer than asking.
   */
  until(holds: () => boolean): Promise<void> {
    return new Promise((go) => this.waiting.push({ holds, go }));
  }

  get id(): ActionId {
    return this.review.id;
  }

  /** Judges a message without taking it. Undefined: welcome. */
  examine(door: Door, signed: Signed): Refusal | undefined {
    if (door === 'lodge' && signed.payloadType === PAYLOAD_TYPES.review) return this.examineReview(signed);
    if (this.outcome !== undefined) return refuse('action_ended', `the action is ${this.outcome.status}`);
    if (door === 'decision') {
      if (this.isKnown(signed)) return undefined;
      return this.review.examine(signed, this.now());
    }
    return door === 'answer' ? this.dialogue.examine(signed, this.askedOfAgent()) : this.examineMessage(signed);
  }

  private askedOfAgent(): Parameters<Dialogue['examine']>[1] {
    return { actionId: this.id, agent: this.review.newest?.envelope.agent, questions: this.review.questions() };
  }

  /** The workflow knows no agents' keys: it checks shape and address, the executor the signature. */
  private examineMessage(signed: Signed): Refusal | undefined {
    if (signed.payload.length > MAX_DECISION_CHARS) return refuse('request_too_large');
    const schema = signed.payloadType === PAYLOAD_TYPES.cancel ? cancelSchema : resolveSchema;
    const kind = signed.payloadType === PAYLOAD_TYPES.cancel ? 'cancel' : 'resolve';
    const read = schema.safeParse(readPayload(kind, signed));
    if (!read.success) return refuse('request_invalid', 'not a cancel or resolve: see their schemas');
    if (read.data.actionId !== this.id) return refuse('audience_mismatch');
    return this.full(signed);
  }

  private full(signed: Signed): Refusal | undefined {
    if (this.messages.has(digestOfSigned(signed)) || this.messages.size < MAX_MESSAGES) return undefined;
    return refuse('rate_limited', 'this action has had more messages than it keeps');
  }

  /** By the keys sealed with it, so that a flood takes nobody's place. A run that has not heard of the ledger yet keeps it, as the executor judges it. */
  private examineReview(signed: Signed): Refusal | undefined {
    const read = readSigned('review', reviewSchema, signed);
    if (read === undefined) return refuse('request_invalid', 'not a review: see the schema of review v1');
    if (this.messages.has(read.digest)) return undefined;
    const { owed, outcome, receipt } = this;
    const sealed = receipt.map(({ entry }) => entry).findLast((entry) => entry.kind === 'sealed');
    if (owed !== undefined && sealed !== undefined) {
      const action = { deployment: sealed.deployment, actionId: this.id, people: owed.people };
      const webauthn = this.review.newest?.envelope.webauthn;
      // Without the envelope a passkey cannot be judged here: its shape and address can.
      const rings = signed.signatures[0]?.passkey !== undefined && webauthn === undefined ? [] : [ringOf(sealed.people)];
      const judged = readReview(signed, action, rings, this.now(), webauthn);
      if (!judged.ok) return judged.refusal;
      if (outcome === undefined) return refuse('request_invalid', 'it has not ended yet: it is reviewed afterwards');
      if (this.postReview.state === 'signed') return refuse('action_ended', 'its post-review is on record');
      if (this.postReview.by.includes(judged.value.by)) return refuse('seat_taken', `a review by ${judged.value.by} is on record already`);
    } else if (receipt.length > 0) {
      return refuse('request_invalid', 'nothing that began by a break-glass rule: there is no post-review of it');
    } else if (read.value.actionId !== this.id) return refuse('audience_mismatch');
    return this.full(signed);
  }

  /** A repeat of what it holds already. */
  isKnown(signed: Signed): boolean {
    const read = readDecision(signed);
    return read !== undefined && this.review.fateOf(read.digest) !== undefined;
  }

  receive(door: Door, signed: Signed): MessageReceipt {
    try {
      return this.take(door, signed);
    } finally {
      this.touch();
    }
  }

  private take(door: Door, signed: Signed): MessageReceipt {
    if (door === 'decision') return this.review.receive(signed, this.now());
    const refusal = this.examine(door, signed);
    if (refusal !== undefined) return { digest: null, fate: this.review.note(refusal) };
    if (door === 'answer') return { digest: this.dialogue.take(signed), fate: { state: 'taken' } };
    const digest = digestOfSigned(signed);
    const held = this.messages.get(digest) ?? { signed, fate: { state: 'waiting' } as const };
    this.messages.set(digest, held);
    return { digest, fate: held.fate };
  }

  noteGarbage(): Fate {
    return this.review.note(refuse('request_invalid', 'not a signed object'));
  }

  /** The next signed "no", cancel or resolve to put on record. */
  nextToLodge(): { readonly digest: Digest; readonly signed: Signed } | undefined {
    for (const [digest, { signed, fate }] of this.messages) if (fate.state === 'waiting') return { digest, signed };
    return this.review.nextToLodge();
  }

  lodged(digest: Digest, refusal: { readonly code: ErrorCode; readonly text: string } | undefined): void {
    const message = this.messages.get(digest);
    if (message !== undefined) message.fate = refusal === undefined ? { state: 'stands' } : this.review.note(refusal);
    else if (refusal === undefined) this.review.stands(digest);
    else this.review.refuse(digest, refusal.code, refusal.text);
    this.touch();
  }

  /**
   * What a valid answer's epoch says. `'newer'`: the ledger was restored, and may hold less than this run does; its word counts, so what the run holds is
   * forgotten, to be asked for again from the first entry. `'older'`: it is of the ledger that was lost, whose word counts no more.
   */
  meets(epoch: number): 'same' | 'newer' | 'older' {
    const known = this.epoch ?? epoch;
    this.epoch = Math.max(known, epoch);
    if (epoch === known) return 'same';
    if (epoch < known) return 'older';
    this.receipt = [];
    this.entries = [];
    return 'newer';
  }

  /** How long to wait at least before asking again about this: the longer it has lasted, the longer. */
  patience(code: string): number {
    const now = this.now();
    if (this.stood?.code !== code) this.stood = { code, since: now };
    return patienceMs(this.stood.since, now);
  }

  /** Takes the entries of a valid answer that asked for those from `have` on; false if they do not continue the receipt. */
  extend(have: number, entries: readonly Signed[], status: Status | null): boolean {
    const fresh = entries.slice(Math.max(0, this.entries.length - have));
    const receipt = extendReceipt(this.receipt, this.id, fresh);
    if (receipt === undefined) return false;
    this.receipt = receipt;
    this.entries = [...this.entries, ...fresh];
    this.ledgerStatus = status;
    const end = endOf(this.id, receipt);
    if (end !== undefined && this.outcome === undefined) this.finish(end);
    return true;
  }

  finish(outcome: Outcome): void {
    this.outcome = outcome;
    this.review.end();
    this.touch();
  }

  /** Questions that nothing came in for yet. */
  get openQuestions(): number {
    return [...this.review.questions()].filter((question) => this.dialogue.answersTo(question) === 0).length;
  }

  /** The people and keys of the newest seal, as its entry names them. */
  sealedPeople(digest: Digest): SealedPeople | undefined {
    const entry = this.receipt
      .map((each) => each.entry)
      .findLast((each): each is Extract<Entry, { kind: 'sealed' }> => each.kind === 'sealed' && each.digest === digest);
    return entry?.people;
  }

  /** When it was consumed, by its entry. */
  get beganAt(): Instant | undefined {
    return this.receipt.find(({ entry }) => entry.kind === 'executing')?.entry.at;
  }
  get owed(): ReturnType<typeof owedBy> {
    return owedBy(this.receipt);
  }
  get postReview(): PostReview {
    return postReviewOf(this.receipt);
  }
  /** Until when they may decide, or it may start; of one that has ended and is to be reviewed, until when that is due. */
  deadline(): Instant | null {
    return this.outcome !== undefined && this.owed !== undefined ? this.owed.due : this.review.deadline();
  }

  /** The ledger has begun: only its entries tell what is next. */
  get began(): boolean {
    return this.ledgerStatus !== null && this.ledgerStatus !== 'awaiting_approval' && this.ledgerStatus !== 'evaluating';
  }

  /** Whose word is asked for now: of those who may decide, until it begins; who may resolve, where it needs a person; who are to review it, after its end. */
  asked(): PersonId[] {
    const newest = this.review.newest;
    if (this.outcome !== undefined) return reviewersAwaited(this.receipt);
    if (newest === undefined) return [];
    if (!this.began) return this.review.awaiting(this.now());
    return this.ledgerStatus === 'outcome_unknown' || this.ledgerStatus === 'compensation_failed'
      ? [...newest.envelope.resolve.people].sort()
      : [];
  }

  status(): Status {
    if (this.outcome !== undefined) return this.outcome.status;
    if (this.review.newest === undefined) return 'evaluating';
    if (this.began && this.ledgerStatus !== null) return this.ledgerStatus;
    return this.review.count().quorum === undefined ? 'awaiting_approval' : 'approved';
  }

  currentOutcome(): Outcome {
    if (this.outcome !== undefined) return this.outcome;
    const status = this.status();
    const text = this.standing?.text ?? (status === 'evaluating' ? 'waiting for the executor to seal it' : STATUSES[status].effect);
    return outcomeOf(this.id, status, { code: status, text: text.slice(0, 4_000) });
  }

  snapshot(): Snapshot {
    const { review } = this;
    const { have, need } = review.progress(this.now());
    return {
      id: this.id,
      request: this.request,
      outcome: this.currentOutcome(),
      entries: this.entries,
      envelopes: [...review.envelopes],
      revision: review.newest?.envelope.revision ?? 0,
      digest: review.newest?.digest ?? null,
      view: review.newest?.view ?? null,
      decisions: review.decisions(),
      signedDecisions: review.signedDecisions(),
      replies: this.dialogue.replies(),
      messages: [...this.messages].map(([digest, { fate }]) => ({ digest, fate })),
      signedMessages: [...this.messages.values()].map(({ signed }) => signed),
      awaiting: this.asked(),
      progress: { have, need },
      deadline: this.deadline(),
      refused: { total: review.refusedTotal, signatures: review.refusedSignatures, last: review.lastRefusal ?? null },
      receiptsInvalid: this.receiptsInvalid,
      expiring: this.expiring,
    };
  }
}
