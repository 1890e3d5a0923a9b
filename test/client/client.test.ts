import { createServer } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Keyturn, KeyturnError } from '../../src/client/index.js';
import { startApi, type RunningApi } from '../../src/api/start-api.js';
import { toBase64Url, utf8 } from '../../src/domain/bytes.js';
import { digestOfSigned } from '../../src/domain/dsse.js';
import { sha256Bytes } from '../../src/domain/hash.js';
import { approve, ask, reject } from '../helpers/messages.js';
import { DEPLOYMENT } from '../helpers/rules-fixture.js';
import { AGENT, API, EXECUTOR } from '../helpers/signers.js';
import { Desk, sealedOf } from '../api/desk.js';

const KEY = `keyturn-ed25519-private:${toBase64Url(sha256Bytes(utf8('keyturn test key agent:ap-agent')))}`;
const PARAMS = { vendor: 'ACME', cents: 480_000 };
interface Said {
  readonly outcome: { readonly reason: object };
  readonly entries: unknown[];
}
const at = () => ({ at: Date.now() });

describe('the client against a real API', () => {
  let desk: Desk;
  let keyturn: Keyturn;
  beforeAll(async () => {
    desk = await Desk.open();
    keyturn = new Keyturn({ url: desk.url, deployment: DEPLOYMENT, agent: 'ap-agent', key: KEY });
  });
  afterAll(() => desk.stop());

  async function vote(id: string, ...people: readonly string[]): Promise<void> {
    const sealed = sealedOf(await desk.action(id));
    for (const person of people) expect((await desk.decide(approve(person, sealed, at()))).status).toBe(200);
  }

  test('proposes, waits, and learns what became of it', async () => {
    const options = { reason: 'Invoice 2291, due Friday', idempotencyKey: 'invoice-2291' };
    const action = await keyturn.propose('payments.transfer', PARAMS, options);
    desk.ids.add(action.id);
    expect(action).toMatchObject({ status: 'awaiting_approval', effect: 'none', final: false, sentence: 'Pay ACME EUR 4800.00' });
    expect((await keyturn.propose('payments.transfer', PARAMS, options)).id).toBe(action.id);
    const waiting = keyturn.wait(action.id);
    await vote(action.id, 'ana', 'ben');
    const outcome = await waiting;
    expect(outcome).toMatchObject({ status: 'succeeded', effect: 'done', final: true, result: { cents: 480_000 } });
    expect(desk.rig.bank.effectsOf(action.id)).toEqual(['run']);
  });

  test('is told who said no, and why', async () => {
    const { id } = await keyturn.propose('payments.transfer', PARAMS, { reason: 'r', idempotencyKey: 'no' });
    desk.ids.add(id);
    await desk.decide(reject('cleo', sealedOf(await desk.action(id)), { ...at(), reason: 'paid in October' }));
    expect(await keyturn.wait(id)).toMatchObject({
      status: 'rejected',
      effect: 'none',
      reason: { text: 'paid in October', by: 'person:cleo' },
    });
  });

  test('wait returns with a question; answered, it goes on waiting for the end', async () => {
    const { id } = await keyturn.propose('payments.transfer', PARAMS, { reason: 'r', idempotencyKey: 'asked' });
    desk.ids.add(id);
    const question = ask('ana', sealedOf(await desk.action(id)), 'Which invoice?', at());
    const waiting = keyturn.wait(id);
    await desk.decide(question);
    const digest = digestOfSigned(question);
    expect(await waiting).toMatchObject({ final: false, openQuestions: [{ digest, person: 'ana', question: 'Which invoice?' }] });
    expect(await keyturn.answer(id, digest, 'Number 2291.')).toMatchObject({ status: 'awaiting_approval', openQuestions: [] });
    // Run again after a crash: the same answer.
    await keyturn.answer(id, digest, 'Number 2291.');
    await expect(keyturn.answer(id, digest, 'Another.')).rejects.toMatchObject({ code: 'question_answered', status: 409 });
    const end = keyturn.wait(id);
    await vote(id, 'ana', 'ben');
    expect(await end).toMatchObject({ effect: 'done' });
  });

  test('with the executor’s keys an end is believed only as its own entries prove it, whatever the API says', async () => {
    const { id } = await keyturn.propose('payments.transfer', PARAMS, { reason: 'r', idempotencyKey: 'proven' });
    desk.ids.add(id);
    await vote(id, 'ana', 'ben');
    await keyturn.wait(id);
    /** A client whose API lies: `change` is applied to what it says of the action. */
    const clientOf = (change: (said: Said) => void, executorKeys: readonly string[] = [EXECUTOR.key.text]) =>
      new Keyturn({
        url: desk.url,
        deployment: DEPLOYMENT,
        agent: 'ap-agent',
        key: KEY,
        executorKeys,
        fetch: async (...args: Parameters<typeof fetch>) => {
          const response = await fetch(...args);
          const said = (await response.json()) as Said;
          change(said);
          return new Response(JSON.stringify(said), { status: response.status, headers: { 'content-type': 'application/json' } });
        },
      });
    const honest = await clientOf(() => undefined).get(id);
    expect(honest).toMatchObject({ status: 'succeeded', effect: 'done', result: { cents: 480_000 } });
    const again = await clientOf(() => undefined).propose('payments.transfer', PARAMS, { reason: 'r', idempotencyKey: 'proven' });
    expect(again).toMatchObject({ id, effect: 'done' });
    const lies: readonly ((said: Said) => void)[] = [
      (said) => Object.assign(said.outcome, { status: 'rejected', effect: 'none' }),
      (said) => Object.assign(said.outcome, { result: { cents: 1 } }),
      (said) => Object.assign(said.outcome, { effect: 'none' }),
      (said) => Object.assign(said.outcome, { final: false }),
      (said) => Object.assign(said, { id: 'act_00000000000000000000000000' }),
      (said) => Object.assign(said.outcome.reason, { text: 'as agreed with the chief' }),
      (said) => said.entries.splice(1, 1),
      (said) => said.entries.splice(0),
      (said) => said.entries.pop(),
      (said) => said.entries.push(AGENT.sign('entry', { kind: 'ended' })),
      (said) => Object.assign(said, { entries: null }),
    ];
    for (const lie of lies) await expect(clientOf(lie).get(id)).rejects.toMatchObject({ code: 'receipt_invalid' });
    // Another action of the same agent, with a receipt of its own that proves it.
    const misled = new Keyturn({
      url: desk.url,
      deployment: DEPLOYMENT,
      agent: 'ap-agent',
      key: KEY,
      executorKeys: [EXECUTOR.key.text],
      fetch: async () =>
        new Response(JSON.stringify(await desk.action(id)), { status: 200, headers: { 'content-type': 'application/json' } }),
    });
    await expect(misled.get('act_00000000000000000000000000')).rejects.toMatchObject({ code: 'receipt_invalid' });
    await expect(misled.propose('payments.transfer', PARAMS, { reason: 'r', idempotencyKey: 'not this one' })).rejects.toMatchObject({
      code: 'receipt_invalid',
    });
    await expect(clientOf(() => undefined, [AGENT.key.text]).get(id)).rejects.toMatchObject({ code: 'receipt_invalid' });
    expect(() => clientOf(() => undefined, ['ed25519:AAAA'])).toThrow('is no executor');
  });

  test('refusals carry code, status, remedy and what may be sent again', async () => {
    const propose = (type: string, params: typeof PARAMS, idempotencyKey: string) =>
      keyturn.propose(type, params, { reason: 'r', idempotencyKey });
    const refusal = async (work: Promise<unknown>): Promise<KeyturnError> => {
      const error = await work.catch((thrown: unknown) => thrown);
      if (!(error instanceof KeyturnError)) throw new Error(`no refusal: ${String(error)}`);
      return error;
    };
    expect(await refusal(propose('payments.transfer', { ...PARAMS, cents: 1 }, 'invoice-2291'))).toMatchObject({
      code: 'idempotency_key_reused',
      status: 422,
      retry: 'new_proposal',
    });
    expect((await refusal(propose('payments.unknown', PARAMS, 'x'))).code).toBe('type_unknown');
    expect((await refusal(propose('secrets.rotate', PARAMS, 'x'))).code).toBe('credential_invalid');
    expect(await refusal(keyturn.get('act_00000000000000000000000000'))).toMatchObject({ status: 404 });
    expect((await refusal(keyturn.wait('act_00000000000000000000000000'))).remedy).not.toBe('');
  });

  test('a bearer agent needs no key of its own, and cancels', async () => {
    const bearer = new Keyturn({ url: desk.url, deployment: DEPLOYMENT, agent: 'bearer-agent', bearer: 'bearer' });
    const { id } = await bearer.propose('payments.transfer', PARAMS, {
      reason: 'r',
      idempotencyKey: 'b',
      context: { invoice: 7 },
      onBehalfOf: 'cleo',
    });
    desk.ids.add(id);
    expect((await bearer.get(id)).awaiting).toEqual(['ana', 'ben']);
    expect(await bearer.cancel(id)).toMatchObject({ status: 'cancelled', effect: 'none', final: true });
    await expect(keyturn.get(id)).rejects.toMatchObject({ status: 404 });
  });

  test('cancels with its own key; a second cancel is too late', async () => {
    const { id } = await keyturn.propose('payments.transfer', PARAMS, { reason: 'r', idempotencyKey: 'cancel' });
    desk.ids.add(id);
    expect(await keyturn.cancel(id)).toMatchObject({ status: 'cancelled' });
    await expect(keyturn.cancel(id)).rejects.toMatchObject({ code: 'action_ended', status: 409 });
  });

  test('waits no longer than asked, and stops when told to', async () => {
    const { id } = await keyturn.propose('payments.transfer', PARAMS, { reason: 'r', idempotencyKey: 'patience' });
    desk.ids.add(id);
    expect(await keyturn.wait(id, { timeoutMs: 300 })).toMatchObject({ final: false, status: 'awaiting_approval' });
    await expect(keyturn.wait(id, { signal: AbortSignal.timeout(200) })).rejects.toMatchObject({ name: 'TimeoutError' });
    await desk.rig.client.workflow.getHandle(id).terminate();
    expect(await keyturn.wait(id)).toMatchObject({ final: false, running: false, effect: 'none' });
  });

  test('a wait survives the API: killed, away, back', async () => {
    const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const options = { client: desk.rig.client, rosterFile: join(desk.rig.dir, 'roster.yaml'), apiSigner: API, log: silent };
    const first = await startApi({ ...options, port: 0 });
    const port = Number(new URL(first.url).port);
    const agent = new Keyturn({ url: first.url, deployment: DEPLOYMENT, agent: 'ap-agent', key: KEY });
    const { id } = await agent.propose('payments.transfer', PARAMS, { reason: 'r', idempotencyKey: 'restart' });
    desk.ids.add(id);
    const waiting = agent.wait(id);
    await new Promise((done) => setTimeout(done, 300));
    const from = Date.now();
    await first.close();
    expect(Date.now() - from).toBeLessThan(4_000);
    await vote(id, 'ana', 'ben');
    await new Promise((done) => setTimeout(done, 500));
    const second: RunningApi = await startApi({ ...options, port });
    expect(await waiting).toMatchObject({ effect: 'done' });
    await second.close();
  });
});

