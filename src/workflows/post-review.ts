import { sleep } from '@temporalio/workflow';
import { toMs } from '../domain/instant.js';
import { isOverdue } from '../domain/post-review.js';
import { lodgeOne } from './lodge-one.js';
import { showOperator } from './operator-view.js';
import type { Run } from './run.js';
import { tell } from './tell-people.js';

const DAY_MS = 24 * 3_600_000;
const MAX_OVERDUE = 5;

/** Loud (§6.10): everybody it names is told, those who review it afterwards too. */
export const tellOfSeal = async (run: Run): Promise<void> => {
  if (run.review.newest?.envelope.breakGlass !== undefined) await tell(run, 'break_glass');
};

/** And once more when it began. */
export function tellOfStart(run: Run): Promise<void> | undefined {
  if (run.toldOfStart || run.owed === undefined) return undefined;
  run.toldOfStart = true;
  return tell(run, 'break_glass_began');
}

/**
 * A break-glass action stays open after its end until enough people have signed its post-review: by the ledger's entries, so that a run started anew
 * finds out as well. Reminders are bounded; silence closes nothing, nor does a cancel in Temporal.
 */
export async function untilReviewed(run: Run): Promise<void> {
  if (run.postReview.state !== 'open') return;
  const telling = tell(run, 'review_asked');
  let clock = nextClock(run);
  while (run.postReview.state === 'open') {
    const next = run.nextToLodge();
    if (next !== undefined) {
      await lodgeOne(run, next);
      showOperator(run);
      continue;
    }
    if (clock?.fired === true) {
      showOperator(run);
      void tell(run, isOverdue(run.postReview, Date.now()) ? 'review_overdue' : 'review_due');
      clock = nextClock(run);
      continue;
    }
    await run.until(() => true);
  }
  await telling;
  await tell(run, 'reviewed');
  showOperator(run);
}

interface Clock {
  fired: boolean;
}

/** One timer a reminder; undefined once all are past. */
function nextClock(run: Run): Clock | undefined {
  const at = reminders(run).find((each) => each > Date.now());
  if (at === undefined) return undefined;
  const clock: Clock = { fired: false };
  void sleep(at - Date.now(), { summary: `post-review ${new Date(at).toISOString()}` }).then(() => {
    clock.fired = true;
    run.wake();
  });
  return clock;
}

/** Half way, when it is due, and then once a day, five times. */
function reminders(run: Run): number[] {
  const [began, due] = [run.beganAt, run.owed?.due];
  if (began === undefined || due === undefined) return [];
  const end = toMs(due);
  const overdue = Array.from({ length: MAX_OVERDUE }, (_, i) => end + (i + 1) * DAY_MS);
  return [toMs(began) + Math.floor((end - toMs(began)) / 2), end, ...overdue];
}
