import { z } from 'zod';
import { actionIdSchema, agentIdSchema, digestSchema, nameSchema, nonceSchema } from '../ids.js';
import { instantSchema } from '../instant.js';

/** The longest answer, in characters: as long as a question or a reason. */
export const replyTextSchema = z.string().min(1).max(2_000);

/**
 * An agent's answer to one reviewer's question. Called `reply` here, because an executor's signed answer to an activity is an `answer`. Signed by the
 * agent's key, or by the API's for an agent with a bearer key.
 */
export const replySchema = z.strictObject({
  v: z.literal(1),
  deployment: nameSchema,
  actionId: actionIdSchema,
  agent: agentIdSchema,
  /** The digest of the signed ask. */
  question: digestSchema,
  text: replyTextSchema,
  nonce: nonceSchema,
  issuedAt: instantSchema,
});
export type Reply = z.infer<typeof replySchema>;

/** Characters of base64url a signed answer's payload may have: 12 KiB of JSON. */
export const MAX_REPLY_CHARS = 16_384;
