import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { approve, request } from '../helpers/messages.js';
import { BEARER, Desk, sealedOf } from '../api/desk.js';
import { actionSchema } from '../../src/domain/http.js';
import { Limits } from '../../src/api/limits.js';
import { DEPLOYMENT, usualAgents } from '../helpers/rules-fixture.js';
import { run, schemathesis } from './schemathesis.js';

/**
 * `npm run test:openapi`: a real API before a real Temporal server, worker and executor, asked by schemathesis whatever its own OpenAPI document lets one
 * ask, and much that it does not: no 5xx, no status, content type or body that the document does not name. A small fixed budget, always the same seed.
 */
const SEED = '20261127';
const EXAMPLES = '8';
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_schema_conformance',
  'unsupported_method',
  'allow_header_conformance',
];

const BODY = {
  v: 1,
  deployment: DEPLOYMENT,
  agent: 'bearer-agent',
  type: 'payments.transfer',
  params: { vendor: 'ACME', cents: 480_000 },
  reason: 'Invoice 4711',
  idempotencyKey: 'openapi',
};

const program = await schemathesis();
const folder = await mkdtemp(join(tmpdir(), 'keyturn-openapi-'));
// Nothing here is to be told 429 for coming often: every look at the limits' clock is a minute later.
let minutes = 0;
const roster = { agents: usualAgents('limits: { perMinute: 1000000, pending: 1000000 }') };
const desk = await Desk.open({ roster, limits: new Limits(() => ++minutes * 60_000) });
let failure: unknown;
try {
  // Something to be found: one action that waits, one that ran.
  const waiting = await desk.held();
  const proposed = await desk.post('/v1/actions', request().signed);
  const ran = sealedOf(actionSchema.parse(proposed.body));
  for (const person of ['ana', 'ben'] as const) await desk.decide(approve(person, ran, { at: Date.now() }));
  await desk.when(ran.id, ({ outcome }) => outcome.final);
  // One of the agent that asks, too: of the others it learns only that they are not there.
  const vouched = await desk.post('/v1/actions', BODY, BEARER);
  const own = actionSchema.parse(vouched.body);
  const bearer = ['--header', `Authorization: ${BEARER.authorization}`];
  for (const [who, headers, id] of [
    ['an agent with a bearer key, of anything', bearer, undefined],
    ['an agent with a bearer key, of its own action', bearer, own.id],
    ['nobody, of an action that waits', [], waiting.id],
    ['nobody, of an action that ran', [], ran.id],
  ] as const) {
    console.log(`openapi: asked as ${who}`);
    const config = join(folder, 'schemathesis.toml');
    await writeFile(config, id === undefined ? '' : `parameters = { "path.id" = "${id}" }\n`);
    await run(
      program,
      [
        '--config-file',
        config,
        'run',
        `${desk.url}/openapi.json`,
        ...headers,
        '--checks',
        CHECKS.join(','),
        '--max-examples',
        EXAMPLES,
        '--seed',
        SEED,
        '--phases',
        'coverage,fuzzing',
        '--generation-deterministic',
        '--suppress-health-check',
        'all',
        '--continue-on-failure',
        '--request-timeout',
        '40',
      ],
      folder,
    );
  }
} catch (error) {
  failure = error;
} finally {
  await desk.stop();
  await rm(folder, { recursive: true, force: true });
}
const errors = desk.log.filter((line) => line.startsWith('error'));
console.log(`openapi: ${failure === undefined && errors.length === 0 ? 'as its document says' : 'NOT as its document says'}`);
for (const line of errors.slice(0, 20)) console.log(line);
if (failure !== undefined) console.log(failure instanceof Error ? failure.message : 'it failed');
process.exit(failure === undefined && errors.length === 0 ? 0 : 1);
