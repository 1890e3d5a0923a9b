import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { Processes } from '../demo/processes.js';
import { freePort } from '../src/temporal/free-port.js';
import { Stage } from './stage.js';
import { makeTown } from './town.js';

/** A fresh product, all its parts as processes on free ports of 127.0.0.1: with standalone activities switched on, the worst case. */
export interface Product {
  readonly stage: Stage;
  /** Ends all it started. Returns what would not go. */
  stop(): Promise<number[]>;
}

const READY_MS = 90_000;
const TRIES = 3;

/** Files go to `dir`, which is emptied. `onStart` gets what ends it, before anything runs. A port that somebody else took meanwhile is given up for another. */
export async function startProduct(
  dir: string,
  cliBinary: string,
  root: string | undefined,
  onStart: (stop: () => Promise<number[]>) => void,
): Promise<Product> {
  for (let tries = 1; ; tries++) {
    let end: () => Promise<number[]> = () => Promise.resolve([]);
    try {
      return await startOnce(dir, cliBinary, root, (stop) => {
        end = stop;
        onStart(stop);
      });
    } catch (error) {
      await end();
      if (tries >= TRIES) throw error;
    }
  }
}

async function startOnce(
  dir: string,
  cliBinary: string,
  root: string | undefined,
  onStart: (stop: () => Promise<number[]>) => void,
): Promise<Product> {
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const processes = new Processes(dir, port, randomBytes(16).toString('hex'), false, {
    temporalArgs: ['--dynamic-config-value', 'activity.enableStandalone=true'],
    readyMs: READY_MS,
    ...(root === undefined ? {} : { root }),
  });
  let stopping: Promise<number[]> | undefined;
  const end = (): Promise<number[]> => (stopping ??= processes.stopAll());
  onStart(end);
  const town = await makeTown(dir, url);
  await processes.initLedger();
  await processes.startTemporal();
  await processes.startBank();
  await Promise.all([processes.startWorker(), processes.startExecutor(), processes.startApi()]);
  const stage = new Stage(dir, url, processes, town, cliBinary, root);
  return {
    stage,
    stop: async () => {
      await stage.close();
      return end();
    },
  };
}
