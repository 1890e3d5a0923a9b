import type { Signed } from '../domain/dsse.js';
import type { Executor } from '../executor/executor.js';
import { close } from '../executor/close.js';
import { beating } from './heartbeat.js';

/** Ends what was not consumed. On the executor's queue; whoever calls it may lie (§7). */
export const closeActivity =
  (executor: Executor) =>
  (input: unknown): Promise<Signed> =>
    beating(() => close(executor, input));
