import { dirname, join } from 'node:path';
import { Worker, type NativeConnection } from '@temporalio/worker';
import { advanceActivity } from './activities/advance.js';
import { closeActivity } from './activities/close.js';
import { lodgeActivity } from './activities/lodge.js';
import { notifyActivity } from './activities/notify.js';
import { reportActivity } from './activities/report.js';
import { sealActivity } from './activities/seal.js';
import { trustActivity } from './activities/trust.js';
import type { Executor } from './executor/executor.js';
import { readRoster } from './files/rules.js';
import { loadWorkflowBundle } from './temporal/bundle.js';
import { connect, openNativeConnection, type ConnectSettings } from './temporal/connection.js';
import { dataConverter } from './temporal/data-converter.js';
import { executorQueue, WORKFLOW_QUEUE } from './temporal/names.js';
import { installRuntime } from './temporal/runtime.js';

/** The default of 10 s would outlive the API's patience after a worker was killed. */
const STICKY_TIMEOUT = '1s';
const SHUTDOWN_GRACE = '10s' as const;

export type Role =
  | { readonly role: 'workflow'; readonly roster: string; readonly notices?: string; readonly reviewUrl?: string }
  | { readonly role: 'executor'; readonly executor: Executor };

export interface RunningWorker {
  readonly connection: NativeConnection;
  /** Resolves when the worker has stopped; rejects if it could not go on. */
  readonly finished: Promise<void>;
  stop(): Promise<void>;
}

/** Starts one Temporal worker. The workflow role holds no credentials; the executor role runs no workflows. Throws if Temporal does not answer. */
export async function startWorker(
  role: Role,
  print: (line: string) => void = console.log,
  settings: ConnectSettings = connect(),
): Promise<RunningWorker> {
  installRuntime();
  // A roster that cannot be read is a start-up error, not a workflow that waits for ever.
  if (role.role === 'workflow') await readRoster(role.roster);
  const connection = await openNativeConnection(settings);
  const common = { connection, namespace: settings.namespace, dataConverter, shutdownGraceTime: SHUTDOWN_GRACE };
  const worker =
    role.role === 'workflow'
      ? await Worker.create({
          ...common,
          taskQueue: WORKFLOW_QUEUE,
          workflowBundle: await loadWorkflowBundle(),
          stickyQueueScheduleToStartTimeout: STICKY_TIMEOUT,
          activities: {
            trust: trustActivity(role.roster, role.reviewUrl),
            notify: notifyActivity(role.notices ?? join(dirname(role.roster), '.keyturn', 'notices.jsonl'), print),
          },
        })
      : await Worker.create({ ...common, taskQueue: executorQueue(role.executor.name), activities: executorActivities(role.executor) });
  const finished = worker.run().finally(() => connection.close());
  return {
    connection,
    finished,
    async stop() {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await finished;
    },
  };
}

export const executorActivities = (executor: Executor) => ({
  seal: sealActivity(executor),
  advance: advanceActivity(executor),
  lodge: lodgeActivity(executor),
  close: closeActivity(executor),
  report: reportActivity(executor),
});
