import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RunningApi } from '../../src/api/start-api.js';
import { toBase64Url, utf8 } from '../../src/domain/bytes.js';
import { canonicalize } from '../../src/domain/json.js';
import { problemSchema } from '../../src/domain/http.js';
import { toInstant } from '../../src/domain/instant.js';
import { damaged, nonce, request } from '../helpers/messages.js';
import { DEPLOYMENT, rosterText } from '../helpers/rules-fixture.js';
import { AGENT, API, EXECUTOR, keyOfPerson, signerOf } from '../helpers/signers.js';
import { apiOf, BEARER, Caller, deadClient, readHeader, refusalOf } from './desk.js';

const ID = request({ idempotencyKey: 'one' }).id;
const PLAIN = {
  v: 1,
  deployment: DEPLOYMENT,
  agent: 'bearer-agent',
  type: 'payments.transfer',
  params: { vendor: 'ACME', cents: 1 },
  reason: 'r',
  idempotencyKey: 'k',
};
const JSON_TYPE = { 'content-type': 'application/json' };

function decisionBy(person: string, over: object = {}) {
  const signer = keyOfPerson(person);
  const zero = '0'.repeat(64);
  const body = {
    v: 1,
    deployment: DEPLOYMENT,
    actionId: ID,
    digest: zero,
    revision: 1,
    view: zero,
    person,
    keyId: signer.key.id,
    nonce: nonce(),
    issuedAt: toInstant(Date.now()),
    verdict: 'approve',
    ...over,
  };
  return { signer, body, signed: signer.sign('decision', body) };
}

