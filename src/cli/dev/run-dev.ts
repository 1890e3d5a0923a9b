import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { readPolicy, readRoster } from '../../files/rules.js';
import { apiPort } from './api-port.js';
import { devDoor } from './door.js';
import { Keeper, type News } from './keeper.js';
import { startPart, type PartSpec } from './part.js';
import { selfCommand } from './self.js';
import { startTemporal, temporalPorts } from './temporal-part.js';

/** Where this `dev` has its Temporal, for whoever looks from another terminal. */
export const DEV_FILE = join('.keyturn', 'dev.json');

export type PartName = 'temporal' | 'worker' | 'api' | 'executor';

export interface DevOptions {
  /** The folder with policy.yaml, roster.yaml and .keyturn. */
  readonly dir: string;
  /** What starts the executor; runs in `dir`. */
  readonly command: readonly string[];
  /** More for the environment of every part: the executor's credentials, for one. */
  readonly env?: NodeJS.ProcessEnv;
  /** Something a part printed that is not its ready line. */
  readonly log: (part: PartName | 'dev', line: string) => void;
  /** A part died, came back, or does not start. */
  readonly tell: (part: PartName, news: News) => void;
}

export interface RunningDev {
  /** Of the API. */
  readonly url: string;
  readonly webUi: string | undefined;
  readonly temporalAddress: string;
  /** Of the executor's own door, where `dev` has it opened: host:port. */
  readonly door: string | undefined;
  pids(): Partial<Record<PartName, number>>;
  /** Ends everything, Temporal last. May be called again. */
  stop(): Promise<void>;
  /** By force, at once: for a second Ctrl-C, and for the end of this process. */
  kill(): void;
}

/**
 * Runs all parts as separate processes on 127.0.0.1 and keeps them alive. Resolves when all are ready; throws, with everything ended again, if one
 * does not start. Uses the Temporal of `TEMPORAL_ADDRESS` if that is set, else starts its own with a database in `.keyturn`.
 */
export async function runDev({ dir: given, command, env = {}, log, tell }: DevOptions): Promise<RunningDev> {
  const dir = resolve(given);
  // An invalid file is told before anything starts.
  const roster = await readRoster(join(dir, 'roster.yaml'));
  await readPolicy(join(dir, 'policy.yaml'), roster, Date.now());
  await mkdir(join(dir, '.keyturn'), { recursive: true, mode: 0o700 });

  const keepers = new Map<PartName, Keeper>();
  const keep = (name: PartName, start: ConstructorParameters<typeof Keeper>[1]): Keeper => {
    const keeper = new Keeper(name, start, (news) => tell(name, news));
    keepers.set(name, keeper);
    return keeper;
  };
  const killAll = (): void => {
    for (const keeper of keepers.values()) keeper.kill();
  };
  process.once('exit', killAll);
  let stopped: Promise<void> | undefined;
  const stopAll = async (): Promise<void> => {
    await Promise.all((['executor', 'api', 'worker'] as const).map(async (name) => keepers.get(name)?.stop()));
    await keepers.get('temporal')?.stop();
    await rm(join(dir, DEV_FILE), { force: true });
    process.off('exit', killAll);
  };
  const stop = (): Promise<void> => (stopped ??= stopAll());

  try {
    const outside = process.env['TEMPORAL_ADDRESS'] ?? '';
    const ports = outside === '' ? await temporalPorts() : undefined;
    const temporalAddress = ports === undefined ? outside : `127.0.0.1:${ports.grpc}`;
    if (ports !== undefined)
      await keep('temporal', () => startTemporal(join(dir, '.keyturn', 'temporal.db'), ports, (line) => log('temporal', line))).begin();

    const { port, notice } = await apiPort(dir);
    if (notice !== undefined) log('dev', notice);
    const common = { cwd: dir, env: environmentOf(dir, temporalAddress, env) };
    const door = await devDoor(roster, common.env['KEYTURN_DOOR']);
    if (door.notice !== undefined) log('dev', door.notice);
    const part = (name: PartName, run: Pick<PartSpec, 'file' | 'args' | 'foreign'> & Partial<Pick<PartSpec, 'env'>>): Keeper =>
      keep(name, (signal) => startPart({ name, ...common, ...run }, (line) => log(name, line), signal));
    const [file = '', ...args] = command;
    const [api] = await Promise.all([
      part('api', selfCommand(['api', '--dir', dir, '--port', String(port), '--policy', 'policy.yaml'])).begin(),
      part('worker', selfCommand(['worker', '--dir', dir])).begin(),
      part('executor', {
        file,
        args,
        foreign: true,
        env: door.at === undefined ? common.env : { ...common.env, KEYTURN_DOOR: door.at },
      }).begin(),
    ]);
    await writeFile(join(dir, DEV_FILE), `${JSON.stringify({ pid: process.pid, temporalAddress })}\n`, { mode: 0o600 });
    return {
      url: api.ready.url ?? `http://127.0.0.1:${port}`,
      webUi: ports === undefined ? undefined : `http://127.0.0.1:${ports.ui}`,
      temporalAddress,
      door: door.at,
      pids: () => Object.fromEntries([...keepers].map(([name, { pid }]) => [name, pid])),
      stop,
      kill: killAll,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** `KEYTURN_DEV_PID`: the parts end with this process, however it ends. */
const environmentOf = (dir: string, temporalAddress: string, more: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...process.env,
  ...more,
  // One address, and three processes that would each listen on it.
  KEYTURN_METRICS: undefined,
  KEYTURN_DEVELOPMENT: '1',
  KEYTURN_DEV_PID: String(process.pid),
  KEYTURN_DIR: dir,
  // Nobody is there to make a build the current one.
  KEYTURN_WORKER_VERSIONING: '',
  TEMPORAL_ADDRESS: temporalAddress,
});
