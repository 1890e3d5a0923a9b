import type { Desk } from '../desk.js';
import { CliError, usage } from '../errors.js';
import { EXIT } from '../exit.js';
import { short } from '../ids.js';
import { differences, otherDifferences } from './difference.js';
import { showCard } from './show-card.js';
import { lastLook, lookOf, type Look } from './shown.js';
import type { Revision, VerifiedAction } from './verified.js';

export interface SeenOptions {
  /** The first 12 or more digits of the digest that was seen elsewhere. */
  readonly digest?: string | undefined;
  /** What the person is asked at a terminal after the action is shown. */
  readonly question: string;
}

/**
 * What a vote may name: exactly what was shown last in this folder, or what `--digest` names, or, at a terminal, what is shown now and agreed to.
 * Throws `revision_stale`, with the difference, if the action moved since: nothing is signed then.
 */
export async function whatWasSeen(desk: Desk, action: VerifiedAction, { digest, question }: SeenOptions): Promise<Look> {
  if (digest !== undefined) return named(action, digest);
  const look = await lastLook(desk.workspace, action.id);
  if (look !== undefined) return unmoved(action, look);
  const { terminal, globals } = desk.session;
  if (!terminal.interactive || globals.json)
    throw new CliError(
      'nothing_shown',
      `${short(action.id)} has not been shown in this folder, so nothing is signed`,
      `Look first: keyturn show ${short(action.id)}. Or name what you saw: --digest <its first 12 digits>.`,
    );
  const newest = mustBeSealed(action);
  await showCard(desk, action);
  const answer = (await terminal.ask(`\n${question} [y/N] `)).trim().toLowerCase();
  if (answer !== 'y' && answer !== 'yes') throw new CliError('not_confirmed', 'nothing was signed', 'Answer y to sign.');
  return lookOf(newest);
}

/** The newest revision. Throws if nothing is sealed, or no worker lives that could show it. */
export function mustBeSealed({ id, newest, resource, outcome }: VerifiedAction): Revision {
  if (newest !== undefined) return newest;
  if (resource.stale)
    throw new CliError(
      'temporal_unavailable',
      `no worker answers, so ${short(id)} cannot be shown`,
      'Ask again when one lives. What was shown in this folder before can be decided on meanwhile.',
    );
  const code = outcome.final ? 'action_ended' : 'revision_stale';
  throw new CliError(code, `${short(id)} is ${outcome.status}: nothing is sealed to decide on`, `See: keyturn get ${short(id)}`);
}

/** The newest revision; where no worker lives to show one, what was seen here before. */
export async function newestOrSeen(desk: Desk, action: VerifiedAction): Promise<Look> {
  if (action.newest !== undefined) return lookOf(action.newest);
  return (action.resource.stale ? await lastLook(desk.workspace, action.id) : undefined) ?? lookOf(mustBeSealed(action));
}

function named(action: VerifiedAction, prefix: string): Look {
  if (!/^[0-9a-f]{12,64}$/.test(prefix))
    throw usage('--digest takes the first 12 or more of the 64 hexadecimal digits', 'Copy them from `keyturn show`.');
  const newest = mustBeSealed(action);
  if (newest.digest.startsWith(prefix)) return lookOf(newest);
  const before = action.revisions.find((revision) => revision.digest.startsWith(prefix));
  throw moved(action.id, before, newest);
}

/** While no worker lives nobody can tell whether it moved: the vote names what was seen, and counts for nothing else. */
function unmoved(action: VerifiedAction, look: Look): Look {
  if (action.newest === undefined && action.resource.stale) return look;
  const newest = mustBeSealed(action);
  if (newest.digest === look.digest) return look;
  const before = action.revisions.find((revision) => revision.digest === look.digest);
  throw moved(action.id, before, newest);
}

function moved(id: VerifiedAction['id'], before: Revision | undefined, now: Revision): CliError {
  const text =
    before === undefined
      ? `what you saw is no revision of ${short(id)} that the API still knows; nothing was signed`
      : `the action moved from revision ${before.envelope.revision} to ${now.envelope.revision} since you saw it; nothing was signed`;
  const remedy = `Look again, and decide on what it says now: keyturn show ${short(id)}`;
  return new CliError('revision_stale', text, remedy, EXIT.error, before === undefined ? [] : changesBetween(before, now));
}

/** Old → new, parameter by parameter; then what else looks other than before. */
export function changesBetween(before: Revision, now: Revision): string[] {
  const params = differences(before.envelope.params, now.envelope.params).map((each) => `${each.at}  ${each.was} → ${each.now}`);
  const others = otherDifferences(before.envelope, now.envelope);
  return [
    ...(params.length === 0 ? ['the parameters are the same'] : params),
    ...(others.length === 0 ? [] : [`also changed: ${others.join(', ')}`]),
  ];
}
