import { ask } from './ask-executor.js';
import type { Run } from './run.js';

/** Puts one waiting message before the ledger, and takes its answer as the message's fate. */
export async function lodgeOne(run: Run, next: NonNullable<ReturnType<Run['nextToLodge']>>): Promise<void> {
  const result = await ask(run, 'lodge', { signed: next.signed });
  run.lodged(next.digest, result.kind === 'refused' ? result : undefined);
}
