import { showCard } from '../action/show-card.js';
import { Desk } from '../desk.js';
import { EXIT, type ExitCode } from '../exit.js';
import { person } from '../identity.js';
import type { Session } from '../session.js';

/** `show ID`: everything a reviewer has to know, after the executor's seal was checked here. */
export async function show(session: Session, id: string, options: { readonly as?: string }): Promise<ExitCode> {
  const desk = await Desk.open(session, await person(session, options.as));
  await showCard(desk, await desk.find(id));
  return EXIT.ok;
}
