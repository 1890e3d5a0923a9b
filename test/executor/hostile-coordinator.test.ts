import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { commands } from './hostile/commands.js';
import { Coordinator } from './hostile/coordinator.js';

/**
 * Bounded to 50 s; KEYTURN_HOSTILE_RUNS=2000 takes its time. A failing run prints its seed and path: KEYTURN_HOSTILE_SEED and KEYTURN_HOSTILE_PATH
 * bring it back.
 */
const { KEYTURN_HOSTILE_RUNS: runs, KEYTURN_HOSTILE_SEED: seed, KEYTURN_HOSTILE_PATH: path } = process.env;
const bounds = {
  ...(runs === undefined ? { numRuns: 60, interruptAfterTimeLimit: 50_000, markInterruptAsFailure: false } : { numRuns: Number(runs) }),
  ...(seed === undefined ? {} : { seed: Number(seed) }),
  ...(path === undefined ? {} : { path }),
};

test('17 whatever the coordinator orders: once, only as agreed, and every end is true', async () => {
  const ends = new Set<string>();
  await fc.assert(
    // Every third one begins under a policy that lets some run without people.
    fc.asyncProperty(commands(50), fc.boolean(), fc.constantFrom(0, 0, 6), async (list, effect, policy) => {
      const coordinator = await Coordinator.open();
      await coordinator.run({ do: 'policy', n: policy });
      for (const command of list) await coordinator.run(command);
      await coordinator.finish(effect);
      for (const { end = 'open' } of coordinator.model.actions.values()) ends.add(end);
    }),
    bounds,
  );
  // A model that sees nothing happen would prove nothing. A run brought back by its path is one alone.
  if (path === undefined) expect([...ends]).toEqual(expect.arrayContaining(['succeeded', 'rejected', 'expired']));
}, 3_600_000);
