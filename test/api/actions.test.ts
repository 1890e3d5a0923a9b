import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { actionListSchema, actionSchema, actionTypesSchema, problemSchema, type ActionResource } from '../../src/domain/http.js';
import type { JsonObject } from '../../src/domain/json.js';
import { manifestSchema } from '../../src/domain/objects/manifest.js';
import { readPayload } from '../../src/domain/dsse.js';
import { publishManifest } from '../../src/executor/manifest.js';
import { approve, cancel, reject, request } from '../helpers/messages.js';
import { DEPLOYMENT, rosterText } from '../helpers/rules-fixture.js';
import { AGENT, API, signerOf } from '../helpers/signers.js';
import { BEARER, Desk, refusalOf, type Answer } from './desk.js';

const OTHER = signerOf('agent:other');
const agents = [
  `ap-agent: { owner: dana, key: '${AGENT.key.text}', propose: [payments.*] }`,
  `other: { owner: eva, key: '${OTHER.key.text}', propose: [payments.*] }`,
  ...(/bearer-agent: .*/.exec(rosterText()) ?? []),
];
const bodyOf = (answer: Answer): ActionResource => actionSchema.parse(answer.body);
const plain = (idempotencyKey: string, over: object = {}) => ({
  v: 1,
  deployment: DEPLOYMENT,
  agent: 'bearer-agent',
  type: 'payments.transfer',
  params: { vendor: 'ACME', cents: 480_000 },
  reason: 'Invoice 4711',
  idempotencyKey,
  ...over,
});

/** So long the API may go on with the manifests it read. */
const CACHE_MS = 5_100;

