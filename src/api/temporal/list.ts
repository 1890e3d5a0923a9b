import type { Client } from '@temporalio/client';
import type { ActionLine } from '../../domain/http.js';
import { attributes } from '../../temporal/attributes.js';
import { WORKFLOW_TYPES } from '../../temporal/names.js';
import { refused, temporalAway } from '../problem.js';
import { isNoAnswer, PATIENCE_MS, within } from './calls.js';
import { lineOf } from './describe.js';

export interface Page {
  readonly lines: readonly ActionLine[];
  readonly next: Uint8Array | undefined;
}

/** All of these must hold: a name's value; a moment of at least `from` and before `to` (ms; left out: open on that side), or none at all. */
export type Condition =
  | { readonly name: string; readonly value: string }
  | { readonly name: string; readonly from?: number | undefined; readonly to?: number | undefined; readonly orNone?: true }
  | { readonly name: string; readonly none: true };

/** A page of actions by Temporal's visibility, newest first. `token` as an earlier page gave it. Throws `temporal_unavailable`. */
export async function listActions(client: Client, conditions: readonly Condition[], size: number, token?: Uint8Array): Promise<Page> {
  const { namespace } = client.options;
  const more = token === undefined ? {} : { nextPageToken: token };
  const request = { namespace, query: queryOf(conditions), pageSize: size, ...more };
  const { executions, nextPageToken } = await asked(client, () => client.workflowService.listWorkflowExecutions(request));
  const lines = (executions ?? []).flatMap((info) => lineOf(info) ?? []);
  return { lines, next: nextPageToken === null || nextPageToken === undefined || nextPageToken.length === 0 ? undefined : nextPageToken };
}

/** How many there are. Throws `temporal_unavailable`. */
export async function countActions(client: Client, conditions: readonly Condition[]): Promise<number> {
  const request = { namespace: client.options.namespace, query: queryOf(conditions) };
  return Number((await asked(client, () => client.workflowService.countWorkflowExecutions(request))).count ?? 0);
}

/** How many actions of an agent are under way. Throws `temporal_unavailable`. */
export const countRunning = (client: Client, agent: string): Promise<number> =>
  countActions(client, [
    { name: attributes.agent.name, value: agent },
    { name: 'ExecutionStatus', value: 'Running' },
  ]);

async function asked<T>(client: Client, call: () => Promise<T>): Promise<T> {
  try {
    return await within(client, PATIENCE_MS, call);
  } catch (error) {
    if (isNoAnswer(error)) throw temporalAway('Temporal does not answer; nothing was asked of it or changed.');
    throw error;
  }
}

const queryOf = (conditions: readonly Condition[]): string =>
  [{ name: 'WorkflowType', value: WORKFLOW_TYPES.agentAction }, ...conditions].map(clause).join(' AND ');

function clause(condition: Condition): string {
  const { name } = condition;
  if ('value' in condition) return `${name} = ${quoted(condition.value)}`;
  if ('none' in condition) return `${name} IS NULL`;
  const { from, to, orNone } = condition;
  const sides = [
    ...(from === undefined ? [] : [`${name} > ${rightBefore(from)}`]),
    ...(to === undefined ? [] : [`${name} < ${rightBefore(to)}`]),
  ];
  const span = sides.length === 0 ? `${name} IS NOT NULL` : sides.join(' AND ');
  return orNone === true ? `(${span} OR ${name} IS NULL)` : span;
}

/**
 * Half a millisecond before: SQLite's visibility compares times as text and cuts trailing zeros on one side only, so a bound must never equal a time that
 * occurs, nor end in one.
 */
const rightBefore = (ms: number): string => `'${new Date(ms - 1).toISOString().replace('Z', '5Z')}'`;

/** A string of the query language. What could end it never gets in: names, types and statuses have no such characters. */
function quoted(value: string): string {
  if (!/^[A-Za-z0-9._:-]{1,200}$/.test(value)) throw refused('request_invalid', 'query: not a name');
  return `'${value}'`;
}
