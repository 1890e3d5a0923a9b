import { CODES } from '../domain/codes.js';
import { rememberingVerify } from '../domain/verify-memory.js';
import type { AdvanceInput, ResultOf } from '../domain/objects/answer.js';
import { toInstant } from '../domain/instant.js';
import { canonicalize } from '../domain/json.js';
import { previewFactsOf, type PreviewFacts } from '../domain/policy/condition.js';
import { readsPreview } from '../domain/policy/evaluate.js';
import type { Policy } from '../domain/policy/schema.js';
import type { KeyRing } from '../domain/admit.js';
import { cooling, longerOf } from './cooldown.js';
import type { Spent } from '../domain/policy/budget.js';
import { newestOf, readAgain, type Book } from './envelopes.js';
import { refused, waitResult, type Executor, type Rules } from './executor.js';
import { factsOf, judge, type Judgement } from './judge.js';
import { claimed, newLease } from './lease.js';
import { Moved } from './ledger/compare-and-set.js';
import { insertCharges, readSpent, spentNow } from './ledger/charges.js';
import type { LedgerTransaction } from './ledger/ledger.js';
import { transitions } from './ledger/transitions.js';
import { owedFrom } from './post-review.js';
import { executeClaimed, stepOf, type Found } from './steps.js';
import { makePreview } from './draft.js';

type AdvanceResult = ResultOf<'advance'>;
type ValidRules = Extract<Rules, { ok: true }>;
const MAX_STALES = 3;
const FROZEN_RETRY_MS = 2_000;

/** A refusal on the way to consuming: what the workflow is told. Undefined: passed. */
type Verdict = AdvanceResult | undefined;

/**
 * The fifteen checks (§7), in their order, and then the one consumption. Check 1 (parse, size) was passed by the caller.
 * `book` and `ring` are the ledger's own, with the noes among the decisions already on record. The call that runs is derived from the sealed
 * bytes alone: the input carries ids and decisions, never parameters.
 */
export async function consume(executor: Executor, input: AdvanceInput, rules: Rules, book: Book, ring: KeyRing): Promise<AdvanceResult> {
  const now = executor.now();
  const early = audience(executor, book) ?? isNewest(book, input) ?? stopped(book, input);
  if (early !== undefined) return closeIfStopped(executor, early, book, now);
  if (!rules.ok) return waitResult(now, FROZEN_RETRY_MS, 'roster_stale', rules.text);

  const type = executor.types.get(book.action.type);
  const verify = rememberingVerify();
  // Check 13 goes by what is used up of the present policy's budgets, and is asked again in check 14.
  const judgeBy = (of: Book, spent: Spent, at: number, preview?: PreviewFacts): Judgement =>
    judge(of, ring, rules, type, input.decisions, spent, at, verify, preview);
  const outcomeOf = async (judgement: Judgement, at: number): Promise<Verdict> =>
    barred(judgement, at) ?? quorum(judgement) ?? (await outdated(executor, book, judgement, rules)) ?? clocks(judgement, at);
  const spent = await spentNow(executor.ledger, rules.policy, factsOf(newestOf(book).envelope, rules.roster), now);
  const refusedNow = await outcomeOf(judgeBy(book, spent, now), now);
  if (refusedNow !== undefined) return refusedNow;
  const found = stepOf(executor, book, 1);
  // Its type did not change, or it would be sealed again.
  if (found === undefined) throw new Moved();
  const target = await unchanged(executor, book, found, rules.policy);
  if (target !== undefined && 'kind' in target) return target;
  // What is there now may say more than what was sealed, by newer data of the policy for one: the present policy must be content with both.
  const refusedByNew = target === undefined ? undefined : await outcomeOf(judgeBy(book, spent, executor.now(), target), executor.now());
  if (refusedByNew !== undefined) return refusedByNew;

  // Check 14: state, 10, 12's clocks and 13 are asked again inside the transaction that writes state, step, lease, budget and entries.
  const lease = newLease(executor);
  return claimed(executor, book.action.id, 1, 'run', async () => {
    const verdict = await executor.ledger.transaction(async (tx): Promise<Verdict> => {
      const fresh = await readAgain(tx, book);
      if (fresh.action.state !== 'awaiting') throw new Moved();
      const at = executor.now();
      const fit = await spentOn(tx, fresh, rules, at);
      const last = judgeBy(fresh, fit, at);
      const byNew = target === undefined ? last : judgeBy(fresh, fit, at, target);
      const late = barred(last, at) ?? barred(byNew, at) ?? quorum(last) ?? clocks(last, at) ?? clocks(byNew, at);
      if (late !== undefined) return late;
      for (const each of new Set([last, byNew])) if (await rejectedMeanwhile(tx, fresh, each, rules, at)) return { kind: 'again' };
      const { counted } = met(last);
      const executeBy = Math.min(met(last).executeBy, met(byNew).executeBy);
      const approvers = last.sealed.approvals.flatMap(({ person, by }) => (by === undefined ? [person] : [person, by]));
      const owed = owedFrom(fresh, approvers, rules.roster, at);
      await transitions.consume(tx, input.actionId, input.digest, counted, found.step.name, executeBy, lease, at, owed);
      const charged = new Map([last, byNew].flatMap((each) => (each.charged === undefined ? [] : [[each.charged.rule, each.charged]])));
      for (const each of charged.values()) await insertCharges(tx, input.actionId, each, at);
      return undefined;
    });
    if (verdict !== undefined) return verdict;
    // Check 15: the credential is fetched only now.
    return executeClaimed(executor, book, found, 1);
  });
}

