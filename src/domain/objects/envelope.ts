import { z } from 'zod';
import { jsonSchema } from '../json-schema.js';
import { readPayload, signedSchema } from '../dsse.js';
import { actionIdSchema, agentIdSchema, digestSchema, nameSchema, nonceSchema, personIdSchema, typeNameSchema } from '../ids.js';
import { instantSchema, MAX_DURATION_MS } from '../instant.js';
import { BUDGET_SCOPES } from '../policy/budget.js';
import { paramsSchema, requestSchema } from './request.js';

export const MAX_REVISIONS = 8;
export const MAX_PEOPLE = 100;

const duration = z.int().min(1).max(MAX_DURATION_MS);
const offset = z.int().min(1).max(MAX_DURATION_MS);
const people = z.array(personIdSchema).max(MAX_PEOPLE);
const quorum = z.int().min(1).max(MAX_PEOPLE);

/** A later circle of people: from its offset on they count too; a raised quorum holds from then. Offsets run from the first seal. */
export const tierSchema = z.strictObject({ after: offset, to: people.min(1), quorum: quorum.optional() });
export const stageSchema = z.strictObject({
  name: nameSchema,
  from: people,
  quorum,
  remind: z.array(offset).max(10),
  escalate: z.array(tierSchema).max(10),
});
export type Stage = z.infer<typeof stageSchema>;

export const riskSchema = z.enum(['low', 'medium', 'high']);
export type Risk = z.infer<typeof riskSchema>;

/** How one step is undone, in the words a reviewer reads. */
export const undoPlanSchema = z.discriminatedUnion('undo', [
  z.strictObject({ undo: z.literal('automatic') }),
  z.strictObject({ undo: z.literal('by_hand'), how: z.string().min(1).max(1_000) }),
  z.strictObject({ undo: z.literal('impossible') }),
]);
export type UndoPlan = z.infer<typeof undoPlanSchema>;

const words = z.string().max(4_000);
export const changeSchema = z.strictObject({ what: words, from: words.optional(), to: words.optional() });

/** What would change, what it touches, what to beware of; and the state of the target it was computed from. */
export const previewSchema = z.strictObject({
  changes: z.array(changeSchema).max(1_000),
  touches: z.array(words).max(1_000),
  warnings: z.array(words).max(100),
  /** Compared again before the action runs: the target must still be as it was shown. */
  precondition: jsonSchema.optional(),
  undo: z
    .array(z.strictObject({ step: nameSchema, plan: undoPlanSchema }))
    .min(1)
    .max(50),
});
export type Preview = z.infer<typeof previewSchema>;

export const exclusionSchema = z.strictObject({ person: personIdSchema, why: z.enum(['owner', 'on_behalf_of', 'editor']) });
export type Exclusion = z.infer<typeof exclusionSchema>;

const budgetLineSchema = z.strictObject({
  per: z.enum(BUDGET_SCOPES),
  within: duration,
  sum: z.string().max(200).optional(),
  limit: z.int().min(1),
});

const envelopeObject = z.strictObject({
  v: z.literal(1),
  deployment: nameSchema,
  actionId: actionIdSchema,
  ledger: nonceSchema,
  epoch: z.int().min(1),
  executor: nameSchema,
  /** Made at the seal: approvals bind it, so they never fit another action or another seal. */
  nonce: nonceSchema,
  revision: z.int().min(1).max(MAX_REVISIONS),
  parent: digestSchema.nullable(),
  request: signedSchema,
  standing: z.enum(['signed', 'vouched']),
  agent: agentIdSchema,
  owner: personIdSchema,
  onBehalfOf: personIdSchema.nullable(),
  contributors: people,
  type: z.strictObject({ name: typeNameSchema, version: z.string().min(1).max(40), schema: digestSchema }),
  params: paramsSchema,
  /** The parent revision's parameters, so that what changed can be shown from these bytes alone. */
  previousParams: paramsSchema.nullable(),
  summary: words,
  preview: previewSchema,
  risk: riskSchema,
  reasons: z.array(words).max(20),
  policy: z.strictObject({ version: z.int().min(1), digest: digestSchema }),
  roster: z.strictObject({ version: z.int().min(1), digest: digestSchema }),
  /** `allow`: the policy asks nobody. Only then are there no stages. */
  rule: z.strictObject({ effect: z.enum(['hold', 'allow']), name: z.string().min(1).max(200), because: words }),
  stages: z.array(stageSchema).max(10),
  /** What ran by this rule before counts against these limits, and so will this action. */
  budget: z.array(budgetLineSchema).max(10),
  rejections: quorum,
  resolve: z.strictObject({ people, quorum }),
  /** By a break-glass rule: who reviews it afterwards, and within which time from its start. Left out: by an ordinary one. */
  breakGlass: z.strictObject({ people, quorum, reviewWithin: duration }).optional(),
  exclusions: z.array(exclusionSchema).max(MAX_PEOPLE),
  /** To whom those asked may hand over; left out: to nobody. */
  delegates: people.min(1).optional(),
  openedAt: instantSchema,
  sealedAt: instantSchema,
  approveBy: instantSchema,
  executeWithin: duration,
  guards: z.strictObject({
    /** A development roster: printed on every view. */
    development: z.boolean(),
    selfApproval: z.boolean(),
    request: z.enum(['any', 'signed']),
    minTime: z.int().min(0),
    independent: z.int().min(0),
    confirmField: z.string().max(200).nullable(),
    /** A quality guard of the API, which the executor does not enforce: how long a revision is read before it is approved. */
    minView: duration.optional(),
    /** How long equal content stays refused after people rejected it; left out: not at all. */
    cooldown: duration.optional(),
  }),
  /** Earlier actions with equal content, and what became of them (§6.13). */
  earlier: z
    .array(z.strictObject({ actionId: actionIdSchema, status: z.string().max(40), reason: words, by: z.string().max(100).nullable() }))
    .max(5),
  view: z.literal(1),
  webauthn: z.strictObject({ rpId: z.string().min(1).max(253), origins: z.array(z.string().min(1).max(300)).min(1).max(10) }),
});

/** Everything the people agree to, in one piece of bytes. Made and signed only by the executor. */
export const envelopeSchema = envelopeObject
  .refine(({ rule, stages }) => (rule.effect === 'allow') === (stages.length === 0), 'a held action asks somebody, an allowed one nobody')
  // What asks is shown to people: an envelope around anything else could not be.
  .refine(({ request }) => requestSchema.safeParse(readPayload('request', request)).success, 'what it holds is no request');
export type Envelope = z.infer<typeof envelopeSchema>;
