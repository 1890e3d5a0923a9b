import { z } from 'zod';
import { signedSchema } from '../dsse.js';
import { jsonSchema } from '../json-schema.js';
import { actionIdSchema, digestSchema, keyIdSchema, nameSchema, nonceSchema, personIdSchema } from '../ids.js';
import { instantSchema } from '../instant.js';

const text = z.string().min(1).max(2_000);

const common = {
  v: z.literal(1),
  deployment: nameSchema,
  actionId: actionIdSchema,
  /** The envelope decided on, and the view of it that was shown. */
  digest: digestSchema,
  revision: z.int().min(1).max(8),
  view: digestSchema,
  person: personIdSchema,
  keyId: keyIdSchema,
  nonce: nonceSchema,
  issuedAt: instantSchema,
  /** The person on whose seat the author decides, and the delegation that person signed. */
  delegation: z.strictObject({ from: personIdSchema, signed: signedSchema }).optional(),
  /** Answers to the envelope's guards, by guard name. */
  guards: z.record(z.string().max(60), z.string().max(500)).optional(),
};

/** JSON pointer → new value. */
export const patchSchema = z
  .record(
    z
      .string()
      .max(200)
      .regex(/^(?:\/(?:[^~/]|~[01])*)+$/, 'expected a JSON pointer such as /cents'),
    jsonSchema,
  )
  .refine((patch) => Object.keys(patch).length >= 1 && Object.keys(patch).length <= 50, 'a patch names 1 to 50 places');
export type Patch = z.infer<typeof patchSchema>;

/** What one reviewer says about one revision. Signed with the reviewer's own key. */
export const decisionSchema = z.discriminatedUnion('verdict', [
  z.strictObject({ ...common, verdict: z.literal('approve'), reason: text.optional() }),
  z.strictObject({ ...common, verdict: z.literal('reject'), reason: text }),
  z.strictObject({ ...common, verdict: z.literal('modify'), reason: text, patch: patchSchema }),
  z.strictObject({ ...common, verdict: z.literal('ask'), question: text }),
  z.strictObject({ ...common, verdict: z.literal('withdraw'), withdraws: digestSchema, reason: text.optional() }),
]);
export type Decision = z.infer<typeof decisionSchema>;
export type Verdict = Decision['verdict'];

/** Characters of base64url a signed decision's payload may have: 48 KiB of JSON. */
export const MAX_DECISION_CHARS = 65_536;
