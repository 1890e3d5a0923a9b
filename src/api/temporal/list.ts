import type { Client } from '@temporalio/client';
import type { ActionLine } from '../../domain/http.js';
import { WORKFLOW_TYPES } from '../../temporal/names.js';
import { refused, temporalAway } from '../problem.js';
import { isNoAnswer, PATIENCE_MS, within } from './calls.js';
import { lineOf } from './describe.js';

export interface Page {
  readonly lines: readonly ActionLine[];
  readonly next: Uint8Array | undefined;
}

/** `Name = 'value'` conditions, all of which must hold. */
export interface Condition {
  readonly name: string;
  readonly value: string;
}

/** A page of actions by Temporal's visibility, newest first. `token` as an earlier page gave it. Throws `temporal_unavailable`. */
export async function listActions(client: Client, conditions: readonly Condition[], size: number, token?: Uint8Array): Promise<Page> {
  const query = [{ name: 'WorkflowType', value: WORKFLOW_TYPES.agentAction }, ...conditions].map(
    ({ name, value }) => `${name} = ${quoted(value)}`,
  );
  try {
    const { executions, nextPageToken } = await within(client, PATIENCE_MS, () =>
      client.workflowService.listWorkflowExecutions({
        namespace: client.options.namespace,
        query: query.join(' AND '),
        pageSize: size,
        ...(token === undefined ? {} : { nextPageToken: token }),
      }),
    );
    const lines = (executions ?? []).flatMap((info) => lineOf(info) ?? []);
    return { lines, next: nextPageToken === null || nextPageToken === undefined || nextPageToken.length === 0 ? undefined : nextPageToken };
  } catch (error) {
    if (isNoAnswer(error)) throw temporalAway('Temporal does not answer; nothing was asked of it or changed.');
    throw error;
  }
}

/** A string of the query language. What could end it never gets in: names, types and statuses have no such characters. */
function quoted(value: string): string {
  if (!/^[A-Za-z0-9._:-]{1,200}$/.test(value)) throw refused('request_invalid', 'query: not a name');
  return `'${value}'`;
}
