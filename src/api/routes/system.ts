import type { Api } from '../api.js';
import type { Gauge } from '../metrics.js';
import { answer, Refused, refused, temporalAway } from '../problem.js';
import type { Route } from '../route.js';

export const healthz: Route = {
  method: 'get',
  path: '/healthz',
  summary: 'This process answers.',
  access: 'open',
  answers: { 200: 'ok' },
  handle: async () => answer(200, { status: 'ok' }),
};

export const readyz: Route = {
  method: 'get',
  path: '/readyz',
  summary: 'Temporal answers and the roster can be used.',
  access: 'open',
  answers: { 200: 'ready', 503: 'Problem' },
  handle: async (api) => {
    await api.roster().catch((error: unknown) => {
      throw error instanceof Refused ? new Refused(error.refusal, { status: 503 }) : error;
    });
    await temporalAnswers(api);
    return answer(200, { status: 'ready' });
  },
};

async function temporalAnswers({ probe, waits }: Api): Promise<void> {
  if (waits.isClosing) throw refused('temporal_unavailable', 'this API is shutting down');
  if (!(await probe.answers())) throw temporalAway('Temporal does not answer for this namespace.');
}

export const metrics: Route = {
  method: 'get',
  path: '/metrics',
  summary: 'What this API counted, and what is open, in Prometheus text format.',
  access: 'open',
  answers: { 200: 'text/plain' },
  handle: async (api) =>
    new Response(api.metrics.text([waitingOf(api), ...(await api.pending.gauges())]), {
      headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
    }),
};

const waitingOf = ({ waits }: Api): Gauge => ({
  name: 'keyturn_api_waiting',
  help: 'Requests that wait for an end or a change.',
  values: [{ value: waits.count }],
});
