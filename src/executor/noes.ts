import { admit, readDecision, voteOf, type KeyRing } from '../domain/admit.js';
import type { Signed } from '../domain/dsse.js';
import type { ResultOf } from '../domain/objects/answer.js';
import type { Decision } from '../domain/objects/decision.js';
import { STATUSES } from '../domain/outcome.js';
import type { Vote } from '../domain/tally.js';
import { must, readAgain, rosterRing, sealedRing, type Book } from './envelopes.js';
import { refused, type Executor, type Rules } from './executor.js';
import type { LedgerTransaction } from './ledger/ledger.js';
import { tooManyOnAction } from './lodge-limits.js';
import type { LodgedRow } from './ledger/rows.js';
import { transitions } from './ledger/transitions.js';

/** Rejections and withdrawals count from the ledger alone: whichever way one reaches this executor, it is put on record first (§2, §7). */
const isNo = (decision: Decision): boolean => decision.verdict === 'reject' || decision.verdict === 'withdraw';

/** What an action no longer under review answers a decision with: began, or ended (§6.11). */
function tooLate(book: Book): ResultOf<'lodge'> | undefined {
  if (book.action.state === 'awaiting' || book.action.state === 'stale') return undefined;
  return STATUSES[book.action.status].final
    ? refused('action_ended', `the action is ${book.action.status}`)
    : refused('decision_late', 'execution began before this reached the executor');
}

/**
 * Puts one rejection or withdrawal on record. A rejection is taken by the sealed keys; a withdrawal, which can make an action run, by the present
 * roster's: a key lost since the seal takes nothing back, and who is asked no more can still take back what he said.
 */
export async function recordNo(
  executor: Executor,
  tx: LedgerTransaction,
  rules: Rules,
  book: Book,
  signed: Signed,
): Promise<ResultOf<'lodge'>> {
  const late = tooLate(book);
  // What was never sealed has ended.
  if (book.revisions.length === 0) return must(late);
  const now = executor.now();
  let ring: KeyRing;
  if (readDecision(signed)?.decision.verdict === 'withdraw') {
    if (!rules.ok) return refused('roster_stale', rules.text);
    ring = rosterRing(rules.roster, now);
  } else ring = await sealedRing(tx, book);
  const admission = admit(signed, book.revisions, ring, now);
  if (!admission.ok) return refused(admission.refusal.code, admission.refusal.text, admission.check);
  const { decision, digest } = admission;
  if (decision.verdict !== 'reject' && decision.verdict !== 'withdraw')
    return refused('request_invalid', 'only a reject or a withdraw is lodged');
  if (late !== undefined) return late;
  const many = tooManyOnAction(book.lodged, decision.verdict, `person:${decision.person}`);
  if (many !== undefined) return refused(many.code, many.text);
  await transitions.lodge(tx, book.action.id, decision.verdict, digest, `person:${decision.person}`, signed, now);
  return { kind: 'stands', digest };
}

/** Puts on record what came along with other decisions and is not there yet. Returns the book as it then is. */
export async function recordNoes(
  executor: Executor,
  tx: LedgerTransaction,
  rules: Rules,
  book: Book,
  decisions: readonly Signed[],
): Promise<Book> {
  const seen = new Set<string>(book.lodged.map((row) => row.digest));
  let written = false;
  for (const signed of decisions) {
    const read = readDecision(signed);
    if (read === undefined || !isNo(read.decision) || seen.has(read.digest)) continue;
    seen.add(read.digest);
    if ((await recordNo(executor, tx, rules, book, signed)).kind === 'stands') written = true;
  }
  return written ? readAgain(tx, book) : book;
}

/** The votes the ledger holds: verified when they were lodged, they stand whatever becomes of the keys, until withdrawn by their author (§6.5). */
export function votesOnRecord(lodged: readonly LodgedRow[]): Vote[] {
  return lodged.flatMap((row) => {
    const read = row.object === 'reject' || row.object === 'withdraw' ? readDecision(row.signed) : undefined;
    const vote = read === undefined ? undefined : voteOf(read.digest, read.decision, false);
    return vote === undefined ? [] : [vote];
  });
}
