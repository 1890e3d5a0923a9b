import type { MetricMeter } from '@temporalio/common';
import type { Activity, ResultOf } from '../domain/objects/answer.js';
import type { EntryBody } from '../domain/objects/entry.js';
import type { Executor } from './executor.js';
import { activeFreezes } from './freezes.js';
import { readStops } from './ledger/rows.js';

const LOOK_MS = 10_000;

/** What an executor counts. Labels are kinds, codes, checks and statuses: closed sets, never persons, actions or parameters. */
export interface ExecutorMetrics {
  answered(activity: Activity, result: ResultOf<Activity>): void;
  written(entry: EntryBody): void;
  looked(freezes: number, rulesValid: boolean): void;
}

export function executorMetrics(meter: MetricMeter, executor: string): ExecutorMetrics {
  const own = meter.withTags({ executor });
  const answers = own.createCounter('keyturn_executor_answers', undefined, 'Answers by activity, kind, code and the check that refused.');
  const entries = own.createCounter('keyturn_executor_entries', undefined, 'Entries this process wrote, by kind; executing: consumed.');
  const ended = own.createCounter('keyturn_executor_ended', undefined, 'Actions whose end this process wrote, by status.');
  const freezes = own.createGauge('keyturn_executor_freezes', 'int', undefined, 'Freezes in force.');
  const valid = own.createGauge('keyturn_executor_rules_valid', 'int', undefined, '0: policy or roster is invalid, nothing runs.');
  return {
    answered(activity, result) {
      const code = 'code' in result ? result.code : 'none';
      const check = 'check' in result && result.check !== undefined ? String(result.check) : 'none';
      answers.add(1, { activity, kind: result.kind, code, check });
    },
    written(entry) {
      entries.add(1, { kind: entry.kind });
      if ('status' in entry) ended.add(1, { status: entry.status });
    },
    looked(inForce, rulesValid) {
      freezes.set(inForce);
      valid.set(rulesValid ? 1 : 0);
    },
  };
}

/** The same executor, counted. Entries are counted once, when their transaction is committed, by the process that wrote them. */
export function counted(executor: Executor, metrics: ExecutorMetrics): Executor {
  executor.ledger.watch((entry) => metrics.written(entry));
  return { ...executor, metrics };
}

/** Looks at what is in force now and then, until the returned function is called: a freeze shows though nobody asks for anything. */
export function watchRules(executor: Executor, metrics: ExecutorMetrics, ms = LOOK_MS): () => void {
  const look = async (): Promise<void> => {
    const rules = await executor.rules();
    const stops = await executor.ledger.transaction((tx) => readStops(tx.sql));
    metrics.looked(rules.ok ? activeFreezes(stops, rules.policy, rules.roster, executor.now()).length : 0, rules.ok);
  };
  const lookLoudly = (): void => void look().catch((error: unknown) => executor.log('metrics', { error: String(error) }));
  lookLoudly();
  const timer = setInterval(lookLoudly, ms);
  timer.unref();
  return () => clearInterval(timer);
}
