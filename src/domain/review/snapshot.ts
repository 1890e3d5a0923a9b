import { z } from 'zod';
import { ERROR_CODES } from '../codes.js';
import { signedSchema } from '../dsse.js';
import { actionIdSchema, digestSchema, personIdSchema } from '../ids.js';
import { instantSchema } from '../instant.js';
import { outcomeSchema } from '../outcome.js';

export const fateSchema = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('waiting') }),
  z.strictObject({ state: z.literal('counted') }),
  z.strictObject({ state: z.literal('stands') }),
  z.strictObject({ state: z.literal('taken') }),
  z.strictObject({ state: z.literal('refused'), code: z.enum(ERROR_CODES), text: z.string() }),
]);

/** What the workflow says of itself when asked: claims, but for the envelope and the entries, which carry the executor's signature. */
export const snapshotSchema = z.strictObject({
  id: actionIdSchema,
  request: z.unknown(),
  outcome: outcomeSchema,
  /** The executor's entry count and signed entries: the receipt. */
  entries: z.array(signedSchema),
  /** Every revision's envelope, oldest first. */
  envelopes: z.array(signedSchema),
  revision: z.int(),
  digest: digestSchema.nullable(),
  view: digestSchema.nullable(),
  decisions: z.array(
    z.strictObject({
      digest: digestSchema,
      person: personIdSchema,
      for: personIdSchema.optional(),
      verdict: z.enum(['approve', 'reject', 'modify', 'ask', 'withdraw']),
      revision: z.int(),
      issuedAt: instantSchema,
      reason: z.string().nullable(),
      fate: fateSchema,
    }),
  ),
  /** The same decisions, signed: what evidence is made of. */
  signedDecisions: z.array(signedSchema),
  /** What came in as the agent's answers, in order of arrival: whose they are, readers find out by their signatures. */
  replies: z.array(z.strictObject({ digest: digestSchema, question: digestSchema, signed: signedSchema })),
  /** Cancels and resolves, by digest. */
  messages: z.array(z.strictObject({ digest: digestSchema, fate: fateSchema })),
  /** The same messages, signed, for the evidence. */
  signedMessages: z.array(signedSchema).optional(),
  awaiting: z.array(personIdSchema),
  progress: z.strictObject({ have: z.int(), need: z.int() }),
  deadline: instantSchema.nullable(),
  refused: z.strictObject({
    total: z.int(),
    signatures: z.int(),
    last: z.strictObject({ code: z.enum(ERROR_CODES), text: z.string() }).nullable(),
  }),
  /** Answers that bore no valid signature of the executor. */
  receiptsInvalid: z.int(),
  expiring: z.boolean(),
});
export type Snapshot = z.infer<typeof snapshotSchema>;
