import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import { isBetweenTasks } from '../../src/api/temporal/calls.js';
import { digestOfSigned, readPayload, type Signed } from '../../src/domain/dsse.js';
import { envelopeSchema } from '../../src/domain/objects/envelope.js';
import { endedSchema } from '../../src/domain/ended.js';
import { canonicalize } from '../../src/domain/json.js';
import { endOf, extendReceipt } from '../../src/domain/receipt.js';
import type { Outcome, Status } from '../../src/domain/outcome.js';
import { snapshotSchema, type Snapshot } from '../../src/domain/review/snapshot.js';
import type { ActionType } from '../../src/executor/define-action.js';
import type { Executor } from '../../src/executor/executor.js';
import type { Database } from '../../src/executor/ledger/database.js';
import { openSqlite } from '../../src/executor/ledger/sqlite.js';
import { initLedger } from '../../src/executor/ledger/ledger.js';
import { counted, executorMetrics } from '../../src/executor/metrics.js';
import { installRuntime } from '../../src/temporal/runtime.js';
import { loadWorkflowBundle } from '../../src/temporal/bundle.js';
import { openClient } from '../../src/temporal/connection.js';
import { dataConverter } from '../../src/temporal/data-converter.js';
import { startDevServer } from '../../src/temporal/dev-server.js';
import { startWorker, type RunningWorker } from '../../src/worker.js';
import { WORKFLOW_QUEUE, WORKFLOW_TASK_TIMEOUT } from '../../src/temporal/names.js';
import type { Door, MessageReceipt } from '../../src/workflows/doors.js';
import { FakeBank } from './fake-bank.js';
import { request, type Proposal, type SealedRevision } from './messages.js';
import { makeNamespace } from './namespace.js';
import { policyText, rosterText, DEPLOYMENT, TestRules, type PolicyOptions, type RosterOptions } from './rules-fixture.js';
import { bankTypes } from './types.js';
import { makeExecutor, TestClock } from './world.js';

export interface RigOptions {
  readonly policy?: PolicyOptions;
  readonly roster?: RosterOptions;
  readonly types?: (bank: FakeBank) => ReadonlyMap<string, ActionType>;
  /** Serves the Temporal Web UI there. */
  readonly uiPort?: number;
  /** Of the server's dynamic configuration, where the server is the rig's own. */
  readonly serverSettings?: readonly string[];
}
/** A held action as a test sees it. */
export interface Held {
  readonly id: string;
  readonly handle: WorkflowHandle;
  readonly sealed: SealedRevision;
}

interface RigServer {
  readonly address: string;
  readonly namespace: string;
  stop(): Promise<void>;
}

async function serverFor(dir: string, { uiPort, serverSettings = [] }: RigOptions): Promise<RigServer> {
  const given = process.env['TEMPORAL_TEST_ADDRESS'];
  if (given !== undefined) return { address: given, namespace: await makeNamespace(given), stop: () => Promise.resolve() };
  const extraArgs = serverSettings.flatMap((setting) => ['--dynamic-config-value', setting]);
  const ui = uiPort === undefined ? {} : { uiPort };
  const { address, stop } = await startDevServer({ dbFilename: join(dir, 'temporal.db'), extraArgs, ...ui });
  return { address, namespace: 'default', stop };
}

/**
 * A real Temporal server of its own (or a namespace of its own on the one at `TEMPORAL_TEST_ADDRESS`), a real workflow worker and an executor over a real
 * SQLite ledger; only the target is fake.
 * `stop` replays the history of every action the test started: a workflow that is not deterministic fails its test.
 */
export class Rig {
  readonly notices: string[] = [];
  private worker: RunningWorker | undefined;
  private executorWorker: RunningWorker | undefined;
  private readonly handles: WorkflowHandle[] = [];
  private constructor(
    readonly dir: string,
    readonly server: RigServer,
    readonly temporal: Awaited<ReturnType<typeof openClient>>,
    readonly bank: FakeBank,
    readonly executor: Executor,
    readonly rules: TestRules,
    /** The ledger's. */
    readonly database: Database,
  ) {}

  static async start(options: RigOptions = {}): Promise<Rig> {
    const dir = await mkdtemp(join(tmpdir(), 'keyturn-rig-'));
    const server = await serverFor(dir, options);
    await writeFile(join(dir, 'roster.yaml'), rosterText(options.roster));
    const temporal = await openClient({ connectionOptions: { address: server.address }, namespace: server.namespace });
    const database = openSqlite(join(dir, 'ledger.db'), { create: true });
    await initLedger(database, DEPLOYMENT);
    const rules = new TestRules(policyText(options.policy), rosterText(options.roster));
    const bank = new FakeBank();
    const made = await makeExecutor({ database, clock: new TestClock(), types: (options.types ?? bankTypes)(bank), rules });
    const executor = counted({ ...made, now: () => Date.now() }, executorMetrics(installRuntime(), made.name));
    const rig = new Rig(dir, server, temporal, bank, executor, rules, database);
    await rig.startWorker();
    await rig.startExecutor();
    return rig;
  }

