import type { MetricMeter } from '@temporalio/common';
import { DefaultLogger, Runtime, type LogEntry, type RuntimeOptions } from '@temporalio/worker';
import { useNativeCrypto } from '../files/native-crypto.js';

/** Decisions take minutes to days. */
const DECISION_BUCKETS_S = [1, 10, 60, 300, 900, 3_600, 14_400, 43_200, 86_400, 259_200, 604_800];

let runtime: Runtime | undefined;

/**
 * The SDK's runtime, once a process: quiet, and with Temporal's metrics and ours on `http://<KEYTURN_METRICS>/metrics` where that is set. Throws if the
 * address cannot be listened on. Returns what our metrics are made with.
 */
export function installRuntime(): MetricMeter {
  if (runtime === undefined) {
    useNativeCrypto();
    // The SDK's own progress lines are for developers of workers, not for people waiting for an approval.
    const logger = new DefaultLogger('WARN', logUnlessMeant);
    runtime = Runtime.install({ logger, shutdownSignals: [], ...telemetry(process.env['KEYTURN_METRICS']) });
  }
  return runtime.metricMeter;
}

function telemetry(bindAddress: string | undefined): Pick<RuntimeOptions, 'telemetryOptions'> {
  if (bindAddress === undefined || bindAddress === '') return {};
  if (!/^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:]+\]):\d{1,5}$/.test(bindAddress))
    throw new Error(`KEYTURN_METRICS is no address to listen on, such as 127.0.0.1:9464: ${bindAddress.slice(0, 100)}`);
  const prometheus = {
    bindAddress,
    countersTotalSuffix: true,
    unitSuffix: true,
    useSecondsForDurations: true,
    histogramBucketOverrides: { keyturn_worker_decision_seconds: DECISION_BUCKETS_S },
  };
  return { telemetryOptions: { metrics: { prometheus } } };
}

/** An executor that runs no workflows is how it should be, not a warning. */
function logUnlessMeant({ level, message, timestampNanos, meta }: LogEntry): void {
  if (message.startsWith('No workflows registered')) return;
  const at = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
  console.warn(`${at} [${level}] ${message}`, meta ?? '');
}
