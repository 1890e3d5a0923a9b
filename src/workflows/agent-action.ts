import { CancellationScope, condition, sleep, workflowInfo } from '@temporalio/workflow';
import { refuse, CODES, type Refusal } from '../domain/codes.js';
import { readPayload, signedSchema } from '../domain/dsse.js';
import { toMs } from '../domain/instant.js';
import type { CloseReason, ResultOf } from '../domain/objects/answer.js';
import { requestSchema } from '../domain/objects/request.js';
import type { Ended } from '../domain/ended.js';
import { outcomeOf } from '../domain/outcome.js';
import { ask, findExecutor } from './ask-executor.js';
import { lodgeOne } from './lodge-one.js';
import { openDoors } from './doors.js';
import { countEnd } from './meter.js';
import { ringSummary } from './operator-text.js';
import { showDetails, showOperator } from './operator-view.js';
import type { Ring } from '../domain/review/clocks.js';
import { Run } from './run.js';
import { tellOfSeal, tellOfStart, untilReviewed } from './post-review.js';
import { keepTelling, tell } from './tell-people.js';

const EXPIRY_RETRY_MS = 500;
const REFUSED_RETRY_MS = 2_000;
const SHOW_AFTER_MS = 1_000;
/** Temporal's clock may be ahead of the executor's: then a floor is asked about again, but not in a loop. */
const FLOOR_RETRY_MS = 500;

/**
 * One agent action, held until people agree, then run once (§8). Temporal keeps it alive; the executor decides: whatever this workflow orders,
 * the executor verifies, and only its signed entries are believed.
 */
export async function agentAction(request: unknown): Promise<Ended> {
  const run = new Run(workflowInfo().workflowId, request, () => Date.now());
  openDoors(run);
  showDetails(run);
  // A cancel is news to the loop, not an exception: the run always completes with an outcome.
  void CancellationScope.current().cancelRequested.catch(() => {
    run.cancelRequested = true;
    run.touch();
  });
  return CancellationScope.nonCancellable(() => story(run));
}

async function story(run: Run): Promise<Ended> {
  const refusal = await evaluate(run);
  if (refusal !== undefined)
    run.finish(outcomeOf(run.id, 'denied', { code: refusal.code, text: refusal.text }, { retry: CODES[refusal.code].retry }));
  showOperator(run);
  const telling = tell(run, 'asked').then(() => tellOfSeal(run));
  const lodging = keepLodging(run);
  const answers = keepTelling(run);

  while (run.outcome === undefined) {
    await nextThing(run);
    run.wake();
    if (!isAboutToRun(run)) showOperator(run);
    void tellOfStart(run);
  }

  countEnd(run.outcome.status);
  await lodging;
  await answers;
  await telling;
  await tell(run, 'ended');
  await untilReviewed(run);
  return { ...run.outcome, receipt: run.entries };
}

/** Who runs this type, and what exactly is to be reviewed. A refusal here is the one end without an entry: nothing was written. */
async function evaluate(run: Run): Promise<Refusal | undefined> {
  const signed = signedSchema.safeParse(run.request);
  const request = requestSchema.safeParse(signed.success ? readPayload('request', signed.data) : undefined);
  if (!signed.success || !request.success)
    return refuse(signed.success ? 'request_invalid' : 'credential_invalid', 'the action was started without a signed request');
  run.executor = await findExecutor(request.data.type);
  if (run.executor === undefined) return refuse('type_unknown', `no executor of this worker's roster runs ${request.data.type}`);
  return seal(run, { request: signed.data });
}

