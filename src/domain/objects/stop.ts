import { z } from 'zod';
import { actionIdSchema, agentIdSchema, digestSchema, nameSchema, nonceSchema, personIdSchema, typeNameSchema } from '../ids.js';
import { instantSchema } from '../instant.js';

const signedBy = { v: z.literal(1), deployment: nameSchema, nonce: nonceSchema, issuedAt: instantSchema };
const text = z.string().min(1).max(2_000);

/** By the agent or its owner, or by the API for a bearer agent: `agent:ap-agent`, `person:dana`. */
export const cancelSchema = z.strictObject({
  ...signedBy,
  actionId: actionIdSchema,
  by: z
    .string()
    .max(70)
    .regex(/^(?:agent|person):[a-z0-9._-]+$/, 'expected agent:<id> or person:<id>'),
});
export type Cancel = z.infer<typeof cancelSchema>;

export const freezeScopeSchema = z.union([
  z.strictObject({ all: z.literal(true) }),
  z.strictObject({ type: typeNameSchema }),
  z.strictObject({ agent: agentIdSchema }),
]);
export type FreezeScope = z.infer<typeof freezeScopeSchema>;

/** Nothing in its scope starts, and no next step, until it is thawed. */
export const freezeSchema = z.strictObject({ ...signedBy, by: personIdSchema, scope: freezeScopeSchema, reason: text });
export type Freeze = z.infer<typeof freezeSchema>;

export const thawSchema = z.strictObject({ ...signedBy, by: personIdSchema, freeze: digestSchema, reason: text });
export type Thaw = z.infer<typeof thawSchema>;

/** What a person found out about one step nobody else can tell about. It records; nothing starts forward after it. */
export const resolveSchema = z.strictObject({
  ...signedBy,
  actionId: actionIdSchema,
  by: personIdSchema,
  step: z.int().min(1).max(50),
  verdict: z.enum(['happened', 'did_not', 'undone_by_hand']),
  reason: text,
});
export type Resolve = z.infer<typeof resolveSchema>;
