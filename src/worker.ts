import { dirname, join } from 'node:path';
import { Worker, type NativeConnection, type WorkerOptions } from '@temporalio/worker';
import { advanceActivity } from './activities/advance.js';
import { closeActivity } from './activities/close.js';
import { lodgeActivity } from './activities/lodge.js';
import { notifyActivity } from './activities/notify.js';
import { reportActivity } from './activities/report.js';
import { sealActivity } from './activities/seal.js';
import { trustActivity } from './activities/trust.js';
import type { Executor } from './executor/executor.js';
import { readRoster } from './files/rules.js';
import { loadWorkflowBundle, type WorkflowBundle } from './temporal/bundle.js';
import { connect, openNativeConnection, type ConnectSettings } from './temporal/connection.js';
import { dataConverter } from './temporal/data-converter.js';
import { executorQueue, WORKFLOW_QUEUE } from './temporal/names.js';
import { installRuntime } from './temporal/runtime.js';
import { buildIdOf, versionOf } from './temporal/versioning.js';

/** The default of 10 s would outlive the API's patience after a worker was killed. */
const STICKY_TIMEOUT = '1s';
const SHUTDOWN_GRACE = '10s' as const;

export interface WorkflowRole {
  readonly role: 'workflow';
  readonly roster: string;
  readonly notices?: string;
  readonly reviewUrl?: string;
  /** Pins each action to the build that began it. Left out: not, for such a worker gets no new action until an operator made its build the current one. */
  readonly versioned?: boolean;
  /** A workflow bundle built apart. Left out: this build's own. */
  readonly bundle?: WorkflowBundle;
  /** Actions kept in memory between their tasks; any other is replayed when something happens to it. Left out: by the size of the heap. */
  readonly cached?: number;
}
export type Role = WorkflowRole | { readonly role: 'executor'; readonly executor: Executor };

export interface RunningWorker {
  readonly connection: NativeConnection;
  /** Which build an operator makes current; only of a versioned worker. */
  readonly buildId?: string;
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
  const { worker, ...version } =
    role.role === 'workflow'
      ? await workflowWorker(common, role, print)
      : {
          worker: await Worker.create({
            ...common,
            taskQueue: executorQueue(role.executor.name),
            activities: executorActivities(role.executor),
          }),
        };
  const finished = worker.run().finally(() => connection.close());
  return {
    connection,
    ...version,
    finished,
    async stop() {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await finished;
    },
  };
}

async function workflowWorker(
  common: Pick<WorkerOptions, 'connection' | 'namespace' | 'dataConverter' | 'shutdownGraceTime'>,
  { roster, reviewUrl, notices, versioned = false, bundle: given, cached }: WorkflowRole,
  print: (line: string) => void,
): Promise<{ readonly worker: Worker; readonly buildId?: string }> {
  const bundle = given ?? (await loadWorkflowBundle());
  const buildId = versioned ? await buildIdOf(bundle) : undefined;
  const worker = await Worker.create({
    ...common,
    ...(buildId === undefined ? {} : { workerDeploymentOptions: versionOf(buildId) }),
    taskQueue: WORKFLOW_QUEUE,
    workflowBundle: bundle,
    stickyQueueScheduleToStartTimeout: STICKY_TIMEOUT,
    ...(cached === undefined ? {} : { maxCachedWorkflows: cached }),
    activities: {
      trust: trustActivity(roster, reviewUrl),
      notify: notifyActivity(notices ?? join(dirname(roster), '.keyturn', 'notices.jsonl'), print),
    },
  });
  return { worker, ...(buildId === undefined ? {} : { buildId }) };
}

export const executorActivities = (executor: Executor) => ({
  seal: sealActivity(executor),
  advance: advanceActivity(executor),
  lodge: lodgeActivity(executor),
  close: closeActivity(executor),
  report: reportActivity(executor),
});
