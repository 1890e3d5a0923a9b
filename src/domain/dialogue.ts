import { CLOCK_SKEW_MS, readDecision } from './admit.js';
import { refuse, type Refusal } from './codes.js';
import { digestOfSigned, keyIdOfSigned, verifySigned, type Signed } from './dsse.js';
import type { ActionId, AgentId, Digest, PersonId } from './ids.js';
import { toMs, type Instant } from './instant.js';
import type { Decision } from './objects/decision.js';
import type { Reply } from './objects/reply.js';
import { readReply } from './review/dialogue.js';
import { holderOf, keyValidAt, type Roster, type RosterKey } from './roster.js';

/** A reviewer's question and the agent's answer, as far as a roster's keys prove them. */
export interface Question {
  readonly digest: Digest;
  readonly person: PersonId;
  readonly revision: number;
  readonly question: string;
  readonly askedAt: Instant;
  readonly ask: Signed;
  readonly answer: Answer | null;
}
export interface Answer {
  readonly digest: Digest;
  readonly agent: AgentId;
  readonly text: string;
  readonly answeredAt: Instant;
  readonly standing: 'signed' | 'vouched';
  readonly reply: Signed;
}

/** What a surface was handed: nothing of it is believed. */
export interface Said {
  readonly actionId: ActionId;
  readonly agent: AgentId;
  readonly decisions: readonly Signed[];
  readonly replies: readonly { readonly signed: Signed }[];
}

/**
 * The questions of an action, oldest first, each with its answer: the first that the agent's own key signed, or the API's for an agent with a bearer
 * key. What this roster does not prove is left out. `forged` counts what claimed to be an answer of the agent's and is none.
 */
export function readDialogue(
  { actionId, agent, decisions, replies }: Said,
  roster: Roster,
): { readonly questions: Question[]; readonly forged: number } {
  const questions = new Map<Digest, Question>();
  for (const signed of decisions) {
    const read = readAsk(signed, actionId, roster);
    if (read !== undefined) questions.set(read.digest, { ...read, answer: null });
  }
  let forged = 0;
  for (const { signed } of replies) {
    const answer = readAnswerTo(signed, { actionId, agent }, roster);
    if (answer === undefined) {
      forged++;
      continue;
    }
    const asked = questions.get(answer.question);
    if (asked === undefined || isBefore(answer, asked)) forged++;
    else if (asked.answer === null) questions.set(asked.digest, { ...asked, answer: answer.answer });
  }
  const sorted = [...questions.values()].sort((a, b) => toMs(a.askedAt) - toMs(b.askedAt) || (a.digest < b.digest ? -1 : 1));
  return { questions: sorted, forged };
}

const isBefore = ({ answer }: { readonly answer: Answer }, { askedAt }: Question): boolean =>
  toMs(answer.answeredAt) < toMs(askedAt) - CLOCK_SKEW_MS;

/** A question of this action that a person of the roster signed, by a key valid then. Undefined: it proves none. */
export function readAsk(signed: Signed, actionId: ActionId, roster: Roster): Omit<Question, 'answer'> | undefined {
  const read = readDecision(signed);
  if (read?.decision.verdict !== 'ask' || !isOf(read.decision, actionId, roster)) return undefined;
  const { person, revision, question, issuedAt, keyId } = read.decision;
  const key = keyOf(signed, roster, { kind: 'person', id: person }, issuedAt);
  if (key === undefined || keyId !== key.key.id || !verifySigned('decision', signed, key.key, roster.webauthn)) return undefined;
  return { digest: read.digest, person, revision, question, askedAt: issuedAt, ask: signed };
}

/** An answer of this agent on this action, signed by its own key, or by the API's where the agent holds a bearer key; a key valid then. */
export function readAnswerTo(
  signed: Signed,
  { actionId, agent }: { readonly actionId: ActionId; readonly agent: AgentId },
  roster: Roster,
): { readonly question: Digest; readonly answer: Answer } | undefined {
  const reply = readReply(signed);
  if (reply === undefined || reply.agent !== agent || !isOf(reply, actionId, roster)) return undefined;
  const own = keyOf(signed, roster, { kind: 'agent', id: agent }, reply.issuedAt);
  const holdsBearer = roster.agents.get(agent)?.bearer !== undefined;
  const key = own ?? (holdsBearer ? keyOf(signed, roster, { kind: 'api' }, reply.issuedAt) : undefined);
  if (key === undefined || !verifySigned('reply', signed, key.key)) return undefined;
  const { question, text, issuedAt } = reply;
  const standing = own === undefined ? 'vouched' : 'signed';
  return { question, answer: { digest: digestOfSigned(signed), agent, text, answeredAt: issuedAt, standing, reply: signed } };
}

/** The same at the door, where the key must be valid now too. `now` in ms. */
export function answerRefused(
  signed: Signed,
  action: { readonly actionId: ActionId; readonly agent: AgentId },
  roster: Roster,
  now: number,
): Refusal | undefined {
  const reply = readReply(signed);
  if (reply === undefined) return refuse('request_invalid', 'not an answer: see the schema of reply v1');
  if (!isOf(reply, action.actionId, roster)) return refuse('audience_mismatch', 'this was signed for another deployment or action');
  const holder = holderOf(roster, keyIdOfSigned(signed));
  const agent = roster.agents.get(action.agent);
  if (holder === undefined || !keyValidAt(holder.key, now) || (agent?.until !== undefined && now >= agent.until))
    return refuse('credential_invalid');
  if (toMs(reply.issuedAt) > now + CLOCK_SKEW_MS) return refuse('request_invalid', 'the answer is dated more than 2 minutes ahead');
  return readAnswerTo(signed, action, roster) === undefined
    ? refuse('credential_invalid', 'only the agent that asked for the action answers')
    : undefined;
}

const isOf = (message: Pick<Decision | Reply, 'actionId' | 'deployment'>, actionId: ActionId, roster: Roster): boolean =>
  message.actionId === actionId && message.deployment === roster.deployment;

type Of = { readonly kind: 'person'; readonly id: PersonId } | { readonly kind: 'agent'; readonly id: AgentId } | { readonly kind: 'api' };

/** The key this signature names, if it is that holder's and was valid then. */
function keyOf(signed: Signed, roster: Roster, of: Of, at: Instant): RosterKey | undefined {
  const holder = holderOf(roster, keyIdOfSigned(signed));
  if (holder?.kind !== of.kind || !keyValidAt(holder.key, toMs(at))) return undefined;
  return of.kind === 'api' || ('id' in holder && holder.id === of.id) ? holder.key : undefined;
}
