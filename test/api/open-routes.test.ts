import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Pending } from '../../src/api/temporal/pending.js';
import { Probe } from '../../src/api/temporal/probe.js';
import { deadClient, Desk } from './desk.js';

describe('attack 57: what anybody may ask costs Temporal nothing, however often', () => {
  let desk: Desk;
  beforeAll(async () => {
    desk = await Desk.open();
  }, 60_000);
  afterAll(() => desk.stop(), 120_000);

  test('300 times each open route: answered, and Temporal is asked a few times', async () => {
    const { workflowService } = desk.rig.client;
    const asked = [
      jest.spyOn(workflowService, 'describeNamespace'),
      jest.spyOn(workflowService, 'countWorkflowExecutions'),
      jest.spyOn(workflowService, 'listWorkflowExecutions'),
    ];
    const statuses = new Set<number>();
    for (const path of ['/healthz', '/readyz', '/metrics', '/openapi.json', '/docs'])
      for (let i = 0; i < 10; i++)
        for (const status of await Promise.all(
          Array.from({ length: 30 }, async () => {
            const answer = await fetch(desk.url + path);
            await answer.arrayBuffer();
            return answer.status;
          }),
        ))
          statuses.add(status);
    const calls = asked.reduce((sum, { mock }) => sum + mock.calls.length, 0);
    for (const spy of asked) spy.mockRestore();
    expect([...statuses]).toEqual([200]);
    expect(calls).toBeGreaterThan(1);
    expect(calls).toBeLessThan(150);
  }, 120_000);

  test('readiness is asked for once a second, for all who want to know', async () => {
    let now = 0;
    const asked = jest.spyOn(desk.rig.client.workflowService, 'describeNamespace');
    const probe = new Probe(desk.rig.client, () => now);
    expect(new Set(await Promise.all(Array.from({ length: 50 }, () => probe.answers())))).toEqual(new Set([true]));
    now = 999;
    await probe.answers();
    expect(asked).toHaveBeenCalledTimes(1);
    now = 1_000;
    await probe.answers();
    expect(asked).toHaveBeenCalledTimes(2);
    asked.mockRestore();
  });

  test('a Temporal that does not answer is not asked at every scrape either', async () => {
    const { client, close } = deadClient();
    let now = 0;
    const asked = jest.spyOn(client.workflowService, 'countWorkflowExecutions');
    const pending = new Pending(client, () => now);
    const up = async (): Promise<unknown> => (await pending.gauges())[0]?.values;
    expect(await up()).toEqual([{ value: 0 }]);
    const once = asked.mock.calls.length;
    expect(once).toBeGreaterThan(0);
    now = 4_999;
    expect(await up()).toEqual([{ value: 0 }]);
    expect(asked).toHaveBeenCalledTimes(once);
    now = 5_000;
    await up();
    expect(asked.mock.calls.length).toBeGreaterThan(once);
    const probe = new Probe(client, () => now);
    expect([await probe.answers(), await probe.answers()]).toEqual([false, false]);
    await close();
  }, 60_000);
});
