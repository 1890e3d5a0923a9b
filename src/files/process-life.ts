import type { RunningWorker } from '../worker.js';

/** Runs until the worker ends, or a signal asks it to. The second signal ends the process at once. */
export async function untilStopped(worker: RunningWorker): Promise<void> {
  let asked = false;
  const stop = (): void => {
    if (asked) process.exit(130);
    asked = true;
    void worker.stop();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  try {
    await worker.finished;
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}

/** Aborted by SIGINT, SIGTERM or the end of `keyturn dev`. The second signal ends the process at once. */
export function lifeOfProcess(): AbortSignal {
  const life = new AbortController();
  const stop = (): void => {
    if (life.signal.aborted) process.exit(130);
    life.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  watchDev(() => life.abort());
  return life.signal;
}

/** Ends the process when its work is over, though something native should still wait for a server that is gone. */
export function endSoon(): void {
  setTimeout(() => process.exit(), 3_000).unref();
}

const WATCH_MS = 500;

/** A process started by `keyturn dev` ends with it, however `dev` ended: `KEYTURN_DEV_PID` names it. */
export function watchDev(stop: () => void): void {
  const pid = Number(process.env['KEYTURN_DEV_PID']);
  if (!Number.isSafeInteger(pid) || pid <= 0) return;
  const timer = setInterval(() => {
    if (isAlive(pid)) return;
    clearInterval(timer);
    stop();
    // A worker that cannot reach Temporal any more does not stop by itself.
    setTimeout(() => process.exit(0), 3_000).unref();
  }, WATCH_MS);
  timer.unref();
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
