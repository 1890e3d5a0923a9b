import { z } from 'zod';
import type { ActionLine } from '../../domain/http.js';
import { personIdSchema, type PersonId } from '../../domain/ids.js';
import { toMs } from '../../domain/instant.js';
import { attributes } from '../../temporal/attributes.js';
import type { Api } from '../api.js';
import { readerOf } from '../credentials/reader.js';
import { answer, refused } from '../problem.js';
import { readQuery, type Route } from '../route.js';
import { listActions } from '../temporal/list.js';

const PAGE = 1_000;
const MAX_PAGES = 10;
const SHOWN = 200;
const query = z.strictObject({
  next: z
    .string()
    .regex(/^[0-9]{1,6}$/, 'not what a page of this list gave')
    .optional(),
  /** Whose: a person may look at what waits for those who handed over to him, as he may at every action. */
  for: personIdSchema.optional(),
});

export const inbox: Route = {
  method: 'get',
  path: '/v1/inbox',
  summary: 'Actions that ask for the reading person now, nearest deadline first; with for, those that ask for another.',
  access: 'reader',
  query,
  answers: { 200: 'ActionList', 401: 'Problem', 403: 'Problem', 503: 'Problem' },
  handle: async (api, c) => {
    const reader = readerOf(c, await api.roster(), Date.now());
    if (reader.kind !== 'person') throw refused('not_a_reviewer', 'an agent has no inbox');
    const asked = readQuery(c, query);
    const from = Number(asked.next ?? 0);
    const lines = (await awaiting(api, asked.for ?? reader.id)).sort((a, b) => atOf(a) - atOf(b) || (a.id < b.id ? -1 : 1));
    return answer(200, { actions: lines.slice(from, from + SHOWN), next: from + SHOWN < lines.length ? String(from + SHOWN) : null });
  },
};

const atOf = ({ deadline }: ActionLine): number => (deadline === null ? Number.MAX_SAFE_INTEGER : toMs(deadline));

/** All of them: SQL visibility sorts by start alone, and the nearest deadline may be the oldest action's. Refuses to pass over some in silence. */
async function awaiting({ client }: Api, person: PersonId): Promise<ActionLine[]> {
  const conditions = [
    { name: attributes.awaiting.name, value: person },
    { name: 'ExecutionStatus', value: 'Running' },
  ];
  const lines: ActionLine[] = [];
  let token: Uint8Array | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const { lines: some, next } = await listActions(client, conditions, PAGE, token);
    lines.push(...some);
    if (next === undefined) return lines;
    token = next;
  }
  throw refused('rate_limited', `more than ${PAGE * MAX_PAGES} actions ask for you: use GET /v1/actions with filters`);
}
