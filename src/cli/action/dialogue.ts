import { readDialogue } from '../../domain/dialogue.js';
import { agentIdSchema } from '../../domain/ids.js';
import type { Roster } from '../../domain/roster.js';
import { inert } from '../text/inert.js';
import type { Page } from '../text/page.js';
import { atUtc } from '../text/time.js';
import type { VerifiedAction } from './verified.js';

/** Questions and answers as this folder's roster proves them, from their own signatures: the API can hide one, not invent one. */
export function dialogueOf({ id, newest, resource }: VerifiedAction, roster: Roster): ReturnType<typeof readDialogue> {
  // The sealed envelope says whose action it is; before the seal nobody could ask.
  const agent = newest?.envelope.agent ?? agentIdSchema.safeParse(resource.agent).data;
  if (agent === undefined) return { questions: [], forged: 0 };
  return readDialogue({ actionId: id, agent, decisions: resource.signedDecisions, replies: resource.replies }, roster);
}

/** Both in marked boxes: neither is checked by anybody, and the agent's words are the agent's. */
export function renderDialogue(page: Page, action: VerifiedAction, roster: Roster): void {
  const { questions, forged } = dialogueOf(action, roster);
  if (questions.length === 0 && forged === 0) return;
  page.title('Questions');
  for (const { person, revision, question, askedAt, answer } of questions) {
    page.box(`${person} asks about revision ${revision}, ${atUtc(askedAt)}`, lines(question));
    if (answer === null) page.text('no answer yet');
    else page.box(`${answer.agent} answers, ${answer.standing}, unchecked, ${atUtc(answer.answeredAt)}`, lines(answer.text));
  }
  if (forged > 0) page.alarm(`${forged} claimed to be an answer and bears no signature of the agent for a question shown here: not shown`);
}

/** Line by line, so that a line break is one and nothing else is. */
const lines = (text: string): string[] => text.split('\n').map(inert);
