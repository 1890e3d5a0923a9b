import { metricMeter } from '@temporalio/workflow';
import { readDecision } from '../domain/admit.js';
import type { Signed } from '../domain/dsse.js';
import { toMs } from '../domain/instant.js';
import type { Fate } from '../domain/review/fate.js';
import type { Status } from '../domain/outcome.js';
import type { Run } from './run.js';

/** What a workflow worker counts. The meter emits nothing while a history is replayed. Labels are codes, verdicts and statuses: closed sets. */
const refusals = metricMeter.createCounter('keyturn_worker_refusals', undefined, 'Messages the workflow refused, by door and code.');
const receiptsInvalid = metricMeter.createCounter(
  'keyturn_worker_receipts_invalid',
  undefined,
  "Answers without the executor's signature.",
);
const noticesFailed = metricMeter.createCounter('keyturn_worker_notices_failed', undefined, 'Notices that could not be sent, by event.');
const ended = metricMeter.createCounter('keyturn_worker_ended', undefined, 'Actions that ended, by status.');
const decision = metricMeter.createHistogram(
  'keyturn_worker_decision_seconds',
  'float',
  undefined,
  'From the newest seal to a decision taken, by verdict.',
);

export const countRefusal = (door: string, code: string): void => refusals.add(1, { door, code });
export const countInvalidReceipt = (): void => receiptsInvalid.add(1);
export const countFailedNotice = (event: string): void => noticesFailed.add(1, { event });
export const countEnd = (status: Status): void => ended.add(1, { status });

/** A decision that was taken, not a repeat of one: how long its author's people took. `now` in ms. */
export function countDecision(run: Run, signed: Signed, fate: Fate, now: number): void {
  const read = readDecision(signed);
  const sealed = run.review.newest?.envelope.sealedAt;
  if (fate.state === 'refused' || read === undefined || sealed === undefined) return;
  decision.record(Math.max(0, now - toMs(sealed)) / 1_000, { verdict: read.decision.verdict });
}
