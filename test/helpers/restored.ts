import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeBackup } from '../../src/executor/ledger/backup.js';
import { readBackup } from '../../src/executor/ledger/backup-file.js';
import type { Database } from '../../src/executor/ledger/database.js';
import { openSqlite } from '../../src/executor/ledger/sqlite.js';
import { restoreLedger, type Restored } from '../../src/executor/restore.js';
import { roster } from '../cli/ran-once.js';
import { EXECUTOR } from './signers.js';
import { makeExecutor, type World } from './world.js';

const folder = (): Promise<string> => mkdtemp(join(tmpdir(), 'keyturn-backup-'));

/** A backup of this ledger as it is now, in a file of its own. */
export async function backupOf(database: Database, now: number): Promise<string> {
  const file = join(await folder(), 'ledger.backup');
  await writeBackup(database, { roster: roster(), signer: EXECUTOR, now }, (line) => appendFile(file, line));
  return file;
}

export const restoreInto = async (database: Database, file: string, now: number): Promise<Restored> =>
  restoreLedger(database, await readBackup(file, roster()), { roster: roster(), executor: 'bank', signer: EXECUTOR, now });

export const forget = (file: string): Promise<void> => rm(join(file, '..'), { recursive: true, force: true });

/** The same bank and clock with an executor on a ledger restored from this backup; its receipts are asked for anew. */
export async function restoredFrom(
  world: World,
  file: string,
  database: Database = openSqlite(':memory:', { create: true }),
): Promise<{ readonly world: World; readonly restored: Restored }> {
  const restored = await restoreInto(database, file, world.clock.ms);
  const executor = await makeExecutor({ database, clock: world.clock, types: world.types, rules: world.rules });
  return { world: world.beside(executor, database), restored };
}

/** Back up, lose the ledger, restore: all at once. */
export async function afterRestore(world: World): Promise<{ readonly world: World; readonly restored: Restored }> {
  const file = await backupOf(world.database, world.clock.ms);
  try {
    return await restoredFrom(world, file);
  } finally {
    await forget(file);
  }
}
