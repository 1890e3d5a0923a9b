import { z } from 'zod';
import { nameSchema, nonceSchema, personIdSchema } from '../ids.js';
import { instantSchema, MAX_DURATION_MS, toMs } from '../instant.js';
import { typePatternSchema } from '../policy/match.js';

/** One person hands what is asked of him over to another, for a time. Signed with his own key; nobody hands on what was handed over. */
export const delegationSchema = z
  .strictObject({
    v: z.literal(1),
    deployment: nameSchema,
    from: personIdSchema,
    to: personIdSchema,
    /** Types or `prefix.*`; left out: every type. */
    types: z.array(typePatternSchema).min(1).max(20).optional(),
    nonce: nonceSchema,
    issuedAt: instantSchema,
    /** Exclusive. */
    until: instantSchema,
  })
  .refine(({ from, to }) => from !== to, 'nobody hands over to himself')
  .refine(({ issuedAt, until }) => {
    const lasts = toMs(until) - toMs(issuedAt);
    return lasts > 0 && lasts <= MAX_DURATION_MS;
  }, 'a delegation ends after it begins, within 90 days');
export type Delegation = z.infer<typeof delegationSchema>;

/** Characters of base64url a signed delegation's payload may have. */
export const MAX_DELEGATION_CHARS = 4_096;
