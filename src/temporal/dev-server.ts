import { type ChildProcess, spawn } from 'node:child_process';
import { open, stat } from 'node:fs/promises';
import { searchAttributeArgs } from './attributes.js';
import { temporalBinary } from './binary.js';
import { untilReady } from './dev-server-ready.js';
import { freePort, isPortFree } from './free-port.js';

const LOOPBACK = '127.0.0.1';
const STOP_MS = 10_000;

/** Three times the throughput of the default, and nothing is lost when the process is killed (only when the machine is). */
const PRAGMAS = ['journal_mode=WAL', 'synchronous=NORMAL'];

/** The default of 20 polls a second costs up to 50 ms on every hop, for the dev server has one shard. */
const POLLS = ['transfer', 'timer', 'visibility'].map((queue) => `history.${queue}ProcessorMaxPollRPS=2000`);
/** The default of 30 s keeps the tasks of 30 s in memory, and goes through all of them at each new one: a tenth of a busy server's time. */
const ACKS = ['transfer', 'timer', 'visibility'].map((queue) => `history.${queue}ProcessorUpdateAckInterval="1s"`);
/** The dev server reads all search attributes anew at every use, for those added while it runs; ours are there from its start. */
const DYNAMIC_CONFIG = [...POLLS, ...ACKS, 'system.forceSearchAttributesCacheRefreshOnRead=false'];

export interface DevServerOptions {
  /** SQLite file; made if it is not there. The same file again continues where the last server stopped, even if it was killed. */
  dbFilename: string;
  /** gRPC, on 127.0.0.1. Default: a free one. */
  port?: number;
  /** The web UI, on 127.0.0.1. Default: no UI. */
  uiPort?: number;
  /** Default: `default`. */
  namespace?: string;
  /** Takes one line of progress. */
  log?: (line: string) => void;
  /** Where the server's own log (warnings and worse) is appended. Default: `<dbFilename>.log`. */
  logFile?: string;
  /** More arguments for `temporal server start-dev`. */
  extraArgs?: readonly string[];
}

export interface DevServer {
  /** `127.0.0.1:port` of gRPC. */
  address: string;
  /** URL of the web UI, if it was asked for. */
  uiAddress?: string;
  pid: number;
  child: ChildProcess;
  /** Ends the server and resolves when it has gone: politely, after 10 s by force. May be called again. */
  stop(): Promise<void>;
}

function argsOf(port: number, options: DevServerOptions): string[] {
  const { dbFilename, uiPort, namespace = 'default', extraArgs = [] } = options;
  const ui = uiPort === undefined ? ['--headless'] : ['--ui-port', String(uiPort), '--ui-disable-news-fetch'];
  return [
    ...['server', 'start-dev', '--ip', LOOPBACK, '--port', String(port), ...ui],
    ...['--namespace', namespace, '--log-level', 'warn', '--db-filename', dbFilename],
    ...PRAGMAS.flatMap((pragma) => ['--sqlite-pragma', pragma]),
    ...DYNAMIC_CONFIG.flatMap((setting) => ['--dynamic-config-value', setting]),
    ...searchAttributeArgs,
    ...extraArgs,
  ];
}

/** The end of what was appended to `path` since it had `from` bytes. */
async function tail(path: string, from: number): Promise<string> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const start = Math.max(from, size - 4_000);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.max(0, size - start)), 0, size - start, start);
    return buffer.toString('utf8', 0, bytesRead).trim().split('\n').slice(-10).join('\n');
  } finally {
    await file.close();
  }
}

/** Or never started: then there is no pid, and no `exit` will come. */
const hasExited = (child: ChildProcess): boolean => child.pid === undefined || child.exitCode !== null || child.signalCode !== null;

function stopper(child: ChildProcess): () => Promise<void> {
  const gone = new Promise<void>((resolve) =>
    child.once('exit', () => {
      resolve();
    }),
  );
  // The server has its own process group (a Ctrl-C must reach the workers first), so nobody else ends it with us.
  // A process that dies of an unhandled signal emits no `exit`: who starts a server handles SIGINT and SIGTERM.
  const endWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', endWithUs);
  child.once('exit', () => process.removeListener('exit', endWithUs));
  return async () => {
    if (hasExited(child)) return;
    child.kill('SIGTERM');
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await gone;
    clearTimeout(force);
  };
}

/**
 * Starts `temporal server start-dev` (design §16) and resolves when it answers, in about a second. It listens on 127.0.0.1 only.
 * Rejects with the last lines of its log if it ends before that, and at once if `port` is taken: another server there would
 * otherwise pass for this one. Rejects too if no Temporal CLI can be found (see `temporalBinary`).
 */
export async function startDevServer(options: DevServerOptions): Promise<DevServer> {
  const { dbFilename, namespace = 'default', log = () => undefined, logFile = `${dbFilename}.log` } = options;
  const binary = await temporalBinary({ log });
  const port = options.port ?? (await freePort());
  for (const wanted of [port, options.uiPort]) {
    if (wanted !== undefined && !(await isPortFree(wanted))) throw new Error(`Port ${String(wanted)} on ${LOOPBACK} is in use.`);
  }
  const address = `${LOOPBACK}:${String(port)}`;

  const output = await open(logFile, 'a');
  const { size: logStart } = await stat(logFile);
  // A file, not a pipe: the server must not fail on writing its log when we are gone.
  const child = spawn(binary.path, argsOf(port, options), { stdio: ['ignore', output.fd, output.fd], detached: true });
  const died = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', () => {
      reject(new Error('exited'));
    });
  });
  const stop = stopper(child);
  try {
    await Promise.race([died, untilReady({ address, namespace, isOver: () => hasExited(child) })]);
  } catch (error) {
    await stop();
    throw new Error(`The Temporal dev server did not start (${logFile}):\n${await tail(logFile, logStart)}`, { cause: error });
  } finally {
    died.catch(() => undefined);
    await output.close();
  }
  log(`Temporal dev server ${binary.version} (${binary.from}) on ${address}, database ${dbFilename}`);
  const ui = options.uiPort === undefined ? {} : { uiAddress: `http://${LOOPBACK}:${String(options.uiPort)}` };
  return { address, ...ui, pid: child.pid ?? 0, child, stop };
}
