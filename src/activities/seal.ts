import type { Signed } from '../domain/dsse.js';
import type { Executor } from '../executor/executor.js';
import { seal } from '../executor/seal.js';
import { beating } from './heartbeat.js';

/** Seals what is to be reviewed. On the executor's queue; whoever calls it may lie (§7). */
export const sealActivity =
  (executor: Executor) =>
  (input: unknown): Promise<Signed> =>
    beating(() => seal(executor, input));
