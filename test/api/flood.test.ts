import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Limits } from '../../src/api/limits.js';
import { Places } from '../../src/api/proposals/places.js';
import { throughGate, withReserve } from '../../src/api/temporal/gate.js';
import { digestOfSigned, type Signed } from '../../src/domain/dsse.js';
import { actionSchema, problemSchema } from '../../src/domain/http.js';
import { parseRoster, type Agent } from '../../src/domain/roster.js';
import { approve, ask, cancel, freeze, modify, reject, request, resolve, review, thaw, withdraw } from '../helpers/messages.js';
import { rosterText } from '../helpers/rules-fixture.js';
import { AGENT, keyOfPerson } from '../helpers/signers.js';
import { deadClient, Desk, refusalOf, sealedOf } from './desk.js';

const PENDING = 3;
const LIMITED = `ap-agent: { owner: dana, key: '${AGENT.key.text}', propose: [payments.*], limits: { perMinute: 1000, pending: ${PENDING} } }`;

describe('attack 57: a flood never keeps a stop out', () => {
  let desk: Desk;
  const releases: (() => void)[] = [];
  beforeAll(async () => {
    desk = await Desk.open();
  }, 60_000);
  afterAll(async () => {
    for (const release of releases) release();
    await desk.stop();
  }, 120_000);

  /** So many calls to Temporal of this API that do not end. */
  const occupy = (count: number): (() => void) => {
    let release = (): void => undefined;
    const held = new Promise<void>((done) => (release = done));
    for (let i = 0; i < count; i++) void throughGate(desk.rig.client, () => held);
    releases.push(release);
    return release;
  };
  const limitedBy = async (): Promise<string[]> =>
    [...(await (await fetch(`${desk.url}/metrics`)).text()).matchAll(/keyturn_api_limited_total\{limit="(\w+)"\} [1-9]/g)].map(
      ([, limit = '']) => limit,
    );

  test('with every call to Temporal taken, reads, proposals and approvals are 503; reject, withdraw, cancel and freeze land', async () => {
    const [withdrawn, rejected, cancelled] = [await desk.held(), await desk.held(), await desk.held()];
    const vote = approve('ana', withdrawn);
    expect((await desk.decide(vote)).status).toBe(200);
    const release = occupy(250);
    const read = await desk.get('ana', `/v1/actions/${rejected.id}`);
    expect([refusalOf(read), Number(read.headers.get('retry-after')) > 0]).toEqual(['503 temporal_unavailable', true]);
    expect(refusalOf(await desk.post('/v1/actions', request().signed))).toBe('503 temporal_unavailable');
    expect(refusalOf(await desk.decide(approve('ben', rejected)))).toBe('503 temporal_unavailable');
    expect((await fetch(`${desk.url}/readyz`)).status).toBe(200);

    expect((await desk.decide(reject('cleo', rejected))).status).toBe(200);
    expect((await desk.decide(withdraw('ana', withdrawn, vote))).status).toBe(200);
    expect((await desk.post(`/v1/actions/${cancelled.id}/cancel`, cancel(cancelled.id, { at: Date.now() }))).status).toBe(200);
    expect((await desk.post('/v1/freezes', freeze('cleo', { agent: 'nobody' }, { at: Date.now() }))).status).toBe(200);
    expect(await limitedBy()).toContain('temporal');

    release();
    const ended = await desk.when(rejected.id, ({ outcome }) => outcome.final);
    expect(ended.outcome).toMatchObject({ status: 'rejected', effect: 'none' });
  }, 60_000);

  test('the reserve has an end too: then nothing is asked, and it is said', async () => {
    const held = await desk.held();
    const release = occupy(250);
    const reserve = Array.from({ length: 50 }, () =>
      withReserve(() => throughGate(desk.rig.client, () => new Promise<void>((done) => releases.push(done)))),
    );
    const answer = await desk.decide(reject('cleo', held));
    expect(refusalOf(answer)).toBe('503 temporal_unavailable');
    expect(problemSchema.parse(answer.body).detail).toContain('was not made');
    for (const each of releases.splice(0)) each();
    await Promise.all(reserve);
    release();
    expect((await desk.decide(reject('cleo', held))).status).toBe(200);
  }, 60_000);

  test('who reads until refused still rejects, and others still read', async () => {
    const held = await desk.held();
    const path = '/v1/action-types';
    const reads = Promise.all(Array.from({ length: 600 }, async () => (await desk.get('ben', path)).status));
    const stopped = await desk.decide(reject('ben', held));
    const statuses = await reads;
    expect([200, 202]).toContain(stopped.status);
    expect((await desk.when(held.id, ({ outcome }) => outcome.final)).outcome).toMatchObject({ status: 'rejected' });
    expect([...new Set(statuses)].sort()).toEqual([200, 429]);
    expect((await desk.get('ana', path)).status).toBe(200);
    expect(await limitedBy()).toContain('reads');
  }, 120_000);
});

