import { open, rename, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { executorIdentity } from '../../executor/identity.js';
import { openDatabase } from '../../executor/start-executor.js';
import { useNativeCrypto } from '../../files/native-crypto.js';
import { CliError } from '../errors.js';
import { EXIT, type ExitCode } from '../exit.js';
import type { Session } from '../session.js';
import { ledgerOf } from '../ledger/where.js';

/**
 * `ledger backup FILE [LEDGER]`: all a ledger holds, verified, in one file for SQLite and PostgreSQL alike. An executor holds its SQLite file alone and must be
 * stopped; PostgreSQL is read as one snapshot while executors run.
 */
export async function backup(session: Session, file: string, given: string | undefined): Promise<ExitCode> {
  if (existsSync(file)) throw new CliError('file_exists', `${file} exists`, 'Name a new file: a backup never overwrites one.');
  useNativeCrypto();
  const workspace = await session.workspace();
  const roster = await workspace.roster();
  const { signer } = await executorIdentity(roster, workspace.root, session.env);
  const { writeBackup } = await import('../../executor/ledger/backup.js');
  const database = await openDatabase(ledgerOf(session, workspace.root, given));
  const part = `${file}.part`;
  try {
    const made = await open(part, 'wx', 0o600);
    try {
      const done = await writeBackup(database, { roster, signer, now: session.now() }, (line) => made.write(line).then(() => undefined));
      await made.sync();
      await rename(part, file);
      session.answer({ file, ...done }, [`OK, ${done.rows} rows, ${done.seq} entries, epoch ${done.epoch}: ${file}`]);
    } finally {
      await made.close();
      await rm(part, { force: true });
    }
  } finally {
    await database.close();
  }
  return EXIT.ok;
}

/** `ledger restore FILE [LEDGER]`: a new ledger from a backup. One epoch higher, frozen, what was open in doubt (docs/upgrading.md). */
export async function restore(session: Session, file: string, given: string | undefined): Promise<ExitCode> {
  useNativeCrypto();
  const workspace = await session.workspace();
  const roster = await workspace.roster();
  const { name, signer } = await executorIdentity(roster, workspace.root, session.env);
  const { readBackup } = await import('../../executor/ledger/backup-file.js');
  const { restoreLedger } = await import('../../executor/restore.js');
  const read = await readBackup(file, roster);
  const database = await openDatabase(ledgerOf(session, workspace.root, given), { create: true });
  try {
    const restored = await restoreLedger(database, read, { roster, executor: name, signer, now: session.now() });
    const { identity, freeze, entries, inDoubt } = restored;
    session.answer({ ...restored, backupAt: read.backup.at }, [
      `OK, ${entries} entries as of ${read.backup.at}, now epoch ${identity.epoch}`,
      '  frozen: nothing runs and nothing new is sealed until people thaw it, once they know what ran since the backup:',
      `    keyturn thaw ${freeze} --reason …`,
      `  in doubt: ${inDoubt} actions that were open at the backup; each waits for \`keyturn resolve\``,
    ]);
  } finally {
    await database.close();
  }
  return EXIT.ok;
}
