import { z } from 'zod';
import * as dryRun from '../../src/domain/policy/dry-run.js';
import * as dsse from '../../src/domain/dsse.js';
import * as ended from '../../src/domain/ended.js';
import * as answer from '../../src/domain/objects/answer.js';
import * as decision from '../../src/domain/objects/decision.js';
import * as delegation from '../../src/domain/objects/delegation.js';
import * as entry from '../../src/domain/objects/entry.js';
import * as envelope from '../../src/domain/objects/envelope.js';
import * as evidence from '../../src/domain/evidence/schema.js';
import * as http from '../../src/domain/http.js';
import * as ids from '../../src/domain/ids.js';
import * as instant from '../../src/domain/instant.js';
import * as manifest from '../../src/domain/objects/manifest.js';
import * as outcome from '../../src/domain/outcome.js';
import * as policy from '../../src/domain/policy/schema.js';
import * as policyTest from '../../src/domain/policy/test-file.js';
import * as postReview from '../../src/domain/post-review.js';
import * as reply from '../../src/domain/objects/reply.js';
import * as request from '../../src/domain/objects/request.js';
import * as restore from '../../src/domain/objects/restore.js';
import * as review from '../../src/domain/objects/review.js';
import * as roster from '../../src/domain/roster/schema.js';
import * as snapshot from '../../src/domain/review/snapshot.js';
import * as stop from '../../src/domain/objects/stop.js';
import * as view from '../../src/domain/view/v1.js';

const FILES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  dsse,
  ended,
  evidence,
  http,
  ids,
  instant,
  'objects/answer': answer,
  'objects/decision': decision,
  'objects/delegation': delegation,
  'objects/entry': entry,
  'objects/envelope': envelope,
  'objects/manifest': manifest,
  'objects/reply': reply,
  'objects/request': request,
  'objects/restore': restore,
  'objects/review': review,
  'objects/stop': stop,
  outcome,
  'policy/dry-run': dryRun,
  'policy/schema': policy,
  'policy/test-file': policyTest,
  'post-review': postReview,
  'review/snapshot': snapshot,
  'roster/schema': roster,
  'view/v1': view,
};

/** What every schema of the domain takes, as JSON Schema, by file and name: each field, each limit, each closed list. */
export function schemaShapes(): Record<string, unknown> {
  const named = z.registry<{ id: string }>();
  const results = Object.entries(answer.RESULTS).map(([activity, schema]): [string, unknown] => [`objects/answer RESULTS.${activity}`, schema]);
  const exported = Object.entries(FILES).flatMap(([file, module]) =>
    Object.entries(module).map(([name, value]): [string, unknown] => [`${file} ${name}`, value]),
  );
  for (const [id, value] of [...exported, ...results]) if (value instanceof z.ZodType && !named.has(value)) named.add(value, { id });
  return z.toJSONSchema(named, { io: 'input', unrepresentable: 'any', uri: (id) => id }).schemas;
}
