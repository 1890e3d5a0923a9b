import { afterEach, describe, expect, test } from '@jest/globals';
import { getEventListeners } from 'node:events';
import type { Client } from '@temporalio/client';
import type { Executor } from '../../src/executor/executor.js';
import { stayConnected, type Means } from '../../src/executor/stay-connected.js';
import type { RunningWorker } from '../../src/worker.js';
import { World } from '../helpers/world.js';

const never = new Promise<never>(() => undefined);
/** Long enough for everything that waits for nothing. */
const soon = (): Promise<void> => new Promise((done) => setTimeout(done, 20));

/** One start of a worker: what it does instead of serving until the end. */
type Start = Partial<Pick<RunningWorker, 'finished' | 'stop'>> | { readonly fails: unknown } | 'hangs';

interface Given {
  readonly patient?: boolean;
  /** A step this process is at while the worker stops. */
  readonly acting?: boolean;
  /** Waits of this many ms never end. */
  readonly waits?: (ms: number) => boolean;
  readonly onReady?: (life: AbortController) => Promise<void>;
}

/** Serves with these workers, one after the other; the one after the last ends the process's life. All it did, in order, is in `told`. */
async function served(starts: readonly Start[], { patient = true, acting = false, waits = () => false, onReady }: Given = {}) {
  const told: string[] = [];
  const world = await World.open();
  const life = new AbortController();
  const executor: Executor = {
    ...world.executor,
    inFlight: new Set(acting ? ['act/1/run'] : []),
    log: (event, detail) => void told.push(`${event} ${JSON.stringify(detail)}`),
  };
  const connection = {
    withDeadline: async (deadline: number, work: () => Promise<unknown>) => {
      expect(Math.round((deadline - Date.now()) / 1_000)).toBe(10);
      return work();
    },
    workflowService: {
      startWorkflowExecution: async ({ namespace, workflowId }: Record<'namespace' | 'workflowId', string>) => {
        told.push(`manifest ${namespace} ${workflowId}`);
        return { runId: 'run' };
      },
    },
  } as unknown as RunningWorker['connection'];
  let [begun, waited] = [0, 0];
  let lost: (error: Error) => void = () => undefined;
  const endless = new Promise<never>((_, reject) => (lost = reject));
  const means: Means = {
    async start(role) {
      expect(role).toEqual({ role: 'executor', executor });
      const start = starts[begun++];
      told.push('start');
      if (start === undefined) life.abort();
      if (start === undefined || start === 'hangs') return never;
      if ('fails' in start) throw start.fails;
      const stop = async (): Promise<void> => void told.push('stop');
      return { connection, finished: Promise.resolve(), stop, ...start };
    },
    async sleep(ms, until) {
      told.push(`wait ${ms}${until === life.signal ? '' : ', come what may'}`);
      if (++waited > 50) lost(new Error('no end in sight'));
      await (waits(ms) || waited > 50 ? never : undefined);
    },
  };
  const ready = async (client: Client): Promise<void> => {
    expect(client.connection).toBe(connection);
    told.push('ready');
    await onReady?.(life);
  };
  const done = Promise.race([stayConnected({ executor, life: life.signal, patient, onReady: ready }, means), endless]);
  done.catch(() => undefined);
  return { done, told, life };
}
const gone = { fails: new Error('no connection') };
const log = (againInMs: number, error = 'no connection'): string => `temporal does not answer ${JSON.stringify({ error, againInMs })}`;
const SERVED = ['start', 'manifest default executor_bank', 'ready', 'stop', 'wait 3000, come what may'];

describe('an executor serves Temporal until its process is to end', () => {
  test('each worker that polls is told what this executor runs, then who waits; one that ends is followed by the next', async () => {
    const { done, told } = await served([{}, {}]);
    await done;
    expect(told).toEqual([...SERVED, 'wait 1000', ...SERVED, 'wait 1000', 'start']);
  });
  test('Temporal is away: tried again for ever, later and later up to ten seconds, and from the first wait on once it was there', async () => {
    const { done, told } = await served([gone, gone, gone, gone, gone, { fails: 'words' }, {}, gone]);
    await done;
    expect(told.filter((each) => !SERVED.includes(each))).toEqual([
      ...[1_000, 2_000, 4_000, 8_000, 10_000].flatMap((ms) => [log(ms), `wait ${ms}`]),
      ...[log(10_000, 'words'), 'wait 10000'],
      ...['wait 1000', log(2_000), 'wait 2000'],
    ]);
  });
  test('one that is not patient throws what Temporal said, and waits for nothing', async () => {
    const { done, told } = await served([gone], { patient: false });
    await expect(done).rejects.toThrow('no connection');
    expect(told).toEqual(['start']);
  });
  test('a worker that breaks is stopped, logged and followed by the next; so is one whose manifest nobody takes', async () => {
    const broken = await served([{ finished: Promise.reject(new Error('poll failed')) }]);
    await broken.done;
    expect(broken.told).toEqual([...SERVED, log(1_000, 'poll failed'), 'wait 1000', 'start']);
    const untold = await served([{}], { onReady: () => Promise.reject(new Error('not told')) });
    await untold.done;
    expect(untold.told).toEqual([...SERVED, log(1_000, 'not told'), 'wait 1000', 'start']);
  });
});

