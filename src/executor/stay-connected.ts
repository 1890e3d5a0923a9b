import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import { dataConverter } from '../temporal/data-converter.js';
import { connect } from '../temporal/connection.js';
import { startWorker, type Role, type RunningWorker } from '../worker.js';
import type { Executor } from './executor.js';
import { publishManifest } from './manifest.js';

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 10_000;
/** A worker that cannot reach Temporal any more does not stop by itself: what still acts at a target is waited for, the rest is not. */
const STOP_MS = 3_000;
const STOP_ACTING_MS = 15_000;

export interface Connected {
  readonly executor: Executor;
  /** Ends it. */
  readonly life: AbortSignal;
  /** True: Temporal may be away, at the start and at any time, and is tried again for ever. False: then it throws. */
  readonly patient: boolean;
  /** Called whenever a worker polls, with a client on its connection. */
  readonly onReady: (client: Client) => Promise<void>;
}

/** A worker, and how to wait: for so long, or until `life` is over. */
export interface Means {
  readonly start: (role: Role) => Promise<RunningWorker>;
  readonly sleep: (ms: number, life?: AbortSignal) => Promise<void>;
}
const REAL: Means = { start: startWorker, sleep: (ms, life) => sleep(ms, undefined, { signal: life }) };

/** Serves Temporal's orders until the process is to end. */
export async function stayConnected({ executor, life, patient, onReady }: Connected, means: Means = REAL): Promise<void> {
  let wait = FIRST_RETRY_MS;
  while (!life.aborted) {
    try {
      const starting = means.start({ role: 'executor', executor });
      const worker = await unlessOver(starting, life);
      if (worker === undefined) {
        // It may still come: it is not to poll for an executor that has ended.
        void starting.then((late) => late.stop()).catch(() => undefined);
        return;
      }
      try {
        const client = new Client({ connection: worker.connection, namespace: connect().namespace, dataConverter });
        await client.withDeadline(Date.now() + 10_000, () => publishManifest(client, executor));
        await onReady(client);
        wait = FIRST_RETRY_MS;
        await unlessOver(worker.finished, life);
      } finally {
        await stopped(worker, executor, means);
      }
    } catch (error) {
      if (!patient) throw error;
      executor.log('temporal does not answer', { error: error instanceof Error ? error.message : String(error), againInMs: wait });
    }
    await means.sleep(wait, life).catch(() => undefined);
    wait = Math.min(2 * wait, LAST_RETRY_MS);
  }
}

async function stopped(worker: RunningWorker, { inFlight }: Executor, means: Means): Promise<void> {
  const stopping = worker.stop().catch(() => undefined);
  await Promise.race([stopping, means.sleep(STOP_MS)]);
  if (inFlight.size > 0) await Promise.race([stopping, means.sleep(STOP_ACTING_MS - STOP_MS)]);
}

/** Undefined: the process is to end first. Whatever becomes of the work later, nobody is there to hear it. */
function unlessOver<T>(work: Promise<T>, life: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const over = (): void => resolve(undefined);
    life.addEventListener('abort', over);
    if (life.aborted) over();
    void work.then(resolve, reject).finally(() => life.removeEventListener('abort', over));
  });
}
