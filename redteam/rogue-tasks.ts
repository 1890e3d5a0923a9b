import { defaultPayloadConverter } from '@temporalio/common';
import { msToTs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import { executorQueue, WORKFLOW_QUEUE } from '../src/temporal/names.js';
import { until, type Hands } from './hands.js';

const { CommandType, TaskQueueKind, VersioningBehavior, WorkerVersioningMode } = proto.temporal.api.enums.v1;
type Command = proto.temporal.api.command.v1.ICommand;
const namespace = 'default';
const identity = 'rogue';
const POLL_MS = 20_000;

/** A build of one's own, in the product's own worker deployment. Left out: a worker without a version. */
export interface Build {
  readonly deploymentName: string;
  readonly buildId: string;
}

/** Polls the workflow queue until it is given a task of this run. Others are let lie: who they belong to gets them a little later. */
export async function takeTask(hands: Hands, id: string, build?: Build): Promise<Uint8Array> {
  const client = await hands.client();
  const deploymentOptions =
    build === undefined ? undefined : { ...build, workerVersioningMode: WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED };
  const task = await until(async () => {
    const polled = client.withDeadline(Date.now() + POLL_MS, () =>
      client.workflowService.pollWorkflowTaskQueue({
        namespace,
        identity,
        taskQueue: { name: WORKFLOW_QUEUE, kind: TaskQueueKind.TASK_QUEUE_KIND_NORMAL },
        ...(deploymentOptions === undefined ? {} : { deploymentOptions }),
      }),
    );
    const { taskToken, workflowExecution } = await polled.catch(() => ({ taskToken: null, workflowExecution: null }));
    return workflowExecution?.workflowId === id && taskToken ? taskToken : undefined;
  }, 40_000);
  if (task === undefined) throw new Error('no workflow task came');
  return task;
}

/** Answers a workflow task with commands no workflow code made: nothing is replayed here. */
export async function answerTask(hands: Hands, taskToken: Uint8Array, commands: Command[], build?: Build): Promise<void> {
  const client = await hands.client();
  await client.workflowService.respondWorkflowTaskCompleted({
    namespace,
    identity,
    taskToken,
    commands,
    ...(build === undefined
      ? {}
      : {
          deploymentOptions: { ...build, workerVersioningMode: WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED },
          versioningBehavior: VersioningBehavior.VERSIONING_BEHAVIOR_PINNED,
        }),
  });
}

const payloadsOf = (value: unknown) => ({ payloads: [defaultPayloadConverter.toPayload(value)] });

/** The order of the payment, by the run itself. */
export const orderedAs = (activityId: string, input: unknown): Command => ({
  commandType: CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
  scheduleActivityTaskCommandAttributes: {
    activityId,
    activityType: { name: 'advance' },
    taskQueue: { name: executorQueue('bank') },
    input: payloadsOf(input),
    startToCloseTimeout: msToTs('20s'),
    scheduleToCloseTimeout: msToTs('30s'),
    retryPolicy: { maximumAttempts: 1 },
  },
});

export const endedAs = (result: unknown): Command => ({
  commandType: CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
  completeWorkflowExecutionCommandAttributes: { result: payloadsOf(result) },
});

/** What the executor answered to that order, as the run's history has it. */
export async function answerTo(hands: Hands, id: string, activityId: string): Promise<string> {
  const client = await hands.client();
  const answer = await until(async () => {
    const { events } = await client.workflow.getHandle(id).fetchHistory();
    const ordered = events?.find((event) => event.activityTaskScheduledEventAttributes?.activityId === activityId)?.eventId;
    const done = events?.find((event) => event.activityTaskCompletedEventAttributes?.scheduledEventId?.eq(ordered ?? -1) === true);
    return done?.activityTaskCompletedEventAttributes?.result?.payloads?.[0];
  });
  if (answer === undefined) return 'no answer';
  const { payload } = defaultPayloadConverter.fromPayload<{ payload: string }>(answer);
  const { result } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { result: { kind: string; code?: string } };
  return result.code ?? result.kind;
}

/** Takes a run from the worker that keeps it at hand, and gives the queue something to hand out. */
export async function wake(hands: Hands, id: string): Promise<void> {
  const client = await hands.client();
  await client.workflowService.resetStickyTaskQueue({ namespace, execution: { workflowId: id } });
  await client.workflow.getHandle(id).signal('decision', 'wake up');
}
