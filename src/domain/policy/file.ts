import { z } from 'zod';
import { agentIdSchema, nameSchema } from '../ids.js';
import { canonicalBytes, type JsonObject } from '../json.js';
import { MAX_PEOPLE, riskSchema } from '../objects/envelope.js';
import { BUDGET_SCOPES } from './budget.js';
import { readCondition, type Condition, type ConditionRead } from './condition.js';
import { duration, leaf, list, oneLine, refused, strict } from './fields.js';
import { guardFields, noGuards } from './guards.js';
import { typePatternSchema } from './match.js';
import { isObject, SAMPLE_TEST, testSchema } from './test-file.js';

/** The shape of policy.yaml (§9). What needs more than one field to judge is in `check.ts`, what needs the roster in `lint.ts`. */

/** Zero, fractions, "2", NaN and 2^53 never get this far as a quorum (§6.2; attack cases 1, 2). */
const quorum = (sample: string) => leaf(z.int().min(1).max(MAX_PEOPLE), `a whole number from 1 to ${MAX_PEOPLE}`, sample);

const ref = leaf(
  z.string().refine((text) => /^(?:group|person):/.test(text) && nameSchema.safeParse(text.slice(text.indexOf(':') + 1)).success),
  'group:<name> or person:<id>',
  'group:finance, or person:ana',
  (value) => {
    const { data: name } = nameSchema.safeParse(value);
    return name === undefined ? undefined : `group:${name}, or person:${name}`;
  },
);
const refs = (field: string) => list(ref, `${field}: [group:finance]`, 1, MAX_PEOPLE);

const match = strict(
  {
    type: leaf(typePatternSchema, 'a type or prefix.*', 'type: payments.transfer, or type: payments.*'),
    agent: leaf(agentIdSchema, 'the id of an agent', 'agent: ap-agent').optional(),
  },
  'match: { type: payments.transfer }',
);

const tier = strict(
  { after: duration('after: 8h'), to: refs('to'), quorum: quorum('quorum: 2').optional() },
  'escalate: [{ after: 8h, to: [group:finance-leads] }]',
);
const stage = strict(
  {
    name: leaf(nameSchema, 'a name of lower-case letters, digits, ".", "_" or "-"', 'name: finance'),
    from: refs('from'),
    quorum: quorum('quorum: 2'),
    remind: list(duration('remind: [1h, 4h]'), 'remind: [1h, 4h]', 1, 10).default([]),
    escalate: list(tier, 'escalate: [{ after: 8h, to: [group:finance-leads] }]', 1, 10).default([]),
  },
  '{ name: finance, from: [group:finance], quorum: 2 }',
);
const circle = (sample: string) => strict({ from: refs('from'), quorum: quorum('quorum: 1') }, sample);

/** §6.10: fewer people than usual, and others who look at it afterwards. */
const breakGlass = strict(
  { review: circle('review: { from: [group:security], quorum: 1 }'), reviewWithin: duration('reviewWithin: 72h') },
  'breakGlass: { review: { from: [group:security], quorum: 1 }, reviewWithin: 72h }',
);

/** §6.1: what this build does not enforce is a start-up error, so that nobody relies on it: a later form may hold rules it does not know. */
const form = z.unknown().transform((value, context): 'keyturn/policy@1' => {
  if (value === 'keyturn/policy@1') return value;
  const isLater = typeof value === 'string' && /^keyturn\/policy@[1-9][0-9]{0,3}$/.test(value);
  const why = isLater
    ? {
        text: `this build does not enforce ${value}`,
        write: 'schema: keyturn/policy@1, or use a build that enforces it',
        code: 'policy_unsupported',
      }
    : { expected: 'a form this build reads', write: 'schema: keyturn/policy@1' };
  context.addIssue({ code: 'custom', params: why });
  return z.NEVER;
});

const budget = list(
  strict(
    {
      per: leaf(z.enum(BUDGET_SCOPES), 'agent, owner or all', 'per: agent, per: owner, or per: all'),
      within: duration('within: 24h'),
      sum: leaf(
        z
          .string()
          .max(200)
          .regex(/^(?:\/(?:[^~/]|~[01])+)+$/),
        'a JSON pointer to a whole number of the parameters',
        'sum: /cents; left out, actions are counted',
      ).optional(),
      limit: leaf(z.int().min(1), 'a whole number from 1', 'limit: 20'),
    },
    '{ per: agent, within: 24h, limit: 20 }, or { per: owner, within: 24h, sum: /cents, limit: 100000 }',
  ),
  'budget: [{ per: agent, within: 24h, limit: 20 }]',
  1,
  10,
);
const requestStanding = leaf(z.enum(['signed', 'vouched']), 'signed or vouched', 'request: signed, or request: vouched');

const when = z.unknown().transform((value, context): Condition => {
  const read: ConditionRead =
    typeof value === 'string'
      ? readCondition(value)
      : { ok: false, text: 'when is not a text in the Common Expression Language', write: 'when: action.params.cents > 50000' };
  if (read.ok) return read.condition;
  context.addIssue({ code: 'custom', params: { text: read.text, write: read.write } });
  return z.NEVER;
});

