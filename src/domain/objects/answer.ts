import { z } from 'zod';
import { ERROR_CODES } from '../codes.js';
import { signedSchema } from '../dsse.js';
import { actionIdSchema, digestSchema, nameSchema, nonceSchema, type ActionId } from '../ids.js';
import { instantSchema } from '../instant.js';
import { statusSchema } from '../outcome.js';

const actionId = actionIdSchema;
/** How many of the action's entries the caller already has: the answer carries the rest. */
const have = z.int().min(0).max(10_000);
const decisions = z.array(signedSchema).max(300);

export const sealInputSchema = z.union([
  z.strictObject({ actionId, have, request: signedSchema }),
  z.strictObject({ actionId, have, modify: signedSchema }),
  z.strictObject({ actionId, have, reseal: digestSchema }),
]);
export type SealInput = z.infer<typeof sealInputSchema>;

export const advanceInputSchema = z.strictObject({ actionId, have, digest: digestSchema, decisions, stop: z.literal(true).optional() });
export type AdvanceInput = z.infer<typeof advanceInputSchema>;

/** `actionId` is null for freeze and thaw, which belong to no action. */
export const lodgeInputSchema = z.strictObject({ actionId: actionId.nullable(), have, signed: signedSchema });
export type LodgeInput = z.infer<typeof lodgeInputSchema>;
/** What an executor is asked to put a freeze or thaw on record, and signs the digest of. */
export const lodgeStopInput = <S>(signed: S): { readonly actionId: null; readonly have: 0; readonly signed: S } => ({
  actionId: null,
  have: 0,
  signed,
});

/** What an executor's own door asks of its ledger, and signs the digest of: no entries, for whoever sends a "no" need not be shown what happened so far. */
export const doorInput = <S>(
  actionId: ActionId | null,
  signed: S,
): { readonly actionId: ActionId | null; readonly have: 10_000; readonly signed: S } => ({ actionId, have: 10_000, signed });

export const closeReasonSchema = z.enum(['expired', 'execution_expired', 'rejected', 'cancelled']);
export type CloseReason = z.infer<typeof closeReasonSchema>;
export const closeInputSchema = z.strictObject({ actionId, have, reason: closeReasonSchema, decisions });
export type CloseInput = z.infer<typeof closeInputSchema>;

export const reportInputSchema = z.strictObject({ actionId, have });
export type ReportInput = z.infer<typeof reportInputSchema>;

const code = z.enum(ERROR_CODES);
const text = z.string().max(4_000);
/** The number of the executor's check (§7) that refused, 1 to 15. */
const check = z.int().min(1).max(15).optional();
const droppedSchema = z.strictObject({ digest: digestSchema.nullable(), code, check: z.int().min(1).max(15), text });
export type Dropped = z.infer<typeof droppedSchema>;

const refused = z.strictObject({ kind: z.literal('refused'), code, text, check });
const sealed = z.strictObject({
  kind: z.literal('sealed'),
  envelope: signedSchema,
  digest: digestSchema,
  view: digestSchema,
  /** Rejections that stand from earlier revisions or runs, signed. */ rejections: z.array(signedSchema).max(100),
});
const end = z.strictObject({ kind: z.literal('end') });
const again = z.strictObject({ kind: z.literal('again') });
const wait = z.strictObject({
  kind: z.literal('wait'),
  until: instantSchema,
  code: code.or(z.enum(['preview_failed', 'outcome_unknown', 'compensation_failed'])),
  text,
});
const ask = z.strictObject({ kind: z.literal('ask'), code, text, check, dropped: z.array(droppedSchema).max(300) });
const reseal = z.strictObject({ kind: z.literal('reseal'), code });
const stands = z.strictObject({ kind: z.literal('stands'), digest: digestSchema });
const report = z.strictObject({ kind: z.literal('report'), envelope: signedSchema.nullable(), due: z.string().max(60) });

/** What an activity's answer may say; one union, so that a forged kind never fits another activity's place. */
export const RESULTS = {
  seal: z.discriminatedUnion('kind', [sealed, end, refused, wait]),
  advance: z.discriminatedUnion('kind', [again, wait, ask, reseal, end, refused]),
  lodge: z.discriminatedUnion('kind', [stands, refused]),
  close: z.discriminatedUnion('kind', [end, refused]),
  report: z.discriminatedUnion('kind', [report, refused]),
} as const;
export type Activity = keyof typeof RESULTS;
export type ResultOf<A extends Activity> = z.infer<(typeof RESULTS)[A]>;

/** The executor-signed object every activity returns. `asked` is SHA-256 of the input's canonical JSON, so that an old answer fits no new question. */
export const answerSchema = z.strictObject({
  v: z.literal(1),
  deployment: nameSchema,
  ledger: nonceSchema,
  epoch: z.int().min(1),
  activity: z.enum(['seal', 'advance', 'lodge', 'close', 'report']),
  actionId: actionId.nullable(),
  asked: digestSchema,
  /** Where the ledger has the action; null when it knows none of this id. */
  status: statusSchema.nullable(),
  /** The action's entries from number `have` on, oldest first, each signed by the executor. */
  entries: z.array(signedSchema).max(10_000),
  result: z.union([RESULTS.seal, RESULTS.advance, RESULTS.lodge, RESULTS.close, RESULTS.report]),
});
export type Answer = z.infer<typeof answerSchema>;
