import { admit, isIndependent, readDecision, voteOf, type KeyRing } from '../domain/admit.js';
import { isStricter } from '../domain/break-glass.js';
import type { ErrorCode } from '../domain/codes.js';
import { confirmOf, unconfirmed } from '../domain/confirm.js';
import { mandateRefused } from '../domain/delegation.js';
import type { Digest } from '../domain/ids.js';
import { verifySigned, type Signed } from '../domain/dsse.js';

import { toMs } from '../domain/instant.js';
import type { Dropped } from '../domain/objects/answer.js';
import { floorOf } from '../domain/floor.js';
import type { Spent } from '../domain/policy/budget.js';
import { previewFactsOf, type Facts, type PreviewFacts } from '../domain/policy/condition.js';
import { evaluatePolicy, type Asked, type Passed, type Ruling } from '../domain/policy/evaluate.js';
import type { Envelope } from '../domain/objects/envelope.js';
import { peopleAt } from '../domain/quorum.js';
import { activeFreezes } from './freezes.js';
import { authorOf, ladderOf, tally, type Ladder, type Tally, type Vote } from '../domain/tally.js';
import { typeMoved, type ActionType } from './define-action.js';
import { newestOf, rosterRing, type Book } from './envelopes.js';
import { votesOnRecord } from './noes.js';
import type { Rules } from './executor.js';
import type { Charged } from './ledger/charges.js';
import type { Policy } from '../domain/policy/schema.js';
import type { Roster } from '../domain/roster.js';

/** What checks 5 to 11 found: whether these decisions agree to this envelope, under the rule it was sealed with and under the present one. */
export interface Judgement {
  readonly dropped: readonly Dropped[];
  readonly sealed: Tally;
  /** Counted under the present policy and roster; undefined where the present policy denies the action. */
  readonly present: Tally | undefined;
  /** Set when the type or the policy moved on, so that it must be sealed again: check 3 or 5. */
  readonly moved: { readonly check: 3 | 5; readonly code: 'type_changed' | 'policy_stale' } | undefined;
  /** How long equal content stays refused after a rejection, by the present policy, in ms. */
  readonly cooldown: number | undefined;
  /** Nothing starts before this moment (ms), by both rules. */
  readonly floor: number;
  /** Set when the present policy asks for more because the budget it would let it run by is used up: check 13. */
  readonly overBudget: boolean;
  /** What it takes out of the present rule's budget once it begins. */
  readonly charged: Charged | undefined;
  /** Check 10. */
  readonly barred: { readonly code: Extract<ErrorCode, 'rejection_standing' | 'frozen' | 'closed'>; readonly text: string } | undefined;
}

/**
 * Checks 5 to 11 (§7) on the newest revision. Decisions fail one by one in 6 to 9 and never harm the others.
 * Rejections and withdrawals are taken from the ledger, where `recordNoes` put those that came along; what is not there by now was refused. `now` in ms.
 * The present policy is asked with `preview`: the sealed one (§6.9), or the one check 12 made since.
 */
export function judge(
  book: Book,
  ring: KeyRing,
  { policy, roster }: Extract<Rules, { ok: true }>,
  type: ActionType | undefined,
  decisions: readonly Signed[],
  spent: Spent,
  now: number,
  verify: typeof verifySigned = verifySigned,
  preview: PreviewFacts | undefined = undefined,
): Judgement {
  const { envelope, digest } = newestOf(book);
  const asked = {
    ...factsOf(envelope, roster),
    preview: preview ?? previewFactsOf(envelope.preview),
    editors: envelope.contributors,
    undo: envelope.preview.undo.map(({ plan }) => plan),
    spent,
  };
  const ruling = presentRuling(policy, roster, asked, envelope, now);
  const passed = ruling.effect === 'deny' ? undefined : ruling;
  const moved =
    type === undefined || typeMoved(type, envelope)
      ? ({ check: 3, code: 'type_changed' } as const)
      : passed === undefined || isStricter(passed.breakGlass, envelope.breakGlass)
        ? ({ check: 5, code: 'policy_stale' } as const)
        : undefined;
  const presentLadder = passed && ladderNow(passed, envelope);

  const present = rosterRing(roster, now);
  const samePolicy = policy.digest === envelope.policy.digest;
  const dropped: Dropped[] = [];
  const votes: Vote[] = votesOnRecord(book.lodged);
  const confirmNow = passed === undefined ? null : confirmOf(passed.guards, envelope.params);
  const unconfirmedNow = new Set<Digest>();
  const onRecord = new Set<Digest | undefined>(votes.map((vote) => vote.digest));
  const sealedLadder = ladderOf(envelope);
  for (const signed of decisions) {
    // A question is no vote, and nothing to drop either.
    if (readDecision(signed)?.decision.verdict === 'ask') continue;
    const admission = admit(signed, book.revisions, ring, now, verify);
    if (onRecord.has(admission.digest)) continue;
    if (!admission.ok) {
      dropped.push({
        digest: admission.digest ?? null,
        code: admission.refusal.code,
        check: admission.check,
        text: admission.refusal.text,
      });
      continue;
    }
    const vote = voteOf(admission.digest, admission.decision, isIndependent(signed, ring));
    if (vote === undefined) continue;
    if (
      vote.act.verdict !== 'approve' ||
      mandateRefused(admission.decision, envelope, present, now, verify) !== undefined ||
      !eligibleNow(vote, admission.decision.keyId, present, samePolicy ? presentLadder : undefined, now)
    ) {
      dropped.push({
        digest: vote.digest,
        code: 'approver_stale',
        check: 9,
        text: `${vote.by === undefined ? vote.person : `${vote.by} for ${vote.person}`} may no longer decide`,
      });
      continue;
    }
    votes.push(vote);
    if (unconfirmed(admission.decision, confirmNow) !== undefined) unconfirmedNow.add(vote.digest);
  }
  const sealed = tally(sealedLadder, digest, votes);
  const byPresent =
    presentLadder === undefined
      ? undefined
      : tally(
          presentLadder,
          digest,
          votes.filter((vote) => !unconfirmedNow.has(vote.digest)),
        );
  const noes = byPresent?.rejected === true ? byPresent : sealed;
  return {
    dropped,
    sealed,
    present: byPresent,
    moved,
    cooldown: passed?.cooldown,
    floor: floorOf(envelope, passed?.guards.minTime ?? 0),
    overBudget: ruling.effect === 'deny' ? ruling.code === 'budget_exceeded' : ruling.passedOver !== undefined,
    charged: passed === undefined || passed.budget.length === 0 ? undefined : { rule: passed.rule.name, facts: asked },
    barred: barredBy(book, noes, policy, roster, now),
  };
}

