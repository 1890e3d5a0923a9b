import { confirmOf } from '../../domain/confirm.js';
import type { Session } from '../session.js';
import { CliError } from '../errors.js';
import { inert } from '../text/inert.js';
import type { Look } from './shown.js';
import type { VerifiedAction } from './verified.js';

/**
 * What the approval repeats where its rule has a `confirmField`: typed by the person, at a terminal or as `--confirm`, and never filled in here. Throws
 * `guard_unmet` before anything is signed. While no worker answers nobody can tell what is asked for: what was given is taken as it is.
 */
export async function confirmed(
  { terminal, globals }: Session,
  action: VerifiedAction,
  seen: Look,
  given: string | undefined,
): Promise<{ readonly guards?: { readonly confirmField: string } }> {
  const envelope = action.revisions.find(({ digest }) => digest === seen.digest)?.envelope;
  const confirm = envelope === undefined ? null : confirmOf(envelope.guards, envelope.params);
  if (confirm === null) return given === undefined ? {} : { guards: { confirmField: given } };
  const field = inert(confirm.field);
  if (given === undefined && (!terminal.interactive || globals.json))
    throw new CliError(
      'guard_unmet',
      `this rule has the value of ${field} repeated; nothing was signed`,
      `Write it yourself: --confirm <the value of ${field}>`,
    );
  const said = given ?? (await terminal.ask(`Type the value of ${field} to confirm: `)).trim();
  if (said !== confirm.text)
    throw new CliError(
      'guard_unmet',
      `that is not the value of ${field}; nothing was signed`,
      'Look again, and type it as it is shown, a text without its quotes.',
    );
  return { guards: { confirmField: said } };
}
