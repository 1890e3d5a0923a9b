import type { Signed } from '../domain/dsse.js';
import { toMs } from '../domain/instant.js';
import { closeInputSchema, type CloseInput, type ResultOf } from '../domain/objects/answer.js';
import type { Reason } from '../domain/outcome.js';
import { readBook, sealedRing } from './envelopes.js';
import { answer, answerUnreadable, refused, type Executor } from './executor.js';
import { judge } from './judge.js';
import { Moved, transitions } from './ledger/transitions.js';

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
      if (input.reason !== 'cancelled') return refused('request_invalid', 'this ledger knows no such action');
      await transitions.tombstone(tx, input.actionId, { code: 'cancelled', text: 'cancelled before it was sealed', by: 'unsigned' }, now);
      return { kind: 'end' };
    }
    const { state } = book.action;
    if (state === 'ended') return { kind: 'end' };
    const newest = book.revisions.at(-1);
    if ((state !== 'awaiting' && state !== 'stale') || newest === undefined) return refused('already_executed', 'execution has begun');

    const reason = await reasonToClose();
    if ('kind' in reason) return reason;
    await transitions.close(tx, input.actionId, state, input.reason, reason, now);
    return { kind: 'end' };

    async function reasonToClose(): Promise<Reason | Extract<CloseResult, { kind: 'refused' }>> {
      if (book === undefined || newest === undefined) throw new Moved();
      switch (input.reason) {
        case 'cancelled':
          return { code: 'cancelled', text: 'cancelled before it ran', by: 'unsigned' };
        case 'expired':
          return now >= toMs(newest.envelope.approveBy)
            ? { code: 'expired', text: 'not enough people agreed in time; nothing ran' }
            : refused('request_invalid', `it may be approved until ${newest.envelope.approveBy}`);
        case 'rejected':
        case 'execution_expired': {
          if (!rules.ok) return refused('roster_stale', rules.text);
          const judgement = judge(book, await sealedRing(tx, book), rules, executor.types.get(book.action.type), input.decisions, now);
          if (input.reason === 'rejected') {
            const rejecting = judgement.barred?.code === 'rejection_standing' ? judgement.sealed.rejections : [];
            const said = rejecting.map((vote) => (vote.act.verdict === 'reject' ? vote.act.reason : '')).join('; ');
            if (rejecting.length === 0) return refused('request_invalid', 'no quorum of rejections is lodged');
            return {
              code: 'rejected',
              text: said.slice(0, 2_000),
              by: rejecting
                .map((vote) => `person:${vote.person}`)
                .join(', ')
                .slice(0, 100),
            };
          }
          const { quorum } = judgement.sealed;
          if (quorum === undefined) return refused('quorum_missing', 'no quorum: it can only expire');
          // The present rule may give less time than the sealed one: what `advance` refuses as late must be closable.
          const executeBy = Math.min(quorum.executeBy, judgement.present?.quorum?.executeBy ?? quorum.executeBy);
          return now >= executeBy
            ? { code: 'execution_expired', text: 'it was approved, but did not start in time; nothing ran' }
            : refused('request_invalid', 'it may still start');
        }
      }
    }
  });
}
