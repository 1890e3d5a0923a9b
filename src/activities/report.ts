import type { Signed } from '../domain/dsse.js';
import type { Executor } from '../executor/executor.js';
import { report } from '../executor/report.js';
import { beating } from './heartbeat.js';

/** What the ledger holds; changes nothing. On the executor's queue; whoever calls it may lie (§7). */
export const reportActivity =
  (executor: Executor) =>
  (input: unknown): Promise<Signed> =>
    beating(() => report(executor, input));
