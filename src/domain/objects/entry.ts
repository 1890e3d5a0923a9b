import { z } from 'zod';
import { jsonSchema } from '../json-schema.js';
import { ERROR_CODES } from '../codes.js';
import { actionIdSchema, digestSchema, nameSchema, nonceSchema, personIdSchema } from '../ids.js';
import { instantSchema } from '../instant.js';
import { endStatusSchema, reasonSchema } from '../outcome.js';
import { reviewVerdictSchema } from './review.js';

const head = {
  v: z.literal(1),
  deployment: nameSchema,
  ledger: nonceSchema,
  epoch: z.int().min(1),
  seq: z.int().min(1),
  /** The entry before this one in the ledger, and the one before it of the same action. */
  prev: digestSchema.nullable(),
  prevOfAction: digestSchema.nullable(),
  at: instantSchema,
};
const ofAction = { ...head, actionId: actionIdSchema };
const step = z.int().min(1).max(50);
const attempt = z.int().min(1);
const code = z.string().min(1).max(200);
const key = z.string().max(200);

/** Keys of the people who may decide, as enrolled at the seal. */
export const sealedPeopleSchema = z
  .array(
    z.strictObject({
      person: personIdSchema,
      keys: z
        .array(z.strictObject({ key: z.string().max(2_000), from: instantSchema.optional(), until: instantSchema.optional() }))
        .max(10),
    }),
  )
  .max(200);
export type SealedPeople = z.infer<typeof sealedPeopleSchema>;

/** One record of the ledger, signed by the executor: the only truth about what happened. */
export const entrySchema = z.discriminatedUnion('kind', [
  z.strictObject({
    ...ofAction,
    kind: z.literal('sealed'),
    digest: digestSchema,
    revision: z.int().min(1).max(8),
    view: digestSchema,
    cause: z.enum(['request', 'modify', 'reseal']),
    people: sealedPeopleSchema,
  }),
  z.strictObject({ ...ofAction, kind: z.literal('denied'), request: digestSchema, status: z.literal('denied'), reason: reasonSchema }),
  z.strictObject({
    ...ofAction,
    kind: z.literal('executing'),
    digest: digestSchema,
    decisions: z.array(digestSchema).max(100),
    /** It began by a break-glass rule: whose signatures it owes since, how many of them, and until when. */
    postReview: z
      .strictObject({ people: z.array(personIdSchema).max(100), quorum: z.int().min(1).max(100), due: instantSchema })
      .optional(),
  }),
  z.strictObject({ ...ofAction, kind: z.literal('step_started'), step, attempt, key }),
  z.strictObject({ ...ofAction, kind: z.literal('step_done'), step, attempt, result: jsonSchema, note: z.string().max(400).optional() }),
  z.strictObject({ ...ofAction, kind: z.literal('step_not_started'), step, attempt, code }),
  z.strictObject({ ...ofAction, kind: z.literal('step_failed'), step, attempt, code }),
  z.strictObject({ ...ofAction, kind: z.literal('step_unknown'), step, attempt, code }),
  z.strictObject({ ...ofAction, kind: z.literal('undo_started'), step, key }),
  z.strictObject({ ...ofAction, kind: z.literal('undo_done'), step }),
  z.strictObject({ ...ofAction, kind: z.literal('undo_failed'), step, code }),
  z.strictObject({ ...ofAction, kind: z.literal('undo_unknown'), step, code }),
  z.strictObject({ ...ofAction, kind: z.literal('stale'), digest: digestSchema, code: z.enum(ERROR_CODES) }),
  z.strictObject({
    ...head,
    actionId: actionIdSchema.nullable(),
    kind: z.literal('lodged'),
    object: z.enum(['reject', 'withdraw', 'cancel', 'freeze', 'thaw', 'restore', 'review']),
    digest: digestSchema.nullable(),
    by: z.string().max(100),
  }),
  /** The ledger was restored while this action was open: whether this step has run since the backup, only its target knows. */
  z.strictObject({ ...ofAction, kind: z.literal('restored'), step, attempt }),
  z.strictObject({
    ...ofAction,
    kind: z.literal('resolved'),
    step,
    verdict: z.enum(['happened', 'did_not', 'undone_by_hand']),
    by: z.array(personIdSchema).min(1).max(100),
    digests: z.array(digestSchema).min(1).max(100),
  }),
  z.strictObject({
    ...ofAction,
    kind: z.literal('closed'),
    status: z.enum(['expired', 'execution_expired', 'rejected', 'cancelled']),
    reason: reasonSchema,
  }),
  z.strictObject({
    ...ofAction,
    kind: z.literal('reviewed'),
    verdict: reviewVerdictSchema,
    by: z.array(personIdSchema).min(1).max(100),
    digests: z.array(digestSchema).min(1).max(100),
  }),
  z.strictObject({ ...ofAction, kind: z.literal('ended'), status: endStatusSchema, reason: reasonSchema }),
]);
export type Entry = z.infer<typeof entrySchema>;
export type EntryKind = Entry['kind'];
type Body<E> = E extends Entry ? Omit<E, 'v' | 'deployment' | 'ledger' | 'epoch' | 'seq' | 'prev' | 'prevOfAction' | 'at'> : never;
/** What a transition says; the ledger adds the rest. */
export type EntryBody = Body<Entry>;
