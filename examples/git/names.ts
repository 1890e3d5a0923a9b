import { z } from 'zod';

/** A branch as agents may name it: plain ASCII, nothing that git or a shell reads as anything but a name. */
export const branchSchema = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*(?:\/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$/)
  .refine((name) => !name.includes('..') && !name.split('/').some((part) => part.endsWith('.lock') || part.endsWith('.')), {
    error: 'not a name of a branch',
  });

/** A repository's name in the executor's own configuration; never a path or an address. */
export const repositoryNameSchema = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,39}$/);

/** An object of git, in full. */
export const oidSchema = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);

export const mergeParams = z
  .strictObject({ repository: repositoryNameSchema, source: branchSchema, target: branchSchema })
  .refine(({ source, target }) => source !== target, { error: 'source and target are the same branch' });
export type MergeParams = z.infer<typeof mergeParams>;

/** What people agree to: both heads, and the tree that merging them gives. */
export const reviewedSchema = z.strictObject({ source: oidSchema, target: oidSchema, tree: oidSchema });
export type Reviewed = z.infer<typeof reviewedSchema>;

export const headRef = (branch: string): string => `refs/heads/${branch}`;

const KEY = /^act_[0-9a-z]{26}\/[a-z0-9]+\/(?:run\/[0-9]+|undo)$/;
/** Where an idempotency key is used up in the repository itself. Throws on what is no key of an executor. */
export function keyRef(idempotencyKey: string): string {
  if (!KEY.test(idempotencyKey)) throw new Error(`not an idempotency key: ${idempotencyKey}`);
  return `refs/keyturn/${idempotencyKey}`;
}
