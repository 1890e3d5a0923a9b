import { z } from 'zod';
import { actionIdSchema, nameSchema, nonceSchema, personIdSchema } from '../ids.js';
import { instantSchema } from '../instant.js';

export const reviewVerdictSchema = z.enum(['justified', 'not_justified']);

/** What one person says afterwards of an action that ran by a break-glass rule (§6.10). It undoes nothing: it is on record. */
export const reviewSchema = z.strictObject({
  v: z.literal(1),
  deployment: nameSchema,
  actionId: actionIdSchema,
  by: personIdSchema,
  verdict: reviewVerdictSchema,
  reason: z.string().min(1).max(2_000),
  nonce: nonceSchema,
  issuedAt: instantSchema,
});
export type ReviewMessage = z.infer<typeof reviewSchema>;
