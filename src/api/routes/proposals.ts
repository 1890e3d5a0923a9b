import type { Roster } from '../../domain/roster.js';
import type { ActionId } from '../../domain/ids.js';
import type { Api, Call } from '../api.js';
import { answer } from '../problem.js';
import { openProposal } from '../proposals/open.js';
import { readProposal } from '../proposals/read-proposal.js';
import { load, type Loaded } from '../resource/load.js';
import type { Route } from '../route.js';

/** How long the answer waits for the seal, so that it usually says what is asked of whom. */
const SEAL_MS = 3_000;
const SEAL_POLL_MS = 60;

export const propose: Route = {
  method: 'post',
  path: '/v1/actions',
  summary: 'Proposes an action. The same idempotency key and body is the same action; it waits up to 3 s for the seal.',
  access: 'signature',
  body: ['Signed', 'Request'],
  answers: { 201: 'Action', 200: 'Action', 401: 'Problem', 413: 'Problem', 422: 'Problem', 503: 'Problem' },
  handle: async (api, c) => {
    const roster = await api.roster();
    const proposal = await readProposal(api, c, roster, Date.now());
    const opened = await openProposal(api, proposal, roster);
    api.metrics.count('keyturn_api_proposals_total', { opened });
    const { resource } = await sealed(api, c, proposal.id, roster);
    return answer(opened === 'known' ? 200 : 201, resource, { location: `/v1/actions/${proposal.id}` });
  },
};

async function sealed(api: Api, c: Call, id: ActionId, roster: Roster): Promise<Loaded> {
  const end = Date.now() + SEAL_MS;
  for (;;) {
    const loaded = await load(api, id, roster);
    const waiting = loaded.resource.running && loaded.resource.outcome.status === 'evaluating' && !loaded.resource.stale;
    if (!waiting || Date.now() >= end || c.req.raw.signal.aborted) return loaded;
    await new Promise((done) => setTimeout(done, SEAL_POLL_MS));
  }
}
