import { viewV1 } from '../../domain/view/v1.js';
import type { Desk } from '../desk.js';
import { CliError } from '../errors.js';
import { inert } from '../text/inert.js';
import { Page } from '../text/page.js';
import { paintOf } from '../text/paint.js';
import { renderOutcome, renderState } from '../text/state.js';
import { renderView } from '../text/view.js';
import { covers, handedOverTo, inWords } from './delegations.js';
import { dialogueOf, renderDialogue } from './dialogue.js';
import { lookOf, rememberLook } from './shown.js';
import type { VerifiedAction } from './verified.js';
import { votesOf } from './votes.js';

/** Shows the action as this machine renders the sealed bytes, and remembers what was shown: a vote may name that and nothing else. */
export async function showCard({ session, workspace, roster, author }: Desk, action: VerifiedAction): Promise<void> {
  const { newest, resource, id, outcome } = action;
  const { terminal } = session;
  const page = new Page(terminal.width, paintOf(terminal.color));
  if (newest === undefined) {
    page.title(`${id} ${outcome.status}`);
    if (resource.stale) page.alarm("no worker answers: this is only what Temporal's list knows, and shows nothing to decide on");
    page.rows([
      ['type', inert(resource.type)],
      ['agent', inert(resource.agent)],
    ]);
    if (!resource.stale) renderOutcome(page, action, session.now());
    return session.answer({ id, outcome, stale: resource.stale, digest: null, view: null }, page.lines);
  }
  const view = viewV1(newest.envelope);
  renderView(page, view, newest.digest);
  renderDialogue(page, action, roster);
  renderState(page, action, view, session.now());
  const { have, need, awaiting } = votesOf(action, session.now());
  const mayDecideFor = (await handedOverTo(author.id, workspace, roster, session.now())).filter(
    (each) =>
      covers(each, newest.envelope.type.name) &&
      newest.envelope.delegates?.some((id) => id === author.id) === true &&
      awaiting.includes(each.delegation.from),
  );
  for (const each of mayDecideFor) page.text(`You may decide for ${inWords(each)}: --for ${each.delegation.from}`);
  const { decisions } = resource;
  const look = lookOf(newest);
  const { questions } = dialogueOf(action, roster);
  session.answer(
    {
      id,
      ...look,
      shown: view,
      outcome,
      have,
      need,
      awaiting,
      decisions,
      questions,
      mayDecideFor: mayDecideFor.map(({ delegation }) => delegation.from),
    },
    page.lines,
  );
  await rememberLook(workspace, id, look).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError('file_unreadable', `it could not be noted what was shown: ${why}`, 'Make .keyturn in this folder writable.');
  });
}