/** Asks for a seal until there is one. Returns why there will be none. */
async function seal(run: Run, input: Readonly<Record<string, unknown>>): Promise<Refusal | undefined> {
  for (;;) {
    const result = await ask(run, 'seal', input);
    if (result.kind === 'end') return undefined;
    if (result.kind === 'refused') return result;
    if (result.kind === 'sealed') {
      if (openReview(run, result)) return undefined;
      return refuse('receipt_invalid', 'the seal does not fit this action, or this worker lacks its view version');
    }
    run.standing = result;
    showOperator(run);
    await sleep(Math.max(50, toMs(result.until) - Date.now(), run.patience(result.code)), { summary: `not sealed yet: ${result.code}` });
    run.standing = undefined;
  }
}

function openReview(run: Run, sealed: Extract<ResultOf<'seal'>, { kind: 'sealed' }>): boolean {
  const people = run.sealedPeople(sealed.digest);
  return people !== undefined && run.review.open(sealed, people, Date.now());
}

/** Agreed to, and nothing stands in the way: what comes next shows itself if it lasts. */
const isAboutToRun = (run: Run): boolean =>
  run.outcome === undefined && !run.began && run.standing === undefined && run.review.count().quorum !== undefined;

/** The loop's one step: stop, go on with what began, change, end, run, or wait for people and clocks. */
async function nextThing(run: Run): Promise<void> {
  const { review } = run;
  const { quorum, rejected } = review.count();
  if (run.cancelRequested && !run.began) return close(run, 'cancelled');
  if (run.began) return advance(run);
  const modify = review.nextModify();
  if (modify !== undefined) return applyModify(run, modify.digest, modify.signed);
  // A "no" on its way to the ledger comes before anything that could run.
  if (run.nextToLodge() !== undefined) return untilNews(run, REFUSED_RETRY_MS);
  if (rejected) return close(run, 'rejected');
  if (quorum !== undefined) return Date.now() >= quorum.executeBy ? close(run, 'execution_expired') : advance(run);
  return waitForPeople(run);
}

/** Waits for a decision, and rings the clocks: remind, escalate, expire. Silence never approves. */
async function waitForPeople(run: Run): Promise<void> {
  const ring = run.review.nextRing();
  if (ring === undefined) return untilNews(run, REFUSED_RETRY_MS);
  const timer = timerFor(run, ring);
  const seen = run.news;
  if (!timer.fired) await run.until(() => timer.fired || run.news !== seen);
  // Votes that were kept while no worker lived come before the clock that rang meanwhile: they may have been made in time (§6.7).
  if (run.news !== seen) return;
  if (ring.kind === 'expire') return close(run, 'expired');
  run.review.rang();
  void tell(run, ring.kind === 'remind' ? 'reminded' : 'escalated');
}

/** One timer a ring, kept while people vote: no vote costs a timer of its own. */
function timerFor(run: Run, ring: Ring): { readonly at: number; fired: boolean } {
  if (run.timer?.at === ring.at) return run.timer;
  const left = ring.at - Date.now();
  const timer = { at: ring.at, fired: left <= 0 };
  run.timer = timer;
  if (left > 0) {
    void sleep(left, { summary: ringSummary(ring, run.review.newest?.envelope) }).then(() => {
      timer.fired = true;
      run.wake();
    });
  }
  return timer;
}

async function untilNews(run: Run, ms: number): Promise<void> {
  const seen = run.news;
  await condition(() => run.news !== seen, Math.max(50, ms), { summary: 'look again' });
}

/** Lets the executor do the next due thing; its entries are the truth. */
async function advance(run: Run): Promise<void> {
  const digest = run.review.newest?.digest;
  if (digest === undefined) return untilNews(run, REFUSED_RETRY_MS);
  const stop = run.cancelRequested ? { stop: true } : {};
  const answer = ask(run, 'advance', { digest, decisions: run.review.evidence(), ...stop });
  showIfItLasts(run);
  const result = await answer;
  run.standing = undefined;
  switch (result.kind) {
    case 'again':
    case 'end':
      return;
    case 'wait':
      run.standing = result;
      showOperator(run);
      return untilNews(
        run,
        Math.max(result.code === 'too_early' ? FLOOR_RETRY_MS : run.patience(result.code), toMs(result.until) - Date.now()),
      );
    case 'ask':
      // What the executor will not count is not counted here either; if that changes nothing, time must.
      run.standing = result;
      if (!run.review.drop(result.dropped)) return untilNews(run, REFUSED_RETRY_MS);
      return;
    case 'reseal':
      return resealed(run, digest);
    case 'refused':
      return refusedAdvance(run, result);
  }
}

