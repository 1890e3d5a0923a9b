import { randomBytes } from 'node:crypto';
import { toHex } from '../../domain/bytes.js';
import { answerRefused } from '../../domain/dialogue.js';
import { digestOfSigned, keyIdOfSigned, type Signed } from '../../domain/dsse.js';
import { refuse } from '../../domain/codes.js';
import { plainAnswerSchema } from '../../domain/http.js';
import type { ActionId } from '../../domain/ids.js';
import { toInstant } from '../../domain/instant.js';
import { MAX_REPLY_CHARS } from '../../domain/objects/reply.js';
import { readReply } from '../../domain/review/dialogue.js';
import { holderOf, type Agent, type Roster } from '../../domain/roster.js';
import type { Api, Call } from '../api.js';
import { bearerAgent } from '../credentials/reader.js';
import { answerOf, said, sendMessage } from '../messages/send.js';
import { notFound, Refused, refused } from '../problem.js';
import { issuesOf, readBody, readSigned } from '../read-body.js';
import { load } from '../resource/load.js';
import { questionsOf } from '../resource/resource.js';
import type { Route } from '../route.js';
import { idOf } from '../action-id.js';

export const answerQuestion: Route = {
  method: 'post',
  path: '/v1/actions/{id}/answers',
  summary:
    "Takes the agent's signed answer to a reviewer's question; from an agent with a bearer key question and text, for which the API signs.",
  access: 'signature',
  body: ['Signed', 'PlainAnswer'],
  answers: { 200: 'MessageAnswer', 202: 'MessageAnswer', 401: 'Problem', 404: 'Problem', 409: 'Problem', 429: 'Problem', 503: 'Problem' },
  handle: async (api, c) => {
    const roster = await api.roster();
    const now = Date.now();
    const id = idOf(c);
    const bearer = bearerAgent(c.req.header('authorization') ?? '', roster, now);
    const signed = bearer === undefined ? await readSigned(c, MAX_REPLY_CHARS) : await vouched(api, c, { id, bearer, now, roster });
    const asking = bearer ?? agentBehind(signed, roster);
    // Who is no agent of the roster is told so before anything is looked up: nothing says that the action is there.
    if (asking === undefined) throw refused('credential_invalid', 'only an agent answers, about an action of its own');
    const refusal = answerRefused(signed, { actionId: id, agent: asking.id }, roster, now);
    const reply = readReply(signed);
    if (refusal !== undefined || reply === undefined) throw new Refused(refusal ?? refuse('request_invalid'));
    api.limits.decision(`agent:${asking.id}`);
    const { described, snapshot } = await load(api, id, roster);
    if (asking.id !== described.line.agent) throw notFound();
    if (snapshot !== undefined) {
      const asked = questionsOf(snapshot, asking.id, roster).find(({ digest }) => digest === reply.question);
      if (asked === undefined) throw refused('request_invalid', 'this action was asked no such question');
      const before = asked.answer;
      // Said again in the same words, after a crash maybe: the one that stands is the answer to it.
      if (before !== null && before.text === reply.text)
        return said(200, answerOf(id, before.digest, { state: 'taken' }, await load(api, id, roster)));
      if (before !== null) throw refused('question_answered');
    }
    const response = await sendMessage(api, described, roster, 'answer', signed);
    // Two at once: who came second is told so, for readers are shown the first.
    const after = response.status === 200 ? (await load(api, id, roster)).snapshot : undefined;
    const stands = after && questionsOf(after, asking.id, roster).find(({ digest }) => digest === reply.question)?.answer;
    if (stands !== undefined && stands !== null && stands.digest !== digestOfSigned(signed)) throw refused('question_answered');
    return response;
  },
};

/** The agent whose own key made the signature, if it was one's. */
function agentBehind(signed: Signed, roster: Roster): Agent | undefined {
  const keyId = keyIdOfSigned(signed);
  const holder = keyId === undefined ? undefined : holderOf(roster, keyId);
  return holder?.kind === 'agent' ? roster.agents.get(holder.id) : undefined;
}

async function vouched({ signer }: Api, c: Call, asks: { id: ActionId; bearer: Agent; now: number; roster: Roster }): Promise<Signed> {
  const body = plainAnswerSchema.safeParse(await readBody(c, MAX_REPLY_CHARS));
  if (!body.success) throw refused('request_invalid', `an agent with a bearer key answers with question and text: ${issuesOf(body.error)}`);
  if (signer === undefined) throw refused('credential_invalid', 'this API holds no key of its own to vouch with');
  return signer.sign('reply', {
    v: 1,
    deployment: asks.roster.deployment,
    actionId: asks.id,
    agent: asks.bearer.id,
    ...body.data,
    nonce: toHex(randomBytes(16)),
    issuedAt: toInstant(asks.now),
  });
}
