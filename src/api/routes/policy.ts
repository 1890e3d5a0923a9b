import { MAX_REQUEST_CHARS } from '../../domain/objects/request.js';
import { dryRun, dryRunSchema, overviewOf } from '../../domain/policy/dry-run.js';
import { readerOf } from '../credentials/reader.js';
import { answer, refused } from '../problem.js';
import { issuesOf, readBody } from '../read-body.js';
import type { Route } from '../route.js';

export const policy: Route = {
  method: 'get',
  path: '/v1/policy',
  summary: "The rules of the API's own copy of policy.yaml, by name; to an agent, those that could apply to it.",
  access: 'reader',
  answers: { 200: 'PolicyOverview', 401: 'Problem', 404: 'Problem', 500: 'Problem' },
  handle: async (api, c) => {
    const reader = readerOf(c, await api.roster(), Date.now());
    return answer(200, overviewOf((await api.policy()).policy, reader.kind === 'agent' ? reader.id : undefined));
  },
};

export const evaluatePolicy: Route = {
  method: 'post',
  path: '/v1/policy-evaluations',
  summary: "A dry run: what the API's own copy of the policy says to an action, without preview and without budgets. Nothing is proposed.",
  access: 'reader',
  body: ['DryRun'],
  answers: {
    200: 'PolicyEvaluation',
    400: 'Problem',
    401: 'Problem',
    403: 'Problem',
    404: 'Problem',
    413: 'Problem',
    422: 'Problem',
    500: 'Problem',
  },
  handle: async (api, c) => {
    const now = Date.now();
    const reader = readerOf(c, await api.roster(), now);
    const read = dryRunSchema.safeParse(await readBody(c, MAX_REQUEST_CHARS));
    if (!read.success) throw refused('request_invalid', `not a dry run: ${issuesOf(read.error)}`);
    const own = reader.kind === 'agent' ? reader.id : undefined;
    if (own !== undefined && read.data.agent !== undefined && read.data.agent !== own)
      throw refused('not_a_reviewer', 'an agent asks for itself; for any agent, a person asks');
    const copy = await api.policy();
    const said = dryRun(copy.policy, copy.roster, { ...read.data, ...(own === undefined ? {} : { agent: own }) }, now);
    if (typeof said === 'string') throw refused('params_invalid', said);
    return answer(200, said);
  },
};
