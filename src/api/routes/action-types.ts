import { readerOf } from '../credentials/reader.js';
import { answer } from '../problem.js';
import type { Route } from '../route.js';

export const actionTypes: Route = {
  method: 'get',
  path: '/v1/action-types',
  summary: "The executors' signed manifests: types, versions, JSON Schemas of the parameters, editable fields, how each step is undone.",
  access: 'reader',
  answers: { 200: 'ActionTypes', 401: 'Problem', 503: 'Problem' },
  handle: async (api, c) => {
    const roster = await api.roster();
    readerOf(c, roster, Date.now());
    return answer(200, { manifests: (await api.manifests.all(roster)).map(({ signed }) => signed) });
  },
};
