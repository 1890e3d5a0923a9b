import { z } from 'zod';
import { signedSchema } from '../../domain/dsse.js';
import {
  actionEventsSchema,
  actionListSchema,
  actionSchema,
  actionTypesSchema,
  messageAnswerSchema,
  plainAnswerSchema,
  problemSchema,
  readSchema,
  stopAnswerSchema,
} from '../../domain/http.js';
import { jsonSchema } from '../../domain/json-schema.js';
import { decisionSchema } from '../../domain/objects/decision.js';
import { manifestSchema } from '../../domain/objects/manifest.js';
import { replySchema } from '../../domain/objects/reply.js';
import { requestSchema } from '../../domain/objects/request.js';
import { reviewSchema } from '../../domain/objects/review.js';
import { cancelSchema, freezeSchema, resolveSchema, thawSchema } from '../../domain/objects/stop.js';
import { dryRunSchema, policyEvaluationSchema, policyOverviewSchema } from '../../domain/policy/dry-run.js';
import { outcomeSchema } from '../../domain/outcome.js';

/** The shapes of the document: the same schemas the code parses with. */
const SHAPES = {
  Json: jsonSchema,
  Signed: signedSchema,
  Request: requestSchema,
  Decision: decisionSchema,
  Reply: replySchema,
  PlainAnswer: plainAnswerSchema,
  Cancel: cancelSchema,
  Resolve: resolveSchema,
  Review: reviewSchema,
  Freeze: freezeSchema,
  Thaw: thawSchema,
  Read: readSchema,
  Manifest: manifestSchema,
  Outcome: outcomeSchema,
  Action: actionSchema,
  ActionList: actionListSchema,
  ActionTypes: actionTypesSchema,
  DryRun: dryRunSchema,
  PolicyEvaluation: policyEvaluationSchema,
  PolicyOverview: policyOverviewSchema,
  ActionEvents: actionEventsSchema,
  MessageAnswer: messageAnswerSchema,
  StopAnswer: stopAnswerSchema,
  Problem: problemSchema,
  Empty: z.strictObject({}),
} as const;
export type Component = keyof typeof SHAPES;

export const isComponent = (name: string): name is Component => name in SHAPES;

/** JSON Schemas (2020-12, as OpenAPI 3.1 takes them) by name, referring to each other. */
export function componentSchemas(): Record<string, object> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(SHAPES)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { uri: (id) => `#/components/schemas/${id}`, io: 'input', unrepresentable: 'any' });
  for (const schema of Object.values(schemas)) {
    delete schema.$schema;
    delete schema.$id;
  }
  return schemas;
}