/** Everything here is refused before Temporal is asked: the client of this API has none to ask. */
describe('bad input at the API', () => {
  let folder: string;
  let api: RunningApi;
  let http: Caller;
  let dead: ReturnType<typeof deadClient>;
  const log: string[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'keyturn-api-'));
    await writeFile(join(folder, 'roster.yaml'), rosterText());
    dead = deadClient();
    api = await apiOf(dead.client, join(folder, 'roster.yaml'), log);
    http = new Caller(api.url);
  });
  afterAll(async () => {
    await api.close();
    await dead.close();
    await rm(folder, { recursive: true });
  });

  const good = canonicalize(request().signed);
  const vouch = (text: string) => http.send('POST', '/v1/actions', text, { ...JSON_TYPE, ...BEARER });
  test.each([
    ['malformed JSON', '{"v":1,', '400 request_invalid'],
    ['an empty body', '', '400 request_invalid'],
    ['a duplicate key', canonicalize(PLAIN).replace('"v":1', '"v":1,"v":1'), '400 request_invalid'],
    ['a number beyond 2^53', canonicalize(PLAIN).replace('"cents":1', '"cents":9007199254740993'), '400 request_invalid'],
    ['a number that is none', canonicalize(PLAIN).replace('"cents":1', '"cents":1e999'), '400 request_invalid'],
    ['__proto__', canonicalize(PLAIN).replace('"cents":1', '"__proto__":1'), '400 request_invalid'],
    ['a lone surrogate', canonicalize(PLAIN).replace('ACME', '\\ud800'), '400 request_invalid'],
    ['65 levels', canonicalize(PLAIN).replace('"cents":1', `"cents":${'['.repeat(65)}${']'.repeat(65)}`), '400 request_invalid'],
    ['text after the value', `${canonicalize(PLAIN)} {}`, '400 request_invalid'],
    ['a wrong type', canonicalize({ ...PLAIN, reason: 7 }), '400 request_invalid'],
    ['an array', '[]', '400 request_invalid'],
    ['null', 'null', '400 request_invalid'],
    ['an unknown key', canonicalize({ ...PLAIN, approvedBy: 'ana' }), '400 request_invalid'],
    ['an unknown key of a signed object', good.replace('"payload"', '"approvedBy":"ana","payload"'), '400 request_invalid'],
    ['a missing key', canonicalize({ v: 1 }), '400 request_invalid'],
    ['parameters that are a list', canonicalize({ ...PLAIN, params: [] }), '400 request_invalid'],
    ['another version', canonicalize({ ...PLAIN, v: 2 }), '400 request_invalid'],
    ['somebody nobody knows', canonicalize({ ...PLAIN, onBehalfOf: 'zoe' }), '400 request_invalid'],
    ['the name of another agent', canonicalize({ ...PLAIN, agent: 'ap-agent' }), '401 credential_invalid'],
    ['another deployment', canonicalize({ ...PLAIN, deployment: 'acme-prod' }), '409 audience_mismatch'],
    ['a type this agent may not propose', canonicalize({ ...PLAIN, type: 'secrets.rotate' }), '401 credential_invalid'],
    ['a payload of another kind', canonicalize(decisionBy('ana').signed), '400 request_invalid'],
  ])('a proposal with %s is refused', async (_what, text, refusal) => {
    const answer = await vouch(text);
    expect(refusalOf(answer)).toBe(refusal);
    expect(problemSchema.parse(answer.body).remedy).not.toBe('');
    expect(JSON.stringify(answer.body)).not.toMatch(/at .*\.[jt]s:\d/);
  });

  test('another content type, a content encoding and bytes that are not UTF-8 are refused', async () => {
    expect(refusalOf(await http.send('POST', '/v1/actions', good, { 'content-type': 'text/plain' }))).toBe('400 request_invalid');
    expect(refusalOf(await http.send('POST', '/v1/actions', good, { 'content-type': 'application/json; charset=latin1' }))).toBe(
      '400 request_invalid',
    );
    expect(refusalOf(await http.send('POST', '/v1/actions', good, { ...JSON_TYPE, 'content-encoding': 'gzip' }))).toBe(
      '400 request_invalid',
    );
    expect(refusalOf(await http.send('POST', '/v1/actions', Uint8Array.from([0x22, 0xff, 0x22]), JSON_TYPE))).toBe('400 request_invalid');
  });

  test('a huge body is refused by its size alone, announced or not', async () => {
    const huge = `{"reason":"${'x'.repeat(5_000_000)}`;
    expect(refusalOf(await vouch(huge))).toBe('413 request_too_large');
    const chunks = new ReadableStream({ pull: (controller) => controller.enqueue(utf8('x'.repeat(60_000))) });
    const streamed = await fetch(`${api.url}/v1/actions/${ID}/decisions`, {
      method: 'POST',
      headers: JSON_TYPE,
      body: chunks,
      duplex: 'half',
    });
    expect(streamed.status).toBe(413);
    expect(problemSchema.parse(await streamed.json()).code).toBe('request_too_large');
    const payload = toBase64Url(utf8('x'.repeat(131_000 * 0.75 + 60)));
    expect(refusalOf(await http.post('/v1/actions', { ...request().signed, payload }))).toBe('413 request_too_large');
  });

  test('a request nobody known signed is refused', async () => {
    expect(refusalOf(await http.post('/v1/actions', damaged(request().signed)))).toBe('401 credential_invalid');
    expect(refusalOf(await http.post('/v1/actions', request({ by: signerOf('stranger') }).signed))).toBe('401 credential_invalid');
    expect(refusalOf(await http.post('/v1/actions', request({ by: keyOfPerson('ana') }).signed))).toBe('401 credential_invalid');
    // The API's key vouches for agents with a bearer key alone.
    expect(refusalOf(await http.post('/v1/actions', request({ by: API }).signed))).toBe('401 credential_invalid');
    expect(refusalOf(await http.post('/v1/actions', PLAIN))).toBe('401 credential_invalid');
    expect(refusalOf(await http.post('/v1/actions', PLAIN, { authorization: 'Bearer other' }))).toBe('401 credential_invalid');
  });

  test('an agent can never decide: not by its key, not by its bearer key', async () => {
    const { body, signed } = decisionBy('ana');
    expect(refusalOf(await http.post(`/v1/actions/${ID}/decisions`, AGENT.sign('decision', { ...body, keyId: AGENT.key.id })))).toBe(
      '403 not_a_reviewer',
    );
    expect(refusalOf(await http.post(`/v1/actions/${ID}/decisions`, EXECUTOR.sign('decision', body)))).toBe('403 not_a_reviewer');
    expect(refusalOf(await http.post(`/v1/actions/${ID}/decisions`, API.sign('decision', body)))).toBe('403 not_a_reviewer');
    expect(refusalOf(await http.post(`/v1/actions/${ID}/decisions`, body, BEARER))).toBe('403 not_a_reviewer');
    expect(refusalOf(await http.post(`/v1/actions/${ID}/decisions`, signed, BEARER))).toBe('403 not_a_reviewer');
    expect(refusalOf(await http.post(`/v1/actions/${ID}/resolutions`, AGENT.sign('resolve', body)))).toBe('403 not_a_reviewer');
  });

  test('a decision that is not what its author signed is refused', async () => {
    const { body, signed, signer } = decisionBy('ana');
    const send = (what: unknown) => http.post(`/v1/actions/${ID}/decisions`, what);
    expect(refusalOf(await send(damaged(signed)))).toBe('403 signature_invalid');
    expect(refusalOf(await send(signerOf('stranger').sign('decision', body)))).toBe('403 signature_invalid');
    expect(refusalOf(await send(keyOfPerson('ben').sign('decision', body)))).toBe('403 signature_invalid');
    expect(refusalOf(await send(signer.sign('cancel', body)))).toBe('400 request_invalid');
    expect(refusalOf(await send(signer.sign('decision', { ...body, extra: 1 })))).toBe('400 request_invalid');
    expect(refusalOf(await send(body))).toBe('400 request_invalid');
    expect(refusalOf(await send(signer.sign('decision', { ...body, deployment: 'other' })))).toBe('409 audience_mismatch');
    expect(refusalOf(await send(signer.sign('decision', { ...body, actionId: request().id })))).toBe('409 audience_mismatch');
  });

  test('anonymous and ill-signed reads are refused', async () => {
    const path = `/v1/actions/${ID}`;
    const get = (headers: Record<string, string>) => http.send('GET', path, undefined, headers);
    const ana = keyOfPerson('ana');
    const later = toInstant(Date.now() - 61_000);
    for (const headers of [
      {},
      { authorization: 'Keyturn e30' },
      { authorization: 'Keyturn ***' },
      { authorization: 'Basic YTpi' },
      { authorization: 'Bearer nobody' },
      readHeader(signerOf('stranger'), path),
      readHeader(EXECUTOR, path),
      readHeader(ana, '/v1/inbox'),
      readHeader(ana, `${path}?wait=1`),
      readHeader(ana, path, { method: 'POST' }),
      readHeader(ana, path, { deployment: 'other' }),
      readHeader(ana, path, { issuedAt: later }),
      readHeader(ana, path, { issuedAt: toInstant(Date.now() + 61_000) }),
      readHeader(ana, path, { keyId: AGENT.key.id }),
    ]) {
      const answer = await get(headers);
      expect(refusalOf(answer)).toBe('401 credential_invalid');
      expect(answer.headers.get('www-authenticate')).toBe('Keyturn, Bearer');
    }
  });

  test('queries are strict', async () => {
    const get = (path: string) => http.get('ana', path);
    for (const path of ['?wait=51', '?wait=-1', '?wait=x', '?wait=1&wait=2', '?weit=1'])
      expect(refusalOf(await get(`/v1/actions/${ID}${path}`))).toBe('400 request_invalid');
    for (const query of ["agent=x'%20OR%201=1", 'status=done', 'limit=1000', 'type=A', 'next=%25'])
      expect(refusalOf(await get(`/v1/actions?${query}`))).toBe('400 request_invalid');
  });

  test('unknown paths and methods are problems too', async () => {
    expect(refusalOf(await http.get('nobody', '/v2/actions'))).toBe('404 request_invalid');
    expect(refusalOf(await http.get('ana', '/v1/actions/act_nonsense'))).toBe('404 request_invalid');
    const put = await http.send('PUT', '/v1/actions');
    expect(refusalOf(put)).toBe('405 request_invalid');
    expect(put.headers.get('allow')).toBe('POST, GET, HEAD');
    expect(refusalOf(await http.get('ana', `/v1/actions/${ID}/cancel`))).toBe('405 request_invalid');
  });

  test('every answer carries an id and headers that keep browsers from making more of it', async () => {
    const answer = await http.get('nobody', '/healthz', { 'x-request-id': 'abc-1' });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-request-id')).toBe('abc-1');
    expect((await http.get('nobody', '/healthz', { 'x-request-id': 'a b' })).headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    const foreign = await http.get('nobody', '/healthz', { origin: 'https://evil.example' });
    expect([...foreign.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  test('what the document promises is there, and the metrics count', async () => {
    const document = (await http.get('nobody', '/openapi.json')).body as { openapi: string; paths: Record<string, object> };
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining([
        '/v1/actions',
        '/v1/actions/{id}',
        '/v1/actions/{id}/decisions',
        '/v1/actions/{id}/evidence',
        '/v1/inbox',
        '/v1/action-types',
      ]),
    );
    const page = String((await http.get('nobody', '/docs')).body);
    for (const path of Object.keys(document.paths)) expect(page).toContain(path);
    expect(page).not.toContain('<script');
    expect((await http.get('nobody', '/metrics')).body).toMatch(/keyturn_api_refusals_total\{code="credential_invalid"\} \d+/);
  });

  test('Temporal away: 503 with Retry-After, and it says plainly that nothing is recorded', async () => {
    const proposal = await http.post('/v1/actions', request().signed);
    expect(refusalOf(proposal)).toBe('503 temporal_unavailable');
    expect(proposal.headers.get('retry-after')).toBe('3');
    expect(problemSchema.parse(proposal.body).detail).toContain('not recorded');
    const [read, list, inbox, decision, ready] = await Promise.all([
      http.get('ana', `/v1/actions/${ID}`),
      http.get('ana', '/v1/actions'),
      http.get('ana', '/v1/inbox'),
      http.post(`/v1/actions/${ID}/decisions`, decisionBy('ana').signed),
      http.get('nobody', '/readyz'),
    ]);
    for (const answer of [read, list, inbox, decision, ready]) {
      expect(refusalOf(answer)).toBe('503 temporal_unavailable');
      expect(problemSchema.parse(answer.body).retry).toBe('same');
    }
  });

  test('a broken roster knows nobody, and says so without its content', async () => {
    const file = join(folder, 'roster.yaml');
    await writeFile(file, 'schema: secret-of-the-roster\n');
    await new Promise((done) => setTimeout(done, 250));
    const answer = await http.get('ana', '/v1/inbox');
    expect(refusalOf(answer)).toBe('500 roster_invalid');
    expect(JSON.stringify(answer.body)).not.toContain('secret');
    await writeFile(file, rosterText({ version: 2 }));
    await new Promise((done) => setTimeout(done, 250));
    expect(refusalOf(await http.get('nobody', '/v1/inbox'))).toBe('401 credential_invalid');
  });

  test('no log line holds a credential or a body', () => {
    expect(log.some((line) => line.startsWith('info answered'))).toBe(true);
    expect(log.filter((line) => /Bearer|Keyturn e|payload|ACME/.test(line))).toEqual([]);
  });
});
