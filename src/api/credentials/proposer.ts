import { refuse, type Refusal } from '../../domain/codes.js';
import { keyIdOfSigned, readPayload, verifySigned, type Signed } from '../../domain/dsse.js';
import { actionIdOf, type ActionId } from '../../domain/ids.js';
import { requestSchema, type Request } from '../../domain/objects/request.js';
import { matchesType } from '../../domain/policy/match.js';
import { holderOf, keyValidAt, type Roster } from '../../domain/roster.js';
import { issuesOf } from '../read-body.js';

export type Judged =
  { readonly ok: true; readonly request: Request; readonly id: ActionId } | { readonly ok: false; readonly refusal: Refusal };

const no = (code: Refusal['code'], text?: string): Judged => ({ ok: false, refusal: refuse(code, text) });

/**
 * Who asks (§4), by the API's own roster: the agent's key, or the API's for an agent with a bearer key. The executor asks the same of its roster,
 * and its answer is the one that counts; this one keeps rubbish out of Temporal. `now` in ms.
 */
export function judgeRequest(signed: Signed, roster: Roster, now: number): Judged {
  const read = requestSchema.safeParse(readPayload('request', signed));
  if (!read.success) return no('request_invalid', `not a request: ${issuesOf(read.error)}`);
  const request = read.data;
  const agent = roster.agents.get(request.agent);
  const keyId = keyIdOfSigned(signed);
  const holder = keyId === undefined ? undefined : holderOf(roster, keyId);
  if (agent === undefined || holder === undefined || (agent.until !== undefined && now >= agent.until)) return no('credential_invalid');
  const own = holder.kind === 'agent' && holder.id === agent.id;
  const vouched = holder.kind === 'api' && agent.bearer !== undefined;
  if ((!own && !vouched) || !keyValidAt(holder.key, now) || !verifySigned('request', signed, holder.key.key))
    return no('credential_invalid');
  if (request.deployment !== roster.deployment)
    return no('audience_mismatch', `this is ${roster.deployment}, the request is for ${request.deployment}`);
  if (!agent.propose.some((pattern) => matchesType(pattern, request.type)))
    return no('credential_invalid', `${agent.id} may not propose ${request.type}`);
  if (request.onBehalfOf !== undefined && !roster.people.has(request.onBehalfOf))
    return no('request_invalid', `onBehalfOf: nobody called ${request.onBehalfOf} in the roster`);
  return { ok: true, request, id: actionIdOf(request.deployment, request.agent, request.idempotencyKey) };
}
