import { z } from 'zod';
import { ERROR_CODES } from './codes.js';
import { signedSchema } from './dsse.js';
import { actionIdSchema, agentIdSchema, digestSchema, nameSchema, personIdSchema } from './ids.js';
import { instantSchema } from './instant.js';
import { replyTextSchema } from './objects/reply.js';
import { outcomeSchema, statusSchema } from './outcome.js';
import { postReviewSchema } from './post-review.js';
import { fateSchema, snapshotSchema } from './review/snapshot.js';

/**
 * What travels over HTTP, as the API makes it and client and CLI read it (§10). Requests are signed objects; answers are these.
 * RFC 9457 problem: `type` ends in the stable code.
 */
export const problemSchema = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.enum(ERROR_CODES),
  detail: z.string(),
  remedy: z.string(),
  retry: z.enum(['never', 'same', 'new_proposal']),
});
export type Problem9457 = z.infer<typeof problemSchema>;

/** A line of a list: from Temporal's visibility alone, without a word of any worker. */
export const actionLineSchema = z.strictObject({
  id: actionIdSchema,
  status: statusSchema,
  type: z.string(),
  agent: z.string(),
  risk: z.string().nullable(),
  rule: z.string().nullable(),
  awaiting: z.array(personIdSchema),
  deadline: instantSchema.nullable(),
  startedAt: instantSchema,
});
export type ActionLine = z.infer<typeof actionLineSchema>;
export const actionListSchema = z.strictObject({ actions: z.array(actionLineSchema), next: z.string().nullable() });

/** A reviewer's question and the agent's answer, both by signatures of the API's roster; texts are untrusted and made visible. */
export const questionSchema = z.strictObject({
  digest: digestSchema,
  person: personIdSchema,
  revision: z.int(),
  question: z.string(),
  askedAt: instantSchema,
  answer: z
    .strictObject({
      digest: digestSchema,
      agent: agentIdSchema,
      text: z.string(),
      answeredAt: instantSchema,
      /** By the agent's own key, or vouched for by the API. */
      standing: z.enum(['signed', 'vouched']),
    })
    .nullable(),
});

/** What an agent with a bearer key answers with; the API signs for it. */
export const plainAnswerSchema = z.strictObject({ question: digestSchema, text: replyTextSchema });

/**
 * One action: the outcome as it stands, and what proves it. `outcome.final` only if the entries verify.
 * `stale`: no worker answered, so only what visibility knows: then envelopes, entries and decisions are empty.
 */
export const actionSchema = z.strictObject({
  ...snapshotSchema.omit({ request: true }).shape,
  type: z.string(),
  agent: z.string(),
  sentence: z.string().nullable(),
  /** Those that nobody answered yet; none once the action has ended. */
  openQuestions: z.array(z.strictObject({ digest: digestSchema, person: personIdSchema, question: z.string() })),
  questions: z.array(questionSchema),
  /** Of an action that ran by a break-glass rule; as far as the executor's entries prove it. */
  postReview: postReviewSchema,
  stale: z.boolean(),
  /** False: its run in Temporal is closed. While `outcome.final` is false too, it was terminated or its end is not proven: waiting longer changes nothing. */
  running: z.boolean(),
});
export type ActionResource = z.infer<typeof actionSchema>;

/** One thing that happened to an action: an entry of the ledger (signed by the executor), or what became of a message. */
export const actionEventSchema = z.strictObject({
  /** The digest of the entry; of the message, with its fate: so a fate that moves on is an event of its own. */
  id: z.string(),
  at: instantSchema.nullable(),
  /** `sealed`, `executing`, `step_done` …; `approve`, `reject`, `modify`, `ask`, `withdraw`; `answer` of the agent; `message` for cancel and resolve. */
  kind: z.string(),
  by: z.string().nullable(),
  fate: fateSchema.nullable(),
  text: z.string(),
});
export type ActionEvent = z.infer<typeof actionEventSchema>;
export const actionEventsSchema = z.strictObject({ id: actionIdSchema, events: z.array(actionEventSchema) });

/** The answer to a decision, cancel, resolve or review. */
export const messageAnswerSchema = z.strictObject({
  id: actionIdSchema,
  digest: digestSchema,
  fate: fateSchema,
  /** False: Temporal keeps the signal, but no worker has judged it yet. */
  judged: z.boolean(),
  status: statusSchema.nullable(),
  progress: z.strictObject({ have: z.int(), need: z.int() }).nullable(),
  outcome: outcomeSchema.nullable(),
});
export type MessageAnswer = z.infer<typeof messageAnswerSchema>;

const ofExecutor = { executor: z.string() };
/** What became of a freeze or thaw at one executor, with the executor's signed answer: `waiting` is kept by Temporal. */
export const stopFateSchema = z.discriminatedUnion('state', [
  z.strictObject({ ...ofExecutor, state: z.literal('stands'), answer: signedSchema }),
  z.strictObject({ ...ofExecutor, state: z.literal('waiting'), answer: z.null() }),
  z.strictObject({
    ...ofExecutor,
    state: z.literal('refused'),
    code: z.enum(ERROR_CODES),
    text: z.string(),
    answer: signedSchema.nullable(),
  }),
]);
export type StopFate = z.infer<typeof stopFateSchema>;
export const stopAnswerSchema = z.strictObject({ digest: digestSchema, executors: z.array(stopFateSchema) });
export type StopAnswer = z.infer<typeof stopAnswerSchema>;

/** `Authorization: Keyturn <base64url of the signed read as JSON>`: good for 60 s, for one method and path. */
export const readSchema = z.strictObject({
  v: z.literal(1),
  deployment: nameSchema,
  keyId: z.string(),
  method: z.enum(['GET', 'POST', 'DELETE']),
  /** Path with query, as sent. */
  path: z.string().max(2_000),
  issuedAt: instantSchema,
});
export const READ_GOOD_FOR_MS = 60_000;

export const actionTypesSchema = z.strictObject({ manifests: z.array(signedSchema) });
