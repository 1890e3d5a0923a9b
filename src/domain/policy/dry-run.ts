import { z } from 'zod';
import { agentIdSchema, digestSchema, nameSchema, typeNameSchema } from '../ids.js';
import { stageSchema } from '../objects/envelope.js';
import { paramsSchema } from '../objects/request.js';
import type { Roster } from '../roster.js';
import { explainPolicy } from './explain.js';
import type { Ruling } from './evaluate.js';
import { askedOf } from './rehearsal.js';
import type { Policy } from './schema.js';

/** The body of `POST /v1/policy-evaluations` (§10): an action somebody thinks up. */
export const dryRunSchema = z.strictObject({
  type: typeNameSchema,
  params: paramsSchema,
  /** Left out: the agent that asks, or the first that may propose the type. */
  agent: agentIdSchema.optional(),
  onBehalfOf: nameSchema.optional(),
});
export type DryRun = z.infer<typeof dryRunSchema>;

const copySchema = {
  /** Whose copy of the policy this is: never the executor's, which alone decides. */
  source: z.literal("the API's own copy of policy.yaml: the executor's decides"),
  version: z.int(),
  digest: digestSchema,
};
const SOURCE = copySchema.source.value;

const durationMs = z.int();
const heldSchema = z.strictObject({
  because: z.string(),
  stages: z.array(stageSchema),
  rejections: z.int(),
  exclusions: z.array(z.strictObject({ person: z.string(), why: z.string() })),
  approveWithin: durationMs,
  executeWithin: durationMs,
  guards: z.strictObject({ independent: z.int(), minTime: durationMs, confirmField: z.string().nullable(), minView: durationMs }),
});

export const policyEvaluationSchema = z.strictObject({
  ...copySchema,
  /** What was left out, so that the executor may say otherwise. */
  without: z.array(z.enum(['preview', 'budgets'])),
  asked: z.strictObject({ type: z.string(), agent: z.string(), owner: z.string(), onBehalfOf: z.string().nullable() }),
  /** `undecided`: a rule reads the preview, which only the executor makes. */
  effect: z.enum(['hold', 'allow', 'deny', 'undecided']),
  rule: z.string().nullable(),
  code: z.string().nullable(),
  text: z.string(),
  held: heldSchema.nullable(),
  /** In the order they are asked; those for other types or agents are left out. */
  rules: z.array(z.strictObject({ rule: z.string(), effect: z.string(), says: z.string(), error: z.string().nullable() })),
});
export type PolicyEvaluation = z.infer<typeof policyEvaluationSchema>;

/** The rules by name, without conditions or people. */
export const policyOverviewSchema = z.strictObject({
  ...copySchema,
  rules: z.array(
    z.strictObject({ name: z.string(), effect: z.string(), because: z.string(), type: z.string(), agent: z.string().nullable() }),
  ),
});
export type PolicyOverview = z.infer<typeof policyOverviewSchema>;

/** What this copy says to an action, without preview and without budgets; a text: why nobody could ask it. `now` in ms. */
export function dryRun(policy: Policy, roster: Roster, given: DryRun, now: number): PolicyEvaluation | string {
  const asked = askedOf(roster, given);
  if (typeof asked === 'string') return asked;
  const { ruling, rules } = explainPolicy(policy, roster, asked, now);
  const { type, agent, owner, onBehalfOf } = asked;
  return {
    source: SOURCE,
    version: policy.version,
    digest: policy.digest,
    without: ['preview', 'budgets'],
    asked: { type, agent, owner, onBehalfOf },
    ...said(ruling),
    rules: rules
      .filter(({ says }) => says !== 'other')
      .map(({ rule, effect, says, error }) => ({ rule, effect, says, error: error ?? null })),
  };
}

function said(ruling: Ruling): Pick<PolicyEvaluation, 'effect' | 'rule' | 'code' | 'text' | 'held'> {
  if (ruling.effect === 'deny') {
    const { code, text, rule = null } = ruling;
    return ruling.undecided === true
      ? { effect: 'undecided', rule, code: null, text, held: null }
      : { effect: 'deny', rule, code, text, held: null };
  }
  const { rule, stages, rejections, exclusions, approveWithin, executeWithin, guards } = ruling;
  return {
    effect: ruling.effect,
    rule: rule.name,
    code: null,
    text: rule.because,
    held: { because: rule.because, stages, rejections, exclusions, approveWithin, executeWithin, guards },
  };
}

/** What `agent` may know of the rules: those that could apply to it; undefined: all. */
export const overviewOf = ({ version, digest, rules }: Policy, agent: string | undefined): PolicyOverview => ({
  source: SOURCE,
  version,
  digest,
  rules: rules
    .filter(({ match }) => agent === undefined || match.agent === undefined || match.agent === agent)
    .map(({ name, effect, because, match }) => ({ name, effect, because, type: match.type, agent: match.agent ?? null })),
});
