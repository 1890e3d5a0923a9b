import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import type { Client, Connection, WorkflowHandle } from '@temporalio/client';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { Signed, Signer } from '../src/domain/dsse.js';
import { snapshotSchema, type Snapshot } from '../src/domain/review/snapshot.js';
import { openClient } from '../src/temporal/connection.js';
import { executorQueue, WORKFLOW_QUEUE } from '../src/temporal/names.js';
import type { Holds } from './attack.js';
import { signer } from './town.js';

const WAIT_MS = 10_000;

/** What one attacker can do with what it holds. */
export class Hands {
  private opened: Promise<{ connection: Connection; client: Client }> | undefined;
  constructor(readonly holds: Holds) {}

  key(n = 0): Signer {
    const key = this.holds.keys[n];
    if (key === undefined) throw new Error(`this attacker holds no key ${n}`);
    return signer(key);
  }
  get api(): string {
    if (this.holds.api === undefined) throw new Error('this attacker does not know the API');
    return this.holds.api;
  }
  get address(): string {
    if (this.holds.temporal === undefined) throw new Error('this attacker does not reach Temporal');
    return this.holds.temporal;
  }
  async client(): Promise<Client> {
    this.opened ??= openClient({ connectionOptions: { address: this.address }, namespace: 'default' });
    return (await this.opened).client;
  }
  async close(): Promise<void> {
    await (await this.opened)?.connection.close();
  }

  /** Orders an activity of the executor with no workflow at all. Returns its word: a code, or the kind of the result. */
  async order(activity: string, input: unknown): Promise<string> {
    return wordOf(await this.told(activity, input));
  }
  /** The same; what is inside the executor's signed answer. */
  async told(activity: string, input: unknown): Promise<Record<string, unknown>> {
    const client = await this.client();
    const signed: unknown = await client.activity.execute(activity, {
      id: `rogue-${randomUUID()}`,
      taskQueue: executorQueue('bank'),
      args: [input],
      startToCloseTimeout: '20s',
      scheduleToCloseTimeout: '30s',
      retry: { maximumAttempts: 1 },
    });
    const { payload } = signed as Signed;
    return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { result: Record<string, unknown> }).result;
  }
  /** The execution of an action, ordered with these votes. */
  advance(id: string, digest: string | null, decisions: readonly Signed[]): Promise<string> {
    return this.order('advance', { actionId: id, have: 0, digest, decisions });
  }

  async start(id: string, args: readonly unknown[]): Promise<WorkflowHandle> {
    const client = await this.client();
    return client.workflow.start('agentAction', { workflowId: id, taskQueue: WORKFLOW_QUEUE, args: [...args] });
  }
  /** Removes a run from Temporal, with its history. */
  async delete(id: string): Promise<void> {
    const client = await this.client();
    await client.workflowService.deleteWorkflowExecution({ namespace: 'default', workflowExecution: { workflowId: id } });
  }
  /** How a run ended, `running` after some time: `credential_invalid` of a denied one, else its status. */
  async end(handle: WorkflowHandle): Promise<string> {
    const over = new Promise<string>((done) => setTimeout(() => done('running'), WAIT_MS).unref());
    const ended = handle.result().then((result: unknown) => {
      const { status, reason } = result as { status: string; reason: { code: string } };
      return status === 'denied' ? reason.code : status;
    });
    return Promise.race([ended, over]);
  }
  /** The code of a refused Update, or what became of the decision. */
  async update(id: string, decision: unknown): Promise<string> {
    const client = await this.client();
    try {
      const receipt: unknown = await client.workflow.getHandle(id).executeUpdate('decision', { args: [decision] });
      return (receipt as { fate: { state: string } }).fate.state;
    } catch (error) {
      if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure) return error.cause.type ?? 'refused';
      return error instanceof Error ? error.name : 'refused';
    }
  }
  async snapshot(id: string): Promise<Snapshot> {
    const client = await this.client();
    return snapshotSchema.parse(await client.workflow.getHandle(id).query('action'));
  }
  /** What a run was started with, as its history has it. */
  async firstInput(id: string): Promise<unknown> {
    const client = await this.client();
    const { events } = await client.workflow.getHandle(id).fetchHistory();
    const data = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]?.data;
    return JSON.parse(Buffer.from(data ?? []).toString()) as unknown;
  }
  /** The event a run can be reset to, right after its start. */
  async firstTask(id: string): Promise<string> {
    const client = await this.client();
    const { events } = await client.workflow.getHandle(id).fetchHistory();
    return String(events?.find((event) => event.workflowTaskCompletedEventAttributes)?.eventId);
  }
  /** The `temporal` command line. */
  async cli(binary: string, ...args: string[]): Promise<string> {
    return (await promisify(execFile)(binary, [...args, '--address', this.address], { timeout: 30_000 })).stdout;
  }

  /** A message of a reviewer, over HTTP: the code it is refused with, or what became of it. */
  decide(id: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<string> {
    return this.post(`/v1/actions/${id}/decisions`, body, headers);
  }
  /** The same of an agent's answer to a question. */
  answer(id: string, body: unknown): Promise<string> {
    return this.post(`/v1/actions/${id}/answers`, body);
  }
  private async post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<string> {
    const response = await fetch(`${this.api}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    const answer = (await response.json()) as { code?: string; fate?: { state: string; code?: string } };
    return answer.code ?? answer.fate?.code ?? answer.fate?.state ?? String(response.status);
  }
}

const wordOf = ({ code, kind }: Record<string, unknown>): string => String(code ?? kind);

/** Asks until it is so, or the time is over. */
export async function until<T>(ask: () => Promise<T | undefined>, ms = WAIT_MS): Promise<T | undefined> {
  for (const end = Date.now() + ms; Date.now() < end; await new Promise((done) => setTimeout(done, 100))) {
    const found = await ask();
    if (found !== undefined) return found;
  }
  return undefined;
}
