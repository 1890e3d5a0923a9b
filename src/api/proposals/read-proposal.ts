import { MAX_REQUEST_CHARS, requestSchema } from '../../domain/objects/request.js';
import { PAYLOAD_TYPES, type Signed } from '../../domain/dsse.js';
import type { Json } from '../../domain/json.js';
import type { Roster } from '../../domain/roster.js';
import type { Api, Call } from '../api.js';
import { bearerAgent } from '../credentials/reader.js';
import { judgeRequest } from '../credentials/proposer.js';
import { Refused, refused } from '../problem.js';
import { issuesOf, readBody, ROOM_CHARS, signedOf } from '../read-body.js';
import type { Proposal } from './open.js';

/** The request of an agent: signed with its own key, or plain from one with a bearer key, whom the API then vouches for with its own. */
export async function readProposal(api: Api, c: Call, roster: Roster, now: number): Promise<Proposal> {
  const body = await readBody(c, MAX_REQUEST_CHARS + ROOM_CHARS);
  const signed = isSigned(body) ? signedOf(body, MAX_REQUEST_CHARS) : vouched(api, c, body, roster, now);
  if (signed.payload.length > MAX_REQUEST_CHARS) throw refused('request_too_large');
  if (signed.payloadType !== PAYLOAD_TYPES.request) throw refused('request_invalid', `expected payloadType ${PAYLOAD_TYPES.request}`);
  const judged = judgeRequest(signed, roster, now);
  if (!judged.ok) throw new Refused(judged.refusal);
  return { id: judged.id, request: judged.request, signed };
}

const isSigned = (body: Json): boolean => typeof body === 'object' && body !== null && 'payloadType' in body;

function vouched({ signer }: Api, c: Call, body: Json, roster: Roster, now: number): Signed {
  const agent = bearerAgent(c.req.header('authorization') ?? '', roster, now);
  if (agent === undefined) throw refused('credential_invalid', 'a request is signed, or comes with the bearer key of an agent');
  const request = requestSchema.safeParse(body);
  if (!request.success) throw refused('request_invalid', `not a request: ${issuesOf(request.error)}`);
  if (request.data.agent !== agent.id) throw refused('credential_invalid', `this bearer key is ${agent.id}'s`);
  if (signer === undefined) throw refused('credential_invalid', 'this API holds no key of its own to vouch with');
  return signer.sign('request', request.data);
}
