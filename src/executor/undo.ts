import type { ActionId } from '../domain/ids.js';
import type { ResultOf } from '../domain/objects/answer.js';
import { Failed } from './define-action.js';
import { rowsOf, type Book } from './envelopes.js';
import { UNDO_PATIENCE_MS, waitResult, type Executor } from './executor.js';
import { claimed, newLease, whileLeased } from './lease.js';
import { transitions } from './ledger/transitions.js';
import { AGAIN, changed, RETRY_MS, stepOf } from './steps.js';
import { codeText, errorText } from './text.js';

type AdvanceResult = ResultOf<'advance'>;

/** Undoes one done step: idempotent, repeated until done, at most an hour; then a person. By hand: a person at once. */
export async function undoStep(executor: Executor, book: Book, n: number): Promise<AdvanceResult> {
  const found = stepOf(executor, book, n);
  if (found === undefined) return changed(executor);
  const id = book.action.id;
  const { run: runRow, undo: undoRow } = rowsOf(book, n);
  const { undo } = found.step;
  if (typeof undo !== 'function') return lost(executor, id, n, null, 'failed', undo === 'impossible' ? 'impossible' : 'by_hand');

  return claimed(executor, id, n, 'undo', async () => {
    await executor.ledger.transaction((tx) =>
      transitions.startUndo(tx, id, n, undoRow, newLease(executor), undoRow.idempotency_key, executor.now()),
    );
    return whileLeased(executor, id, n, 'undo', async () => {
      try {
        const credentials = await found.type.credentials({ actionId: id });
        const [undoes, idempotencyKey, { precondition }] = [runRow.idempotency_key, undoRow.idempotency_key, found];
        await undo(found.params, { undoes, idempotencyKey, actionId: id, precondition, credentials });
      } catch (error) {
        if (error instanceof Failed) return lost(executor, id, n, executor.owner, 'failed', error.code);
        if (executor.now() - (undoRow.since ?? executor.now()) >= UNDO_PATIENCE_MS)
          return lost(executor, id, n, executor.owner, 'unknown', errorText(error));
        await executor.ledger.transaction((tx) => transitions.undoAgain(tx, id, n, executor.owner));
        return waitResult(executor.now(), RETRY_MS, 'busy', `the undo of step ${n} is tried again`);
      }
      await executor.ledger.transaction((tx) => transitions.undoDone(tx, id, n, executor.owner, executor.now()));
      return AGAIN;
    });
  });
}

async function lost(
  executor: Executor,
  id: ActionId,
  n: number,
  owner: string | null,
  state: 'failed' | 'unknown',
  code: string,
): Promise<AdvanceResult> {
  await executor.ledger.transaction((tx) => transitions.undoLost(tx, id, n, owner, state, codeText(code), executor.now()));
  return waitResult(executor.now(), 60_000, 'compensation_failed', `the undo of step ${n} needs a person: keyturn resolve`);
}
