import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Limited, Limits } from '../../src/api/limits.js';
import { Waits } from '../../src/api/temporal/waits.js';
import { DEFAULT_LIMITS, parseRoster, type Agent } from '../../src/domain/roster.js';
import { reject, request } from '../helpers/messages.js';
import { rosterText } from '../helpers/rules-fixture.js';
import { AGENT, signerOf } from '../helpers/signers.js';
import { Desk, readHeader, refusalOf, sealedOf } from './desk.js';
import { actionSchema } from '../../src/domain/http.js';

const PENDING = 12;
const PER_MINUTE = 60;
const limited = `ap-agent: { owner: dana, key: '${AGENT.key.text}', propose: [payments.*], limits: { perMinute: ${PER_MINUTE}, pending: ${PENDING} } }`;

describe('attack 77: a burst of 500 proposals', () => {
  let desk: Desk;
  beforeAll(async () => {
    desk = await Desk.open({ roster: { agents: [limited] } });
  }, 60_000);
  afterAll(() => desk.stop(), 120_000);

  test('opens no more than the agent may have under way; the rest is 429; a known one is answered; a rejection still lands', async () => {
    const proposals = Array.from({ length: 500 }, () => request());
    const answers = await Promise.all(
      proposals.map(async ({ id, signed }) => ({ id, signed, answer: await desk.post('/v1/actions', signed) })),
    );
    const opened = answers.filter(({ answer }) => answer.status === 201);
    const refused = answers.filter(({ answer }) => answer.status !== 201);
    expect(opened.length).toBeGreaterThan(0);
    expect(opened.length).toBeLessThanOrEqual(PENDING);
    for (const { answer } of refused) {
      expect(['429 rate_limited', '503 temporal_unavailable']).toContain(refusalOf(answer));
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(refused.filter(({ answer }) => answer.status === 429).length).toBeGreaterThan(300);
    const runs = await desk.rig.client.workflowService.countWorkflowExecutions({
      namespace: 'default',
      query: "WorkflowType = 'agentAction'",
    });
    expect(Number(runs.count)).toBeLessThanOrEqual(PENDING);

    const [first] = opened;
    if (first === undefined) throw new Error('none was opened');
    const again = await desk.post('/v1/actions', first.signed);
    expect([again.status, actionSchema.parse(again.body).id]).toEqual([200, first.id]);
    const held = await desk.when(first.id, ({ outcome }) => outcome.status === 'awaiting_approval');
    expect((await desk.decide(reject('cleo', sealedOf(held)))).status).toBe(200);
    expect(await (await fetch(`${desk.url}/metrics`)).text()).toMatch(/keyturn_api_limited_total\{limit="proposals"\} [1-9]/);
  }, 120_000);

  test('whoever shows no valid credential is refused so often, known or not, and then no more; who does is not touched', async () => {
    const statuses = new Set<number>();
    for (const by of ['stranger', 'nobody']) {
      const signer = signerOf(by);
      for (let i = 0; i < 40; i++) statuses.add((await desk.get('nobody', '/v1/actions', readHeader(signer, '/v1/actions'))).status);
    }
    expect([...statuses].sort()).toEqual([401, 429]);
    expect((await desk.get('ana', '/v1/actions')).status).toBe(200);
  });
});

describe('limits of one caller', () => {
  const roster = (text: string): Agent => {
    const read = parseRoster(rosterText({ agents: [text] }), 'roster.yaml');
    const agent = read.ok ? [...read.roster.agents.values()][0] : undefined;
    if (agent === undefined) throw new Error('no agent');
    return agent;
  };
  test('left out, an agent has the defaults; one given leaves the other', () => {
    expect(roster(`a: { owner: dana, key: '${AGENT.key.text}', propose: [payments.*] }`).limits).toEqual(DEFAULT_LIMITS);
    const some = roster(`a: { owner: dana, key: '${AGENT.key.text}', propose: [payments.*], limits: { pending: 3 } }`);
    expect(some.limits).toEqual({ perMinute: 60, pending: 3 });
    for (const bad of ['0', '1.5', '1000001', '"3"'])
      expect(() => roster(`a: { owner: dana, key: '${AGENT.key.text}', propose: [payments.*], limits: { pending: ${bad} } }`)).toThrow();
  });

  test('attack 57: neither reads nor decisions take anything from rejections, cancels and freezes', () => {
    const limits = new Limits(() => 0);
    const drain = (what: () => void): number => {
      for (let n = 0; ; n++)
        try {
          what();
        } catch (error) {
          expect(error).toBeInstanceOf(Limited);
          return n;
        }
    };
    expect([drain(() => limits.read('person:ana')), drain(() => limits.decision('person:ana'))]).toEqual([200, 60]);
    expect(drain(() => limits.stop('person:ana'))).toBe(60);
    expect(() => limits.stop('person:ben')).not.toThrow();
  });

  test('a hundred waits and streams of one reader; the next reader has its own', async () => {
    const waits = new Waits();
    const open = Array.from({ length: 100 }, () =>
      waits.run(
        'person:ana',
        new AbortController().signal,
        (signal) => new Promise<void>((done) => signal.addEventListener('abort', () => done())),
      ),
    );
    const quick = (who: string) => waits.run(who, new AbortController().signal, () => Promise.resolve('done'));
    await expect(quick('person:ana')).rejects.toThrow('rate_limited');
    expect(await quick('person:ben')).toBe('done');
    waits.end();
    await Promise.all(open);
    expect(await quick('person:ana')).toBe('done');
  });
});
