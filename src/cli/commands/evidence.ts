import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { verifyEvidence } from '../../domain/evidence/verify.js';
import type { PostReview } from '../../domain/post-review.js';
import { readRoster } from '../../files/rules.js';
import { CliError } from '../errors.js';
import { EXIT, type ExitCode } from '../exit.js';
import { openApi } from '../http.js';
import { resolveId } from '../ids.js';
import { person } from '../identity.js';
import type { Session } from '../session.js';
import { inert } from '../text/inert.js';

/** `evidence export ID`: the one file that proves an action, as the API has it; believe it after `evidence verify`. */
export async function exportEvidence(
  session: Session,
  idText: string,
  options: { readonly as?: string; readonly output?: string },
): Promise<ExitCode> {
  const api = await openApi(session, await person(session, options.as));
  const id = await resolveId(api, idText);
  const bytes = await api.bytes(`/v1/actions/${id}/evidence`);
  if (options.output === undefined) {
    session.terminal.raw(bytes);
    return EXIT.ok;
  }
  const file = resolve(session.globals.dir, options.output);
  await writeFile(file, bytes);
  session.answer({ id, file, bytes: bytes.length }, [
    `${bytes.length} bytes written to ${options.output}`,
    `check it: keyturn evidence verify ${options.output}`,
  ]);
  return EXIT.ok;
}

/** `evidence verify FILE`: offline, against a roster and nothing else. */
export async function verify(session: Session, given: string, options: { readonly roster?: string }): Promise<ExitCode> {
  const file = resolve(session.globals.dir, given);
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new CliError(
      'file_unreadable',
      `${given} cannot be read (${error instanceof Error ? error.message : String(error)})`,
      'Name the evidence file.',
    );
  });
  const rosterFile = trustRoot(session, file, options.roster);
  const roster = await readRoster(rosterFile);
  const report = verifyEvidence(bytes, roster);
  const root = `  trust root: ${rosterFile} (deployment ${roster.deployment}, version ${roster.version})`;
  if (report.ok) session.answer({ ...report, roster: rosterFile }, ['OK, offline', ...reviewLines(report.postReview), root]);
  else session.answer({ ...report, roster: rosterFile }, [`FAILED, ${inert(report.step)}`, `  ${inert(report.text)}`, root]);
  return report.ok ? EXIT.ok : EXIT.error;
}

/** What an action by a break-glass rule owes is said aloud, not only in the warnings. */
function reviewLines({ state, by, verdict, due }: PostReview): string[] {
  if (state === 'none') return [];
  return [
    state === 'signed'
      ? `  BREAK-GLASS, reviewed by ${by.join(', ')}: ${verdict ?? ''}`
      : `  BREAK-GLASS, and NOT REVIEWED in this file; due ${due ?? ''}`,
  ];
}

/** §4: `--roster`, else roster.yaml beside the file, else in the working folder. */
function trustRoot(session: Session, file: string, given?: string): string {
  const beside = join(dirname(file), 'roster.yaml');
  const here = resolve(session.globals.dir, 'roster.yaml');
  const found = given === undefined ? [beside, here].find((path) => existsSync(path)) : resolve(session.globals.dir, given);
  if (found !== undefined) return found;
  throw new CliError(
    'file_unreadable',
    'nothing to trust: there is no roster.yaml beside the file or in the working folder',
    'Name the roster whose keys you trust: --roster FILE',
  );
}
