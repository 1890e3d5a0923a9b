import type { Digest, PersonId } from './ids.js';
import { toMs } from './instant.js';
import type { Envelope, Stage } from './objects/envelope.js';
import { filledAt, filledByStage, peopleAt, quorumReached, type Seat } from './quorum.js';

/** A decision whose signature, binding and author were verified. Times in ms. */
export interface Vote {
  readonly digest: Digest;
  readonly person: PersonId;
  readonly issuedAt: number;
  /** Made by an Ed25519 key: by the ring's word for that key, never the decision's own. */
  readonly independent: boolean;
  /** The envelope decided on; approvals count on that one only. */
  readonly envelope: Digest;
  readonly act:
    | { readonly verdict: 'approve' }
    | { readonly verdict: 'reject'; readonly reason: string }
    | { readonly verdict: 'withdraw'; readonly withdraws: Digest };
}

/** Whom an action asks, how many must agree, and until when: from the sealed envelope, or from the present policy (§6.9). */
export interface Ladder {
  readonly stages: readonly Stage[];
  readonly rejections: number;
  readonly excluded: ReadonlySet<PersonId>;
  readonly openedAt: number;
  readonly approveBy: number;
  readonly executeWithin: number;
  /** How many of the counted approvals must be independent (§2). */
  readonly independent: number;
  /** Set where the policy asks nobody: when it said so. Never set together with stages. */
  readonly allowedAt?: number;
}

export interface Tally {
  /** Set once the rule is met: when, by which decisions, and until when execution may start (exclusive). */
  readonly quorum?: { readonly at: number; readonly counted: readonly Digest[]; readonly executeBy: number };
  /** Standing approvals and rejections: at most one of either a person. */
  readonly approvals: readonly Vote[];
  readonly rejections: readonly Vote[];
  /** Standing rejections have reached the rule's number: the action ends. */
  readonly rejected: boolean;
}

export const ladderOf = (envelope: Envelope): Ladder => ({
  stages: envelope.stages,
  rejections: envelope.rejections,
  excluded: new Set(envelope.exclusions.map((exclusion) => exclusion.person)),
  openedAt: toMs(envelope.openedAt),
  approveBy: toMs(envelope.approveBy),
  executeWithin: envelope.executeWithin,
  independent: envelope.guards.independent,
  ...(envelope.rule.effect === 'allow' ? { allowedAt: toMs(envelope.sealedAt) } : {}),
});

/** Until when revisions that follow may be agreed to, in ms: as long as this one. Nobody was asked for an allowed action: it gave no time to lose. */
export const latestApproval = ({ rule, approveBy }: Envelope): number => (rule.effect === 'allow' ? Infinity : toMs(approveBy));

/**
 * What a set of verified votes amounts to (§6.3, §6.5, §6.7, §6.8, §6.11). Pure and independent of order and repetition.
 * Per person a rejection not withdrawn wins, else an approval of `envelope` not withdrawn; a vote is in time only before `approveBy`.
 */
export function tally(ladder: Ladder, envelope: Digest, votes: readonly Vote[]): Tally {
  const withdrawn = new Set(votes.flatMap((vote) => (vote.act.verdict === 'withdraw' ? [`${vote.person} ${vote.act.withdraws}`] : [])));
  const live = [...new Map(votes.map((vote) => [vote.digest, vote])).values()]
    .filter((vote) => vote.act.verdict !== 'withdraw' && !withdrawn.has(`${vote.person} ${vote.digest}`))
    .sort((a, b) => a.issuedAt - b.issuedAt || (a.digest < b.digest ? -1 : 1));

  const rejections = onePerPerson(live.filter((vote) => vote.act.verdict === 'reject'));
  const rejecting = new Set(rejections.map((vote) => vote.person));
  const approvals = onePerPerson(
    live.filter(
      (vote) =>
        vote.act.verdict === 'approve' &&
        vote.envelope === envelope &&
        vote.issuedAt < ladder.approveBy &&
        !rejecting.has(vote.person) &&
        !ladder.excluded.has(vote.person),
    ),
  );
  const quorum = quorumOf(ladder, approvals);
  return { ...(quorum === undefined ? {} : { quorum }), approvals, rejections, rejected: rejections.length >= ladder.rejections };
}

function quorumOf(ladder: Ladder, approvals: readonly Vote[]): Tally['quorum'] {
  const { allowedAt, stages, openedAt, executeWithin, independent } = ladder;
  // Zero votes satisfy only what the executor sealed as allowed; a held action without stages does not exist (attack case 1).
  if (allowedAt !== undefined) return { at: allowedAt, counted: [], executeBy: allowedAt + executeWithin };
  const reached = quorumReached(stages, openedAt, approvals.map(seatOf), independent);
  if (reached === undefined) return undefined;
  const newest = Math.max(...reached.counted.map((seat) => seat.issuedAt));
  return { at: reached.at, counted: reached.counted.map((seat) => seat.digest), executeBy: newest + executeWithin };
}

const seatOf = ({ person, digest, issuedAt, independent }: Vote): Seat => ({ person, digest, issuedAt, independent });

/** The earliest vote of each person stands for that person: more keys or more messages are no more seats. */
function onePerPerson(votes: readonly Vote[]): Vote[] {
  const first = new Map<PersonId, Vote>();
  for (const vote of votes) if (!first.has(vote.person)) first.set(vote.person, vote);
  return [...first.values()];
}

/** Everybody who may decide at `now`, sorted: asked already, or added by an escalation whose time has come. */
export function eligibleAt(ladder: Ladder, now: number): PersonId[] {
  const people = new Set(ladder.stages.flatMap((stage) => [...peopleAt(stage, now - ladder.openedAt)]));
  return [...people].filter((person) => !ladder.excluded.has(person)).sort();
}

/** Those the action still waits for at `now`: eligible, with neither approval nor rejection standing. */
export function awaitingAt(ladder: Ladder, result: Tally, now: number): PersonId[] {
  const decided = new Set([...result.approvals, ...result.rejections].map((vote) => vote.person));
  return eligibleAt(ladder, now).filter((person) => !decided.has(person));
}

/**
 * How far it is, for people to read: places filled of places there are, by the assignment that fills most. The bars are those of `now` (ms), or of
 * the last approval where nobody says what time it is.
 */
export function progress(ladder: Ladder, result: Tally, now?: number): { readonly have: number; readonly need: number } {
  const need = ladder.stages.reduce((sum, stage) => sum + stage.quorum, 0);
  if (result.quorum !== undefined) return { have: result.quorum.counted.length, need: result.quorum.counted.length };
  if (result.approvals.length === 0 && now === undefined) return { have: 0, need };
  const at = now ?? Math.max(...result.approvals.map((vote) => vote.issuedAt));
  return filledAt(ladder.stages, ladder.openedAt, result.approvals.map(seatOf), ladder.independent, at);
}

/** The same, stage by stage, with the bars of `now` (ms). */
export function progressByStage(
  ladder: Ladder,
  result: Tally,
  now: number,
): { readonly name: string; readonly have: number; readonly need: number }[] {
  const filled = filledByStage(ladder.stages, ladder.openedAt, result.approvals.map(seatOf), ladder.independent, now);
  return ladder.stages.map(({ name }, i) => ({ name, have: filled[i]?.have ?? 0, need: filled[i]?.need ?? 0 }));
}
