import { z } from 'zod';
import { jsonSchema } from '../json-schema.js';
import { agentIdSchema, idempotencyKeySchema, nameSchema, personIdSchema, typeNameSchema } from '../ids.js';

/** Parameters of every type are a JSON object: each has a name people can read. */
export const paramsSchema = z.record(z.string().max(200), jsonSchema);
export type Params = z.infer<typeof paramsSchema>;

/** What an agent proposes. Signed by the agent's key, or vouched for by the API's key for agents that hold a bearer key. */
export const requestSchema = z.strictObject({
  v: z.literal(1),
  deployment: nameSchema,
  agent: agentIdSchema,
  type: typeNameSchema,
  params: paramsSchema,
  /** The agent's own words; shown as such, never believed. */
  reason: z.string().min(1).max(2_000),
  context: jsonSchema.optional(),
  idempotencyKey: idempotencyKeySchema,
  onBehalfOf: personIdSchema.optional(),
});
export type Request = z.infer<typeof requestSchema>;

/** Characters of base64url a signed request's payload may have: 96 KiB of JSON. */
export const MAX_REQUEST_CHARS = 131_072;