describe('the client against something else', () => {
  test('nobody at the address: says where it looked and what to do', async () => {
    const nowhere = new Keyturn({ url: 'http://127.0.0.1:1', deployment: 'd', agent: 'a', bearer: 'b' });
    await expect(nowhere.wait('act_x', { timeoutMs: 300 })).rejects.toMatchObject({
      code: 'unreachable',
      status: 0,
      retry: 'same',
      message: expect.stringContaining('http://127.0.0.1:1'),
    });
  });

  test('honours Retry-After, follows no redirect, and takes no other answer for an action', async () => {
    const seen: number[] = [];
    const answers = [
      { status: 503, headers: { 'retry-after': '1' }, body: '{"code":"temporal_unavailable","detail":"not recorded"}' },
      { status: 200, headers: {}, body: '<html>a portal</html>' },
      { status: 302, headers: { location: 'http://127.0.0.1:1/' }, body: '' },
    ];
    const server = createServer((_request, response) => {
      seen.push(Date.now());
      const { status, headers, body } = answers[seen.length - 1] ?? { status: 500, headers: {}, body: '' };
      response.writeHead(status, headers).end(body);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const agent = new Keyturn({ url: `http://127.0.0.1:${port}`, deployment: 'd', agent: 'a', bearer: 'b' });
    await expect(agent.get('act_x')).rejects.toMatchObject({ code: 'unreachable', message: expect.stringContaining('no Keyturn API') });
    expect((seen[1] ?? 0) - (seen[0] ?? 0)).toBeGreaterThanOrEqual(990);
    await expect(agent.wait('act_x', { timeoutMs: 100 })).rejects.toMatchObject({ code: 'unreachable', status: 0 });
    server.close();
    server.closeAllConnections();
  });
});
