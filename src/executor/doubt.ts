import type { ActionId } from '../domain/ids.js';
import { inDoubt } from '../domain/saga.js';
import { stepsOf } from './due.js';
import { must, newestOf, readBook } from './envelopes.js';
import { set } from './ledger/compare-and-set.js';
import type { LedgerTransaction } from './ledger/ledger.js';
import { runKey, undoKey } from './ledger/step-transitions.js';

/**
 * An action that was open when its ledger's backup was made: it may have run since, so neither "nothing ran" nor "it runs now" would be true. It waits for
 * people to find out at the target, as after any lost answer (`keyturn resolve`). What was being undone is undone on: it cannot have gone forward since.
 */
export async function putInDoubt(tx: LedgerTransaction, id: ActionId, now: number): Promise<void> {
  const book = must(await readBook(tx, id));
  const { undo } = newestOf(book).envelope.preview;
  const { step, attempt } = inDoubt({ steps: stepsOf(book, () => false), plans: undo.map(({ plan }) => plan) });
  if (book.steps.some((row) => row.n === step))
    await set(
      tx,
      `UPDATE step SET state = 'unknown', lease_owner = NULL, lease_until = NULL WHERE action_id = ? AND n = ? AND phase = 'run'`,
      id,
      step,
    );
  else {
    const { step: name } = must(undo[step - 1]);
    const row =
      'INSERT INTO step (action_id, n, phase, state, attempt, idempotency_key, lease_owner, lease_until, since) VALUES (?, ?, ?, ?, ?, ?, NULL, NULL, NULL)';
    await set(tx, row, id, step, 'undo', 'pending', 1, undoKey(id, name));
    await set(tx, row, id, step, 'run', 'unknown', attempt, runKey(id, name, attempt));
  }
  await set(tx, `UPDATE action SET state = 'unknown', status = 'outcome_unknown' WHERE id = ? AND state = ?`, id, book.action.state);
  await tx.append({ kind: 'restored', actionId: id, step, attempt }, now);
}
