import { z } from 'zod';
import { signedSchema } from './dsse.js';
import { outcomeSchema } from './outcome.js';

/** What a finished workflow returns: the outcome, and the receipt that proves it. An end is one only if these entries verify (§10). */
export const endedSchema = outcomeSchema.extend({ receipt: z.array(signedSchema).readonly() });
export type Ended = z.infer<typeof endedSchema>;
