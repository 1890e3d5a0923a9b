import type { Client } from '@temporalio/client';
import type { Signed } from '../domain/dsse.js';
import type { Manifest } from '../domain/objects/manifest.js';
import { manifestId, WORKFLOW_QUEUE, WORKFLOW_TYPES } from '../temporal/names.js';
import type { ActionType } from './define-action.js';
import type { Executor } from './executor.js';

/** What this executor runs, signed: the API validates and draws forms by it, with no executor alive. */
export function manifestOf(executor: Executor): Signed {
  const manifest: Manifest = {
    v: 1,
    deployment: executor.ledger.identity.deployment,
    executor: executor.name,
    types: [...executor.types.values()].map((type: ActionType) => ({
      name: type.name,
      version: type.version,
      schema: type.schema,
      schemaDigest: type.schemaDigest,
      editable: [...type.editable],
      undo: type.plans.map(({ step, plan }) => ({ step, plan })),
    })),
  };
  return executor.signer.sign('manifest', manifest);
}

/** Puts the manifest into history under the executor's own id; the one before it is replaced. */
export async function publishManifest(client: Client, executor: Executor): Promise<void> {
  await client.workflow.start(WORKFLOW_TYPES.executorManifest, {
    workflowId: manifestId(executor.name),
    taskQueue: WORKFLOW_QUEUE,
    args: [manifestOf(executor)],
    workflowIdConflictPolicy: 'TERMINATE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    staticSummary: `executor ${executor.name}: ${[...executor.types.keys()].join(', ')}`.slice(0, 200),
  });
}
