import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../src/temporal/paths.js';

const READY_MS = 60_000;

/** One part of the system as a process of its own, started from source, ended only by its own pid. */
export class Child {
  private child: ChildProcess | undefined;
  /** What it said on stderr, for whoever wonders. */
  private readonly log: NodeJS.WritableStream;

  constructor(
    readonly name: string,
    private readonly script: string,
    private readonly env: Readonly<Record<string, string>>,
    dir: string,
  ) {
    this.log = createWriteStream(join(dir, `${name}.log`), { flags: 'a' });
  }

  /** Resolves with the one JSON line by which a process says that it is ready. */
  async start(): Promise<Readonly<Record<string, unknown>>> {
    const child = spawn(process.execPath, ['--import', 'tsx', join(packageRoot, this.script)], {
      cwd: packageRoot,
      env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', KEYTURN_DEV_PID: String(process.pid), ...this.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    // What we started must not outlive us, however we end.
    const endWithUs = (): void => void child.kill('SIGKILL');
    process.once('exit', endWithUs);
    child.once('exit', () => process.removeListener('exit', endWithUs));
    child.stderr.pipe(this.log, { end: false });
    return new Promise((ready, failed) => {
      const late = setTimeout(() => failed(new Error(`${this.name} was not ready in ${READY_MS / 1_000} s`)), READY_MS);
      child.once('exit', (code, signal) => {
        clearTimeout(late);
        failed(new Error(`${this.name} ended with ${String(code ?? signal)} before it was ready`));
      });
      createInterface({ input: child.stdout }).on('line', (line) => {
        this.log.write(`${line}\n`);
        if (!line.startsWith('{')) return;
        clearTimeout(late);
        ready(JSON.parse(line) as Readonly<Record<string, unknown>>);
      });
    });
  }

  /** Resolves when the process has gone, which may be by its own hand. */
  async gone(): Promise<void> {
    if (this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
  }

  async kill(): Promise<void> {
    this.child?.kill('SIGKILL');
    await this.gone();
  }
}
