import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { digestOfSigned, keyIdOfSigned, readPayload, signedSchema, verifySigned } from '../../domain/dsse.js';
import type { Digest } from '../../domain/ids.js';
import { toMs } from '../../domain/instant.js';
import { canonicalize, parseStrict } from '../../domain/json.js';
import { backupSchema, type Backup } from '../../domain/objects/restore.js';
import { holderOf, keyValidAt, type Roster } from '../../domain/roster.js';
import { FORMAT } from './backup.js';
import { LedgerRefused, type Row } from './database.js';

/** Of one row, or of the signed end, whose envelopes are the largest objects there are. */
const MAX_LINE_CHARS = 4_000_000;

export interface BackupFile {
  readonly backup: Backup;
  /** Of its signed end. */
  readonly digest: Digest;
  rows(): AsyncIterable<readonly [table: string, row: Row]>;
}

const rowSchema = z.tuple([
  z.string().regex(/^[a-z_]+$/),
  z.record(z.string().regex(/^[a-z_]+$/), z.union([z.string(), z.number(), z.null()])),
]);
const bad = (text: string): LedgerRefused => new LedgerRefused(`This backup is not restored: ${text}.`);

/**
 * Reads a whole backup before a row of it is used: each line canonical, as many rows as its end says, their digest the one that an executor of this roster
 * signed. Throws `LedgerRefused`.
 */
export async function readBackup(path: string, roster: Roster): Promise<BackupFile> {
  const hash = createHash('sha256');
  let held: string | undefined;
  let count = 0;
  for await (const line of linesOf(path)) {
    if (held !== undefined) {
      readLine(held, count++);
      hash.update(`${held}\n`);
    }
    held = line;
  }
  const signed = signedSchema.safeParse(parsed(held ?? '', 'its last line'));
  const read = signed.success ? backupSchema.safeParse(readPayload('backup', signed.data)) : undefined;
  if (!signed.success || read?.success !== true) throw bad('its last line is not the signed end of a backup; it may be cut off');
  const backup = read.data;
  const keyId = keyIdOfSigned(signed.data);
  const holder = keyId === undefined ? undefined : holderOf(roster, keyId);
  if (holder?.kind !== 'executor' || !keyValidAt(holder.key, toMs(backup.at)) || !verifySigned('backup', signed.data, holder.key.key))
    throw bad('no executor of this roster signed it');
  if (backup.deployment !== roster.deployment) throw bad(`it is of deployment ${backup.deployment}, the roster names ${roster.deployment}`);
  if (count - 1 !== backup.rows || hash.digest('hex') !== backup.digest)
    throw bad('its rows are not those its executor signed: it was changed');
  return { backup, digest: digestOfSigned(signed.data), rows: () => rowsIn(path, backup.rows) };
}

async function* rowsIn(path: string, rows: number): AsyncGenerator<readonly [string, Row]> {
  let number = 0;
  for await (const line of linesOf(path)) {
    if (number > rows) return;
    const row = readLine(line, number++);
    if (row !== undefined) yield row;
  }
}

/** The format on line 0, a row on each other. */
function readLine(line: string, number: number): readonly [string, Row] | undefined {
  const value = parsed(line, `line ${number + 1}`);
  if (number === 0) {
    if (value !== FORMAT) throw bad(`it is no ${FORMAT}`);
    return undefined;
  }
  const row = rowSchema.safeParse(value);
  if (!row.success || canonicalize(row.data) !== line) throw bad(`line ${number + 1} is no row`);
  return row.data;
}

function parsed(line: string, where: string): unknown {
  if (line.length > MAX_LINE_CHARS) throw bad(`${where} is too long`);
  try {
    return parseStrict(line);
  } catch {
    throw bad(`${where} is no JSON`);
  }
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const input = createReadStream(path, 'utf8');
  try {
    yield* createInterface({ input, crlfDelay: Infinity });
  } catch (error) {
    throw bad(error instanceof Error ? error.message : String(error));
  } finally {
    input.destroy();
  }
}
