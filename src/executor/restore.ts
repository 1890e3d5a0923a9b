import { randomBytes } from 'node:crypto';
import { digestOfSigned, type Signer } from '../domain/dsse.js';
import type { Digest } from '../domain/ids.js';
import { actionIdSchema } from '../domain/ids.js';
import { toInstant } from '../domain/instant.js';
import { restoreSchema } from '../domain/objects/restore.js';
import type { Roster } from '../domain/roster.js';
import { putInDoubt } from './doubt.js';
import type { BackupFile } from './ledger/backup-file.js';
import { checkLedger } from './ledger/check.js';
import { LedgerRefused, type Database, type Sql } from './ledger/database.js';
import { LedgerTransaction, readMeta, type LedgerIdentity } from './ledger/ledger.js';
import { createTables, migrate, readSchema, SCHEMA_VERSION } from './ledger/migrate.js';
import { MIGRATIONS } from './ledger/migrations/all.js';
import { sourceIn } from './ledger/source.js';
import { tablesOf, type Table } from './ledger/tables.js';
import { transitions } from './ledger/transitions.js';

export interface RestoreOptions {
  readonly roster: Roster;
  /** The executor that will open it, and its key: it signs what the restore writes. */
  readonly executor: string;
  readonly signer: Signer;
  readonly now: number;
}
export interface Restored {
  readonly identity: LedgerIdentity;
  /** People thaw the ledger by it. */
  readonly freeze: Digest;
  readonly entries: number;
  /** Actions that were open at the backup: what became of them since is for people to find out. */
  readonly inDoubt: number;
}

/**
 * Makes a ledger from a backup, in one transaction (§7): only where there is none; verified as a whole; one epoch higher, so that nothing sealed before
 * runs; frozen until people thaw it; and what was open at the backup in doubt, for it may have run since. Throws `LedgerRefused`.
 */
export async function restoreLedger(
  database: Database,
  file: BackupFile,
  { roster, executor, signer, now }: RestoreOptions,
): Promise<Restored> {
  return database.transaction(async (sql) => {
    await fill(sql, database, file);
    const report = await checkLedger(sourceIn(sql), roster);
    if (!report.ok) throw new LedgerRefused(`This backup does not verify: ${report.step}: ${report.text}. Nothing was restored.`);

    const { deployment, ledger, epoch } = file.backup;
    const identity = { deployment, ledger, epoch: epoch + 1 };
    const tx = new LedgerTransaction(sql, identity, signer);
    await tx.setMeta('epoch', String(identity.epoch));
    const restore = restoreSchema.parse({
      v: 1,
      ...identity,
      nonce: randomBytes(16).toString('hex'),
      backup: file.digest,
      backupAt: file.backup.at,
      at: toInstant(now),
    });
    const signed = signer.sign('restore', restore);
    const freeze = digestOfSigned(signed);
    await transitions.lodge(tx, null, 'restore', freeze, `executor:${executor}`, signed, now);
    const open = await sql.all("SELECT id FROM action WHERE state IN ('awaiting', 'stale', 'executing') ORDER BY id");
    for (const { id } of open) await putInDoubt(tx, actionIdSchema.parse(id), now);
    return { identity, freeze, entries: report.entries, inDoubt: open.length };
  });
}

/** The tables as the backup's build had them, its rows, and then the steps to the present schema. */
async function fill(sql: Sql, { kind }: Database, file: BackupFile): Promise<void> {
  const { backup } = file;
  if ((await tablesOf(sql, kind)).length > 0)
    throw new LedgerRefused(
      'There is something here already. A backup is restored only where there is nothing: name a new file or an empty database.',
    );
  await createTables(sql, MIGRATIONS.slice(0, readSchema(String(backup.schema), SCHEMA_VERSION)));
  const tables = new Map((await tablesOf(sql, kind)).map((table) => [table.name, table]));
  for await (const [name, row] of file.rows()) {
    const table = tables.get(name);
    if (table === undefined || !hasColumns(table, Object.keys(row)))
      throw new LedgerRefused(`This backup has a row of ${name} that is none of schema ${backup.schema}. Nothing was restored.`);
    const { columns } = table;
    const places = columns.map(() => '?').join(', ');
    await sql.run(`INSERT INTO ${name} (${columns.join(', ')}) VALUES (${places})`, ...columns.map((column) => row[column] ?? null));
  }
  const meta = await readMeta(sql);
  const told = ['deployment', 'ledger', 'epoch', 'schema', 'seq', 'head'] as const;
  if (told.some((key) => String(backup[key] ?? undefined) !== String(meta.get(key))))
    throw new LedgerRefused('This backup is of another ledger than its signed end says. Nothing was restored.');
  await migrate(sql, meta.get('schema'));
}

const hasColumns = ({ columns }: Table, given: readonly string[]): boolean =>
  given.length === columns.length && columns.every((column) => given.includes(column));
