import { ServiceError, type Client } from '@temporalio/client';
import { Limited } from '../limits.js';

const MAX_OPEN = 2_000;
const MAX_OF_ONE = 100;
const RETRY_S = 5;

/** Everything that waits on behalf of a caller: counted, and ended before the connection closes, which a pending call would make throw. */
export class Waits {
  private readonly open = new Set<AbortController>();
  private readonly of = new Map<string, number>();
  private closing = false;

  get count(): number {
    return this.open.size;
  }
  get isClosing(): boolean {
    return this.closing;
  }

  /** Runs `work` with a signal that the caller's going away or the API's end aborts. Throws `rate_limited` when too many wait, in all or of this one. */
  async run<T>(who: string, caller: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.mustHaveRoom(who);
    this.of.set(who, (this.of.get(who) ?? 0) + 1);
    const controller = new AbortController();
    const stop = (): void => controller.abort();
    if (caller.aborted || this.closing) stop();
    caller.addEventListener('abort', stop, { once: true });
    this.open.add(controller);
    try {
      return await work(controller.signal);
    } finally {
      this.open.delete(controller);
      const left = (this.of.get(who) ?? 1) - 1;
      if (left === 0) this.of.delete(who);
      else this.of.set(who, left);
      caller.removeEventListener('abort', stop);
    }
  }

  /** Asked before an answer has begun that could not be taken back. */
  mustHaveRoom(who: string): void {
    if (this.open.size >= MAX_OPEN) throw new Limited('waits', 'too many are waiting at this API', RETRY_S);
    if ((this.of.get(who) ?? 0) >= MAX_OF_ONE)
      throw new Limited('waits', `${who} has ${MAX_OF_ONE} waits and streams open, which is the most`, RETRY_S);
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
