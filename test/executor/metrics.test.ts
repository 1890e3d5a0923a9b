import { describe, expect, test } from '@jest/globals';
import { noopMetricMeter, type MetricMeter, type MetricTags } from '@temporalio/common';
import type { Executor } from '../../src/executor/executor.js';
import { counted, executorMetrics, watchRules, type ExecutorMetrics } from '../../src/executor/metrics.js';
import { approve, freeze } from '../helpers/messages.js';
import { MINUTE, World } from '../helpers/world.js';

/** What a meter was told: each metric as it was made, and each value with its labels. */
function recorded(): { readonly meter: MetricMeter; readonly made: string[]; readonly told: [string, number, MetricTags][] } {
  const made: string[] = [];
  const told: [string, number, MetricTags][] = [];
  const meterOf = (own: MetricTags): MetricMeter => {
    const metric = (kind: string, name: string, description?: string, unit?: string) => {
      made.push([kind, name, unit ?? '', description ?? ''].join(' | '));
      return (value: number, tags: MetricTags = {}) => void told.push([name, value, { ...own, ...tags }]);
    };
    return {
      createHistogram: (name, valueType, unit, description) => noopMetricMeter.createHistogram(name, valueType, unit, description),
      createCounter: (name, unit, description) => ({
        ...noopMetricMeter.createCounter(name),
        add: metric('counter', name, description, unit),
      }),
      createGauge: (name, valueType, unit, description) => ({
        ...noopMetricMeter.createGauge(name),
        set: metric(`gauge ${valueType ?? ''}`, name, description, unit),
      }),
      withTags: (tags) => meterOf({ ...own, ...tags }),
    };
  };
  return { meter: meterOf({}), made, told };
}
const settled = (): Promise<void> => new Promise((done) => setTimeout(done, 20));

describe('what an executor counts: closed sets, by its name', () => {
  test('five metrics, each saying what it is', () => {
    const { meter, made } = recorded();
    executorMetrics(meter, 'bank');
    expect(made).toEqual([
      'counter | keyturn_executor_answers |  | Answers by activity, kind, code and the check that refused.',
      'counter | keyturn_executor_entries |  | Entries this process wrote, by kind; executing: consumed.',
      'counter | keyturn_executor_ended |  | Actions whose end this process wrote, by status.',
      'gauge int | keyturn_executor_freezes |  | Freezes in force.',
      'gauge int | keyturn_executor_rules_valid |  | 0: policy or roster is invalid, nothing runs.',
    ]);
  });
  test('answers by activity, kind, code and check', () => {
    const { meter, told } = recorded();
    const metrics = executorMetrics(meter, 'bank');
    metrics.answered('report', { kind: 'report', envelope: null, due: 'seal' });
    metrics.answered('lodge', { kind: 'refused', code: 'not_eligible', text: 'No.', check: 8 });
    metrics.answered('lodge', { kind: 'refused', code: 'frozen', text: 'No.' });
    const answers = 'keyturn_executor_answers';
    expect(told).toEqual([
      [answers, 1, { executor: 'bank', activity: 'report', kind: 'report', code: 'none', check: 'none' }],
      [answers, 1, { executor: 'bank', activity: 'lodge', kind: 'refused', code: 'not_eligible', check: '8' }],
      [answers, 1, { executor: 'bank', activity: 'lodge', kind: 'refused', code: 'frozen', check: 'none' }],
    ]);
  });
  test('entries once they are written, ends by their status, as an action runs', async () => {
    const { meter, told } = recorded();
    const world = await World.open();
    world.executor = counted(world.executor, executorMetrics(meter, 'bank'));
    const sealed = await world.propose();
    await world.run(sealed, [approve('ana', sealed), approve('ben', sealed)]);
    const of = (name: string): unknown[] => told.filter(([each]) => each === name).map(([, value, tags]) => [value, tags]);
    expect(of('keyturn_executor_entries')).toEqual(
      ['sealed', 'executing', 'step_started', 'step_done', 'ended'].map((kind) => [1, { executor: 'bank', kind }]),
    );
    expect(of('keyturn_executor_ended')).toEqual([[1, { executor: 'bank', status: 'succeeded' }]]);
    expect(of('keyturn_executor_answers').length).toBeGreaterThan(1);
  });
  test('freezes in force and whether the rules hold', () => {
    const { meter, told } = recorded();
    const metrics = executorMetrics(meter, 'bank');
    metrics.looked(2, true);
    metrics.looked(0, false);
    expect(told.map(([name, value]) => [name, value])).toEqual([
      ['keyturn_executor_freezes', 2],
      ['keyturn_executor_rules_valid', 1],
      ['keyturn_executor_freezes', 0],
      ['keyturn_executor_rules_valid', 0],
    ]);
  });
});

describe('a look at what is in force, now and then', () => {
  const looks: [number, boolean][] = [];
  const metrics: ExecutorMetrics = {
    answered: () => undefined,
    written: () => undefined,
    looked: (freezes, valid) => void looks.push([freezes, valid]),
  };
  const look = async (executor: Executor, ms?: number): Promise<[number, boolean][]> => {
    looks.length = 0;
    const stop = watchRules(executor, metrics, ms);
    await settled();
    stop();
    return [...looks];
  };
  test('at once: no freeze, one, and none that can be judged while the rules are broken', async () => {
    const world = await World.open();
    expect(await look(world.executor)).toEqual([[0, true]]);
    await world.lodge(null, freeze('cleo', { all: true }, { at: world.clock.ms }));
    expect(await look(world.executor)).toEqual([[1, true]]);
    world.rules.break();
    expect(await look(world.executor)).toEqual([[0, false]]);
  });
  test('again and again until it is ended; what goes wrong is logged', async () => {
    const world = await World.open();
    expect((await look(world.executor, 1)).length).toBeGreaterThan(1);
    const before = looks.length;
    await settled();
    expect(looks.length).toBe(before);
    const logged: unknown[] = [];
    const broken: Executor = {
      ...world.executor,
      rules: async () => Promise.reject(new Error('away')),
      log: (event, detail) => void logged.push([event, detail]),
    };
    expect(await look(broken, MINUTE)).toEqual([]);
    expect(logged).toEqual([['metrics', { error: 'Error: away' }]]);
  });
});
