import { z } from 'zod';
import { signedSchema } from '../dsse.js';
import { actionIdSchema, digestSchema, nameSchema } from '../ids.js';
import { jsonSchema } from '../json-schema.js';
import { MAX_QUESTIONS } from '../review/dialogue.js';
import { MAX_REVISIONS } from '../objects/envelope.js';
import { statusSchema } from '../outcome.js';
import { snapshotSchema } from '../review/snapshot.js';

const { decisions, messages, refused, receiptsInvalid } = snapshotSchema.shape;

/** What only API or workflow saw: refusals, fates, decisions nobody counted. Claims: nothing here is signed by the executor. */
export const claimedSchema = z.strictObject({
  status: statusSchema,
  decisions,
  /** Signed decisions that neither counted, nor were lodged, nor made a revision. */
  otherDecisions: z.array(signedSchema).max(300),
  messages,
  refused,
  receiptsInvalid,
});
export type Claimed = z.infer<typeof claimedSchema>;

/**
 * One file for one action (§4): exactly the canonical JSON of this, and a newline. Everything outside `annex` is checked by `verifyEvidence`
 * against the executor's signed entries; the annex against a SHA-256 of its own.
 */
export const evidenceSchema = z.strictObject({
  v: z.literal(1),
  deployment: nameSchema,
  actionId: actionIdSchema,
  /** Of an action denied before any seal: what was asked. Null everywhere else, because an envelope holds it. */
  request: signedSchema.nullable(),
  /** Oldest revision first; view `i` is the view of envelope `i`. */
  envelopes: z.array(signedSchema).max(MAX_REVISIONS),
  views: z.array(jsonSchema).max(MAX_REVISIONS),
  /** Counted at execution, lodged, or the modify a revision came from. Sorted by digest, each once. */
  decisions: z.array(signedSchema).max(300),
  /** Cancels and reviews lodged, and the resolves that settled a step. Sorted by digest, each once. */
  messages: z.array(signedSchema).max(300),
  /** Reviewers' questions and the agent's answers, by their own signatures: the ledger knows nothing of them. Sorted by the ask's digest, each once. */
  questions: z.array(z.strictObject({ ask: signedSchema, answer: signedSchema.nullable() })).max(MAX_QUESTIONS),
  /** All entries of the action, oldest first. */
  entries: z.array(signedSchema).min(1).max(10_000),
  annex: z.strictObject({ claimed: claimedSchema, sha256: digestSchema }),
});
export type Evidence = z.infer<typeof evidenceSchema>;
