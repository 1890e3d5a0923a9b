import { z } from 'zod';
import { agentIdSchema, nameSchema, typeNameSchema } from '../ids.js';
import type { JsonObject } from '../json.js';
import { leaf, list, oneLine, strict } from './fields.js';

/** The shape of `tests:` in policy.yaml: what is given, and what the policy is to say to it. */

export const SAMPLE_TEST =
  'tests: [{ given: { type: payments.transfer, params: { cents: 480000 } }, expect: { effect: hold, rule: vendor payments } }]';
const text = (sample: string) => leaf(z.string(), 'a text', sample);
const SAMPLE_CHANGE = 'changes: [{ what: README.md, from: text, to: text }]';
const perhaps = leaf(z.string().nullable(), 'a text', SAMPLE_CHANGE).default(null);
const changed = strict({ what: text(SAMPLE_CHANGE), from: perhaps, to: perhaps }, SAMPLE_CHANGE);
const SAMPLE_PREVIEW = 'preview: { touches: [environment production] }';
const preview = strict(
  {
    touches: list(text(SAMPLE_PREVIEW), SAMPLE_PREVIEW, 0, 1_000).default([]),
    warnings: list(text(SAMPLE_PREVIEW), SAMPLE_PREVIEW, 0, 100).default([]),
    changes: list(changed, SAMPLE_PREVIEW, 0, 1_000).default([]),
  },
  SAMPLE_PREVIEW,
);
export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);
const parameters = z.custom<JsonObject>(isObject);

export const testSchema = strict(
  {
    given: strict(
      {
        type: leaf(typeNameSchema, 'a type', 'type: payments.transfer'),
        params: leaf(parameters, 'a set of parameters', 'params: { cents: 480000 }'),
        agent: leaf(agentIdSchema, 'the id of an agent', 'agent: ap-agent').optional(),
        onBehalfOf: leaf(nameSchema, 'the id of a person', 'onBehalfOf: dana').optional(),
        request: leaf(z.enum(['signed', 'vouched']), 'signed or vouched', 'request: vouched').optional(),
        preview: preview.optional(),
      },
      'given: { type: payments.transfer, params: { cents: 480000 } }',
    ),
    expect: strict(
      {
        effect: leaf(z.enum(['hold', 'allow', 'deny']), 'hold, allow or deny', 'effect: hold'),
        rule: leaf(oneLine(200), 'the name of a rule', 'rule: vendor payments').optional(),
        independent: leaf(z.int().min(0), 'a whole number from 0', 'independent: 1').optional(),
        code: leaf(
          z.enum(['rule_denies', 'rule_missing', 'policy_error', 'quorum_unsatisfiable', 'budget_exceeded']),
          'a code of a denial',
          'code: rule_missing',
        ).optional(),
      },
      'expect: { effect: hold, rule: vendor payments }',
    ),
  },
  SAMPLE_TEST,
);
