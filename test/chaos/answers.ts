import type { WorkflowHandle } from '@temporalio/client';
import { readPayload, signedSchema } from '../../src/domain/dsse.js';
import { answerSchema, type Answer } from '../../src/domain/objects/answer.js';

/**
 * The executor's answers in an action's history, oldest first. Read there and not by query: a query needs a worker, and many of them would keep an
 * overloaded one from its work.
 */
export async function answersIn(handle: WorkflowHandle): Promise<Answer[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).flatMap((event) => {
    const data = event.activityTaskCompletedEventAttributes?.result?.payloads?.[0]?.data;
    if (data === undefined || data === null || data.length === 0) return [];
    const signed = signedSchema.safeParse(JSON.parse(Buffer.from(data).toString()));
    const answer = answerSchema.safeParse(signed.success ? readPayload('answer', signed.data) : undefined);
    return answer.success ? [answer.data] : [];
  });
}
