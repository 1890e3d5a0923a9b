import { z } from 'zod';
import { parseStrict } from '../../domain/json.js';
import { signedSchema, type Signed } from '../../domain/dsse.js';
import { actionIdSchema, agentIdSchema, digestSchema, type ActionId, type Digest } from '../../domain/ids.js';
import { reasonSchema, statusSchema } from '../../domain/outcome.js';
import { ACTION_STATES, RUN_STATES, UNDO_STATES } from '../../domain/saga.js';
import type { Row, Sql } from './database.js';

/** Rows are parsed like any other input: a book somebody else wrote in is refused, not trusted. */
const json = <T>(schema: z.ZodType<T>) => z.string().transform((text) => schema.parse(parseStrict(text)));

/** Signed objects are read several times in a row, and never change: known by their whole text, bounded. */
const MAX_READ = 500;
const read = new Map<string, Signed>();
const signedText = z.string().transform((text): Signed => {
  const signed = read.get(text) ?? signedSchema.parse(parseStrict(text));
  if (read.size >= MAX_READ) read.clear();
  read.set(text, signed);
  return signed;
});

const actionRow = z.object({
  id: actionIdSchema,
  state: z.enum(ACTION_STATES),
  status: statusSchema,
  request: digestSchema.or(z.literal('')),
  content: z.string(),
  type: z.string(),
  agent: agentIdSchema.or(z.literal('')),
  digest: digestSchema.nullable(),
  head: digestSchema.nullable(),
  entries: z.number(),
  stales: z.number(),
  execute_by: z.number().nullable(),
  stop: z.string().nullable(),
  cause: json(reasonSchema).nullable(),
  opened_at: z.number(),
});
export type ActionRow = z.infer<typeof actionRow>;

const envelopeRow = z.object({ digest: digestSchema, revision: z.number(), view: digestSchema, signed: signedText, made_by: z.string() });
export type EnvelopeRow = z.infer<typeof envelopeRow>;

const ofStep = {
  n: z.number(),
  attempt: z.number(),
  idempotency_key: z.string(),
  lease_owner: z.string().nullable(),
  lease_until: z.number().nullable(),
  since: z.number().nullable(),
};
const runRow = z.object({ ...ofStep, phase: z.literal('run'), state: z.enum(RUN_STATES) });
const undoRow = z.object({ ...ofStep, phase: z.literal('undo'), state: z.enum(UNDO_STATES) });
const stepRow = z.discriminatedUnion('phase', [runRow, undoRow]);
export type RunRow = z.infer<typeof runRow>;
export type UndoRow = z.infer<typeof undoRow>;
export type StepRow = z.infer<typeof stepRow>;

const lodgedRow = z.object({
  digest: digestSchema,
  object: z.enum(['reject', 'withdraw', 'cancel', 'freeze', 'thaw', 'resolve', 'restore', 'review']),
  by_whom: z.string(),
  signed: signedText,
  at: z.number(),
});
export type LodgedRow = z.infer<typeof lodgedRow>;

const one = <T>(schema: z.ZodType<T>, rows: Row[]): T | undefined => (rows[0] === undefined ? undefined : schema.parse(rows[0]));
const many = <T>(schema: z.ZodType<T>, rows: Row[]): T[] => rows.map((row) => schema.parse(row));

export const readAction = async (sql: Sql, id: ActionId) => one(actionRow, await sql.all('SELECT * FROM action WHERE id = ?', id));
/** All revisions, oldest first. */
export const readEnvelopes = async (sql: Sql, id: ActionId) =>
  many(
    envelopeRow,
    await sql.all('SELECT digest, revision, view, signed, made_by FROM envelope WHERE action_id = ? ORDER BY revision', id),
  );
export const readSteps = async (sql: Sql, id: ActionId) =>
  many(stepRow, await sql.all('SELECT * FROM step WHERE action_id = ? ORDER BY n, phase', id));
export const readLodged = async (sql: Sql, id: ActionId) =>
  many(lodgedRow, await sql.all('SELECT digest, object, by_whom, signed, at FROM lodged WHERE action_id = ? ORDER BY at, digest', id));
/** Freezes, thaws and restores, which belong to no one action. */
export const readStops = async (sql: Sql) =>
  many(lodgedRow, await sql.all('SELECT digest, object, by_whom, signed, at FROM lodged WHERE action_id IS NULL ORDER BY at, digest'));

const lodgedNo = z.object({ action_id: actionIdSchema, signed: signedText });
/** Rejections, withdrawals and cancels lodged since `at` (ms), the newest `most` of them, oldest first. */
export const readLodgedSince = async (sql: Sql, at: number, most: number) =>
  many(
    lodgedNo,
    await sql.all(
      `SELECT action_id, signed FROM lodged WHERE action_id IS NOT NULL AND object IN ('reject', 'withdraw', 'cancel') AND at >= ?
       ORDER BY at DESC, digest LIMIT ${most}`,
      at,
    ),
  )
    .map((row) => ({ actionId: row.action_id, signed: row.signed }))
    .reverse();

/** Whether this very message is on record for this action, or for none. */
export const isLodged = async (sql: Sql, digest: Digest, id: ActionId | null) =>
  (await sql.all("SELECT digest FROM lodged WHERE digest = ? AND COALESCE(action_id, '') = ?", digest, id ?? '')).length > 0;

/** The action's entries from its n-th on (counted from 0), oldest first. */
export async function readEntries(sql: Sql, id: ActionId, from: number): Promise<Signed[]> {
  const rows = await sql.all('SELECT signed FROM entry WHERE action_id = ? AND n >= ? ORDER BY n', id, from);
  return rows.map((row) => signedText.parse(row['signed']));
}
/** All that people rejected of any of these contents: none is pushed out by what was proposed after it. */
export const readRejected = async (sql: Sql, contents: readonly string[], not: ActionId) =>
  many(
    actionRow,
    await sql.all(
      `SELECT * FROM action WHERE content IN (${contents.map(() => '?').join(', ')}) AND status = 'rejected' AND id <> ?`,
      ...contents,
      not,
    ),
  );
/** Earlier actions with equal content, newest first, at most five. */
export const readEqual = async (sql: Sql, content: string, not: ActionId) =>
  many(actionRow, await sql.all('SELECT * FROM action WHERE content = ? AND id <> ? ORDER BY opened_at DESC, id LIMIT 5', content, not));
