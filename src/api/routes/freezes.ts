import type { Refusal } from '../../domain/codes.js';
import { digestOfSigned, type Signed } from '../../domain/dsse.js';
import type { StopAnswer } from '../../domain/http.js';
import { digestSchema } from '../../domain/ids.js';
import { MAX_DECISION_CHARS } from '../../domain/objects/decision.js';
import type { Roster } from '../../domain/roster.js';
import type { Api, Call } from '../api.js';
import { holderName } from '../credentials/holder.js';
import { freezeRefused, thawRefused } from '../credentials/reviewer.js';
import { answer, Refused, refused } from '../problem.js';
import { readSigned } from '../read-body.js';
import type { Route } from '../route.js';
import { withReserve } from '../temporal/gate.js';
import { lodgeStop } from '../temporal/lodge-stop.js';

const ANSWERS = {
  200: 'StopAnswer',
  202: 'StopAnswer',
  400: 'Problem',
  403: 'Problem',
  409: 'Problem',
  413: 'Problem',
  502: 'Problem',
  503: 'Problem',
} as const;

export const freeze: Route = {
  method: 'post',
  path: '/v1/freezes',
  summary: 'Takes a signed freeze: nothing in its scope starts, and no next step, until it is thawed. Every executor is told.',
  access: 'signature',
  body: ['Signed'],
  answers: ANSWERS,
  handle: (api, c) => withReserve(() => take(api, c, freezeRefused, 'stop')),
};

export const thaw: Route = {
  method: 'delete',
  path: '/v1/freezes/{id}',
  summary:
    'Takes a signed thaw of the freeze with this digest; the freeze ends when as many people as the policy asks for have signed one.',
  access: 'signature',
  body: ['Signed'],
  answers: ANSWERS,
  handle: async (api, c) => {
    const frozen = digestSchema.safeParse(c.req.param('id'));
    if (!frozen.success) throw refused('request_invalid', 'a freeze is named by the 64 hex digits of its digest');
    return take(api, c, (signed, roster, now) => thawRefused(signed, frozen.data, roster, now), 'decision');
  },
};

type Look = (signed: Signed, roster: Roster, now: number) => Refusal | undefined;

async function take(api: Api, c: Call, refusalOf: Look, limit: 'stop' | 'decision'): Promise<Response> {
  const roster = await api.roster();
  const signed = await readSigned(c, MAX_DECISION_CHARS);
  const refusal = refusalOf(signed, roster, Date.now());
  if (refusal !== undefined) throw new Refused(refusal);
  api.limits[limit](holderName(signed, roster));
  return toEveryExecutor(api, roster, signed);
}

/** 200: every executor has it on record · 202: some are away, and Temporal keeps it for them. Refused by all: their refusal. */
async function toEveryExecutor(api: Api, roster: Roster, signed: Signed): Promise<Response> {
  const digest = digestOfSigned(signed);
  const executors = await Promise.all(
    [...roster.executors.values()].map((executor) => lodgeStop(api.client, executor, roster, signed, digest)),
  );
  const [first] = executors;
  if (first?.state === 'refused' && executors.every(({ state }) => state === 'refused'))
    throw new Refused({ code: first.code, text: first.text });
  const body: StopAnswer = { digest, executors };
  return answer(executors.some(({ state }) => state === 'waiting') ? 202 : 200, body);
}
