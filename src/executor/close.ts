import type { Signed } from '../domain/dsse.js';
import { toMs } from '../domain/instant.js';
import { closeInputSchema, type CloseInput, type ResultOf } from '../domain/objects/answer.js';
import type { Reason } from '../domain/outcome.js';
import { authorOf } from '../domain/tally.js';
import { spentOn } from './consume.js';
import { newestOf, readBook, sealedRing, type Book } from './envelopes.js';
import { answer, answerUnreadable, refused, type Executor, type Rules } from './executor.js';
import { judge } from './judge.js';
import type { LedgerTransaction } from './ledger/ledger.js';
import { Moved } from './ledger/compare-and-set.js';
import { transitions } from './ledger/transitions.js';
import { recordNoes } from './noes.js';
import { clip } from './text.js';

type CloseResult = ResultOf<'close'>;

/**
 * Ends an action that was not consumed (§7): a compare-and-set against consumption, so exactly one of the two happens.
 * `expired` needs this executor's own clock; `execution_expired` a verified quorum and its clock; `rejected` the lodged quorum; `cancelled` no proof.
 */
export async function close(executor: Executor, raw: unknown): Promise<Signed> {
  const input = closeInputSchema.safeParse(raw);
  if (!input.success) return answerUnreadable(executor, 'close', raw, input.error.message);
  let result: CloseResult;
  try {
    result = await closeOnce(executor, input.data);
  } catch (error) {
    if (!(error instanceof Moved)) throw error;
    result = refused('already_executed', 'the action moved meanwhile');
  }
  return answer(executor, 'close', input.data, result);
}

async function closeOnce(executor: Executor, input: CloseInput): Promise<CloseResult> {
  const rules = await executor.rules();
  return executor.ledger.transaction(async (tx): Promise<CloseResult> => {
    const now = executor.now();
    const book = await readBook(tx, input.actionId);
    if (book === undefined) {
      // It may have run after the backup: "nothing ran" would be a guess.
      if (executor.ledger.restored !== undefined)
        return refused('audience_mismatch', 'this ledger was restored and knows no such action', 2);
      if (input.reason !== 'cancelled') return refused('request_invalid', 'this ledger knows no such action');
      await transitions.tombstone(tx, input.actionId, { code: 'cancelled', text: 'cancelled before it was sealed', by: 'unsigned' }, now);
      return { kind: 'end' };
    }
    const { state } = book.action;
    if (state === 'ended') return { kind: 'end' };
    if (state !== 'awaiting' && state !== 'stale') return refused('already_executed', 'execution has begun');

    const current = await recordNoes(executor, tx, rules, book, input.decisions);
    const reason = await reasonToClose(executor, tx, rules, input, current);
    if ('kind' in reason) return reason;
    await transitions.close(tx, input.actionId, state, input.reason, reason, now);
    return { kind: 'end' };
  });
}

/** The reason, or why this action may not be closed so. */
async function reasonToClose(
  executor: Executor,
  tx: LedgerTransaction,
  rules: Rules,
  { reason, decisions }: CloseInput,
  book: Book,
): Promise<Reason | Extract<CloseResult, { kind: 'refused' }>> {
  const now = executor.now();
  const { approveBy } = newestOf(book).envelope;
  if (reason === 'cancelled') return { code: 'cancelled', text: 'cancelled before it ran', by: 'unsigned' };
  if (reason === 'expired')
    return now >= toMs(approveBy)
      ? { code: 'expired', text: 'not enough people agreed in time; nothing ran' }
      : refused('request_invalid', `it may be approved until ${approveBy}`);

  if (!rules.ok) return refused('roster_stale', rules.text);
  const [ring, spent] = [await sealedRing(tx, book), await spentOn(tx, book, rules, now)];
  const judgement = judge(book, ring, rules, executor.types.get(book.action.type), decisions, spent, now);
  if (reason === 'rejected') {
    if (judgement.barred?.code !== 'rejection_standing') return refused('request_invalid', 'no quorum of rejections is lodged');
    const { rejections } = judgement.sealed;
    const said = rejections.map((vote) => (vote.act.verdict === 'reject' ? vote.act.reason : '')).join('; ');
    const by = rejections.map((vote) => `person:${authorOf(vote)}`).join(', ');
    return { code: 'rejected', text: clip(said, 2_000), by: clip(by, 100) };
  }
  const { quorum } = judgement.sealed;
  if (quorum === undefined) return refused('quorum_missing', 'no quorum: it can only expire');
  // The present rule may give less time than the sealed one: what `advance` refuses as late must be closable.
  const executeBy = Math.min(quorum.executeBy, judgement.present?.quorum?.executeBy ?? quorum.executeBy);
  return now >= executeBy
    ? { code: 'execution_expired', text: 'it was approved, but did not start in time; nothing ran' }
    : refused('request_invalid', 'it may still start');
}
