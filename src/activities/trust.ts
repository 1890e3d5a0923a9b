import { ApplicationFailure } from '@temporalio/common';
import { readRoster, Watched } from '../files/rules.js';
import type { TrustRoot } from '../workflows/ask-executor.js';

/**
 * From the worker's own roster.yaml: which executors there are and by which keys they speak. All the worker uses of the roster (§3). And where people look
 * at an action, which a run cannot read from the worker's environment itself.
 */
export function trustActivity(rosterFile: string, reviewUrl?: string): () => Promise<TrustRoot> {
  const roster = new Watched([rosterFile], () => readRoster(rosterFile));
  return async () => {
    const current = await roster.current();
    if (!current.ok) throw ApplicationFailure.create({ type: 'roster_invalid', message: current.text });
    const { deployment, executors } = current.value;
    return {
      deployment,
      executors: [...executors.values()].map(({ name, runs, keys }) => ({ name, runs: [...runs], keys: keys.map(({ key }) => key.text) })),
      ...(reviewUrl === undefined ? {} : { reviewUrl }),
    };
  };
}
