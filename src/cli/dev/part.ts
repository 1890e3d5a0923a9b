import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { CliError } from '../errors.js';
import { parseReady, type Ready } from './ready.js';
import { reap } from './reaper.js';

/** How to start one part. Each gets a process group of its own: Ctrl-C reaches `dev` alone, which ends the parts in order. */
export interface PartSpec {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Not our own program, so it does not watch `KEYTURN_DEV_PID`, or its wrapper does not. */
  readonly foreign?: boolean;
}

/** One process that said it is ready. */
export interface Life {
  /** Of the part itself, as it says; not of a wrapper such as npx. */
  readonly pid: number;
  readonly ready: Ready;
  /** Resolves when it has gone, with why. */
  readonly ended: Promise<string>;
  /** Politely; by force after 10 s. */
  stop(): Promise<void>;
  /** By force, at once. */
  kill(): void;
}

const STOP_MS = 10_000;

/**
 * Starts a part and resolves when it prints its ready line, one JSON object with a member `keyturn`. All else it prints goes to `log`.
 * Rejects if it ends before that; `signal` ends it by force.
 */
export async function startPart(spec: PartSpec, log: (line: string) => void, signal?: AbortSignal): Promise<Life> {
  const child = spawn(spec.file, [...spec.args], { cwd: spec.cwd, env: spec.env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const ended = endOf(child);
  if (spec.foreign === true && child.pid !== undefined) reap(child.pid);
  const abort = (): void => signalGroup(child, 'SIGKILL');
  signal?.addEventListener('abort', abort);
  void ended.then(() => signal?.removeEventListener('abort', abort));
  const ready = await new Promise<Ready>((found, failed) => {
    eachLine(child.stdout, (line) => {
      const read = parseReady(line);
      if (read === undefined) log(line);
      else found(read);
    });
    eachLine(child.stderr, log);
    void ended.then((why) =>
      failed(
        new CliError(
          'part_failed',
          `${spec.name} ended before it was ready (${why})`,
          'What it said stands above: mend that, then start again.',
        ),
      ),
    );
  });
  const pid = ready.pid ?? child.pid ?? 0;
  return { pid, ready, ended, kill: () => signalGroup(child, 'SIGKILL'), stop: () => stop(child, pid, ended) };
}

function eachLine(stream: Readable | null, take: (line: string) => void): void {
  if (stream !== null) createInterface({ input: stream }).on('line', take);
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((done) => {
    child.once('error', (error) => done(error.message));
    child.once('exit', (code, signal) => done(signal ?? `exit code ${String(code)}`));
  });
}

/** To the part itself, not to its wrappers: they would pass it on, and a second signal means "at once". */
async function stop(child: ChildProcess, pid: number, ended: Promise<string>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // Gone already: its wrapper follows.
  }
  const force = setTimeout(() => signalGroup(child, 'SIGKILL'), STOP_MS);
  await ended;
  clearTimeout(force);
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The whole group is gone.
  }
}
