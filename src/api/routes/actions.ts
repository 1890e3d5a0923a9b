import { z } from 'zod';
import { fromBase64Url, toBase64Url } from '../../domain/bytes.js';
import { sha256 } from '../../domain/hash.js';
import { agentIdSchema, typeNameSchema } from '../../domain/ids.js';
import { statusSchema } from '../../domain/outcome.js';
import { attributes } from '../../temporal/attributes.js';
import { idOf } from '../action-id.js';
import { mustSee, nameOf, readerOf } from '../credentials/reader.js';
import { answer, notFound, refused } from '../problem.js';
import { loadAfter } from '../resource/load.js';
import { readQuery, type Route } from '../route.js';
import { describe } from '../temporal/describe.js';
import { listActions } from '../temporal/list.js';

const whole = (max: number) =>
  z
    .string()
    .regex(/^[0-9]{1,4}$/, 'a whole number')
    .transform(Number)
    .pipe(z.int().min(0).max(max));

const showQuery = z.strictObject({ wait: whole(50).default(0) });

export const show: Route = {
  method: 'get',
  path: '/v1/actions/{id}',
  summary: 'One action: outcome, receipt, envelopes, decisions. With wait, answers after its end, a question, or so many seconds.',
  access: 'reader',
  query: showQuery,
  answers: { 200: 'Action', 401: 'Problem', 404: 'Problem', 503: 'Problem' },
  handle: async (api, c) => {
    const roster = await api.roster();
    const reader = readerOf(c, roster, Date.now());
    const { wait } = readQuery(c, showQuery);
    const id = idOf(c);
    // Whose it is comes first: waiting must not tell strangers that it is there.
    const described = await describe(api.client, id);
    if (described === undefined) throw notFound();
    mustSee(reader, described.line.agent);
    const { resource } = await loadAfter(api, described, roster, wait * 1_000, { who: nameOf(reader), signal: c.req.raw.signal });
    api.looks.saw(resource.envelopes, reader.kind === 'person' ? reader.id : undefined, Date.now());
    return answer(200, resource);
  },
};

const listQuery = z.strictObject({
  status: statusSchema.optional(),
  type: typeNameSchema.optional(),
  agent: agentIdSchema.optional(),
  limit: whole(200).default(50),
  next: z.string().max(2_000).optional(),
});

export const list: Route = {
  method: 'get',
  path: '/v1/actions',
  summary: "Actions, newest first, as Temporal's visibility lists them: an end here is a claim, the action itself has the proof.",
  access: 'reader',
  query: listQuery,
  answers: { 200: 'ActionList', 401: 'Problem', 503: 'Problem' },
  handle: async (api, c) => {
    const reader = readerOf(c, await api.roster(), Date.now());
    const { status, type, agent, limit, next } = readQuery(c, listQuery);
    const wanted = [
      { name: attributes.status.name, value: status },
      { name: attributes.type.name, value: type },
      { name: attributes.agent.name, value: agent },
      { name: attributes.agent.name, value: reader.kind === 'agent' ? reader.id : undefined },
    ].flatMap(({ name, value }) => (value === undefined ? [] : [{ name, value }]));
    const page = await listActions(api.client, wanted, Math.max(1, limit), next === undefined ? undefined : tokenOf(next));
    return answer(200, { actions: page.lines, next: page.next === undefined ? null : tokenText(page.next) });
  },
};

/** Temporal's token with a check sum: it would take one that is none for a question it cannot answer, and the reader would wait in vain. */
const tokenText = (token: Uint8Array): string => toBase64Url(token) + sha256(token).slice(0, CHECK);
const CHECK = 8;

function tokenOf(next: string): Uint8Array {
  try {
    const token = fromBase64Url(next.slice(0, -CHECK));
    if (tokenText(token) === next) return token;
  } catch {
    // Not even base64url.
  }
  throw refused('request_invalid', 'query: next is not what a page of this list gave');
}
