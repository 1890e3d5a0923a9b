import { readDecision } from '../../domain/admit.js';
import type { Signed } from '../../domain/dsse.js';
import { refuse } from '../../domain/codes.js';
import { digestSchema, type ActionId } from '../../domain/ids.js';
import { durationText } from '../../domain/instant.js';
import { MAX_DECISION_CHARS } from '../../domain/objects/decision.js';
import type { Api } from '../api.js';
import { holderName } from '../credentials/holder.js';
import { decisionRefused } from '../credentials/reviewer.js';
import { bearerAgent, mustSee, readerOf } from '../credentials/reader.js';
import { fateIn, whyNotHeld } from '../messages/fate.js';
import { answerOf, sendMessage } from '../messages/send.js';
import { answer, notFound, Refused, refused } from '../problem.js';
import { readSigned } from '../read-body.js';
import { load } from '../resource/load.js';
import type { Roster } from '../../domain/roster.js';
import type { Route } from '../route.js';
import { describe } from '../temporal/describe.js';
import { withReserve } from '../temporal/gate.js';
import { recordedMessage } from '../temporal/history.js';
import { idOf } from '../action-id.js';

export const decide: Route = {
  method: 'post',
  path: '/v1/actions/{id}/decisions',
  summary: "Takes a decision signed with a reviewer's own key: 200 counted or standing, 202 recorded and not judged yet.",
  access: 'signature',
  body: ['Signed'],
  answers: {
    200: 'MessageAnswer',
    202: 'MessageAnswer',
    403: 'Problem',
    404: 'Problem',
    409: 'Problem',
    412: 'Problem',
    422: 'Problem',
    503: 'Problem',
  },
  handle: async (api, c) => {
    const roster = await api.roster();
    const now = Date.now();
    const id = idOf(c);
    if (bearerAgent(c.req.header('authorization') ?? '', roster, now) !== undefined) throw refused('not_a_reviewer');
    const signed = await readSigned(c, MAX_DECISION_CHARS);
    const refusal = decisionRefused(signed, id, roster, now);
    if (refusal !== undefined) throw new Refused(refusal);
    const verdict = readDecision(signed)?.decision.verdict;
    const isNo = verdict === 'reject' || verdict === 'withdraw';
    api.limits[isNo ? 'stop' : 'decision'](holderName(signed, roster));
    const pass = async (): Promise<Response> => {
      const described = await describe(api.client, id);
      if (described === undefined) throw notFound();
      await mustHaveRead(api, id, signed, roster);
      return sendMessage(api, described, roster, 'decision', signed).catch((error: unknown) => {
        throw notAsked(error, signed, described.line.agent, roster);
      });
    };
    return isNo ? withReserve(pass) : pass();
  },
};

export const fate: Route = {
  method: 'get',
  path: '/v1/actions/{id}/decisions/{digest}',
  summary: 'What became of a decision, cancel or resolve: waiting, counted, stands, or refused with a code.',
  access: 'reader',
  answers: { 200: 'MessageAnswer', 401: 'Problem', 404: 'Problem', 503: 'Problem' },
  handle: async (api, c) => {
    const roster = await api.roster();
    const now = Date.now();
    const reader = readerOf(c, roster, now);
    const id = idOf(c);
    const digest = digestSchema.safeParse(c.req.param('digest'));
    const loaded = await load(api, id, roster);
    mustSee(reader, loaded.described.line.agent);
    if (!digest.success) throw notFound('there is no such message');
    const { snapshot } = loaded;
    const known = snapshot === undefined ? undefined : fateIn(snapshot, digest.data);
    if (known !== undefined) return answer(200, answerOf(id, digest.data, known, loaded));
    const recorded = await recordedMessage(api.client, id, digest.data);
    if (recorded === undefined) throw notFound('there is no such message');
    if (snapshot !== undefined) return answer(200, answerOf(id, digest.data, whyNotHeld(recorded, snapshot, now), loaded));
    return answer(200, {
      ...answerOf(id, digest.data, { state: 'waiting' }, undefined),
      judged: false,
      status: loaded.resource.outcome.status,
    });
  },
};

/**
 * The guard `minView`: a quality guard of this API alone. Of a revision it never saw it asks the workflow; while no worker answers it cannot tell, and
 * passes the decision on.
 */
async function mustHaveRead(api: Api, id: ActionId, signed: Signed, roster: Roster): Promise<void> {
  const decision = readDecision(signed)?.decision;
  if (decision?.verdict !== 'approve') return;
  if (!api.looks.knows(decision.digest)) api.looks.saw((await load(api, id, roster)).resource.envelopes, undefined, Date.now());
  const left = api.looks.left(decision.person, decision.digest, Date.now());
  if (left === undefined) return;
  const seconds = Math.ceil(left.wait / 1_000);
  const text = left.read
    ? `the rule wants it read for ${durationText(left.minView)} first: ${seconds} s are left`
    : `the rule wants it read for ${durationText(left.minView)} first, and this API has not shown it to you: read it, then wait ${seconds} s`;
  throw new Refused(refuse('guard_unmet', text), { headers: { 'retry-after': String(seconds) } });
}

/**
 * The workflow knows only the keys of those the action asks. Whose signature this API verified and the workflow does not know is somebody else of the
 * roster: the agent's owner is told why she is never asked, the rest that they are not. Any other error stays what it is.
 */
function notAsked(error: unknown, signed: Signed, agent: string, roster: Roster): unknown {
  if (!(error instanceof Refused) || error.refusal.code !== 'signature_invalid') return error;
  const person = readDecision(signed)?.decision.person;
  const owner = [...roster.agents.values()].find(({ id }) => id === agent)?.owner;
  return person === owner ? refused('self_approval') : refused('not_eligible', 'your signature is good, but this action does not ask you');
}
