import { z } from 'zod';
import { actionIdSchema, personIdSchema } from '../../domain/ids.js';
import { attributes } from '../../temporal/attributes.js';
import { readerOf } from '../credentials/reader.js';
import { answer, refused } from '../problem.js';
import { readQuery, type Route } from '../route.js';
import { isPlace, nearest, type Place } from '../temporal/nearest.js';

const query = z.strictObject({
  next: z
    .string()
    .regex(/^-?[0-9]{1,16}\.act_[0-9a-z]{26}$/, 'not what a page of this list gave')
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
    const conditions = [
      { name: attributes.awaiting.name, value: asked.for ?? reader.id },
      { name: 'ExecutionStatus', value: 'Running' },
    ];
    const { lines, next } = await nearest(api.client, api.windows, conditions, asked.next === undefined ? undefined : placeOf(asked.next));
    return answer(200, { actions: lines, next: next === undefined ? null : `${next.at}.${next.id}` });
  },
};

function placeOf(next: string): Place {
  const [at, text] = next.split('.');
  const id = actionIdSchema.safeParse(text);
  const place = { at: Number(at), id: id.data ?? '' };
  if (!id.success || !isPlace(place)) throw refused('request_invalid', 'query: next is not what a page of this list gave');
  return place;
}
