import { readAnswerTo, readAsk } from '../dialogue.js';
import { readDecision } from '../admit.js';
import type { Digest } from '../ids.js';
import type { Roster } from '../roster.js';
import { demand } from './broken.js';
import { digestIn } from './chain.js';
import type { Evidence } from './schema.js';
import type { Seal } from './seals.js';

/**
 * Reviewers' questions and the agent's answers: each by its author's own signature, on a revision of this action. The executor signs nothing about
 * them, so that nobody can tell whether one is missing: a warning says so. Throws `Broken`.
 */
export function checkQuestions(evidence: Evidence, seals: ReadonlyMap<Digest, Seal>, roster: Roster, warn: (text: string) => void): void {
  const { actionId, questions } = evidence;
  const [seal] = seals.values();
  let last = '';
  for (const [i, { ask, answer }] of questions.entries()) {
    const step = `question ${i + 1}`;
    const digest = digestIn(ask, step);
    demand(digest > last, step, 'not in the order of digests, or there twice');
    last = digest;
    const read = readDecision(ask);
    const asked = readAsk(ask, actionId, roster);
    demand(read !== undefined && asked !== undefined, step, 'no person of this roster asked it, by a key valid then, on this action');
    const about = seals.get(read.decision.digest);
    demand(about === undefined || about.envelope.revision === asked.revision, step, 'names another revision than it asks about');
    if (answer === null) continue;
    demand(seal !== undefined, step, 'the envelope it is about is not in the file');
    const answered = readAnswerTo(answer, { actionId, agent: seal.envelope.agent }, roster);
    demand(answered?.question === digest, step, "its answer is not the agent's, by a key valid then, to this question");
    const { standing, agent } = answered.answer;
    if (standing === 'vouched') warn(`${step}: its answer is vouched for by the API, not signed by ${agent}`);
  }
  if (questions.length > 0) warn('questions and answers stand by their own signatures: nobody can tell whether one is missing');
}
