import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomInt } from 'node:crypto';
import { isPortFree } from '../../src/temporal/free-port.js';

export interface Command {
  readonly path: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
}

/** Runs to its end; rejects with what it said if that is not 0. */
export async function run({ path, args, ...options }: Command): Promise<string> {
  const child = spawn(path, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const code: unknown = await new Promise((done, failed) => child.once('error', failed).once('close', done));
  if (code !== 0) throw new Error(`${path} ${args.join(' ')}: exit ${String(code)}\n${said.slice(-4_000)}`);
  return said;
}

/** A process that stays, with its output in a file. Of its own group: a Ctrl-C must reach the tests before what they talk to. */
export class Part {
  private constructor(private readonly child: ChildProcess) {}

  static async start({ path, args, ...options }: Command, logFile: string): Promise<Part> {
    const output = await open(logFile, 'a');
    const child = spawn(path, args, { ...options, stdio: ['ignore', output.fd, output.fd], detached: true });
    await Promise.all([once(child, 'spawn'), output.close()]);
    return new Part(child);
  }

  get ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }
  /** Asks until it is so. Throws, with the end of its log, if the process ended or a minute went by. */
  async until(so: () => Promise<boolean>, logFile: string): Promise<void> {
    for (const end = performance.now() + 60_000; !(await so()); await sleep(100))
      if (this.ended || performance.now() > end) throw new Error(`not ready:\n${(await readFile(logFile, 'utf8')).slice(-4_000)}`);
  }
  /** Politely, after 15 s by force. */
  async stop(): Promise<void> {
    if (this.ended) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    const force = setTimeout(() => this.child.kill('SIGKILL'), 15_000);
    await gone;
    clearTimeout(force);
  }
}

/** Temporal keeps a service's port in a SMALLINT, so those the system gives out by itself are too high. */
const [LOWEST, HIGHEST] = [10_000, 32_767];

/** So many different TCP ports of 127.0.0.1 that were free a moment ago. */
export async function freePorts(count: number): Promise<string[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(LOWEST, HIGHEST + 1);
    if (await isPortFree(port)) ports.add(port);
  }
  return [...ports].map(String);
}
