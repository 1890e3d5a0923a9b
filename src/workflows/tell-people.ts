import { log, proxyActivities } from '@temporalio/workflow';
import type { PersonId } from '../domain/ids.js';
import type { Run } from './run.js';

/** Events people are told of. The agent learns the end by waiting for it. */
export type NoticeEvent = 'asked' | 'reminded' | 'escalated' | 'new_revision' | 'ended';
/** By envelope ids and names only: contact data live in the worker's configuration. */
export interface Notice {
  readonly event: NoticeEvent;
  readonly actionId: string;
  readonly revision: number;
  readonly sentence: string;
  readonly people: readonly PersonId[];
  readonly status: string;
  readonly deadline: string | null;
}

const { notify } = proxyActivities<{ notify(notice: Notice): Promise<void> }>({
  startToCloseTimeout: '10s',
  scheduleToCloseTimeout: '1m',
  retry: { maximumAttempts: 3 },
});

/** Tells people once. A channel that fails blocks nothing and approves nothing. */
export async function tell(run: Run, event: NoticeEvent): Promise<void> {
  const newest = run.review.newest;
  if (newest === undefined) return;
  const people = event === 'ended' ? everybodyAsked(run) : run.review.awaiting(Date.now());
  const status = run.status();
  try {
    await notify({
      event,
      actionId: run.id,
      revision: newest.envelope.revision,
      sentence: newest.envelope.summary,
      people,
      status,
      deadline: run.review.deadline(),
    });
  } catch (error) {
    log.warn('a notice could not be sent', { event, error: String(error) });
  }
}

function everybodyAsked(run: Run): PersonId[] {
  const stages = run.review.newest?.envelope.stages ?? [];
  return [...new Set(stages.flatMap((stage) => stage.from))].sort();
}
