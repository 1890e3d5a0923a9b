import { readFile, writeFile } from 'node:fs/promises';
import type { WorkflowHandle } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { z } from 'zod';
import { attributes } from '../../src/temporal/attributes.js';
import type { Envelope } from '../../src/domain/objects/envelope.js';
import { toMs } from '../../src/domain/instant.js';
import type { Rig } from './rig.js';

type Event = temporal.api.history.v1.IHistoryEvent;

const metadataSchema = z.object({
  currentDetails: z.string(),
  definition: z.object({
    queryDefinitions: z.array(z.object({ name: z.string(), description: z.string() })),
    signalDefinitions: z.array(z.object({ name: z.string(), description: z.string() })),
    updateDefinitions: z.array(z.object({ name: z.string(), description: z.string() })),
  }),
});
export type Metadata = z.infer<typeof metadataSchema>;

/** What the Web UI asks of a run to show its details and what may be sent to it. */
export const metadataOf = async (handle: WorkflowHandle): Promise<Metadata> =>
  metadataSchema.parse(await handle.query('__temporal_workflow_metadata'));

/** The list's columns, as visibility has them; waits until it has the status, which it gets a moment later than the run. */
export async function listed(rig: Rig, handle: WorkflowHandle, status: string): Promise<Record<string, unknown>> {
  const end = Date.now() + 20_000;
  for (;;) {
    const query = `WorkflowId = '${handle.workflowId}' AND ${attributes.status.name} = '${status}'`;
    for await (const { typedSearchAttributes } of rig.client.workflow.list({ query })) {
      const columns = Object.values(attributes).map((key) => [key.name, typedSearchAttributes.get(key) ?? null] as const);
      return { ...Object.fromEntries(columns), summary: (await (await handle.describe()).staticSummary()) ?? null };
    }
    if (Date.now() > end) throw new Error(`${handle.workflowId} is not listed as ${status}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** Every word the history itself carries for people: summaries of timers and activities, each once, in order. */
export function summariesIn(events: readonly Event[]): string[] {
  const words = events.flatMap((event) => {
    const data = event.userMetadata?.summary?.data;
    if (data === null || data === undefined) return [];
    const what =
      event.timerStartedEventAttributes || event.timerFiredEventAttributes || event.timerCanceledEventAttributes
        ? 'timer'
        : event.activityTaskScheduledEventAttributes
          ? `activity ${event.activityTaskScheduledEventAttributes.activityType?.name ?? ''}`
          : event.markerRecordedEventAttributes
            ? 'local activity'
            : 'summary';
    return [`${what}: ${z.string().parse(JSON.parse(Buffer.from(data).toString()))}`];
  });
  return [...new Set(words)];
}

/** What differs from run to run, by name: the id, and each instant of the ladder, to the millisecond and to the second; others are `<time>`. */
export function normalised(text: string, id: string, envelope: Envelope | undefined): string {
  const named = new Map<string, string>();
  const name = (ms: number, words: string): void => {
    const iso = new Date(ms).toISOString();
    named.set(iso, `<${words}>`).set(iso.replace('T', ' ').replace(/\..*/, ' UTC'), `<${words}>`);
  };
  if (envelope !== undefined) {
    const opened = toMs(envelope.openedAt);
    for (const stage of envelope.stages) {
      stage.remind.forEach((offset, i) => name(opened + offset, `reminder ${i + 1}`));
      stage.escalate.forEach((tier, i) => name(opened + tier.after, `escalation ${i + 1}`));
    }
    name(toMs(envelope.approveBy), 'approveBy');
  }
  let out = text.replaceAll(id, '<id>').replaceAll(id.slice(0, 8), '<id, short>');
  for (const [instant, words] of named) out = out.replaceAll(instant, words);
  return out.replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+Z| UTC)/g, '<time>');
}

/** Compares with the committed file; `UPDATE_GOLDEN=1` writes it anew, for a person to read the difference. */
export async function golden(path: string, text: string): Promise<{ readonly now: string; readonly committed: string }> {
  if (process.env['UPDATE_GOLDEN'] === '1') await writeFile(path, text);
  return { now: text, committed: await readFile(path, 'utf8') };
}