/**
 * Most executors answer before an operator could look: that something is approved or under way is shown only if it stays so. One timer at a time, and
 * never cancelled: one that finds nothing new shows what is shown already, and the end of the run takes it along.
 */
function showIfItLasts(run: Run): void {
  if (run.showing) return;
  run.showing = true;
  void sleep(SHOW_AFTER_MS, { summary: 'show it if it is still under way' }).then(() => {
    run.showing = false;
    if (run.outcome === undefined) showOperator(run);
  });
}

async function resealed(run: Run, digest: string): Promise<void> {
  run.review.beginSettling();
  const refusal = await seal(run, { reseal: digest });
  if (refusal !== undefined) run.standing = refusal;
  run.review.settled(Date.now());
  if (run.outcome === undefined) void tell(run, 'new_revision');
}

async function refusedAdvance(run: Run, result: Extract<ResultOf<'advance'>, { kind: 'refused' }>): Promise<void> {
  run.standing = result;
  if (result.code === 'execution_late') return close(run, 'execution_expired');
  if (result.code === 'rejection_standing') return close(run, 'rejected');
  if (result.code === 'closed') return close(run, 'cancelled');
  // The ledger has a newer revision than this run, or a rejection it never saw: take over what it has.
  if (result.code === 'revision_stale') await seal(run, { request: run.request });
  return untilNews(run, REFUSED_RETRY_MS);
}

/** A reviewer changed the action: a new revision without approvals, or a refusal that leaves everything as it was (§6.6). */
async function applyModify(
  run: Run,
  digest: NonNullable<ReturnType<Run['review']['nextModify']>>['digest'],
  signed: unknown,
): Promise<void> {
  run.review.beginSettling();
  const before = run.review.newest?.digest;
  const refusal = await seal(run, { modify: signed });
  if (refusal !== undefined) run.review.refuse(digest, refusal.code, refusal.text);
  else run.review.modified(digest);
  run.review.settled(Date.now());
  if (run.outcome === undefined && run.review.newest?.digest !== before) void tell(run, 'new_revision');
}

/** Only the ledger ends an action. Refused: it moved meanwhile, or its clock is behind; the loop looks again. */
async function close(run: Run, reason: CloseReason): Promise<void> {
  run.expiring = reason === 'expired' || reason === 'execution_expired';
  run.review.beginSettling();
  showDetails(run);
  const result = await ask(run, 'close', { reason, decisions: run.review.evidence() });
  run.expiring = false;
  if (result.kind === 'end') return;
  run.review.settled(Date.now());
  if (result.code === 'already_executed') {
    // Something consumed it: whose next due thing is to be done is now the ledger's word.
    await ask(run, 'report', {});
    return;
  }
  run.standing = result;
  // Sealed in an epoch before a restore, and unknown to the restored ledger: it neither runs nor ends by that seal. Once people have thawed it: by a new one.
  if (result.code === 'audience_mismatch') {
    await seal(run, { request: run.request });
    return;
  }
  await sleep(EXPIRY_RETRY_MS, { summary: `close ${reason} was refused: ${result.code}` });
}

/** Puts every signed "no" on record at once, beside whatever else is under way: the ledger decides which came first. */
async function keepLodging(run: Run): Promise<void> {
  while (run.outcome === undefined) {
    const next = run.nextToLodge();
    if (next === undefined) {
      await run.until(() => run.outcome !== undefined || run.nextToLodge() !== undefined);
      continue;
    }
    await lodgeOne(run, next);
  }
}
