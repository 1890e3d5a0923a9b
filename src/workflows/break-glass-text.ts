import { isOverdue } from '../domain/post-review.js';
import { names } from './markdown.js';
import type { Run } from './run.js';

/** §6.10: loud from the seal on, and open until it is reviewed. `now` in ms. */
export function breakGlassLines(run: Run, now: number): string[] {
  const { by, state, verdict, due } = run.postReview;
  if (state === 'signed')
    return [`**BREAK-GLASS**, reviewed by ${names(by)}: ${verdict === 'justified' ? 'justified' : '**not justified**'}`];
  if (state === 'open') {
    const waits = run.outcome === undefined ? 'its end' : names(run.asked()) || 'nobody who is left';
    const when = isOverdue(run.postReview, now) ? '**OVERDUE** since' : 'due';
    return [
      `**BREAK-GLASS**, not reviewed yet: waits for ${waits}, ${when} ${due ?? ''}. **Cancel** changes nothing, **Terminate** hides it`,
    ];
  }
  const { breakGlass } = run.review.newest?.envelope ?? {};
  if (breakGlass === undefined || run.outcome !== undefined) return [];
  return [`**BREAK-GLASS**: once begun, ${breakGlass.quorum} of ${names(breakGlass.people)} must review it`];
}
