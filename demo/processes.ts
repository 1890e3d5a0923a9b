import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { initLedger } from '../src/executor/ledger/ledger.js';
import { openSqlite } from '../src/executor/ledger/sqlite.js';
import { startDevServer, type DevServer } from '../src/temporal/dev-server.js';
import { freePort } from '../src/temporal/free-port.js';
import { packageRoot } from '../src/temporal/paths.js';
import { isAlive } from '../src/files/process-life.js';
import { DEPLOYMENT } from './people.js';

const READY_MS = 30_000;
export type Part = 'temporal' | 'bank' | 'api' | 'worker' | 'executor';

/** One real process, started and known by its id. */
export interface Started {
  readonly pid: number;
  readonly ready: Readonly<Record<string, unknown>>;
  readonly child: ChildProcess;
}

/** All parts as separate processes on 127.0.0.1: started, killed with SIGKILL and started again on the same files and ports. */
export class Processes {
  private readonly running = new Map<Part, Started>();
  /** All of them, also those that are not ready yet: a start that fails ends what it had only begun to start. */
  private readonly children: ChildProcess[] = [];
  private temporal: DevServer | undefined;
  private temporalPort = 0;
  private uiPort: number | undefined;
  private bankPort = 0;
  bankUrl = '';
  readonly started: number[] = [];

  constructor(
    readonly dir: string,
    readonly apiPort: number,
    private readonly bankPassword: string,
    private readonly withUi: boolean,
    /** Another build of this package to run in place of this one, more for the dev server and the executor, and more patience. */
    private readonly also: {
      readonly root?: string;
      readonly temporalArgs?: readonly string[];
      readonly executorEnv?: Readonly<Record<string, string>>;
      readonly readyMs?: number;
    } = {},
  ) {}

  get temporalAddress(): string {
    return this.temporal?.address ?? '';
  }
  get uiAddress(): string | undefined {
    return this.temporal?.uiAddress;
  }
  pid(part: Part): number {
    return part === 'temporal' ? (this.temporal?.pid ?? 0) : (this.running.get(part)?.pid ?? 0);
  }

  async startTemporal(): Promise<void> {
    if (this.temporalPort === 0) {
      this.temporalPort = await freePort();
      if (this.withUi) this.uiPort = await freePort();
    }
    this.temporal = await startDevServer({
      dbFilename: join(this.dir, 'temporal.db'),
      port: this.temporalPort,
      ...(this.uiPort === undefined ? {} : { uiPort: this.uiPort }),
      log: () => undefined,
      ...(this.also.temporalArgs === undefined ? {} : { extraArgs: this.also.temporalArgs }),
    });
    this.started.push(this.temporal.pid);
  }

  async startBank(): Promise<void> {
    if (this.bankPort === 0) this.bankPort = await freePort();
    const started = await this.spawn('bank', 'dist/examples/bank/service.js', [], {
      BANK_PORT: String(this.bankPort),
      BANK_BOOK: join(this.dir, 'bank.db'),
      BANK_PASSWORD: this.bankPassword,
    });
    this.bankUrl = String(started.ready['listening']);
  }

  /** `more`: arguments of `keyturn worker`. */
  startWorker(more: readonly string[] = []): Promise<Started> {
    return this.spawn('worker', 'dist/src/cli/main.js', ['worker', '--dir', this.dir, '--json', ...more], {});
  }

  startApi(): Promise<Started> {
    return this.spawn('api', 'dist/src/cli/main.js', ['api', '--dir', this.dir, '--port', String(this.apiPort), '--json'], {});
  }

  /** The only process that is given the bank's password. */
  startExecutor(): Promise<Started> {
    return this.spawn('executor', 'dist/examples/payments/executor.js', [], {
      BANK_URL: this.bankUrl,
      BANK_PASSWORD: this.bankPassword,
      KEYTURN_DIR: this.dir,
      KEYTURN_DEVELOPMENT: '1',
      ...this.also.executorEnv,
    });
  }

  async initLedger(): Promise<void> {
    const database = openSqlite(join(this.dir, '.keyturn', 'ledger.db'), { create: true });
    await initLedger(database, DEPLOYMENT);
    await database.close();
  }

  private async spawn(part: Part, script: string, args: readonly string[], extra: Readonly<Record<string, string>>): Promise<Started> {
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      TEMPORAL_ADDRESS: this.temporalAddress,
      KEYTURN_DEV_PID: String(process.pid),
      ...extra,
    };
    const child = spawn(process.execPath, [join(this.also.root ?? packageRoot, script), ...args], {
      env,
      cwd: this.dir,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.children.push(child);
    const log = createWriteStream(join(this.dir, `${part}.log`), { flags: 'a' });
    child.stderr.pipe(log, { end: false });
    const ready = await firstJsonLine(child, part, log, this.also.readyMs ?? READY_MS);
    const started = { pid: Number(ready['pid'] ?? child.pid), ready, child };
    this.running.set(part, started);
    this.started.push(started.pid);
    return started;
  }

  /** SIGKILL, and wait until the process table has it no more. */
  async kill(part: Part): Promise<number> {
    const pid = this.pid(part);
    process.kill(pid, 'SIGKILL');
    await until(
      `${part} ${pid} is gone`,
      async () => !isAlive(pid) || exited(part === 'temporal' ? this.temporal?.child : this.running.get(part)?.child),
    );
    return pid;
  }

  /** Ends everything this started, by id, politely first. Returns what would not go. */
  async stopAll(): Promise<number[]> {
    const living = (): ChildProcess[] => this.children.filter((child) => !exited(child));
    for (const child of living()) child.kill('SIGTERM');
    await Promise.all(living().map((child) => gone(child, 5_000)));
    for (const child of living()) child.kill('SIGKILL');
    await Promise.all(living().map((child) => gone(child, 5_000)));
    await this.temporal?.stop();
    const pids = [...this.started, ...this.children.map(({ pid }) => pid ?? 0)];
    return [...new Set(pids)].filter((pid) => pid > 0 && isAlive(pid));
  }
}

const exited = (child: ChildProcess | undefined): boolean => child !== undefined && (child.exitCode !== null || child.signalCode !== null);

async function gone(child: ChildProcess, ms: number): Promise<void> {
  if (exited(child)) return;
  await new Promise<void>((done) => {
    const timer = setTimeout(done, ms);
    child.once('exit', () => {
      clearTimeout(timer);
      done();
    });
  });
}

/** A process says that it is ready with one JSON line. */
async function firstJsonLine(
  child: ChildProcess,
  part: Part,
  log: NodeJS.WritableStream,
  readyMs: number,
): Promise<Record<string, unknown>> {
  return new Promise((ready, failed) => {
    let text = '';
    const timer = setTimeout(() => failed(new Error(`${part} was not ready in ${readyMs / 1000} s; see ${part}.log`)), readyMs);
    child.once('exit', (code) => failed(new Error(`${part} ended with code ${String(code)}; see ${part}.log`)));
    child.stdout?.on('data', (chunk: Buffer) => {
      log.write(chunk);
      text += chunk.toString();
      for (const line of text.split('\n').slice(0, -1)) {
        if (!line.startsWith('{')) continue;
        clearTimeout(timer);
        ready(JSON.parse(line) as Record<string, unknown>);
      }
    });
  });
}

/** Asks until it is so; throws after the time is over. */
export async function until(what: string, so: () => Promise<boolean>, ms = 30_000): Promise<void> {
  const end = Date.now() + ms;
  while (Date.now() < end) {
    if (await so().catch(() => false)) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`waited ${ms / 1000} s in vain until ${what}`);
}