describe('the process is to end', () => {
  test('while a worker serves: it is stopped, and nothing listens for the end any more', async () => {
    const { done, told, life } = await served([{ finished: never }]);
    await soon();
    expect(told).toEqual(SERVED.slice(0, 3));
    expect(getEventListeners(life.signal, 'abort')).toHaveLength(1);
    life.abort();
    await done;
    expect(told).toEqual([...SERVED, 'wait 1000']);
  });
  test('as the worker becomes ready', async () => {
    const { done, told } = await served([{ finished: never }], { onReady: async (life) => life.abort() });
    await done;
    expect(told).toEqual([...SERVED, 'wait 1000']);
  });
  test('before a worker is there: nothing is stopped, and what becomes of that worker is nobody’s error', async () => {
    const { done, told, life } = await served(['hangs']);
    life.abort();
    await done;
    expect(told).toEqual(['start']);
  });
  test('a worker that comes only then is stopped', async () => {
    const { executor } = await World.open();
    const life = new AbortController();
    const told: string[] = [];
    let come: (worker: RunningWorker) => void = () => undefined;
    const means: Means = { start: () => new Promise((resolve) => (come = resolve)), sleep: async () => undefined };
    const onReady = async (): Promise<void> => void told.push('ready');
    const done = stayConnected({ executor, life: life.signal, patient: true, onReady }, means);
    life.abort();
    await done;
    come({ connection: {} as RunningWorker['connection'], finished: never, stop: async () => void told.push('stop') });
    await soon();
    expect(told).toEqual(['stop']);
  });
  test('before it began', async () => {
    const { life } = await served([]);
    life.abort();
    const told: string[] = [];
    const means: Means = { start: () => (told.push('start'), never), sleep: async () => undefined };
    const { executor } = await World.open();
    await stayConnected({ executor, life: life.signal, patient: true, onReady: async () => undefined }, means);
    expect(told).toEqual([]);
  });
  test('work that came to its end is not listened for', async () => {
    const { done, life } = await served([{}, gone]);
    await done;
    // The start that never ends is the last one's.
    expect(getEventListeners(life.signal, 'abort')).toHaveLength(1);
  });
});

describe('a worker that does not stop by itself', () => {
  const stuck = { stop: () => never };
  test('is waited for three seconds', async () => {
    const { done, told } = await served([stuck]);
    await done;
    expect(told.slice(3)).toEqual(['wait 3000, come what may', 'wait 1000', 'start']);
  });
  test('is waited for fifteen in all where something acts at a target', async () => {
    const { done, told } = await served([stuck], { acting: true });
    await done;
    expect(told.slice(3)).toEqual(['wait 3000, come what may', 'wait 12000, come what may', 'wait 1000', 'start']);
  });
  test('is waited for no longer than it takes; that it fails is no failure', async () => {
    for (const stop of [async () => undefined, async () => Promise.reject(new Error('stopped already'))]) {
      const { done, told } = await served([{ stop }], { acting: true, waits: (ms) => ms > 1_000 });
      await done;
      expect(told.at(-1)).toBe('start');
      expect(told).not.toContain(log(1_000, 'stopped already'));
    }
  });
});

describe('with a real worker', () => {
  const before = process.env['TEMPORAL_CONFIG_FILE'];
  afterEach(() => {
    if (before === undefined) delete process.env['TEMPORAL_CONFIG_FILE'];
    else process.env['TEMPORAL_CONFIG_FILE'] = before;
  });
  test('what it says is thrown or logged, and the end is not kept waiting', async () => {
    process.env['TEMPORAL_CONFIG_FILE'] = '/nowhere/temporal.toml';
    const { executor } = await World.open();
    const life = new AbortController();
    const logged: string[] = [];
    const options = {
      executor: { ...executor, log: (event: string) => void logged.push(event) },
      life: life.signal,
      onReady: async () => undefined,
    };
    await expect(stayConnected({ ...options, patient: false })).rejects.toThrow('/nowhere/temporal.toml, which is not there');
    const done = stayConnected({ ...options, patient: true });
    await soon();
    life.abort();
    expect(await Promise.race([done.then(() => 'over'), soon().then(soon)])).toBe('over');
    expect(logged).toEqual(['temporal does not answer']);
  });
});
