import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import { dataConverter } from '../temporal/data-converter.js';
import { connect } from '../temporal/connection.js';
import { startWorker, type RunningWorker } from '../worker.js';
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

/** Serves Temporal's orders until the process is to end. */
export async function stayConnected({ executor, life, patient, onReady }: Connected): Promise<void> {
  let wait = FIRST_RETRY_MS;
  while (!life.aborted) {
    try {
      const worker = await unlessOver(startWorker({ role: 'executor', executor }), life);
      if (worker === undefined) return;
      try {
        const client = new Client({ connection: worker.connection, namespace: connect().namespace, dataConverter });
        await client.withDeadline(Date.now() + 10_000, () => publishManifest(client, executor));
        await onReady(client);
        wait = FIRST_RETRY_MS;
        await unlessOver(worker.finished, life);
      } finally {
        await stopped(worker, executor);
      }
    } catch (error) {
      if (!patient) throw error;
      executor.log('temporal does not answer', { error: error instanceof Error ? error.message : String(error), againInMs: wait });
    }
    if (!life.aborted) await sleep(wait, undefined, { signal: life }).catch(() => undefined);
    wait = Math.min(2 * wait, LAST_RETRY_MS);
  }
}

async function stopped(worker: RunningWorker, { inFlight }: Executor): Promise<void> {
  const stopping = worker.stop().catch(() => undefined);
  await Promise.race([stopping, sleep(STOP_MS)]);
  if (inFlight.size > 0) await Promise.race([stopping, sleep(STOP_ACTING_MS - STOP_MS)]);
}

/** Undefined: the process is to end first. */
async function unlessOver<T>(work: Promise<T>, life: AbortSignal): Promise<T | undefined> {
  // Whatever becomes of it later, nobody is there to hear it.
  work.catch(() => undefined);
  if (life.aborted) return undefined;
  let over = (): void => undefined;
  const ended = new Promise<undefined>((done) => {
    over = () => done(undefined);
    life.addEventListener('abort', over, { once: true });
  });
  try {
    return await Promise.race([work, ended]);
  } finally {
    life.removeEventListener('abort', over);
  }
}
