import { due, type Due, type SagaState } from '../domain/saga.js';
import type { Book } from './envelopes.js';
import type { Executor, Rules } from './executor.js';
import { activeFreezes } from './freezes.js';
import { holds } from './lease.js';

/** The rows as the pure core reads them. A freeze that cannot be judged, because the policy is invalid, counts as none: `rules` already stops forward steps. */
export function nextOf(executor: Executor, book: Book, rules: Rules): Due {
  return due(sagaOf(executor, book, rules), executor.now());
}

export function sagaOf(executor: Executor, book: Book, rules: Rules): SagaState {
  const now = executor.now();
  const newest = book.revisions.at(-1);
  const runs = book.steps.filter((row) => row.phase === 'run');
  return {
    state: book.action.state,
    plans: newest?.envelope.preview.undo.map(({ plan }) => plan) ?? [],
    steps: runs.map((row) => {
      const undo = book.steps.find((each) => each.phase === 'undo' && each.n === row.n);
      const runState = row.state === 'pending' ? 'started' : row.state;
      return {
        n: row.n,
        run: runState,
        attempt: row.attempt,
        undo: undo === undefined || undo.state === 'not_started' ? 'pending' : undo.state,
        leased: holds(executor, row, book.action.id, now) || (undo !== undefined && holds(executor, undo, book.action.id, now)),
        ...(undo === undefined || undo.since === null ? {} : { undoSince: undo.since }),
      };
    }),
    stop: book.action.stop !== null,
    frozen: rules.ok && activeFreezes(book.stops, rules.policy, rules.roster, now).some((freeze) => freeze.covers(book.action)),
    executeBy: book.action.execute_by ?? 0,
  };
}
