import { due, type Due, type SagaState, type StepState } from '../domain/saga.js';
import { rowsOf, type Book } from './envelopes.js';
import type { Executor, Rules } from './executor.js';
import type { StepRow } from './ledger/rows.js';
import { activeFreezes } from './freezes.js';
import { holds } from './lease.js';

/** The rows as the pure core reads them. A freeze that cannot be judged, because the policy is invalid, counts as none: `rules` already stops forward steps. */
export function nextOf(executor: Executor, book: Book, rules: Rules): Due {
  return due(sagaOf(executor, book, rules), executor.now());
}

export function sagaOf(executor: Executor, book: Book, rules: Rules): SagaState {
  const now = executor.now();
  return {
    state: book.action.state,
    plans: book.revisions.slice(-1).flatMap(({ envelope }) => envelope.preview.undo.map(({ plan }) => plan)),
    steps: stepsOf(book, (row) => holds(executor, row, book.action.id, now)),
    stop: book.action.stop !== null,
    frozen: rules.ok && activeFreezes(book.stops, rules.policy, rules.roster, now).some((freeze) => freeze.covers(book.action)),
    executeBy: book.action.execute_by ?? 0,
  };
}

/** The steps begun, in order; `held` says whether somebody is at a row right now. */
export const stepsOf = (book: Book, held: (row: StepRow) => boolean): StepState[] =>
  [...new Set(book.steps.map(({ n }) => n))].map((n) => {
    const { run, undo } = rowsOf(book, n);
    return { n, run: run.state, attempt: run.attempt, undo: undo.state, leased: held(run) || held(undo) };
  });
