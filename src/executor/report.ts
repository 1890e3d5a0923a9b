import type { Signed } from '../domain/dsse.js';
import { reportInputSchema } from '../domain/objects/answer.js';
import { nextOf } from './due.js';
import { readBook } from './envelopes.js';
import { owesReview } from './post-review.js';
import { answer, answerUnreadable, type Executor } from './executor.js';

/** What the ledger holds on an action and what is due next. Changes nothing. */
export async function report(executor: Executor, raw: unknown): Promise<Signed> {
  const input = reportInputSchema.safeParse(raw);
  if (!input.success) return answerUnreadable(executor, 'report', raw, input.error.message);
  const rules = await executor.rules();
  const { book, owes } = await executor.ledger.transaction(async (tx) => {
    const found = await readBook(tx, input.data.actionId);
    return { book: found, owes: found?.action.state === 'ended' && (await owesReview(tx, found.action.id)) };
  });
  const result = {
    kind: 'report' as const,
    envelope: book?.revisions.at(-1)?.signed ?? null,
    due: book === undefined ? 'seal' : owes ? 'post_review' : nextOf(executor, book, rules).do,
  };
  return answer(executor, 'report', input.data, result);
}
