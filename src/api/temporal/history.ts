import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { digestOfSigned, signedSchema, type Signed } from '../../domain/dsse.js';
import { endedSchema, type Ended } from '../../domain/ended.js';
import { decoded, isNotFound, PATIENCE_MS, within, type HistoryEvent } from './calls.js';

/** What a run was started with: in its first event, with no worker alive. Undefined: no such run. */
export async function firstInput(
  client: Client,
  workflowId: string,
): Promise<{ readonly type: string; readonly input: unknown } | undefined> {
  try {
    const { history } = await within(client, PATIENCE_MS, () =>
      client.workflowService.getWorkflowExecutionHistory({
        namespace: client.options.namespace,
        execution: { workflowId },
        maximumPageSize: 1,
      }),
    );
    const started = history?.events?.[0]?.workflowExecutionStartedEventAttributes;
    if (started === null || started === undefined) return undefined;
    return { type: started.workflowType?.name ?? '', input: await decoded(client, started.input?.payloads?.[0]) };
  } catch (error) {
    if (isNotFound(error) || error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/** What a completed run returned: in its last event, with no worker alive. A claim, as all that a namespace holds. Undefined: nothing of the kind. */
export async function returned(client: Client, workflowId: string): Promise<Ended | undefined> {
  try {
    const result: unknown = await within(client, PATIENCE_MS, () => client.workflow.getHandle(workflowId).result());
    return endedSchema.safeParse(result).data;
  } catch {
    return undefined;
  }
}

/** The message with this digest, if Temporal holds it: as a signal, or as an update it accepted. */
export async function recordedMessage(client: Client, workflowId: string, digest: string): Promise<Signed | undefined> {
  const history = await within(client, PATIENCE_MS, () => client.workflow.getHandle(workflowId).fetchHistory());
  for (const event of history.events ?? []) {
    const signed = signedSchema.safeParse(await decoded(client, messagePayload(event)));
    if (signed.success && digestIs(signed.data, digest)) return signed.data;
  }
  return undefined;
}

const DOORS: readonly (string | null | undefined)[] = ['decision', 'lodge', 'answer'];

function messagePayload(event: HistoryEvent) {
  const signal = event.workflowExecutionSignaledEventAttributes;
  if (DOORS.includes(signal?.signalName)) return signal?.input?.payloads?.[0];
  const update = event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input;
  return DOORS.includes(update?.name) ? update?.args?.payloads?.[0] : undefined;
}

function digestIs(signed: Signed, digest: string): boolean {
  try {
    return digestOfSigned(signed) === digest;
  } catch {
    return false;
  }
}
