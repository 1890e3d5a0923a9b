import { z } from 'zod';
import { digestSchema, nameSchema, nonceSchema } from '../ids.js';
import { instantSchema } from '../instant.js';

/** Closes a backup file: what it holds, signed by the executor whose ledger it is. `digest` is SHA-256 over the lines before it. */
export const backupSchema = z.strictObject({
  v: z.literal(1),
  deployment: nameSchema,
  ledger: nonceSchema,
  epoch: z.int().min(1),
  schema: z.int().min(1),
  seq: z.int().min(0),
  head: digestSchema.nullable(),
  rows: z.int().min(1),
  digest: digestSchema,
  at: instantSchema,
});
export type Backup = z.infer<typeof backupSchema>;

/** Begins an epoch: the ledger stands again as it was at `backupAt`. It freezes everything until people thaw it by its digest. */
export const restoreSchema = z.strictObject({
  v: z.literal(1),
  deployment: nameSchema,
  ledger: nonceSchema,
  /** The one it begins. */
  epoch: z.int().min(2),
  nonce: nonceSchema,
  /** The digest of the backup's signed end. */
  backup: digestSchema,
  backupAt: instantSchema,
  at: instantSchema,
});
export type Restore = z.infer<typeof restoreSchema>;
