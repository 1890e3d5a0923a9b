import { randomBytes } from 'node:crypto';
import { toHex } from '../../domain/bytes.js';
import { keyIdOfSigned, type Signed } from '../../domain/dsse.js';
import type { ActionId } from '../../domain/ids.js';
import { toInstant } from '../../domain/instant.js';
import { MAX_DECISION_CHARS } from '../../domain/objects/decision.js';
import { holderOf, type Agent, type Roster } from '../../domain/roster.js';
import { isByRoster, readCancel, stopMessageIn } from '../../domain/stops.js';
import type { Api, Call } from '../api.js';
import { holderName } from '../credentials/holder.js';
import { resolveRefused } from '../credentials/reviewer.js';
import { bearerAgent } from '../credentials/reader.js';
import { messageOfPerson } from '../messages/of-person.js';
import { sendMessage } from '../messages/send.js';
import { notFound, Refused, refused } from '../problem.js';
import { readBody, readSigned } from '../read-body.js';
import type { Route } from '../route.js';
import { describe } from '../temporal/describe.js';
import { withReserve } from '../temporal/gate.js';
import { idOf } from '../action-id.js';

export const cancel: Route = {
  method: 'post',
  path: '/v1/actions/{id}/cancel',
  summary: 'Takes a cancel signed by the agent or its owner; from an agent with a bearer key `{}`, for which the API signs.',
  access: 'signature',
  body: ['Signed', 'Empty'],
  answers: { 200: 'MessageAnswer', 202: 'MessageAnswer', 401: 'Problem', 404: 'Problem', 409: 'Problem', 503: 'Problem' },
  handle: async (api, c) => {
    const roster = await api.roster();
    const now = Date.now();
    const id = idOf(c);
    const bearer = bearerAgent(c.req.header('authorization') ?? '', roster, now);
    const signed = bearer === undefined ? await readSigned(c, MAX_DECISION_CHARS) : await vouched(api, c, { id, bearer, now, roster });
    const who = cancellerOf(signed, roster);
    if (who === undefined) throw refused('credential_invalid', 'only the agent or its owner cancels');
    api.limits.stop(who);
    return withReserve(async () => {
      const described = await describe(api.client, id);
      if (described === undefined) throw notFound();
      const { agent } = described.line;
      const asking = bearer?.id ?? agentBehind(signed, roster);
      if (asking !== undefined && asking !== agent) throw notFound();
      const read = readCancel(signed, roster, { actionId: id, agent }, now);
      if (!read.ok) throw new Refused(read.refusal);
      return sendMessage(api, described, roster, 'lodge', signed);
    });
  },
};

/** Whose limit a cancel counts for: whoever's key made the signature, or the agent the API vouches for. Undefined: nobody's. */
function cancellerOf(signed: Signed, roster: Roster): string | undefined {
  const stop = stopMessageIn(signed);
  if (stop?.kind !== 'cancel') throw refused('request_invalid', 'not a cancel: see the schema of cancel v1');
  return isByRoster(signed, stop, roster) ? holderName(signed, roster) : undefined;
}

/** The agent whose own key made the signature, if it was one's. */
function agentBehind(signed: Signed, roster: Roster): string | undefined {
  const keyId = keyIdOfSigned(signed);
  const holder = keyId === undefined ? undefined : holderOf(roster, keyId);
  return holder?.kind === 'agent' ? holder.id : undefined;
}

async function vouched({ signer }: Api, c: Call, asks: { id: ActionId; bearer: Agent; now: number; roster: Roster }): Promise<Signed> {
  const body = await readBody(c, 1_000);
  if (typeof body !== 'object' || body === null || Array.isArray(body) || Object.keys(body).length > 0)
    throw refused('request_invalid', 'an agent with a bearer key cancels with the body {}');
  if (signer === undefined) throw refused('credential_invalid', 'this API holds no key of its own to vouch with');
  return signer.sign('cancel', {
    v: 1,
    deployment: asks.roster.deployment,
    actionId: asks.id,
    by: `agent:${asks.bearer.id}`,
    nonce: toHex(randomBytes(16)),
    issuedAt: toInstant(asks.now),
  });
}

export const resolve: Route = {
  method: 'post',
  path: '/v1/actions/{id}/resolutions',
  summary: 'Takes what a person found out about one step: happened, did_not, undone_by_hand; signed by one the rule names.',
  access: 'signature',
  body: ['Signed'],
  answers: { 200: 'MessageAnswer', 202: 'MessageAnswer', 403: 'Problem', 404: 'Problem', 409: 'Problem', 503: 'Problem' },
  handle: async (api, c) => {
    const { roster, signed, described } = await messageOfPerson(api, c, resolveRefused);
    return sendMessage(api, described, roster, 'lodge', signed);
  },
};
