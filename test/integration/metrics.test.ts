import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { freePort } from '../../src/temporal/free-port.js';
import { executorMetrics, watchRules } from '../../src/executor/metrics.js';
import { installRuntime } from '../../src/temporal/runtime.js';
import { Desk } from '../api/desk.js';
import { approve, damaged, freeze, reject } from '../helpers/messages.js';
import { valueOf } from '../helpers/scrape.js';

const now = (): { at: number } => ({ at: Date.now() });

describe('metrics, as Prometheus scrapes them', () => {
  let desk: Desk;
  let address: string;
  let given: string | undefined;
  const scrape = async (): Promise<string> => (await fetch(`http://${address}/metrics`)).text();

  beforeAll(async () => {
    given = process.env['KEYTURN_METRICS'];
    address = `127.0.0.1:${await freePort()}`;
    process.env['KEYTURN_METRICS'] = address;
    desk = await Desk.open();
  });
  afterAll(async () => {
    await desk.stop();
    if (given === undefined) delete process.env['KEYTURN_METRICS'];
    else process.env['KEYTURN_METRICS'] = given;
  });

  test("worker and executor: what was consumed, what ended how, what was refused and by which check; and Temporal's own", async () => {
    const done = await desk.held();
    await desk.decide(damaged(approve('ana', done, now())));
    await desk.rig.client.workflow.getHandle(done.id).signal('decision', damaged(approve('ana', done, now())));
    await desk.decide(approve('ana', done, now()));
    await desk.decide(approve('ben', done, now()));
    await desk.when(done.id, (action) => action.outcome.final);
    const no = await desk.held();
    await desk.decide(reject('cleo', no, now()));
    await desk.when(no.id, (action) => action.outcome.final);

    const text = await scrape();
    expect(valueOf(text, 'keyturn_executor_entries_total', { kind: 'executing' })).toBe(1);
    expect(valueOf(text, 'keyturn_executor_entries_total', { kind: 'sealed' })).toBe(2);
    expect(valueOf(text, 'keyturn_executor_ended_total', { status: 'succeeded' })).toBe(1);
    expect(valueOf(text, 'keyturn_executor_ended_total', { status: 'rejected' })).toBe(1);
    expect(valueOf(text, 'keyturn_worker_ended_total', { status: 'succeeded' })).toBe(1);
    expect(valueOf(text, 'keyturn_worker_refusals_total', { door: 'decision', code: 'signature_invalid' })).toBe(1);
    expect(valueOf(text, 'keyturn_worker_decision_seconds_count', { verdict: 'approve' })).toBe(2);
    expect(valueOf(text, 'keyturn_worker_decision_seconds_bucket', { verdict: 'approve', le: '604800' })).toBe(2);
    for (const name of ['temporal_request_latency_seconds_count', 'temporal_workflow_task_execution_latency_seconds_count'])
      expect(valueOf(text, name)).toBeGreaterThan(0);
  });

  test('a check that refuses is counted by its number, a freeze and an invalid policy show though nobody asks', async () => {
    const { rig } = desk;
    const metrics = executorMetrics(installRuntime(), 'bank');
    const held = await desk.held();
    const frozen = freeze('cleo', { all: true }, now());
    expect((await desk.post('/v1/freezes', frozen)).status).toBeLessThan(300);
    await desk.decide(approve('ana', held, now()));
    await desk.decide(approve('ben', held, now()));
    await rig.when(rig.client.workflow.getHandle(held.id), 'frozen', (each) => each.outcome.reason.text.includes('Something is wrong'));
    rig.rules.break();
    const stop = watchRules(rig.executor, metrics, 50);
    await until(async () => valueOf(await scrape(), 'keyturn_executor_rules_valid') === 0);
    rig.rules.mend();
    await until(async () => valueOf(await scrape(), 'keyturn_executor_rules_valid') === 1);
    await until(async () => valueOf(await scrape(), 'keyturn_executor_freezes') === 1);
    stop();
    expect(
      valueOf(await scrape(), 'keyturn_executor_answers_total', { activity: 'advance', kind: 'wait', code: 'frozen' }),
    ).toBeGreaterThan(0);
    await rig.client.workflow.getHandle(held.id).cancel();
    await desk.when(held.id, (action) => action.outcome.final);
  });

  test('the API: messages by verdict and fate, refusals by code, times by route, and what is open', async () => {
    await desk.held();
    const text = String((await desk.get('nobody', '/metrics')).body);
    expect(valueOf(text, 'keyturn_api_messages_total', { kind: 'approve', fate: 'counted', code: 'none' })).toBe(4);
    expect(valueOf(text, 'keyturn_api_messages_total', { kind: 'reject', fate: 'stands' })).toBe(1);
    expect(valueOf(text, 'keyturn_api_refusals_total', { code: 'signature_invalid' })).toBe(1);
    expect(valueOf(text, 'keyturn_api_request_seconds_count', { route: '/v1/actions', method: 'POST' })).toBe(4);
    expect(valueOf(text, 'keyturn_api_request_seconds_bucket', { route: '/v1/actions', le: '+Inf' })).toBe(4);
    expect(valueOf(text, 'keyturn_visibility_up')).toBe(1);
    expect(valueOf(text, 'keyturn_actions_open', { status: 'outcome_unknown' })).toBe(0);
    expect(valueOf(text, 'keyturn_actions_overdue')).toBe(0);
    // No line names a person, an action, an agent or a parameter.
    expect(text).not.toMatch(/act_|\b(?:ana|ben|cleo|dana|eva)\b|ap-agent|ACME/);
    expect(await scrape()).not.toMatch(/act_[0-9a-z]{26}|\b(?:ana|ben|cleo|dana|eva)\b|ap-agent|ACME/);
  });
});

async function until(so: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 20_000; !(await so()); await new Promise((done) => setTimeout(done, 50)))
    if (Date.now() > end) throw new Error('in vain');
}
