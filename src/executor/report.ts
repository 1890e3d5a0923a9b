import type { Signed } from '../domain/dsse.js';
import { reportInputSchema } from '../domain/objects/answer.js';
import { nextOf } from './due.js';
import { readBook } from './envelopes.js';
import { answer, answerUnreadable, type Executor } from './executor.js';

/** What the ledger holds on an action and what is due next. Changes nothing. */
export async function report(executor: Executor, raw: unknown): Promise<Signed> {
  const input = reportInputSchema.safeParse(raw);
  if (!input.success) return answerUnreadable(executor, 'report', raw, input.error.message);
  const rules = await executor.rules();
  const book = await executor.ledger.transaction((tx) => readBook(tx, input.data.actionId));
  const result = {
    kind: 'report' as const,
    envelope: book?.revisions.at(-1)?.signed ?? null,
    due: book === undefined ? 'seal' : nextOf(executor, book, rules).do,
  };
  return answer(executor, 'report', input.data, result);
}
