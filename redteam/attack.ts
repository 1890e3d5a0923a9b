import { z } from 'zod';
import { signedSchema } from '../src/domain/dsse.js';
import type { GuardName } from './guards.js';
import type { Hands } from './hands.js';
import type { Stage } from './stage.js';

/** What an attacker's process holds, and nothing beside it. */
export type Credential =
  | 'agent key'
  | "another agent's key"
  | 'bearer key'
  | "an owner's two agent keys"
  | 'namespace write'
  | 'API host'
  | 'worker host'
  | "ana's key"
  | "ana's two keys"
  | "ben's key"
  | "cleo's key"
  | "eva's key"
  | "gus's key"
  | "the owner's key"
  | "fay's ended key"
  | 'policy.yaml';

/** The credentials themselves, on their way into the process that holds them. */
export const holdsSchema = z.strictObject({
  keys: z.array(z.string()),
  bearer: z.string().optional(),
  temporal: z.string().optional(),
  api: z.string().optional(),
  policyFile: z.string().optional(),
});
export type Holds = z.infer<typeof holdsSchema>;

/** What everybody knows who sees the action: ids, digests, public keys, votes on their way, and where the `temporal` command line is. */
export const factsSchema = z.strictObject({
  vendor: z.string(),
  cli: z.string(),
  keyIds: z.record(z.string(), z.string()),
  id: z.string().default(''),
  digest: z.string().nullable().default(null),
  revision: z.number().default(0),
  view: z.string().nullable().default(null),
  votes: z.array(signedSchema).default([]),
  /** Ben's delegation. */
  mandate: signedSchema.optional(),
  /** The digest of a reviewer's question. */
  question: z.string().default(''),
  /** The digest of a freeze. */
  freeze: z.string().default(''),
});
export type Facts = z.infer<typeof factsSchema>;
export type Known = Partial<Omit<Facts, 'vendor' | 'cli' | 'keyIds'>>;

export interface Attack {
  readonly id: string;
  /** Numbers of the list of attack cases in docs/attacks.md. */
  readonly cases: readonly number[];
  readonly words: string;
  readonly holds: readonly Credential[];
  /** What the attacker sees when it is stopped. */
  readonly expected: string;
  /** What stops it; without it the attack must succeed. */
  readonly guard: GuardName;
  /** Payments to this attack's vendor that honest people agreed to. */
  readonly honest?: number;
  /** It stops or changes parts that others need: runs by itself, after the others. */
  readonly alone?: true;
  /** The honest life before it, with everybody's keys. */
  readonly prepare: (stage: Stage, vendor: string) => Promise<Known>;
  /** In a process of its own. Returns what it saw. */
  readonly strike: (hands: Hands, facts: Facts) => Promise<string>;
  /** Where the harm is a false picture: whether what was seen means that somebody believed it. */
  readonly fooled?: (seen: string) => boolean;
  /** Where the attacker is a server: what its victim sees who asks it at `url`. */
  readonly victim?: (stage: Stage, facts: Facts, url: string) => Promise<string>;
  /** Puts back what the attack needed to be broken. */
  readonly restore?: (stage: Stage) => Promise<void>;
}
