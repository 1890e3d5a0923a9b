import { keyIdOfSigned, readPayload, verifySigned, type Signed } from '../dsse.js';
import { actionIdOf } from '../ids.js';
import { toMs } from '../instant.js';
import type { Envelope } from '../objects/envelope.js';
import { requestSchema, type Request } from '../objects/request.js';
import { holderOf, keyValidAt, type Roster } from '../roster.js';
import { demand } from './broken.js';
import type { Evidence } from './schema.js';

/** A request, who is said to stand behind it, and when the executor asked (ms). `standing` undefined: nobody said. */
interface Asked {
  readonly request: Signed;
  readonly agent: Envelope['agent'];
  readonly standing: Envelope['standing'] | undefined;
  readonly at: number;
}

/** The request an action id follows from, and that the envelope repeats. Throws `Broken`. */
export function readRequest(signed: Signed, evidence: Evidence, step: string, envelope?: Envelope): Request {
  const read = requestSchema.safeParse(readPayload('request', signed));
  demand(read.success, step, 'its request is none: see the schema of request v1');
  const request = read.data;
  demand(request.deployment === evidence.deployment, step, `its request is for deployment ${request.deployment}`);
  demand(
    actionIdOf(request.deployment, request.agent, request.idempotencyKey) === evidence.actionId,
    step,
    'the action id does not follow from its request',
  );
  if (envelope === undefined) return request;
  const { agent, type, onBehalfOf } = envelope;
  demand(
    request.agent === agent && request.type === type.name && (request.onBehalfOf ?? null) === onBehalfOf,
    step,
    'asked by another agent, for another type or for another person than its request says',
  );
  return request;
}

/** §4: signed by the agent's own key, or vouched for by the API's. Throws `Broken`. */
export function checkRequest(
  { request, agent: id, standing, at }: Asked,
  roster: Roster,
  step: string,
  warn: (text: string) => void,
): void {
  const holder = holderOf(roster, keyIdOfSigned(request));
  const agent = roster.agents.get(id);
  demand(agent !== undefined, step, `this roster has no agent ${id}`);
  const own = holder?.kind === 'agent' && holder.id === id;
  demand(holder !== undefined && (own || holder.kind === 'api'), step, `its request is signed neither by ${id} nor by the API`);
  demand(
    standing === undefined || standing === (own ? 'signed' : 'vouched'),
    step,
    `it calls its request ${standing}, but ${own ? 'the agent' : 'the API'} signed it`,
  );
  demand(keyValidAt(holder.key, at), step, 'the key of its request was not valid then');
  demand(verifySigned('request', request, holder.key.key), step, "its request's signature does not verify");
  if (!own) warn(`the request is vouched for by the API, not signed by ${id}`);
  if (!own && agent.bearer === undefined) warn(`${id} holds no bearer key in this roster any more`);
}

/** When the executor asked who it is: at the first seal. */
export const askedOf = (envelope: Envelope): Asked => ({ ...envelope, at: toMs(envelope.openedAt) });
