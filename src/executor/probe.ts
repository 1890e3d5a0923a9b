import { z } from 'zod';
import type { ActionId } from '../domain/ids.js';
import type { ResultOf } from '../domain/objects/answer.js';
import { rowsOf, type Book } from './envelopes.js';
import { waitResult, type Executor } from './executor.js';
import { claimed, newLease, whileLeased } from './lease.js';
import { transitions } from './ledger/transitions.js';
import { AGAIN, changed, RETRY_MS, stepIsDone, stepOf } from './steps.js';
import { errorText } from './text.js';

type AdvanceResult = ResultOf<'advance'>;
/** How long a probe that throws is repeated, from the start of its step, before the step counts as unknown. */
const PROBE_PATIENCE_MS = 60_000;
/** What a probe says is input like any other: an answer that is none says nothing. */
const answerSchema = z.object({ outcome: z.enum(['done', 'fenced', 'unknown']), result: z.unknown().optional() });

/** Asks the target what became of a step nobody wrote down (§7): done, fenced, or a person must find out. */
export async function probeStep(executor: Executor, book: Book, n: number, attempt: number): Promise<AdvanceResult> {
  const found = stepOf(executor, book, n);
  if (found === undefined) return changed(executor);
  const id = book.action.id;
  const { run: row } = rowsOf(book, n);
  return claimed(executor, id, n, 'run', async () => {
    await executor.ledger.transaction((tx) => transitions.takeOver(tx, id, n, attempt, row, newLease(executor)));
    return whileLeased(executor, id, n, 'run', async () => {
      const { probe } = found.step;
      if (probe === undefined) return unknown(executor, id, n, attempt, 'no_probe');
      let said: z.infer<typeof answerSchema>;
      try {
        const credentials = await found.type.credentials({ actionId: id });
        const { precondition, params } = found;
        const answer: unknown = await probe({ idempotencyKey: row.idempotency_key, actionId: id, precondition, credentials }, params);
        said = answerSchema.catch({ outcome: 'unknown' }).parse(answer);
      } catch (error) {
        if (executor.now() - (row.since ?? 0) > PROBE_PATIENCE_MS)
          return unknown(executor, id, n, attempt, `probe_failed: ${errorText(error, 150)}`);
        await executor.ledger.transaction((tx) => transitions.release(tx, id, n, attempt, executor.owner));
        return waitResult(executor.now(), RETRY_MS, 'busy', 'the target does not answer the probe');
      }
      if (said.outcome === 'done') return stepIsDone(executor, book, n, attempt, found.type, said.result);
      // Only a fence makes "not done" sure: unfenced, a late request could still take effect.
      if (said.outcome !== 'fenced') return unknown(executor, id, n, attempt, 'probe_unknown');
      await executor.ledger.transaction((tx) => transitions.stepNotStarted(tx, id, n, attempt, executor.owner, 'fenced', executor.now()));
      return AGAIN;
    });
  });
}

async function unknown(executor: Executor, id: ActionId, n: number, attempt: number, code: string): Promise<AdvanceResult> {
  await executor.ledger.transaction((tx) => transitions.stepUnknown(tx, id, n, attempt, executor.owner, code, executor.now()));
  return waitResult(executor.now(), 60_000, 'outcome_unknown', `step ${n} needs a person: keyturn resolve`);
}