describe('attack 57: what one person sends, by the clock standing still', () => {
  let desk: Desk;
  beforeAll(async () => {
    desk = await Desk.open({ limits: new Limits(() => 0) });
  }, 60_000);
  afterAll(() => desk.stop(), 120_000);

  test('sixty votes, and no more of what lets anything go on; rejections, freezes and cancels pass, and sixty of those', async () => {
    const at = { at: Date.now() };
    const held = await desk.held();
    const { id } = request();
    const nowhere = { ...held, id, envelope: { ...held.envelope, actionId: id } };
    const path = (kind: string): string => `/v1/actions/${nowhere.id}/${kind}`;
    const vote = async (signed: Signed): Promise<number> => (await desk.post(path('decisions'), signed)).status;
    const votes = await Promise.all(Array.from({ length: 60 }, () => vote(approve('cleo', nowhere, at))));
    expect([...new Set(votes)]).toEqual([404]);
    expect(await vote(approve('cleo', nowhere, at))).toBe(429);
    expect(await vote(modify('cleo', nowhere, { '/cents': 1 }, at))).toBe(429);
    expect(await vote(ask('cleo', nowhere, 'Why?', at))).toBe(429);
    expect((await desk.post(path('resolutions'), resolve('cleo', nowhere.id, 1, 'happened', at))).status).toBe(429);
    expect((await desk.post(path('reviews'), review('cleo', nowhere.id, at))).status).toBe(429);
    const stop = freeze('cleo', { agent: 'nobody' }, at);
    expect((await desk.post('/v1/freezes', stop)).status).toBe(200);
    const headers = { 'content-type': 'application/json' };
    const thawing = await desk.send('DELETE', `/v1/freezes/${digestOfSigned(stop)}`, JSON.stringify(thaw('cleo', stop, at)), headers);
    expect(thawing.status).toBe(429);
    expect(await vote(approve('ben', nowhere, at))).toBe(404);
    expect((await desk.decide(reject('cleo', held, at))).status).toBe(200);

    const stops = await Promise.all(Array.from({ length: 59 }, () => vote(reject('cleo', nowhere, at))));
    expect(stops.filter((status) => status === 404)).toHaveLength(58);
    expect(await vote(withdraw('cleo', nowhere, stop, at))).toBe(429);
    expect((await desk.post('/v1/freezes', freeze('cleo', { agent: 'nobody' }, at))).status).toBe(429);
    const cancels = async (by: Signed): Promise<number> => (await desk.post(path('cancel'), by)).status;
    expect(await cancels(cancel(nowhere.id, { ...at, by: keyOfPerson('dana') }, 'person:dana'))).toBe(404);
  }, 60_000);
});

describe('attack 77: no more actions under way than the roster says, whatever the rate', () => {
  let desk: Desk;
  beforeAll(async () => {
    desk = await Desk.open({ roster: { agents: [LIMITED] } });
  }, 60_000);
  afterAll(() => desk.stop(), 120_000);

  test('one more is refused and not opened; its place is free when another has ended, and the key is not used up', async () => {
    const opened = [];
    for (let i = 0; i < PENDING; i++) {
      const proposal = request();
      const answer = await desk.post('/v1/actions', proposal.signed);
      opened.push({ proposal, action: actionSchema.parse(answer.body) });
    }
    const more = request();
    const refused = await desk.post('/v1/actions', more.signed);
    expect(refusalOf(refused)).toBe('429 rate_limited');
    expect(problemSchema.parse(refused.body).detail).toContain(`ap-agent has ${PENDING} actions under way`);
    expect((await desk.get('ana', `/v1/actions/${more.id}`)).status).toBe(404);
    expect(await (await fetch(`${desk.url}/metrics`)).text()).toMatch(/keyturn_api_limited_total\{limit="pending"\} 1\n/);
    const [first] = opened;
    if (first === undefined) throw new Error('none was opened');
    expect((await desk.post('/v1/actions', first.proposal.signed)).status).toBe(200);

    const held = await desk.when(first.action.id, ({ outcome }) => outcome.status === 'awaiting_approval');
    expect((await desk.decide(reject('cleo', sealedOf(held)))).status).toBe(200);
    await desk.when(first.action.id, ({ outcome }) => outcome.final);
    let status = 429;
    for (const end = Date.now() + 60_000; status === 429 && Date.now() < end;) {
      await new Promise((done) => setTimeout(done, 500));
      ({ status } = await desk.post('/v1/actions', more.signed));
    }
    expect(status).toBe(201);
  }, 120_000);

  const agent = (): Agent => {
    const read = parseRoster(rosterText({ agents: [LIMITED.replace('ap-agent', 'new-agent')] }), 'roster.yaml');
    const found = read.ok ? [...read.roster.agents.values()][0] : undefined;
    if (found === undefined) throw new Error('no agent');
    return found;
  };

  test('places taken at once are counted before Temporal knows of them; one given back is free at once', async () => {
    const places = new Places(desk.rig.client, () => 0);
    const taken = await Promise.allSettled(Array.from({ length: PENDING + 2 }, () => places.take(agent())));
    const given = taken.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    expect(given).toHaveLength(PENDING);
    await expect(places.take(agent())).rejects.toThrow('rate_limited');
    given[0]?.();
    given[0]?.();
    await places.take(agent());
    await expect(places.take(agent())).rejects.toThrow('rate_limited');
  });

  test('what cannot be counted is not opened, and is counted anew the next time', async () => {
    const { client, close } = deadClient();
    const places = new Places(client, () => 0);
    for (let i = 0; i < 2; i++) await expect(places.take(agent())).rejects.toThrow('temporal_unavailable');
    await close();
  }, 30_000);
});
