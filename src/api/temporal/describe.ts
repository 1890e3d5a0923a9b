import { WorkflowNotFoundError, type Client, type WorkflowExecutionStatusName } from '@temporalio/client';
import { actionLineSchema, type ActionLine } from '../../domain/http.js';
import type { ActionId } from '../../domain/ids.js';
import { attributes } from '../../temporal/attributes.js';
import { WORKFLOW_TYPES } from '../../temporal/names.js';
import { temporalAway } from '../problem.js';
import { isNoAnswer, isNotFound, PATIENCE_MS, within, type Execution, type Payload } from './calls.js';

/** How a run stands in Temporal. `completed` is the only close that may carry an outcome. */
export type RunState = 'running' | 'completed' | 'terminated' | 'closed';

/** What Temporal itself knows of an action: search attributes are the worker's claims, never proof. */
export interface Described {
  readonly line: ActionLine;
  readonly run: RunState;
  /** Events in its history: rises with everything that happens to it. */
  readonly events: number;
}

/** Undefined: no such action. Throws `temporal_unavailable` when Temporal does not answer. */
export async function describe(client: Client, id: ActionId): Promise<Described | undefined> {
  try {
    const { status, raw } = await within(client, PATIENCE_MS, () => client.workflow.getHandle(id).describe());
    const line = lineOf(raw.workflowExecutionInfo ?? {});
    const events = Number(raw.workflowExecutionInfo?.historyLength ?? 0);
    return line === undefined ? undefined : { line, run: runOf(status.name), events };
  } catch (error) {
    if (isNotFound(error) || error instanceof WorkflowNotFoundError) return undefined;
    if (isNoAnswer(error)) throw temporalAway('Temporal does not answer; nothing was asked of it or changed.');
    throw error;
  }
}

function runOf(status: WorkflowExecutionStatusName): RunState {
  switch (status) {
    case 'RUNNING':
    case 'PAUSED':
      return 'running';
    case 'COMPLETED':
      return 'completed';
    case 'TERMINATED':
      return 'terminated';
    default:
      return 'closed';
  }
}

/** One line of a list. Undefined for what is no action of ours, or was started by hand with attributes that are none. */
export function lineOf(info: Execution): ActionLine | undefined {
  if (info.type?.name !== WORKFLOW_TYPES.agentAction) return undefined;
  const fields = info.searchAttributes?.indexedFields ?? {};
  const value = ({ name }: { readonly name: string }): unknown => valueOf(fields[name]);
  const awaiting = value(attributes.awaiting);
  const line = actionLineSchema.safeParse({
    id: info.execution?.workflowId,
    status: value(attributes.status),
    type: value(attributes.type) ?? '',
    agent: value(attributes.agent) ?? '',
    risk: value(attributes.risk) ?? null,
    rule: value(attributes.rule) ?? null,
    awaiting: awaiting === undefined ? [] : [awaiting].flat(),
    deadline: instantOf(value(attributes.deadline)),
    startedAt: instantOf(Number(info.startTime?.seconds ?? 0) * 1_000 + Math.trunc((info.startTime?.nanos ?? 0) / 1_000_000)),
  });
  return line.success ? line.data : undefined;
}

/** Search attributes are always plain JSON, whatever codec payloads pass through. */
function valueOf(payload: Payload | undefined): unknown {
  if (payload?.data === null || payload?.data === undefined || payload.data.length === 0) return undefined;
  try {
    return JSON.parse(Buffer.from(payload.data).toString('utf8')) ?? undefined;
  } catch {
    return undefined;
  }
}

function instantOf(value: unknown): string | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