const ofEveryRule = {
  name: leaf(oneLine(200), 'a text of one line', 'name: vendor payments'),
  match,
  when: when.optional(),
  because: leaf(
    z
      .string()
      .max(2_000)
      .refine((text) => text.trim() !== ''),
    'a sentence',
    'because: Money leaves the company and is hard to get back.',
  ),
};
const inStage = (field: string, sample: string) =>
  refused(`"${field}" belongs in a stage`, `stages: [{ name: finance, from: […], quorum: 2, ${sample} }]`);

const hold = strict({
  ...ofEveryRule,
  effect: z.literal('hold'),
  risk: leaf(riskSchema, 'low, medium or high', 'risk: high').optional(),
  stages: list(stage, 'stages: [{ name: finance, from: [group:finance], quorum: 2 }]', 1, 10).default([]),
  from: refs('from').optional(),
  quorum: quorum('quorum: 2').optional(),
  remind: inStage('remind', 'remind: [1h]'),
  escalate: inStage('escalate', 'escalate: [{ after: 8h, to: [group:finance-leads] }]'),
  approveWithin: duration('approveWithin: 24h'),
  executeWithin: duration('executeWithin: 30m'),
  rejections: quorum('rejections: 1').optional(),
  resolve: circle('resolve: { from: [group:finance-leads], quorum: 1 }').optional(),
  cooldown: duration('cooldown: 24h').optional(),
  ...guardFields,
  budget: budget.optional(),
  request: requestStanding.optional(),
  delegates: refs('delegates').optional(),
  breakGlass: breakGlass.optional(),
});

const asksNobody = (field: string) =>
  refused(`"${field}" has no place in an allow rule: nobody is asked`, `the rule without ${field}, or effect: hold`);
/** §6.2: only for a request the agent signed, or where the rule says `request: vouched`; only within a budget. */
const allow = strict({
  ...ofEveryRule,
  effect: z.literal('allow'),
  risk: leaf(riskSchema, 'low, medium or high', 'risk: low').optional(),
  budget,
  request: requestStanding.optional(),
  executeWithin: duration('executeWithin: 5m'),
  resolve: circle('resolve: { from: [group:finance-leads], quorum: 1 }'),
  cooldown: duration('cooldown: 24h').optional(),
  stages: asksNobody('stages'),
  from: asksNobody('from'),
  quorum: asksNobody('quorum'),
  approveWithin: asksNobody('approveWithin'),
  rejections: asksNobody('rejections'),
  delegates: asksNobody('delegates'),
  ...noGuards('an allow rule: nobody is asked', (field) => `the rule without ${field}, or effect: hold`),
});

const ofHoldOnly = (field: string) =>
  refused(`"${field}" has no place in a deny rule: nothing runs`, `the rule without ${field}, or effect: hold`);
const deny = strict({
  ...ofEveryRule,
  effect: z.literal('deny'),
  risk: ofHoldOnly('risk'),
  stages: ofHoldOnly('stages'),
  from: ofHoldOnly('from'),
  quorum: ofHoldOnly('quorum'),
  approveWithin: ofHoldOnly('approveWithin'),
  executeWithin: ofHoldOnly('executeWithin'),
  rejections: ofHoldOnly('rejections'),
  resolve: ofHoldOnly('resolve'),
  cooldown: ofHoldOnly('cooldown'),
  ...noGuards('a deny rule: nobody is asked', (field) => `the rule without ${field}, or effect: hold`),
  budget: ofHoldOnly('budget'),
  request: ofHoldOnly('request'),
  delegates: ofHoldOnly('delegates'),
  breakGlass: ofHoldOnly('breakGlass'),
});

export const MAX_DATA_BYTES = 65_536;
/** A preview is made from it at every seal and before every act. */
const data = leaf(
  z.custom<JsonObject>((value) => isObject(value) && canonicalBytes(value).length <= MAX_DATA_BYTES),
  'a set of fields of at most 64 KiB',
  'data: { git.merge: { environments: { production: [infra/prod/**] } } }',
);
export const policyFileSchema = strict(
  {
    schema: form,
    version: leaf(z.int().min(1), 'a whole number from 1', 'version: 1'),
    rules: list(
      z.discriminatedUnion('effect', [hold, deny, allow], { error: 'effect: hold, effect: allow or effect: deny' }),
      'rules: [{ name: …, match: …, effect: hold }]',
      0,
      1_000,
    ),
    stop: strict(
      { freeze: refs('freeze').optional(), thaw: circle('thaw: { from: [group:security], quorum: 2 }').optional() },
      'stop: { freeze: [group:on-call] }',
    ).optional(),
    data: data.optional(),
    tests: list(testSchema, SAMPLE_TEST, 0, 1_000).optional(),
  },
  'schema: keyturn/policy@1 and its rules',
);
export type PolicyFile = z.infer<typeof policyFileSchema>;
export type FileRule = PolicyFile['rules'][number];
export type FileStage = z.infer<typeof stage>;