/** Check 13: what of the present policy's budgets for this action is used up. */
export const spentOn = (tx: LedgerTransaction, book: Book, { policy, roster }: Extract<Rules, { ok: true }>, now: number): Promise<Spent> =>
  readSpent(tx, policy, factsOf(newestOf(book).envelope, roster), now);

/** Check 2: sealed by this deployment, in this ledger, in this epoch; what was sealed before a restore never runs. */
export function audience(executor: Executor, book: Book): Extract<AdvanceResult, { kind: 'refused' }> | undefined {
  const { deployment, ledger, epoch } = executor.ledger.identity;
  const { envelope } = newestOf(book);
  if (envelope.deployment === deployment && envelope.ledger === ledger && envelope.epoch === epoch && envelope.executor === executor.name)
    return undefined;
  return refused('audience_mismatch', 'this was sealed in another ledger, epoch or executor', 2);
}

/** Check 3: an envelope of this ledger's own, the newest of its action. */
function isNewest(book: Book, input: AdvanceInput): Verdict {
  return newestOf(book).digest === input.digest ? undefined : refused('revision_stale', 'not the newest revision of this action', 3);
}

/** Temporal's own cancel, before anything was consumed: nothing runs. */
function stopped(book: Book, input: AdvanceInput): Verdict {
  return input.stop === true && book.action.state === 'awaiting' ? { kind: 'end' } : undefined;
}

async function closeIfStopped(executor: Executor, verdict: AdvanceResult, book: Book, now: number): Promise<AdvanceResult> {
  if (verdict.kind === 'end')
    await executor.ledger.transaction((tx) =>
      transitions.close(
        tx,
        book.action.id,
        'awaiting',
        'cancelled',
        { code: 'cancelled', text: 'cancelled before it ran', by: 'unsigned' },
        now,
      ),
    );
  return verdict;
}

/** Check 10. */
function barred({ barred: bar }: Judgement, now: number): Verdict {
  if (bar === undefined) return undefined;
  return bar.code === 'frozen' ? waitResult(now, FROZEN_RETRY_MS, 'frozen', bar.text) : refused(bar.code, bar.text, 10);
}

/** Check 11, sealed rule: if it fails, the first check that dropped a decision, or moved the rule, is what people are told. */
function quorum(judgement: Judgement): Verdict {
  if (judgement.sealed.quorum !== undefined) return undefined;
  const { moved, dropped } = judgement;
  const first = dropped[0];
  if (moved !== undefined)
    return { kind: 'ask', code: moved.code, text: CODES[moved.code].message, check: moved.check, dropped: [...dropped] };
  if (first !== undefined) return { kind: 'ask', code: first.code, text: first.text, check: first.check, dropped: [...dropped] };
  return { kind: 'ask', code: 'quorum_missing', text: CODES.quorum_missing.message, check: 11, dropped: [] };
}

