import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import { z } from 'zod';
import { toCrockford } from './bytes.js';
import { canonicalBytes } from './json.js';

/** Names people choose: roster ids of people, agents, groups, executors; deployments; rules' stages. Never reused for another. */
const NAME = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/;

export const digestSchema = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hexadecimal digits')
  .brand<'Digest'>();
export type Digest = z.infer<typeof digestSchema>;

export const actionIdSchema = z
  .string()
  .regex(/^act_[0-9a-hjkmnp-tv-z]{26}$/, 'expected act_ and 26 characters')
  .brand<'ActionId'>();
export type ActionId = z.infer<typeof actionIdSchema>;

export const personIdSchema = z
  .string()
  .regex(NAME, 'expected a roster id: lower-case letters, digits, ".", "_" or "-"')
  .brand<'PersonId'>();
export type PersonId = z.infer<typeof personIdSchema>;

export const agentIdSchema = z.string().regex(NAME, 'expected an agent id: lower-case letters, digits, ".", "_" or "-"').brand<'AgentId'>();
export type AgentId = z.infer<typeof agentIdSchema>;

/** The first 16 bytes of SHA-256 over the raw public key: names a key without repeating it. */
export const keyIdSchema = z
  .string()
  .regex(/^[0-9a-f]{32}$/, 'expected a key id: 32 lower-case hexadecimal digits')
  .brand<'KeyId'>();
export type KeyId = z.infer<typeof keyIdSchema>;

export const nameSchema = z.string().regex(NAME, 'expected lower-case letters, digits, ".", "_" or "-"');
export const typeNameSchema = z
  .string()
  .max(100)
  .regex(/^[a-z][a-z0-9_-]*(?:\.[a-z][a-z0-9_-]*)*$/, 'expected a type name such as payments.transfer');
export const nonceSchema = z.string().regex(/^[0-9a-f]{32}$/, 'expected 32 lower-case hexadecimal digits');
export const idempotencyKeySchema = z.string().min(1).max(200);

/** Same agent, idempotency key and deployment: the same action, for ever (§6.13, §8). */
export function actionIdOf(deployment: string, agent: string, idempotencyKey: string): ActionId {
  const hash = nobleSha256(canonicalBytes([deployment, agent, idempotencyKey]));
  return actionIdSchema.parse(`act_${toCrockford(hash).slice(0, 26)}`);
}
