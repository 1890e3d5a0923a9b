import { print, sayRecorded, send, signDecision } from '../action/decide.js';
import { newestOrSeen } from '../action/seen.js';
import { Desk } from '../desk.js';
import { EXIT, type ExitCode } from '../exit.js';
import { short } from '../ids.js';
import { person } from '../identity.js';
import type { Session } from '../session.js';

export interface AskOptions {
  readonly as?: string;
  /** On whose seat, by a delegation in this folder. */
  readonly for?: string;
  readonly print?: true;
}

/** `ask ID 'question'`: the agent learns of it while it waits. No vote, and no clock stops for it (§6.7). */
export async function ask(session: Session, idText: string, question: string, options: AskOptions): Promise<ExitCode> {
  const desk = await Desk.open(session, await person(session, options.as));
  const action = await desk.find(idText);
  const { id } = action;
  const what = { verdict: 'ask', question, ...(await desk.seatOf(action, options.for)) };
  const signed = signDecision(desk.author, id, await newestOrSeen(desk, action), what, session.now());
  if (options.print) return print(desk, signed);

  const judged = await send(desk, id, 'decisions', signed);
  if (judged.recorded) return sayRecorded(desk, id);
  session.answer({ id, question: judged.digest }, [
    'asked: no vote, and no clock stops for it',
    `see the answer, once there is one: keyturn show ${short(id)}`,
  ]);
  return EXIT.ok;
}
