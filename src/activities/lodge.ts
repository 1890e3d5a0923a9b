import type { Signed } from '../domain/dsse.js';
import type { Executor } from '../executor/executor.js';
import { lodge } from '../executor/lodge.js';
import { beating } from './heartbeat.js';

/** Puts a signed "no" or stop on record. On the executor's queue; whoever calls it may lie (§7). */
export const lodgeActivity =
  (executor: Executor) =>
  (input: unknown): Promise<Signed> =>
    beating(() => lodge(executor, input));
