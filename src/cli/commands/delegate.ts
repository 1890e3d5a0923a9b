import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { freshness } from '../action/decide.js';
import { delegationsFolder } from '../action/delegations.js';
import { CliError, hasCode, usage } from '../errors.js';
import { EXIT, type ExitCode } from '../exit.js';
import { person } from '../identity.js';
import type { Session } from '../session.js';
import { inert, issuesOf } from '../text/inert.js';
import { atUtc } from '../text/time.js';
import { digestOfSigned } from '../../domain/dsse.js';
import { delegationSchema } from '../../domain/objects/delegation.js';

export interface DelegateOptions {
  readonly as?: string;
  readonly to: string;
  readonly until: string;
  readonly type?: readonly string[];
  readonly output?: string;
  readonly print?: true;
}

/** `delegate --to ben --until 2026-12-24`: a signed file that lets somebody decide on one's own seat, where a rule lets it. Sends nothing. */
export async function delegate(session: Session, options: DelegateOptions): Promise<ExitCode> {
  const author = await person(session, options.as);
  const workspace = await session.workspace();
  const roster = await workspace.roster();
  if (![...roster.people.keys()].some((id) => id === options.to))
    throw usage(`"${inert(options.to)}" is nobody in roster.yaml`, 'Name a person of the roster.');
  const delegation = delegationSchema.safeParse({
    v: 1,
    deployment: author.deployment,
    from: author.id,
    to: options.to,
    ...(options.type === undefined ? {} : { types: options.type }),
    ...freshness(session.now()),
    until: /^\d{4}-\d{2}-\d{2}$/.test(options.until) ? `${options.until}T00:00:00.000Z` : options.until,
  });
  if (!delegation.success)
    throw usage(`this is no delegation: ${issuesOf(delegation.error)}`, 'Write --until 2026-12-24, at most 90 days ahead.');
  const signed = author.signer.sign('delegation', delegation.data);
  if (options.print) {
    session.terminal.out(JSON.stringify(signed));
    return EXIT.ok;
  }
  const { from, to, until, types } = delegation.data;
  const digest = digestOfSigned(signed);
  const named = join(delegationsFolder(workspace.root), `${from}-to-${to}-${digest.slice(0, 12)}.json`);
  const file = options.output === undefined ? named : resolve(session.globals.dir, options.output);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, `${JSON.stringify(signed)}\n`, { mode: 0o600, flag: 'wx' }).catch((error: unknown) => {
    if (!hasCode(error, 'EEXIST')) throw error;
    throw new CliError('file_exists', `${inert(file)} exists already`, 'Choose another name with -o.');
  });
  session.answer({ file, digest, from, to, until, types: types ?? null }, [
    `${to} may decide for ${from} until ${atUtc(until)}${types === undefined ? '' : `, on ${types.join(', ')}`}, where a rule lets it`,
    `give ${to} this file, for .keyturn/delegations: ${inert(file)}`,
    `${to} and ${from} are one seat; ${from} can say no or withdraw at any time`,
  ]);
  return EXIT.ok;
}
