import type { Client } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { loadWorkflowBundle } from '../../src/temporal/bundle.js';
import { dataConverter } from '../../src/temporal/data-converter.js';

/** Replays the newest history of each run under the present workflow code. Throws `DeterminismViolationError` where it differs. */
export async function replayAll(client: Client, ids: Iterable<string>): Promise<void> {
  const workflowBundle = await loadWorkflowBundle();
  for (const id of new Set(ids)) {
    const history = await client.workflow.getHandle(id).fetchHistory();
    await Worker.runReplayHistory({ workflowBundle, dataConverter }, history, id);
  }
}
