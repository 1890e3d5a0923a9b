import { WorkflowFailedError, type Client } from '@temporalio/client';
import { refuse } from '../../domain/codes.js';
import { signedSchema, type Signed } from '../../domain/dsse.js';
import type { StopFate } from '../../domain/http.js';
import type { Digest } from '../../domain/ids.js';
import { lodgeStopInput } from '../../domain/objects/answer.js';
import { readAnswer } from '../../domain/receipt.js';
import { keyValidAt, type Executor, type Roster } from '../../domain/roster.js';
import { stopId, WORKFLOW_QUEUE, WORKFLOW_TASK_TIMEOUT, WORKFLOW_TYPES } from '../../temporal/names.js';
import { isNoAnswer, PATIENCE_MS, within } from './calls.js';

/** Puts a freeze or thaw before one executor and waits a little for its signed answer. Sent again, it stands once. */
export async function lodgeStop(client: Client, executor: Executor, roster: Roster, signed: Signed, digest: Digest): Promise<StopFate> {
  const { name } = executor;
  try {
    const handle = await within(client, PATIENCE_MS, () =>
      client.workflow.start(WORKFLOW_TYPES.lodgeStop, {
        workflowId: stopId(name, digest),
        taskQueue: WORKFLOW_QUEUE,
        workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
        args: [name, signed],
        workflowIdConflictPolicy: 'USE_EXISTING',
        // The ledger knows it already, and says so again.
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        staticSummary: 'a signed freeze or thaw on its way to an executor',
      }),
    );
    const raw: unknown = await within(client, PATIENCE_MS, () => handle.result());
    return fateOf(name, raw, executor, roster, signed);
  } catch (error) {
    if (!isNoAnswer(error) && !(error instanceof WorkflowFailedError)) throw error;
    // Not started, not answered in time, or its run terminated by somebody: only the executor's answer says that it stands.
    return { executor: name, state: 'waiting', answer: null };
  }
}

function fateOf(name: string, raw: unknown, { keys }: Executor, { deployment }: Roster, signed: Signed): StopFate {
  const answer = signedSchema.safeParse(raw);
  const trust = { deployment, keys: keys.filter((key) => keyValidAt(key, Date.now())).map(({ key }) => key) };
  const read = answer.success ? readAnswer('lodge', null, lodgeStopInput(signed), answer.data, trust) : undefined;
  if (!answer.success || read === undefined) {
    const { code, text } = refuse('receipt_invalid');
    return { executor: name, state: 'refused', code, text, answer: null };
  }
  const { result } = read;
  return result.kind === 'stands'
    ? { executor: name, state: 'stands', answer: answer.data }
    : { executor: name, state: 'refused', code: result.code, text: result.text, answer: answer.data };
}
