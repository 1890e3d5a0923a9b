import { join } from 'node:path';
import { openDatabase } from '../../executor/start-executor.js';
import { initLedger } from '../../executor/ledger/ledger.js';
import { readSchema } from '../../executor/ledger/migrate.js';
import { secretOf } from '../../files/secrets.js';
import { nameSchema } from '../../domain/ids.js';
import { usage } from '../errors.js';
import { EXIT, type ExitCode } from '../exit.js';
import { checkLedger } from '../../executor/ledger/check.js';
import { sourceOf } from '../../executor/ledger/source.js';
import type { Session } from '../session.js';
import { inert } from '../text/inert.js';

/** `ledger init [PATH|postgres://…]`: an empty book for one deployment, where the executor will look for it. An old book is never overwritten. */
export async function init(session: Session, given: string | undefined, options: { readonly deployment?: string }): Promise<ExitCode> {
  const workspace = await session.workspace();
  const where = given ?? secretOf('KEYTURN_LEDGER', session.env)?.text ?? join(workspace.root, '.keyturn', 'ledger.db');
  const deployment = options.deployment ?? (await workspace.roster()).deployment;
  if (!nameSchema.safeParse(deployment).success)
    throw usage(`"${inert(deployment)}" is no deployment's name`, 'Lower-case letters, digits, ".", "_" or "-".');
  const database = await openDatabase(where, { create: true });
  try {
    const identity = await initLedger(database, deployment);
    session.answer(identity, [`ledger ${identity.ledger} of deployment ${deployment}, epoch ${identity.epoch}: ${withoutPassword(where)}`]);
  } finally {
    await database.close();
  }
  return EXIT.ok;
}

/** `ledger verify PATH`: every entry's link and signature, every envelope. The executor must be stopped: it holds its book alone. */
export async function verify(session: Session, where: string, options: { readonly roster?: string }): Promise<ExitCode> {
  const workspace = await session.workspace();
  const { readRoster } = await import('../../files/rules.js');
  const roster = options.roster === undefined ? await workspace.roster() : await readRoster(options.roster);
  const trusted = options.roster ?? workspace.rosterFile;
  const database = await openDatabase(where);
  try {
    const source = sourceOf(database);
    readSchema((await source.meta()).get('schema'));
    const report = await checkLedger(source, roster);
    session.answer({ ...report, roster: trusted }, [
      report.ok ? `OK, ${report.entries} entries, ${report.envelopes} envelopes` : `FAILED, ${report.step}: ${inert(report.text)}`,
      `  trust root: ${trusted} (deployment ${roster.deployment})`,
    ]);
    return report.ok ? EXIT.ok : EXIT.error;
  } finally {
    await database.close();
  }
}

const withoutPassword = (where: string): string => where.replace(/^(postgres(?:ql)?:\/\/[^:@/]*):[^@/]*@/, '$1:…@');
