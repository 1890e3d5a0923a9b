import { buildEvidence } from '../../domain/evidence/build.js';
import { mustSee, readerOf } from '../credentials/reader.js';
import { notFound, temporalAway } from '../problem.js';
import { questionsOf, requestOf } from '../resource/resource.js';
import { load } from '../resource/load.js';
import type { Route } from '../route.js';
import { idOf } from '../action-id.js';

export const evidence: Route = {
  method: 'get',
  path: '/v1/actions/{id}/evidence',
  summary: 'The evidence file: envelopes, views, decisions, entries. What it is worth, `keyturn evidence verify` tells offline.',
  access: 'reader',
  answers: { 200: 'canonical JSON and a newline', 401: 'Problem', 404: 'Problem', 503: 'Problem' },
  handle: async (api, c) => {
    const roster = await api.roster();
    const reader = readerOf(c, roster, Date.now());
    const id = idOf(c);
    const { described, snapshot } = await load(api, id, roster);
    mustSee(reader, described.line.agent);
    if (snapshot === undefined) throw temporalAway('No workflow worker answers, so its evidence cannot be read.');
    if (snapshot.entries.length === 0) throw notFound('the ledger says nothing of this action yet');
    const questions = questionsOf(snapshot, requestOf(snapshot)?.agent, roster);
    return new Response(Buffer.from(buildEvidence(snapshot, questions)), {
      headers: { 'content-type': 'application/json', 'content-disposition': `attachment; filename="${id}.json"` },
    });
  },
};
