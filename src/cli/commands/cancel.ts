import { freshness, PATIENCE_MS, print, sayRecorded, send } from '../action/decide.js';
import { Desk } from '../desk.js';
import { EXIT, type ExitCode } from '../exit.js';
import { agent, agentIfAny, person, type Author } from '../identity.js';
import type { Session } from '../session.js';
import { outcomeLine } from '../text/state.js';
import { cancelSchema } from '../../domain/objects/stop.js';

export interface CancelOptions {
  readonly as?: string;
  readonly asAgent?: string;
  readonly print?: true;
}

/** `cancel ID`: by the agent that asked, if its key is here, else by its owner. Nothing starts any more; what was done is undone. */
export async function cancel(session: Session, idText: string, options: CancelOptions): Promise<ExitCode> {
  const desk = await Desk.open(session, await canceller(session, options));
  const { id } = await desk.find(idText);
  const by = `${desk.author.kind}:${desk.author.id}`;
  const message = { v: 1, deployment: desk.author.deployment, actionId: id, by, ...freshness(session.now()) };
  const signed = desk.author.signer.sign('cancel', cancelSchema.parse(message));
  if (options.print) return print(desk, signed);

  const judged = await send(desk, id, 'cancel', signed);
  if (judged.recorded) return sayRecorded(desk, id);
  const settled = await desk.readUntil(id, ({ outcome }) => outcome.final, PATIENCE_MS);
  const said = settled?.outcome.final === true ? outcomeLine(settled.outcome) : 'the cancel stands: no further step starts';
  session.answer({ id, fate: judged.answer.fate.state, outcome: settled?.outcome ?? null }, [said]);
  return EXIT.ok;
}

async function canceller(session: Session, { as, asAgent }: CancelOptions): Promise<Author> {
  if (as !== undefined) return person(session, as);
  if (asAgent !== undefined) return agent(session, asAgent);
  return (await agentIfAny(session)) ?? person(session);
}
