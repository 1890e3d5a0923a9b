import { createHash } from 'node:crypto';
import type { Signer } from '../../domain/dsse.js';
import { digestSchema } from '../../domain/ids.js';
import { toInstant } from '../../domain/instant.js';
import { canonicalize } from '../../domain/json.js';
import { backupSchema, type Backup } from '../../domain/objects/restore.js';
import type { Roster } from '../../domain/roster.js';
import { checkLedger } from './check.js';
import { LedgerRefused, type Database, type Row, type Sql } from './database.js';
import { readSchema } from './migrate.js';
import { sourceIn } from './source.js';
import { tablesOf, type Table } from './tables.js';

/** First line of a backup. Each line after it is one row, `["action",{…}]`, in canonical JSON; the last is the signed end. */
export const FORMAT = 'keyturn/ledger-backup@1';
const PAGE = 500;

export interface BackupOptions {
  readonly roster: Roster;
  /** An executor's: it signs the end of the file. */
  readonly signer: Signer;
  readonly now: number;
}

/**
 * Writes all a ledger holds, as one snapshot shows it, line by line. The same file for SQLite and PostgreSQL. Throws `LedgerRefused` for a ledger that
 * does not verify: a backup of it would be no use on the day it is needed.
 */
export function writeBackup(
  database: Database,
  { roster, signer, now }: BackupOptions,
  write: (line: string) => Promise<void>,
): Promise<Backup> {
  return database.snapshot(async (sql) => {
    const source = sourceIn(sql);
    const meta = await source.meta();
    const schema = readSchema(meta.get('schema'));
    const report = await checkLedger(source, roster);
    if (!report.ok) throw new LedgerRefused(`The ledger does not verify: ${report.step}: ${report.text}. No backup was made of it.`);

    const hash = createHash('sha256');
    const put = async (line: string): Promise<void> => {
      hash.update(`${line}\n`);
      await write(`${line}\n`);
    };
    await put(canonicalize(FORMAT));
    let rows = 0;
    for (const table of await tablesOf(sql, database.kind))
      for await (const row of rowsOf(sql, table)) {
        await put(canonicalize([table.name, row]));
        rows++;
      }
    const backup = backupSchema.parse({
      v: 1,
      deployment: meta.get('deployment'),
      ledger: meta.get('ledger'),
      epoch: Number(meta.get('epoch')),
      schema,
      seq: Number(meta.get('seq')),
      head: meta.get('head') ?? null,
      rows,
      digest: digestSchema.parse(hash.digest('hex')),
      at: toInstant(now),
    });
    await write(`${canonicalize(signer.sign('backup', backup))}\n`);
    return backup;
  });
}

/** In pages by the primary key: a book has no last page. */
async function* rowsOf(sql: Sql, { name, columns, key }: Table): AsyncGenerator<Row> {
  const [list, by] = [columns.join(', '), key.join(', ')];
  const after = `(${by}) > (${key.map(() => '?').join(', ')})`;
  let last: Row | undefined;
  for (;;) {
    const from = last === undefined ? '' : `WHERE ${after}`;
    const values = last === undefined ? [] : key.map((column) => last?.[column] ?? null);
    const page = await sql.all(`SELECT ${list} FROM ${name} ${from} ORDER BY ${by} LIMIT ${PAGE}`, ...values);
    // A row of a driver's own kind is made a plain one.
    for (const row of page) yield { ...row };
    last = page.at(-1);
    if (page.length < PAGE) return;
  }
}
