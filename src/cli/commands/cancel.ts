import { byDoors, idWithoutApi, recordedOrByDoors, throughApi, type DoorOptions } from '../action/by-door.js';
import { freshness, PATIENCE_MS, print, send } from '../action/decide.js';
import { Desk } from '../desk.js';
import { EXIT, type ExitCode } from '../exit.js';
import { agent, agentIfAny, person, type Author } from '../identity.js';
import type { Session } from '../session.js';
import { outcomeLine } from '../text/state.js';
import { cancelSchema } from '../../domain/objects/stop.js';

export interface CancelOptions extends DoorOptions {
  readonly as?: string;
  readonly asAgent?: string;
  readonly print?: true;
}

/** `cancel ID`: by the agent that asked, if its key is here, else by its owner. Nothing starts any more; what was done is undone. */
export async function cancel(session: Session, idText: string, options: CancelOptions): Promise<ExitCode> {
  const desk = await Desk.open(session, await canceller(session, options));
  const action = await throughApi(desk, options, () => desk.find(idText));
  const id = action?.id ?? (await idWithoutApi(desk, idText));
  const by = `${desk.author.kind}:${desk.author.id}`;
  const message = { v: 1, deployment: desk.author.deployment, actionId: id, by, ...freshness(session.now()) };
  const signed = desk.author.signer.sign('cancel', cancelSchema.parse(message));
  if (options.print) return print(desk, signed);

  const judged = action === undefined ? undefined : await throughApi(desk, options, () => send(desk, id, 'cancel', signed));
  if (judged === undefined) return byDoors(desk, id, signed, 'cancelled');
  if (judged.recorded) return recordedOrByDoors(desk, id, signed, 'cancelled');
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
