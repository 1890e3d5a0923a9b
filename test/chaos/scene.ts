import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { WorkflowExecutionAlreadyStartedError, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import type { Entry as BankEntry } from '../../examples/bank/wire.js';
import type { Signed } from '../../src/domain/dsse.js';
import type { ActionId } from '../../src/domain/ids.js';
import { canonicalize } from '../../src/domain/json.js';
import { endedSchema } from '../../src/domain/ended.js';
import type { Outcome, Status } from '../../src/domain/outcome.js';
import { snapshotSchema, type Snapshot } from '../../src/domain/review/snapshot.js';
import { temporalBinary } from '../../src/temporal/binary.js';
import { executorQueue, WORKFLOW_QUEUE, WORKFLOW_TASK_TIMEOUT } from '../../src/temporal/names.js';
import { openSealed, request, type SealedRevision } from '../helpers/messages.js';
import { answersIn } from './answers.js';
import { insist, Unrecoverable } from './insist.js';
import type { Lane } from './lane.js';
import type { Stage } from './stage.js';
import type { TypeName } from './types.js';

const run = promisify(execFile);
let accounts = 0;

/** One action as its case plays it: from outside, through Temporal, while anything may be down. Whatever fails is tried again. */
export class Scene {
  readonly id: ActionId;
  readonly iban = `DE00CHAOS${++accounts}`;
  private readonly signed: Signed;

  constructor(
    readonly stage: Stage,
    readonly lane: Lane,
    type: TypeName,
  ) {
    const params = { vendor: 'ACME', iban: this.iban, cents: 4_200 };
    ({ id: this.id, signed: this.signed } = request({ type: `${type}.${lane.name}`, params, reason: `${type} on ${this.iban}` }));
  }

  private get handle(): WorkflowHandle {
    return this.stage.client.workflow.getHandle(this.id);
  }

  /** Starts the workflow; the same id started twice is started once. */
  async propose(): Promise<void> {
    const start = { workflowId: this.id, taskQueue: WORKFLOW_QUEUE, workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT, args: [this.signed] };
    await insist(`${this.id} is started`, async () => {
      await this.stage.client.workflow.start('agentAction', start).catch((error: unknown) => {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      });
      return true;
    });
  }

  /** A decision, a cancel or a resolve, as a signal: Temporal keeps it while nobody is there to take it. */
  async send(door: 'decision' | 'lodge', signed: Signed): Promise<void> {
    await insist(`a signal reaches ${this.id}`, async () => {
      await this.handle.signal(door, signed);
      return true;
    });
  }

  /** Revision number `revision`, once the executor has sealed it. */
  sealed(revision: number): Promise<SealedRevision> {
    return insist(`revision ${revision} of ${this.id}`, async () => {
      const seals = (await answersIn(this.handle)).flatMap(({ result }) => (result.kind === 'sealed' ? [openSealed(result)] : []));
      return seals.find(({ envelope }) => envelope.revision === revision);
    });
  }
  /** Waits until the executor's last word is this status. */
  async status(status: Status): Promise<void> {
    await insist(`${status} of ${this.id}`, async () => (await answersIn(this.handle)).at(-1)?.status === status || undefined);
  }
  snapshot(): Promise<Snapshot> {
    return insist(`a snapshot of ${this.id}`, async () => snapshotSchema.parse(await this.handle.query('action')));
  }

  outcome(): Promise<Outcome> {
    return insist(`${this.id} ends`, async () => {
      try {
        return endedSchema.parse(await this.handle.result());
      } catch (error) {
        if (error instanceof WorkflowFailedError) throw new Unrecoverable(String(error.cause ?? error));
        throw error;
      }
    });
  }

  async cancelInTemporal(): Promise<void> {
    await insist(`${this.id} is cancelled`, async () => this.handle.cancel());
  }

  /** The processes that took its activities, by id, as Temporal's history names them. */
  async executors(): Promise<number[]> {
    const { events } = await this.handle.fetchHistory();
    return (events ?? []).flatMap(({ activityTaskStartedEventAttributes: started }) => {
      const pid = Number.parseInt(started?.identity ?? '', 10);
      return Number.isNaN(pid) ? [] : [pid];
    });
  }

  /** What the bank's own book says that this action did. */
  async effects(): Promise<BankEntry[]> {
    return (await this.stage.bank.book()).filter(({ key }) => key.startsWith(`${this.id}/`));
  }
  async untilEffects(count: number): Promise<void> {
    await insist(`${this.id} has ${count} effects`, async () => ((await this.effects()).length >= count ? true : undefined));
  }

  /** One of the executor's activities with no workflow around it, by the command line, as anybody in the namespace could. */
  async order(activity: string, body: Readonly<Record<string, unknown>>): Promise<void> {
    const { path } = await temporalBinary({ log: () => undefined });
    const temporal = (...args: string[]) =>
      run(path, ['activity', ...args, '--activity-id', `order-${this.id}`, '--address', this.stage.address]);
    const input = canonicalize({ actionId: this.id, have: 0, ...body });
    const limits = ['--start-to-close-timeout', '60s', '--heartbeat-timeout', '4s', '--id-conflict-policy', 'UseExisting'];
    const [type, queue] = [activity, executorQueue(this.lane.name)];
    await insist(`${activity} of ${this.id} is answered`, async () => {
      await temporal('start', '--type', type, '--task-queue', queue, '--input', input, ...limits);
      await temporal('result');
      return true;
    });
  }
}
