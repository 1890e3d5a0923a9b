import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { RunningApi } from '../../src/api/start-api.js';
import { policyEvaluationSchema, policyOverviewSchema } from '../../src/domain/policy/dry-run.js';
import { policyText, rosterText } from '../helpers/rules-fixture.js';
import { AGENT, keyOfPerson } from '../helpers/signers.js';
import { apiOf, BEARER, Caller, deadClient, readHeader, refusalOf, type Answer } from './desk.js';

let dir: string;
let api: RunningApi;
let without: RunningApi;
const temporal = deadClient();
const POLICY = policyText({
  more: ['independent: 1', 'minTime: 10m', 'confirmField: /cents', 'minView: 20s'],
  deny: ['payments.blind'],
}).replace(
  'stop:',
  `  - { name: not here, match: { type: payments.batch }, when: "'prod' in preview.touches", effect: deny, because: Not there. }
  - { name: for another, match: { type: payments.*, agent: bearer-agent }, effect: deny, because: Bearer keys pay nothing. }
stop:`,
);
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'keyturn-policy-'));
  await writeFile(join(dir, 'roster.yaml'), rosterText());
  await writeFile(join(dir, 'policy.yaml'), POLICY);
  api = await apiOf(temporal.client, join(dir, 'roster.yaml'), [], { policyFile: join(dir, 'policy.yaml') });
  without = await apiOf(temporal.client, join(dir, 'roster.yaml'));
});
afterAll(async () => {
  await api.close();
  await without.close();
  await temporal.close();
  await rm(dir, { recursive: true, force: true });
});

const PATH = '/v1/policy-evaluations';
const GIVEN = { type: 'payments.transfer', params: { vendor: 'ACME', cents: 480_000 } };
const ask = (body: unknown, by = keyOfPerson('ana'), to = api): Promise<Answer> =>
  new Caller(to.url).post(PATH, body, readHeader(by, PATH, { method: 'POST' }));

test("a dry run says what would happen, and that it is the API's copy, without preview and budgets", async () => {
  const answer = await ask(GIVEN);
  expect(answer.status).toBe(200);
  const said = policyEvaluationSchema.parse(answer.body);
  expect(said).toMatchObject({
    source: expect.stringContaining("the API's own copy") as unknown,
    version: 1,
    without: ['preview', 'budgets'],
    asked: { type: 'payments.transfer', agent: 'ap-agent', owner: 'dana', onBehalfOf: null },
    effect: 'hold',
    rule: 'vendor payments',
    held: {
      stages: [{ name: 'finance', from: ['ana', 'ben', 'cleo'], quorum: 2 }],
      exclusions: [{ person: 'dana', why: 'owner' }],
      guards: { independent: 1, minTime: 600_000, confirmField: '/cents', minView: 20_000 },
    },
  });
  expect(said.rules).toEqual([{ rule: 'vendor payments', effect: 'hold', says: 'applies', error: null }]);
});

test('denied, undecided for want of a preview, and asked by nobody', async () => {
  const said = async (body: unknown) => policyEvaluationSchema.parse((await ask(body)).body);
  expect(await said({ ...GIVEN, type: 'payments.blind' })).toMatchObject({
    effect: 'deny',
    code: 'rule_denies',
    rule: 'never payments.blind',
  });
  expect(await said({ ...GIVEN, type: 'payments.batch' })).toMatchObject({ effect: 'undecided', code: null, held: null });
  expect(await said({ ...GIVEN, agent: 'bearer-agent' })).toMatchObject({ effect: 'deny', rule: 'for another' });
  expect(await said({ ...GIVEN, params: { vendor: 'ACME' } })).toMatchObject({ effect: 'deny', code: 'policy_error' });
  expect(refusalOf(await ask({ ...GIVEN, type: 'secrets.rotate' }))).toBe('422 params_invalid');
  expect(refusalOf(await ask({ ...GIVEN, agent: 'nobody' }))).toBe('422 params_invalid');
});

test('an agent asks for itself only; nobody without a credential, nor with a read of another door', async () => {
  expect(policyEvaluationSchema.parse((await ask(GIVEN, AGENT)).body).asked.agent).toBe('ap-agent');
  expect(refusalOf(await ask({ ...GIVEN, agent: 'bearer-agent' }, AGENT))).toBe('403 not_a_reviewer');
  const bearer = await new Caller(api.url).post(PATH, GIVEN, BEARER);
  expect(policyEvaluationSchema.parse(bearer.body)).toMatchObject({ asked: { agent: 'bearer-agent' }, effect: 'deny' });
  expect(refusalOf(await new Caller(api.url).post(PATH, GIVEN))).toBe('401 credential_invalid');
  expect(refusalOf(await new Caller(api.url).post(PATH, GIVEN, readHeader(keyOfPerson('ana'), PATH)))).toBe('401 credential_invalid');
});

test.each<[string, unknown]>([
  ['a member nobody knows', { ...GIVEN, preview: {} }],
  ['no parameters', { type: 'payments.transfer' }],
  ['no type', { ...GIVEN, type: 'Payments' }],
  ['a list', [GIVEN]],
  ['null', null],
])('a body that is none: %s', async (_what, body) => {
  expect(refusalOf(await ask(body))).toBe('400 request_invalid');
});

test('the rules by name; an agent sees those that could apply to it; conditions and people are not in it', async () => {
  const get = async (who: 'ana' | 'agent') => policyOverviewSchema.parse((await new Caller(api.url).get(who, '/v1/policy')).body);
  const all = await get('ana');
  expect(all.rules.map(({ name }) => name)).toEqual(['vendor payments', 'never payments.blind', 'not here', 'for another']);
  expect((await get('agent')).rules.map(({ name }) => name)).toEqual(['vendor payments', 'never payments.blind', 'not here']);
  expect(JSON.stringify(all)).not.toMatch(/touches|group:/);
  expect(refusalOf(await new Caller(api.url).get('nobody', '/v1/policy'))).toBe('401 credential_invalid');
});

test('without a copy: 404, and it says how; a broken one says nothing until it is mended', async () => {
  expect(refusalOf(await ask(GIVEN, keyOfPerson('ana'), without))).toBe('404 request_invalid');
  expect(refusalOf(await new Caller(without.url).get('ana', '/v1/policy'))).toBe('404 request_invalid');
  await writeFile(join(dir, 'policy.yaml'), 'nonsense');
  await new Promise((done) => setTimeout(done, 300));
  expect(refusalOf(await ask(GIVEN))).toBe('500 policy_invalid');
  await writeFile(join(dir, 'policy.yaml'), POLICY);
  await new Promise((done) => setTimeout(done, 300));
  expect((await ask(GIVEN)).status).toBe(200);
});
