import { ServiceError, type Client } from '@temporalio/client';
import { refused } from '../problem.js';

const MAX_OPEN = 2_000;

/** Everything that waits on behalf of a caller: counted, and ended before the connection closes, which a pending call would make throw. */
export class Waits {
  private readonly open = new Set<AbortController>();
  private closing = false;

  get count(): number {
    return this.open.size;
  }
  get isClosing(): boolean {
    return this.closing;
  }

  /** Runs `work` with a signal that the caller's going away or the API's end aborts. Throws `rate_limited` when too many wait. */
  async run<T>(caller: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.open.size >= MAX_OPEN) throw refused('rate_limited', 'too many are waiting at this API');
    const controller = new AbortController();
    const stop = (): void => controller.abort();
    if (caller.aborted || this.closing) stop();
    caller.addEventListener('abort', stop, { once: true });
    this.open.add(controller);
    try {
      return await work(controller.signal);
    } finally {
      this.open.delete(controller);
      caller.removeEventListener('abort', stop);
    }
  }

  /** Ends every wait; later ones end at once. */
  end(): void {
    this.closing = true;
    for (const controller of this.open) controller.abort();
  }
}

/** Until so many ms are over, or the wait was ended. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(finish, ms);
    function finish(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      done();
    }
    signal.addEventListener('abort', finish, { once: true });
  });
}

/**
 * True once the run is closed, however; false when the time is over or the wait was ended. Ended by abort, not by a gRPC deadline: close to one the
 * server answers its long poll at once, and the SDK would ask again and again.
 */
export async function untilClosed(client: Client, id: string, ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted || ms <= 0) return false;
  try {
    const over = AbortSignal.any([signal, AbortSignal.timeout(ms)]);
    await client.withAbortSignal(over, () => client.workflow.getHandle(id).result());
    return true;
  } catch (error) {
    return !(error instanceof ServiceError);
  }
}
