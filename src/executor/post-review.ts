import { reviewersOf } from '../domain/break-glass.js';
import { digestOfSigned, readPayload, type Signed } from '../domain/dsse.js';
import type { ActionId, PersonId } from '../domain/ids.js';
import { toInstant } from '../domain/instant.js';
import type { ResultOf } from '../domain/objects/answer.js';
import type { Entry } from '../domain/objects/entry.js';
import type { Policy } from '../domain/policy/schema.js';
import { readReview } from '../domain/post-review.js';
import { peopleOf, type Roster } from '../domain/roster.js';
import { reviewSchema } from '../domain/objects/review.js';
import { lastEntry, newestOf, rosterRing, sealedRing, type Book } from './envelopes.js';
import { refused, type Executor, type Rules } from './executor.js';
import type { LedgerTransaction } from './ledger/ledger.js';
import { transitions } from './ledger/transitions.js';

type Owed = NonNullable<Extract<Entry, { kind: 'executing' }>['postReview']>;

/** What an action owes from its start on (§6.10): written with its consumption, so that the ledger alone tells it. `now` in ms. */
export function owedFrom(book: Book, approvers: readonly PersonId[], roster: Roster, now: number): Owed | undefined {
  const { envelope } = newestOf(book);
  const { breakGlass } = envelope;
  if (breakGlass === undefined) return undefined;
  const owner = roster.agents.get(envelope.agent)?.owner ?? envelope.owner;
  const people = reviewersOf(envelope, breakGlass, approvers, owner);
  return { people, quorum: breakGlass.quorum, due: toInstant(now + breakGlass.reviewWithin) };
}

/** True while it owes a post-review: it began by a break-glass rule, and not enough people have signed. */
export async function owesReview(tx: LedgerTransaction, id: ActionId): Promise<boolean> {
  const owed = (await lastEntry(tx, id, 'executing'))?.postReview;
  return owed !== undefined && (await lastEntry(tx, id, 'reviewed')) === undefined;
}

/**
 * Puts one person's post-review on record (§6.10); with the quorum of distinct people the action is reviewed. Only after its end, only by those its
 * start named, who are still asked by the present files, each once. It changes nothing about what became of the action.
 */
export async function lodgeReview(
  executor: Executor,
  tx: LedgerTransaction,
  { policy, roster }: Extract<Rules, { ok: true }>,
  book: Book,
  signed: Signed,
): Promise<ResultOf<'lodge'>> {
  const now = executor.now();
  const { id, state } = book.action;
  const envelope = book.revisions.at(-1)?.envelope;
  if (envelope?.breakGlass === undefined) return refused('request_invalid', 'no break-glass action: there is no post-review of it');
  const owed = (await lastEntry(tx, id, 'executing'))?.postReview;
  if (owed === undefined)
    return refused('request_invalid', state === 'ended' ? 'it never began: nothing is to be reviewed' : 'it has not begun yet');
  const read = readReview(
    signed,
    { deployment: envelope.deployment, actionId: id, people: stillAsked(owed.people, envelope.rule.name, policy, roster, now) },
    [rosterRing(roster, now), await sealedRing(tx, book)],
    now,
    envelope.webauthn,
  );
  if (!read.ok) return refused(read.refusal.code, read.refusal.text);
  if (state !== 'ended') return refused('request_invalid', 'it has not ended yet: it is reviewed afterwards');
  if (!(await owesReview(tx, id))) return refused('action_ended', 'its post-review is on record');

  const { by, verdict } = read.value;
  const before = book.lodged.flatMap((row) => {
    const said = row.object === 'review' ? reviewSchema.parse(readPayload('review', row.signed)) : undefined;
    return said === undefined ? [] : [{ by: said.by, verdict: said.verdict, digest: digestOfSigned(row.signed) }];
  });
  if (before.some((each) => each.by === by)) return refused('seat_taken', `a review by ${by} is on record already`);
  await transitions.lodgeReview(tx, id, read.digest, `person:${by}`, signed, now);
  const all = [...before, { by, verdict, digest: read.digest }].sort((a, b) => (a.by < b.by ? -1 : 1));
  if (all.length >= owed.quorum)
    await transitions.reviewed(
      tx,
      id,
      {
        // One who finds it unjustified is not outvoted.
        verdict: all.every((each) => each.verdict === 'justified') ? 'justified' : 'not_justified',
        by: all.map((each) => each.by),
        digests: all.map((each) => each.digest),
      },
      now,
    );
  return { kind: 'stands', digest: read.digest };
}

/** Those of them whom the present rule of this name still asks; where there is none any more, all of them. */
function stillAsked(people: readonly PersonId[], name: string, { rules }: Policy, roster: Roster, now: number): PersonId[] {
  const rule = rules.find((each) => each.name === name);
  if (rule?.effect !== 'hold' || rule.breakGlass === undefined) return [...people];
  const found = peopleOf(roster, rule.breakGlass.review.from, now);
  return found.ok ? people.filter((person) => found.people.includes(person)) : [];
}