/** Equal content that waited beside this one was rejected since the seal: sealed again, it is denied (§6.13). */
async function rejectedMeanwhile(
  tx: LedgerTransaction,
  book: Book,
  judgement: Judgement,
  { roster }: ValidRules,
  now: number,
): Promise<boolean> {
  return (await cooling(tx, roster, newestOf(book).envelope, cooldownOf(book, judgement), now)) !== undefined;
}

const cooldownOf = (book: Book, { cooldown }: Judgement): number => longerOf(newestOf(book).envelope.guards.cooldown, cooldown);

/** Checks 3, 5, 11 and 13, present rule (§6.9): only here, with the sealed rule met, does an action go stale. The fourth time ends it. */
async function outdated(executor: Executor, book: Book, judgement: Judgement, rules: ValidRules): Promise<Verdict> {
  const { moved, present, overBudget } = judgement;
  const repeats =
    cooldownOf(book, judgement) > 0 &&
    (await executor.ledger.transaction((tx) => rejectedMeanwhile(tx, book, judgement, rules, executor.now())));
  const isOutdated = moved !== undefined || present?.quorum === undefined || repeats;
  const code = !isOutdated ? undefined : moved?.code === 'type_changed' ? moved.code : overBudget ? 'budget_exceeded' : 'policy_stale';
  return code === undefined ? undefined : goStale(executor, book, code);
}

async function goStale(
  executor: Executor,
  book: Book,
  code: 'type_changed' | 'policy_stale' | 'target_changed' | 'budget_exceeded',
): Promise<AdvanceResult> {
  const now = executor.now();
  const { digest } = newestOf(book);
  if (book.action.stales >= MAX_STALES) {
    await executor.ledger.transaction((tx) =>
      transitions.denyStale(
        tx,
        book.action.id,
        digest,
        'awaiting',
        { code, text: `${CODES[code].message} It was sealed again ${MAX_STALES} times already.` },
        now,
      ),
    );
    return { kind: 'end' };
  }
  await executor.ledger.transaction((tx) => transitions.stale(tx, book.action.id, digest, code, now));
  return { kind: 'reseal', code };
}

/** Check 12, clocks: execution starts before the newest counted vote + `executeWithin`, and not before the floor, by both rules (§6.7). */
function clocks(judgement: Judgement, now: number): Verdict {
  const { floor } = judgement;
  if (now >= met(judgement).executeBy) return refused('execution_late', CODES.execution_late.message, 12);
  return now < floor ? waitResult(now, floor - now, 'too_early', `agreed; nothing starts before ${toInstant(floor)}`) : undefined;
}

function met(judgement: Judgement): { counted: NonNullable<Judgement['sealed']['quorum']>['counted']; executeBy: number } {
  const { sealed, present } = judgement;
  if (sealed.quorum === undefined || present?.quorum === undefined) throw new Moved();
  return { counted: sealed.quorum.counted, executeBy: Math.min(sealed.quorum.executeBy, present.quorum.executeBy) };
}

/**
 * Check 12, target: the preview is made again, by the present policy's data, and its precondition must be the one people saw; unless the type has none
 * to compare and no condition reads the preview. What it says now, where it was made and nothing is in the way.
 */
async function unchanged(executor: Executor, book: Book, { type, precondition }: Found, policy: Policy): Promise<Verdict | PreviewFacts> {
  const { envelope } = newestOf(book);
  const asked = readsPreview(policy, { type: type.name, agent: envelope.agent });
  // What people saw decides, too: a precondition that was sealed is compared, whatever the type says by now.
  if (!type.hasPrecondition && envelope.preview.precondition === undefined && !asked) return undefined;
  const preview = await makePreview(executor, type, policy, envelope.params, book.action.id);
  if ('kind' in preview) {
    if (preview.kind === 'wait') return preview.wait;
    const { code, text } = preview.refusal;
    // It would be denied if it were proposed now: sealed again, it is.
    if (code === 'preview_too_large' || code === 'preview_refused') return goStale(executor, book, 'target_changed');
    return waitResult(executor.now(), FROZEN_RETRY_MS, 'preview_failed', text);
  }
  const same = canonicalize(preview.precondition ?? null) === canonicalize(precondition);
  if (!same) return goStale(executor, book, 'target_changed');
  return asked ? previewFactsOf(preview) : undefined;
}
