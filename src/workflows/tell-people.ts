import { log, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { PersonId } from '../domain/ids.js';
import { countFailedNotice } from './meter.js';
import type { Run } from './run.js';

/** Events people are told of. The agent learns the end by waiting for it. */
export type NoticeEvent = 'asked' | 'reminded' | 'escalated' | 'new_revision' | 'answered' | 'ended' | BreakGlassEvent;
/** At the seal, at the start, and of its post-review: to everybody it names, or to those whose review is still missing. */
type BreakGlassEvent = 'break_glass' | 'break_glass_began' | 'review_asked' | 'review_due' | 'review_overdue' | 'reviewed';
const TO_ALL: readonly NoticeEvent[] = ['ended', 'break_glass', 'break_glass_began', 'reviewed'];
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

interface Channel {
  notify(notice: Notice): Promise<void>;
}
const TELL = 'tell the people who are asked';
/** One short try within the workflow task that has the news: most notices cost one event and no task of their own. */
const quick = proxyLocalActivities<Channel>({ scheduleToCloseTimeout: '2s', retry: { maximumAttempts: 1 }, summary: TELL });
const patient = proxyActivities<Channel>({
  startToCloseTimeout: '10s',
  scheduleToCloseTimeout: '1m',
  retry: { maximumAttempts: 3 },
  summary: TELL,
});

/** Tells people, at least once. A slow channel delays a vote by two seconds at most; one that fails blocks nothing and approves nothing. */
export async function tell(run: Run, event: NoticeEvent, besides: readonly PersonId[] = []): Promise<void> {
  const newest = run.review.newest;
  if (newest === undefined) return;
  const people = TO_ALL.includes(event) ? everybodyAsked(run) : [...new Set([...run.asked(), ...besides])];
  if (people.length === 0) return;
  const notice: Notice = {
    event,
    actionId: run.id,
    revision: newest.envelope.revision,
    sentence: newest.envelope.breakGlass === undefined ? newest.envelope.summary : `BREAK-GLASS: ${newest.envelope.summary}`,
    people,
    status: run.status(),
    deadline: run.deadline(),
  };
  try {
    await quick.notify(notice).catch(() => patient.notify(notice));
  } catch (error) {
    countFailedNotice(event);
    log.warn('a notice could not be sent', { event, error: String(error) });
  }
}

/** Tells whoever is still asked, and who asked the question, of each answer; until the end. */
export async function keepTelling(run: Run): Promise<void> {
  while (run.outcome === undefined) {
    const question = run.dialogue.nextToTell();
    if (question === undefined) {
      await run.until(() => run.outcome !== undefined || run.dialogue.hasNews);
      continue;
    }
    const asker = run.review.askerOf(question);
    await tell(run, 'answered', asker === undefined ? [] : [asker]);
  }
}

function everybodyAsked(run: Run): PersonId[] {
  const { stages = [], breakGlass } = run.review.newest?.envelope ?? {};
  return [...new Set([...stages.flatMap((stage) => stage.from), ...(breakGlass?.people ?? [])])].sort();
}
