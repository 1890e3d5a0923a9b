import { refuse, type Refusal } from '../domain/codes.js';
import { digestOfSigned, PAYLOAD_TYPES, type Signed } from '../domain/dsse.js';
import type { ActionId, Digest } from '../domain/ids.js';
import { lodgeInputSchema, type LodgeInput, type ResultOf } from '../domain/objects/answer.js';
import { STATUSES } from '../domain/outcome.js';
import { mayFreeze, thawRule } from '../domain/policy/evaluate.js';
import { readCancel, readFreeze, readResolve, readThaw } from '../domain/stops.js';
import { readBook, rosterRing, sealedRing, type Book } from './envelopes.js';
import { answer, answerUnreadable, refused, type Executor, type Rules } from './executor.js';
import type { LedgerTransaction } from './ledger/ledger.js';
import { isLodged, readStops } from './ledger/rows.js';
import { Moved } from './ledger/compare-and-set.js';
import { tooManyOnAction, tooManyStops } from './lodge-limits.js';
import { transitions } from './ledger/transitions.js';
import { recordNo } from './noes.js';
import { lodgeReview } from './post-review.js';
import { resolveWith } from './resolve.js';

type LodgeResult = ResultOf<'lodge'>;
const no = (refusal: Refusal): LodgeResult => refused(refusal.code, refusal.text);

/**
 * Puts one signed "no" or stop on record at once (§7): reject, withdraw, cancel, freeze, thaw, resolve, review. It runs beside `advance`;
 * the ledger decides which came first. Lodged twice, it stands once.
 */
export async function lodge(executor: Executor, raw: unknown): Promise<Signed> {
  const input = lodgeInputSchema.safeParse(raw);
  if (!input.success) return answerUnreadable(executor, 'lodge', raw, input.error.message);
  let result: LodgeResult;
  try {
    result = await lodgeOnce(executor, input.data);
  } catch (error) {
    if (!(error instanceof Moved)) throw error;
    result = await lodgeOnce(executor, input.data);
  }
  return answer(executor, 'lodge', input.data, result);
}

async function lodgeOnce(executor: Executor, { actionId, signed }: LodgeInput): Promise<LodgeResult> {
  const rules = await executor.rules();
  return executor.ledger.transaction(async (tx) => {
    const digest = digestIfAny(signed);
    if (digest === undefined) return refused('request_invalid', 'not base64url');
    if (await isLodged(tx.sql, digest, actionId)) return { kind: 'stands', digest };
    const book = actionId === null ? undefined : await readBook(tx, actionId);
    // A rejection is verified by what was sealed: it needs no valid file.
    if (book !== undefined && signed.payloadType === PAYLOAD_TYPES.decision) return recordNo(executor, tx, rules, book, signed);
    if (!rules.ok) return refused('roster_stale', rules.text);
    if (signed.payloadType === PAYLOAD_TYPES.freeze || signed.payloadType === PAYLOAD_TYPES.thaw)
      return lodgeStop(executor, tx, rules, actionId, signed);
    if (book === undefined) return refused('request_invalid', 'this ledger knows no such action');
    switch (signed.payloadType) {
      case PAYLOAD_TYPES.cancel:
        return lodgeCancel(executor, tx, rules, book, signed);
      case PAYLOAD_TYPES.resolve:
        return lodgeResolve(executor, tx, rules, book, signed);
      case PAYLOAD_TYPES.review:
        return lodgeReview(executor, tx, rules, book, signed);
      default:
        return refused('request_invalid', 'lodge takes reject, withdraw, cancel, freeze, thaw, resolve and review');
    }
  });
}

function digestIfAny(signed: Signed): Digest | undefined {
  try {
    return digestOfSigned(signed);
  } catch {
    return undefined;
  }
}

async function lodgeCancel(
  executor: Executor,
  tx: LedgerTransaction,
  { roster }: Extract<Rules, { ok: true }>,
  book: Book,
  signed: Signed,
): Promise<LodgeResult> {
  const now = executor.now();
  const read = readCancel(signed, roster, { actionId: book.action.id, agent: book.action.agent }, now);
  if (!read.ok) return no(read.refusal);
  if (STATUSES[book.action.status].final) return refused('action_ended', `the action is ${book.action.status}`);
  const { by } = read.value;
  const many = tooManyOnAction(book.lodged, 'cancel', by);
  if (many !== undefined) return no(many);
  await transitions.lodge(tx, book.action.id, 'cancel', read.digest, by, signed, now);
  // Nothing was consumed yet: the cancel is the end, in the same transaction.
  if (book.action.state === 'awaiting' || book.action.state === 'stale')
    await transitions.close(tx, book.action.id, book.action.state, 'cancelled', { code: 'cancelled', text: `cancelled by ${by}`, by }, now);
  return { kind: 'stands', digest: read.digest };
}

async function lodgeResolve(
  executor: Executor,
  tx: LedgerTransaction,
  rules: Extract<Rules, { ok: true }>,
  book: Book,
  signed: Signed,
): Promise<LodgeResult> {
  const now = executor.now();
  const newest = book.revisions.at(-1);
  if (newest === undefined) return refused('action_ended', 'nothing to resolve');
  const read = readResolve(signed, newest.envelope, [await sealedRing(tx, book), rosterRing(rules.roster, now)], now);
  if (!read.ok) return no(read.refusal);
  return resolveWith(executor, tx, rules, book, read.value, read.digest, signed);
}

async function lodgeStop(
  executor: Executor,
  tx: LedgerTransaction,
  { policy, roster }: Extract<Rules, { ok: true }>,
  actionId: ActionId | null,
  signed: Signed,
): Promise<LodgeResult> {
  if (actionId !== null) return refused('request_invalid', 'a freeze or thaw belongs to no action');
  const now = executor.now();
  const ring = rosterRing(roster, now);
  if (signed.payloadType === PAYLOAD_TYPES.freeze) {
    const read = readFreeze(signed, ring, executor.ledger.identity.deployment, now);
    if (!read.ok) return no(read.refusal);
    if (!mayFreeze(policy, roster, read.value.by, now)) return no(refuse('not_eligible', `${read.value.by} may not freeze`));
    const many = tooManyStops(await readStops(tx.sql), 'freeze', `person:${read.value.by}`, now);
    if (many !== undefined) return no(many);
    await transitions.lodge(tx, null, 'freeze', read.digest, `person:${read.value.by}`, signed, now);
    return { kind: 'stands', digest: read.digest };
  }
  const read = readThaw(signed, ring, executor.ledger.identity.deployment, now);
  if (!read.ok) return no(read.refusal);
  if (!thawRule(policy, roster, now).people.includes(read.value.by)) return no(refuse('not_eligible', `${read.value.by} may not thaw`));
  const many = tooManyStops(await readStops(tx.sql), 'thaw', `person:${read.value.by}`, now);
  if (many !== undefined) return no(many);
  await transitions.lodge(tx, null, 'thaw', read.digest, `person:${read.value.by}`, signed, now);
  return { kind: 'stands', digest: read.digest };
}
