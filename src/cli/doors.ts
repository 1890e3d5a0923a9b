import { problemSchema } from '../domain/http.js';
import { digestOfSigned, signedSchema, type Signed } from '../domain/dsse.js';
import type { ActionId } from '../domain/ids.js';
import { doorInput } from '../domain/objects/answer.js';
import type { Status } from '../domain/outcome.js';
import { readAnswer } from '../domain/receipt.js';
import type { Executor, Roster } from '../domain/roster.js';
import { hasCode, type CliCode } from './errors.js';
import { inert } from './text/inert.js';

const PATIENCE_MS = 8_000;

/** What an executor's own door says of a stop message. `stands` only by that executor's signature; texts are inert. */
export type AtDoor =
  | { readonly executor: string; readonly state: 'stands'; readonly status: Status | null }
  | { readonly executor: string; readonly state: 'refused'; readonly code: CliCode; readonly text: string }
  | { readonly executor: string; readonly state: 'silent'; readonly text: string };

export const hasDoors = (roster: Roster): boolean => [...roster.executors.values()].some(({ door }) => door !== undefined);

/** Takes a signed stop message to every door the roster names, all at once. Never throws: what a door does not say, the others may. */
export function askDoors(roster: Roster, actionId: ActionId | null, signed: Signed): Promise<AtDoor[]> {
  const doors = [...roster.executors.values()].flatMap((executor) =>
    executor.door === undefined ? [] : [{ executor, door: executor.door }],
  );
  return Promise.all(doors.map(({ executor, door }) => askDoor(executor, door, roster, actionId, signed)));
}

async function askDoor(executor: Executor, door: string, roster: Roster, actionId: ActionId | null, signed: Signed): Promise<AtDoor> {
  const { name } = executor;
  const silent = (text: string): AtDoor => ({ executor: name, state: 'silent', text: inert(`${door} ${text}`) });
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(`${door}/v1/stops`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(signed),
      redirect: 'error',
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    body = await response.json();
  } catch (error) {
    return silent(`does not answer (${whyOf(error)})`);
  }
  if (!response.ok) {
    const problem = problemSchema.safeParse(body);
    return problem.success
      ? { executor: name, state: 'refused', code: problem.data.code, text: inert(problem.data.detail) }
      : silent(`answered ${response.status} without saying why`);
  }
  const answer = signedSchema.safeParse(body);
  const trust = { deployment: roster.deployment, keys: executor.keys.map(({ key }) => key) };
  const read = answer.success ? readAnswer('lodge', actionId, doorInput(actionId, signed), answer.data, trust) : undefined;
  if (read?.result.kind === 'stands' && read.result.digest === digestOfSigned(signed))
    return { executor: name, state: 'stands', status: read.answer.status };
  return silent('showed no answer that this executor signed: is roster.yaml up to date?');
}

function whyOf(error: unknown): string {
  const cause: unknown = typeof error === 'object' && error !== null && 'cause' in error ? error.cause : error;
  if (hasCode(cause, 'ECONNREFUSED')) return 'nobody listens there';
  return cause instanceof Error ? cause.message : String(cause);
}
