import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import type { Signed } from '../../domain/dsse.js';
import type { ActionId } from '../../domain/ids.js';
import type { Request } from '../../domain/objects/request.js';
import { attributes } from '../../temporal/attributes.js';
import { WORKFLOW_QUEUE, WORKFLOW_TASK_TIMEOUT, WORKFLOW_TYPES } from '../../temporal/names.js';
import { temporalAway } from '../problem.js';
import { isNoAnswer, isUnreached, PATIENCE_MS, within } from './calls.js';

export interface Opening {
  readonly id: ActionId;
  readonly request: Request;
  readonly signed: Signed;
  /** The run before this one wrote nothing, so that it did not use the idempotency key up. */
  readonly again: boolean;
}

/** Starts the action's workflow. False: a run with this id is already there. Throws `temporal_unavailable`. */
export async function startAction(client: Client, { id, request, signed, again }: Opening): Promise<boolean> {
  try {
    await within(client, PATIENCE_MS, () =>
      client.workflow.start(WORKFLOW_TYPES.agentAction, {
        workflowId: id,
        taskQueue: WORKFLOW_QUEUE,
        workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
        args: [signed],
        // Who comes second is told apart by the bytes of the request, never silently joined to the first.
        workflowIdConflictPolicy: 'FAIL',
        workflowIdReusePolicy: again ? 'ALLOW_DUPLICATE' : 'REJECT_DUPLICATE',
        typedSearchAttributes: new TypedSearchAttributes([
          { key: attributes.status, value: 'evaluating' },
          { key: attributes.type, value: request.type },
          { key: attributes.agent, value: request.agent },
        ]),
        staticSummary: `${request.type} asked for by ${request.agent}`.slice(0, 200),
      }),
    );
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    if (isUnreached(error)) throw temporalAway('The proposal is not recorded: Temporal does not answer.');
    if (isNoAnswer(error))
      throw temporalAway(
        'The proposal is not recorded, as far as this API knows: Temporal did not answer in time. The same key is the same action.',
      );
    throw error;
  }
}
