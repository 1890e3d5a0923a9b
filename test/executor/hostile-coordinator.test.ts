import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { commands } from './hostile/commands.js';
import { Coordinator } from './hostile/coordinator.js';

/** How many runs: KEYTURN_HOSTILE_RUNS=2000 for a night. A failing run prints its seed and path: KEYTURN_HOSTILE_SEED, KEYTURN_HOSTILE_PATH. */
const { KEYTURN_HOSTILE_RUNS: runs = '60', KEYTURN_HOSTILE_SEED: seed, KEYTURN_HOSTILE_PATH: path } = process.env;
const ends = new Map<string, number>();

test('17 whatever the coordinator orders: once, only as agreed, and every end is true', async () => {
  await fc.assert(
    fc.asyncProperty(commands(50), fc.boolean(), async (list, effect) => {
      const coordinator = await Coordinator.open();
      for (const command of list) await coordinator.run(command);
      await coordinator.finish(effect);
      for (const { end = 'open' } of coordinator.model.actions.values()) ends.set(end, (ends.get(end) ?? 0) + 1);
      await coordinator.world.database.close();
    }),
    {
      numRuns: Number(runs),
      ...(seed === undefined ? {} : { seed: Number(seed) }),
      ...(path === undefined ? {} : { path }),
      interruptAfterTimeLimit: 1_000 * Number(runs),
      markInterruptAsFailure: false,
    },
  );
  console.log([...ends].sort());
  // The runs reach what they are to try.
  for (const end of ['succeeded', 'compensated', 'rejected', 'cancelled', 'expired', 'failed', 'denied'])
    expect(ends.get(end) ?? 0).toBeGreaterThan(0);
}, 3_600_000);
