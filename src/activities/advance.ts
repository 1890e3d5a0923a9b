import type { Signed } from '../domain/dsse.js';
import type { Executor } from '../executor/executor.js';
import { advance } from '../executor/advance.js';
import { beating } from './heartbeat.js';

/** Does the one next thing the ledger says is due. On the executor's queue; whoever calls it may lie (§7). */
export const advanceActivity =
  (executor: Executor) =>
  (input: unknown): Promise<Signed> =>
    beating(() => advance(executor, input));
