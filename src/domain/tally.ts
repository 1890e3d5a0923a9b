import type { Digest, PersonId } from './ids.js';
import { toMs } from './instant.js';
import type { Envelope, Stage } from './objects/envelope.js';
import { filledAt, filledByStage, peopleAt, quorumReached, seatMost, type Seat } from './quorum.js';

/** A decision whose signature, binding and author were verified. Times in ms. */
export interface Vote {
  readonly digest: Digest;
  /** On whose seat. */
  readonly person: PersonId;
  /** Who signed it for that person, where it is somebody else. */
  readonly by?: PersonId;
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
  /** Those who may approve for others; left out: nobody. */
  readonly delegates?: ReadonlySet<PersonId>;
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
  delegates: new Set(envelope.delegates),
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
 * People whom live votes tie together, each delegator with his delegate, are one seat in all: however many of them vote, in whosever name.
 */
export function tally(ladder: Ladder, envelope: Digest, votes: readonly Vote[]): Tally {
  const withdrawn = new Set<string>();
  for (const { person, act } of votes) if (act.verdict === 'withdraw') withdrawn.add(`${person} ${act.withdraws}`);
  const live = [...new Map(votes.map((vote) => [vote.digest, vote])).values()]
    .filter((vote) => !withdrawn.has(`${vote.person} ${vote.digest}`) && !withdrawn.has(`${authorOf(vote)} ${vote.digest}`))
    .sort((a, b) => a.issuedAt - b.issuedAt || (a.digest < b.digest ? -1 : 1));

  const noes = live.filter((vote) => vote.act.verdict === 'reject');
  const yeses = live.filter(
    (vote) =>
      vote.act.verdict === 'approve' &&
      vote.envelope === envelope &&
      vote.issuedAt < ladder.approveBy &&
      (vote.by === undefined || ladder.delegates?.has(vote.by) === true) &&
      !ladder.excluded.has(vote.person) &&
      !ladder.excluded.has(authorOf(vote)),
  );
  const seatOfPerson = seatsOf([...noes, ...yeses]);
  const rejecting = new Set(noes.map((vote) => seatOfPerson(vote.person)));
  const approvals = onePerSeat(
    yeses.filter((vote) => !rejecting.has(seatOfPerson(vote.person))),
    seatOfPerson,
  );
  const rejections = distinctNoes(noes);
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

/** Who signed it. */
export const authorOf = ({ person, by }: Pick<Vote, 'person' | 'by'>): PersonId => by ?? person;

/** Names for each person the one seat that he, and all whom these votes tie to him, share (§6.3). */
function seatsOf(votes: readonly Vote[]): (person: PersonId) => PersonId {
  const above = new Map<PersonId, PersonId>();
  const seat = (person: PersonId): PersonId => {
    let top = person;
    for (let next = above.get(top); next !== undefined; next = above.get(top)) top = next;
    return top;
  };
  for (const { person, by } of votes) {
    const [one, other] = [seat(person), seat(by ?? person)];
    if (one !== other) above.set(other, one);
  }
  return seat;
}

/** The earliest vote of each seat stands for it: more keys, more messages or more people who vote for each other are no more seats. */
function onePerSeat(votes: readonly Vote[], seatOfPerson: (person: PersonId) => PersonId): Vote[] {
  const first = new Map<PersonId, Vote>();
  for (const vote of votes) if (!first.has(seatOfPerson(vote.person))) first.set(seatOfPerson(vote.person), vote);
  return [...first.values()];
}

/**
 * As many rejections as have both distinct authors and distinct people they are said for: nobody says no twice. Not by seats as approvals are: a delegate
 * of two who both said no must not make one "no" of it. One more rejection never makes them fewer.
 */
function distinctNoes(noes: readonly Vote[]): Vote[] {
  const people = [...new Set(noes.map((vote) => vote.person))];
  const saidBy = (author: PersonId | undefined, i: number): Vote | undefined =>
    noes.find((vote) => authorOf(vote) === author && vote.person === people[i]);
  const authors = seatMost(
    [...new Set(noes.map(authorOf))],
    people.map(() => 1),
    (author, i) => saidBy(author, i) !== undefined,
  );
  return authors.flatMap((author, i) => saidBy(author, i) ?? []);
}

/** Everybody who may decide at `now`, sorted: asked already, or added by an escalation whose time has come. */
export function eligibleAt(ladder: Ladder, now: number): PersonId[] {
  const people = new Set(ladder.stages.flatMap((stage) => [...peopleAt(stage, now - ladder.openedAt)]));
  return [...people].filter((person) => !ladder.excluded.has(person)).sort();
}

/** Those the action still waits for at `now`: eligible, with neither approval nor rejection standing. */
export function awaitingAt(ladder: Ladder, result: Tally, now: number): PersonId[] {
  const decided = new Set([...result.approvals, ...result.rejections].flatMap((vote) => [vote.person, authorOf(vote)]));
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
