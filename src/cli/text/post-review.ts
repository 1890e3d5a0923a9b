import { isOverdue, owedBy, postReviewOf, reviewersAwaited } from '../../domain/post-review.js';
import type { Receipt } from '../../domain/receipt.js';
import { atUtc, leftUntil } from './time.js';

/** Where the post-review of a break-glass action stands, by the entries this machine has checked; undefined: it owes none. `now` in ms. */
export function postReviewLine(receipt: Receipt, now: number): string | undefined {
  const review = postReviewOf(receipt);
  const { state, by, verdict, due } = review;
  if (state === 'none' || due === null) return undefined;
  if (state === 'signed') return `BREAK-GLASS, reviewed by ${by.join(', ')}: ${verdict ?? ''}`;
  const waits = reviewersAwaited(receipt);
  const whom = waits.length === 0 ? 'to be reviewed once it has ended' : `waits for ${waits.join(', ')}`;
  const time = isOverdue(review, now) ? `OVERDUE since ${atUtc(due)}` : `${leftUntil(due, now)}, until ${atUtc(due)}`;
  return `BREAK-GLASS, ${by.length} of ${owedBy(receipt)?.quorum ?? 0} reviewed it, ${whom}; ${time}`;
}