describe('actions over HTTP, on a real Temporal server', () => {
  let desk: Desk;
  beforeAll(async () => {
    desk = await Desk.open({ roster: { agents } });
  });
  afterAll(() => desk.stop());

  test('6.13 a proposal is held; the same key and body is the same action, another body is refused', async () => {
    const { id, signed } = request({ idempotencyKey: 'invoice-1' });
    const first = await desk.post('/v1/actions', signed);
    expect(first.status).toBe(201);
    expect(first.headers.get('location')).toBe(`/v1/actions/${id}`);
    expect(bodyOf(first)).toMatchObject({
      id,
      outcome: { status: 'awaiting_approval', effect: 'none', final: false },
      type: 'payments.transfer',
      agent: 'ap-agent',
      sentence: 'Pay ACME EUR 4800.00',
      awaiting: ['ana', 'ben', 'cleo'],
      progress: { have: 0, need: 2 },
      stale: false,
      running: true,
    });
    const again = await desk.post('/v1/actions', signed);
    expect(again.status).toBe(200);
    expect(bodyOf(again).digest).toBe(bodyOf(first).digest);
    const other = await desk.post('/v1/actions', request({ idempotencyKey: 'invoice-1', params: { vendor: 'ACME', cents: 1 } }).signed);
    expect(refusalOf(other)).toBe('422 idempotency_key_reused');
  });

  test('two proposals of one key at once are one action', async () => {
    const { signed } = request({ idempotencyKey: 'at once' });
    const answers = await Promise.all([1, 2, 3].map(() => desk.post('/v1/actions', signed)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 201]);
    expect(new Set(answers.map((answer) => bodyOf(answer).digest)).size).toBe(1);
  });

  test('a bearer agent is vouched for by the API, reads its own action and cancels it', async () => {
    const answer = await desk.post('/v1/actions', plain('by bearer'), BEARER);
    expect(answer.status).toBe(201);
    const { id, envelopes } = bodyOf(answer);
    expect(JSON.stringify(readPayload('envelope', envelopes[0] ?? AGENT.sign('read', {})))).toContain('"standing":"vouched"');
    expect((await desk.get('bearer', `/v1/actions/${id}`)).status).toBe(200);
    expect(refusalOf(await desk.get('agent', `/v1/actions/${id}`))).toBe('404 request_invalid');
    expect(refusalOf(await desk.post(`/v1/actions/${id}/cancel`, { reason: 'no' }, BEARER))).toBe('400 request_invalid');
    const cancelled = await desk.post(`/v1/actions/${id}/cancel`, {}, BEARER);
    expect(cancelled.body).toMatchObject({
      fate: { state: 'stands' },
      judged: true,
      outcome: { status: 'cancelled', effect: 'none', final: true },
    });
    expect(refusalOf(await desk.post(`/v1/actions/${id}/cancel`, {}, BEARER))).toBe('409 action_ended');
  });

  test("another agent's action is as good as none: to read, list, cancel and wait for", async () => {
    const { id } = await desk.held();
    const now = { at: Date.now() };
    for (const path of [
      `/v1/actions/${id}`,
      `/v1/actions/${id}?wait=50`,
      `/v1/actions/${id}/events`,
      `/v1/actions/${id}/evidence`,
      `/v1/actions/${id}/decisions/${'0'.repeat(64)}`,
    ])
      expect(refusalOf(await desk.get(OTHER, path))).toBe('404 request_invalid');
    expect(refusalOf(await desk.post(`/v1/actions/${id}/cancel`, cancel(id, { ...now, by: OTHER }, 'agent:other')))).toBe(
      '404 request_invalid',
    );
    expect(refusalOf(await desk.post(`/v1/actions/${id}/cancel`, {}, BEARER))).toBe('404 request_invalid');
    expect(refusalOf(await desk.post(`/v1/actions/${id}/cancel`, cancel(id, { ...now, by: API })))).toBe('401 credential_invalid');
    expect((await desk.action(id)).outcome.status).toBe('awaiting_approval');
    const absent = request({ idempotencyKey: 'never proposed' }).id;
    const [none, others] = [await desk.get(OTHER, `/v1/actions/${absent}`), await desk.get(OTHER, `/v1/actions/${id}`)];
    expect({ ...problemSchema.parse(none.body), requestId: '' }).toEqual({ ...problemSchema.parse(others.body), requestId: '' });
  });

  test('lists are scoped and paged; the inbox is for those who are asked', async () => {
    const { id } = await desk.held();
    const mine = await desk.post('/v1/actions', request({ agent: 'other', by: OTHER }).signed);
    const listed = async (who: Parameters<Desk['get']>[0], path: string): Promise<string[]> =>
      actionListSchema.parse((await desk.get(who, path)).body).actions.map((line) => line.id);
    const until = async (look: () => Promise<boolean>): Promise<void> => {
      for (const end = Date.now() + 10_000; !(await look()); await new Promise((done) => setTimeout(done, 100)))
        if (Date.now() > end) throw new Error('visibility never showed it');
    };
    await until(async () => (await listed('ana', '/v1/actions?status=awaiting_approval')).includes(bodyOf(mine).id));
    expect(await listed(OTHER, '/v1/actions')).toEqual([bodyOf(mine).id]);
    expect(await listed(OTHER, '/v1/actions?agent=ap-agent')).toEqual([]);
    expect(await listed('ana', '/v1/actions?agent=other&type=payments.transfer')).toEqual([bodyOf(mine).id]);
    const first = actionListSchema.parse((await desk.get('ana', '/v1/actions?limit=1')).body);
    expect(first.actions).toHaveLength(1);
    const second = actionListSchema.parse((await desk.get('ana', `/v1/actions?limit=1&next=${String(first.next)}`)).body);
    expect(second.actions[0]?.id).not.toBe(first.actions[0]?.id);
    expect(refusalOf(await desk.get('ana', '/v1/actions?next=AAAA'))).toBe('400 request_invalid');

    await until(async () => (await listed('ana', '/v1/inbox')).includes(id));
    const inbox = actionListSchema.parse((await desk.get('ana', '/v1/inbox')).body).actions;
    expect(inbox.map(({ deadline }) => deadline)).toEqual(inbox.map(({ deadline }) => deadline).sort());
    expect(await listed('eva', '/v1/inbox')).toEqual([]);
    expect(refusalOf(await desk.get('agent', '/v1/inbox'))).toBe('403 not_a_reviewer');
  });

  test('unknown types and parameters that do not fit are refused before anything is started', async () => {
    expect(refusalOf(await desk.post('/v1/actions', request({ type: 'payments.unknown' }).signed))).toBe('422 type_unknown');
    await publishManifest(desk.rig.client, desk.rig.executor);
    await new Promise((done) => setTimeout(done, CACHE_MS));
    const types = actionTypesSchema.parse((await desk.get('agent', '/v1/action-types')).body);
    expect(types.manifests.map((signed) => manifestSchema.parse(readPayload('manifest', signed)).executor)).toEqual(['bank']);
    const wrong: JsonObject[] = [
      { vendor: 'ACME' },
      { vendor: 'ACME', cents: '1' },
      { vendor: 'ACME', cents: 1, more: 1 },
      { vendor: 'ACME', cents: 0 },
    ];
    for (const params of wrong) {
      const { id, signed } = request({ params });
      expect(refusalOf(await desk.post('/v1/actions', signed))).toBe('422 params_invalid');
      expect(refusalOf(await desk.get('agent', `/v1/actions/${id}`))).toBe('404 request_invalid');
    }
  });

  test('a manifest the executor did not sign is none', async () => {
    await desk.rig.client.workflow.getHandle('executor_bank').terminate();
    const forged = OTHER.sign('manifest', { v: 1, deployment: DEPLOYMENT, executor: 'bank', types: [] });
    await desk.rig.client.workflow.start('executorManifest', { workflowId: 'executor_bank', taskQueue: 'keyturn', args: [forged] });
    await new Promise((done) => setTimeout(done, CACHE_MS));
    expect(actionTypesSchema.parse((await desk.get('ana', '/v1/action-types')).body).manifests).toEqual([]);
  });

  test('GET and HEAD change nothing', async () => {
    const { id } = await desk.held();
    const handle = desk.rig.client.workflow.getHandle(id);
    const length = async (): Promise<number> => (await handle.fetchHistory()).events?.length ?? 0;
    // The people are told of it first.
    let before = -1;
    while (before !== (before = await length())) await new Promise((done) => setTimeout(done, 500));
    const digest = '0'.repeat(64);
    for (const path of ['', '?wait=1', '/events', '/evidence', `/decisions/${digest}`]) {
      await desk.get('ana', `/v1/actions/${id}${path}`);
      await desk.send('HEAD', `/v1/actions/${id}${path}`);
    }
    for (const path of [`/v1/actions/${id}/cancel`, `/v1/actions/${id}/decisions`, `/v1/actions/${id}/resolutions`])
      expect(refusalOf(await desk.get('ana', path))).toBe('405 request_invalid');
    expect(await length()).toBe(before);
  });

  test('waiting ends with the action, or with the time', async () => {
    const sealed = await desk.held();
    const path = `/v1/actions/${sealed.id}?wait=20`;
    const short = Date.now();
    expect(bodyOf(await desk.get('agent', `/v1/actions/${sealed.id}?wait=1`)).outcome.final).toBe(false);
    expect(Date.now() - short).toBeGreaterThanOrEqual(990);
    const waiting = desk.get('agent', path);
    await new Promise((done) => setTimeout(done, 200));
    await desk.decide(reject('cleo', sealed, { at: Date.now(), reason: 'paid in October' }));
    expect(bodyOf(await waiting).outcome).toMatchObject({
      status: 'rejected',
      effect: 'none',
      final: true,
      reason: { by: 'person:cleo', text: 'paid in October' },
    });
  });

  test('the executor away: it stays evaluating and says so', async () => {
    await desk.rig.stopExecutor();
    const from = Date.now();
    const answer = await desk.post('/v1/actions', request({ idempotencyKey: 'while away' }).signed);
    expect(answer.status).toBe(201);
    expect(Date.now() - from).toBeLessThan(6_000);
    expect(bodyOf(answer).outcome).toMatchObject({
      status: 'evaluating',
      effect: 'none',
      final: false,
      reason: { text: 'waiting for the executor to seal it' },
    });
    await desk.rig.startExecutor();
    await desk.when(bodyOf(answer).id, ({ outcome }) => outcome.status === 'awaiting_approval');
  });

  test('the worker away: what visibility lists, marked stale; an end only as its receipt proves it', async () => {
    const [held, ended] = [await desk.held(), await desk.held()];
    await desk.decide(reject('ana', ended, { at: Date.now() }));
    await desk.when(ended.id, ({ outcome }) => outcome.final);
    await desk.rig.stopWorker();
    expect(await desk.action(held.id)).toMatchObject({
      stale: true,
      running: true,
      outcome: { status: 'awaiting_approval', final: false },
      awaiting: ['ana', 'ben', 'cleo'],
      entries: [],
    });
    expect(await desk.action(ended.id)).toMatchObject({
      stale: true,
      running: false,
      outcome: { status: 'rejected', effect: 'none', final: true },
    });
    const known = await desk.post('/v1/actions', request({ idempotencyKey: 'invoice-1' }).signed);
    expect(known.status).toBe(200);
    await desk.rig.startWorker();
    expect((await desk.action(ended.id)).outcome).toMatchObject({ status: 'rejected', final: true });
  });

  test('terminated in Temporal: said so, not restarted, and what the ledger last said stays', async () => {
    const { id, signed } = request({ idempotencyKey: 'to be terminated' });
    await desk.post('/v1/actions', signed);
    await desk.rig.client.workflow.getHandle(id).terminate('an operator');
    const action = await desk.action(id);
    expect(action).toMatchObject({ running: false, awaiting: [], outcome: { status: 'awaiting_approval', effect: 'none', final: false } });
    expect(action.outcome.reason.text).toContain('terminated in Temporal');
    expect((await desk.post('/v1/actions', signed)).status).toBe(200);
    expect(await desk.action(id)).toMatchObject({ running: false });
    expect(
      refusalOf(await desk.decide(approve('ana', { ...(await desk.held()), id }, { at: Date.now(), forge: { actionId: id } }), id)),
    ).toBe('409 action_ended');
  });

  test('a run that wrote nothing does not use the key up: the same proposal starts again', async () => {
    const { id, signed } = request({ idempotencyKey: 'started by a stranger' });
    // Somebody with access to the namespace starts it first, unsigned.
    const handle = await desk.rig.client.workflow.start('agentAction', { workflowId: id, taskQueue: 'keyturn', args: [{ not: 'signed' }] });
    await handle.result();
    const answer = await desk.post('/v1/actions', signed);
    expect(answer.status).toBe(201);
    expect(bodyOf(answer).outcome.status).toBe('awaiting_approval');
  });

  test('an end that only the workflow claims is shown as none', async () => {
    const { id, signed } = request({ idempotencyKey: 'claimed' });
    // The run is real, but somebody refuses it in the name of the executor's roster: nothing was written, and this roster knows better.
    desk.rig.rules.setRoster({ agents: [`other: { owner: eva, key: '${OTHER.key.text}', propose: [payments.*] }`] });
    const answer = await desk.post('/v1/actions', signed);
    desk.rig.rules.setRoster({ agents });
    const action = await desk.when(id, ({ running }) => !running);
    expect(bodyOf(answer).outcome.final).toBe(false);
    expect(action.outcome).toMatchObject({ status: 'evaluating', effect: 'none', final: false, reason: { code: 'receipt_invalid' } });
    const again = await desk.post('/v1/actions', signed);
    expect(bodyOf(again).outcome.status).toBe('awaiting_approval');
  });
});
