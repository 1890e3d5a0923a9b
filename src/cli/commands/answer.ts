import { freshness, print, sayRecorded, send } from '../action/decide.js';
import { dialogueOf } from '../action/dialogue.js';
import type { VerifiedAction } from '../action/verified.js';
import { Desk } from '../desk.js';
import { CliError, usage } from '../errors.js';
import { EXIT, type ExitCode } from '../exit.js';
import { short } from '../ids.js';
import { agent } from '../identity.js';
import type { Session } from '../session.js';
import { inert, issuesOf } from '../text/inert.js';
import type { Question } from '../../domain/dialogue.js';
import { replySchema } from '../../domain/objects/reply.js';

export interface AnswerOptions {
  readonly asAgent?: string;
  readonly question?: string;
  readonly print?: true;
}

/** `answer ID 'text'`: by the agent, to the one question that is open, or to the one that `--question` names. */
export async function answer(session: Session, idText: string, text: string, options: AnswerOptions): Promise<ExitCode> {
  const desk = await Desk.open(session, await agent(session, options.asAgent));
  const action = await desk.find(idText);
  const { id } = action;
  const { deployment, id: name, signer } = desk.author;
  const { digest: question } = openQuestion(desk, action, options.question);
  const reply = replySchema.safeParse({ v: 1, deployment, actionId: id, agent: name, question, text, ...freshness(session.now()) });
  if (!reply.success) throw usage(`this is no answer: ${issuesOf(reply.error)}`, 'Correct what it names.');
  const signed = signer.sign('reply', reply.data);
  if (options.print) return print(desk, signed);

  const judged = await send(desk, id, 'answers', signed);
  if (judged.recorded) return sayRecorded(desk, id);
  session.answer({ id, question, answer: judged.answer.digest }, ['answered: the reviewers are told']);
  return EXIT.ok;
}

function openQuestion({ roster }: Desk, action: VerifiedAction, prefix = ''): Question {
  const open = dialogueOf(action, roster).questions.filter(({ digest, answer }) => answer === null && digest.startsWith(prefix));
  const [only] = open;
  if (only !== undefined && open.length === 1) return only;
  const id = short(action.id);
  if (only === undefined) throw new CliError('request_invalid', `no such question about ${id} is open`, `See: keyturn get ${id}`);
  const lines = open.map(({ digest, person, question }) => `${digest.slice(0, 12)}  ${person}: ${inert(question)}`);
  throw new CliError('request_invalid', `${open.length} questions are open`, 'Name one with --question <digits>.', EXIT.error, lines);
}