  get settings() {
    return { connectionOptions: { address: this.server.address }, namespace: this.server.namespace };
  }
  get client() {
    return this.temporal.client;
  }

  async startWorker(more: { readonly reviewUrl?: string } = {}): Promise<void> {
    this.worker = await startWorker(
      { role: 'workflow', roster: join(this.dir, 'roster.yaml'), ...more },
      (line) => this.notices.push(line),
      this.settings,
    );
  }
  async stopWorker(): Promise<void> {
    await this.worker?.stop();
    this.worker = undefined;
  }
  async startExecutor(): Promise<void> {
    this.executorWorker = await startWorker({ role: 'executor', executor: this.executor }, () => undefined, this.settings);
  }
  async stopExecutor(): Promise<void> {
    await this.executorWorker?.stop();
    this.executorWorker = undefined;
  }

  /** Starts the workflow as anybody with access to the namespace could; waits for nothing. */
  async start(id: string, args: readonly unknown[]): Promise<WorkflowHandle> {
    const handle = await this.client.workflow.start('agentAction', {
      workflowId: id,
      taskQueue: WORKFLOW_QUEUE,
      workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
      args: [...args],
    });
    this.follow(handle);
    return handle;
  }
  /** Its history is replayed at the end, too. */
  follow(handle: WorkflowHandle): void {
    this.handles.push(handle);
  }

  /** Proposes and waits until it is held. */
  async propose(proposal: Proposal = {}): Promise<Held> {
    const { id, signed } = request(proposal);
    const handle = await this.start(id, [signed]);
    return { id, handle, sealed: await this.sealed(handle, 1) };
  }

  async snapshot(handle: WorkflowHandle): Promise<Snapshot> {
    return snapshotSchema.parse(await handle.query('action'));
  }

  async when(handle: WorkflowHandle, what: string, so: (snapshot: Snapshot) => boolean, ms = 20_000): Promise<Snapshot> {
    const end = Date.now() + ms;
    for (;;) {
      const snapshot = await this.snapshot(handle);
      if (so(snapshot)) return snapshot;
      if (Date.now() > end) throw new Error(`in vain: ${what}: ${JSON.stringify(snapshot.outcome)} ${JSON.stringify(snapshot.decisions)}`);
      await new Promise((done) => setTimeout(done, 25));
    }
  }

  status(handle: WorkflowHandle, status: Status): Promise<Snapshot> {
    return this.when(handle, status, (snapshot) => snapshot.outcome.status === status);
  }

  /** The newest revision, once it is number `revision`. */
  async sealed(handle: WorkflowHandle, revision: number): Promise<SealedRevision> {
    const snapshot = await this.when(handle, `revision ${revision}`, (each) => each.revision >= revision);
    const signed = snapshot.envelopes.at(-1);
    if (signed === undefined || snapshot.digest === null || snapshot.view === null) throw new Error('no envelope');
    const envelope = envelopeSchema.parse(readPayload('envelope', signed));
    return { id: envelope.actionId, digest: snapshot.digest, view: snapshot.view, envelope, signed, rejections: [] };
  }

  /** Sends the Update; a refusal comes back as its code. The server takes none while the run's last task stands failed, so it is sent again. */
  async decide(handle: WorkflowHandle, signed: Signed, door: Door = 'decision'): Promise<string> {
    for (let tries = 0; ; tries++) {
      try {
        return await this.decideOnce(handle, signed, door);
      } catch (error) {
        if (!isBetweenTasks(error) || tries >= 300) throw error;
        await new Promise((done) => setTimeout(done, 100));
      }
    }
  }

  private async decideOnce(handle: WorkflowHandle, signed: Signed, door: Door): Promise<string> {
    try {
      const { fate } = await handle.executeUpdate<MessageReceipt, [unknown]>(door, { args: [signed], updateId: digestOfSigned(signed) });
      return fate.state === 'refused' ? fate.code : fate.state;
    } catch (error) {
      if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure) return error.cause.type ?? 'no type';
      throw error;
    }
  }

  /** The outcome a run ended with, which its own receipt must prove. */
  async outcome(handle: WorkflowHandle): Promise<Outcome> {
    const { receipt, ...outcome } = endedSchema.parse(await handle.result());
    const entries = extendReceipt([], outcome.id, receipt);
    if (entries === undefined || (entries.length > 0 && canonicalize(endOf(outcome.id, entries)) !== canonicalize(outcome)))
      throw new Error(`the receipt of ${outcome.id} does not prove that it is ${outcome.status}`);
    return outcome;
  }

  /** The history of an action replays under the present code. */
  async replay(): Promise<void> {
    for (const handle of this.handles) {
      const history = await handle.fetchHistory();
      await Worker.runReplayHistory({ workflowBundle: await loadWorkflowBundle(), dataConverter }, history, handle.workflowId);
    }
  }

  async stop(): Promise<void> {
    try {
      await this.stopWorker();
      await this.stopExecutor();
      await this.replay();
    } finally {
      await this.executor.ledger.close();
      await this.temporal.connection.close();
      await this.server.stop();
      await rm(this.dir, { recursive: true, force: true });
    }
  }
}