/** What the present policy is asked about: what was sealed, but for the owner, who is the present one. */
export const factsOf = (envelope: Envelope, roster: Roster): Facts & Pick<Asked, 'owner' | 'onBehalfOf'> => ({
  type: envelope.type.name,
  agent: envelope.agent,
  owner: roster.agents.get(envelope.agent)?.owner ?? envelope.owner,
  onBehalfOf: envelope.onBehalfOf,
  params: envelope.params,
  request: envelope.standing,
});

/** §6.9: what was held is asked what the policy's hold rules ask for now; that it might be let run without people does not make it so. */
function presentRuling(policy: Policy, roster: Roster, asked: Asked, envelope: Envelope, now: number): Ruling {
  if (envelope.rule.effect === 'allow') return evaluatePolicy(policy, roster, asked, now);
  const held = evaluatePolicy({ ...policy, rules: policy.rules.filter(({ effect }) => effect !== 'allow') }, roster, asked, now);
  return held.effect === 'deny' && held.code === 'rule_missing' ? evaluatePolicy(policy, roster, asked, now) : held;
}

function ladderNow(ruling: Passed, envelope: Envelope): Ladder {
  // Nobody is asked now: whoever was asked at the seal is more than enough, in the shorter time.
  if (ruling.effect === 'allow') return { ...ladderOf(envelope), executeWithin: ruling.executeWithin };
  const openedAt = toMs(envelope.openedAt);
  return {
    stages: ruling.stages,
    rejections: ruling.rejections,
    excluded: new Set(ruling.exclusions.map((exclusion) => exclusion.person)),
    delegates: new Set(ruling.delegates),
    openedAt,
    approveBy: openedAt + ruling.approveWithin,
    executeWithin: ruling.executeWithin,
    independent: ruling.guards.independent,
  };
}

/**
 * Check 9 (§6.4): the author's key is in the present roster and valid, and while the policy is still the sealed one, the author is still among those
 * it asks. Where the policy itself changed, the whole rule is asked again instead (check 11, `policy_stale`).
 */
function eligibleNow(vote: Vote, keyId: Parameters<KeyRing['get']>[0], present: KeyRing, ladder: Ladder | undefined, now: number): boolean {
  const key = present.get(keyId);
  if (key === undefined || key.person !== authorOf(vote)) return false;
  if (
    (key.from !== undefined && (now < key.from || vote.issuedAt < key.from)) ||
    (key.until !== undefined && (now >= key.until || vote.issuedAt >= key.until))
  )
    return false;
  if (ladder === undefined) return true;
  return (
    !ladder.excluded.has(vote.person) &&
    !ladder.excluded.has(authorOf(vote)) &&
    (vote.by === undefined || ladder.delegates?.has(vote.by) === true) &&
    ladder.stages.some((stage) => peopleAt(stage, vote.issuedAt - ladder.openedAt).has(vote.person))
  );
}

/** Check 10: what stands in the ledger against the action. */
function barredBy(book: Book, noes: Tally, policy: Policy, roster: Roster, now: number): Judgement['barred'] {
  if (noes.rejected) return { code: 'rejection_standing', text: `rejected by ${noes.rejections.map(authorOf).join(', ')}` };
  if (book.action.stop !== null) return { code: 'closed', text: `cancelled by ${book.action.stop}` };
  const freeze = activeFreezes(book.stops, policy, roster, now).find(({ covers }) => covers(book.action));
  return freeze === undefined ? undefined : { code: 'frozen', text: `frozen by ${freeze.by}: ${freeze.reason}` };
}
