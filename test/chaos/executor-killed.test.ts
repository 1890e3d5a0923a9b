import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Transition } from '../../src/executor/ledger/transitions.js';
import { CASES } from './cases.js';
import { checkBook, checkEnd } from './checks.js';
import { giveOrder, isCarriedOut } from './orders.js';
import { Scene } from './scene.js';
import { Stage } from './stage.js';
import { Pool } from './pool.js';
import type { Lane } from './lane.js';

const LANES = 5;
const TIMEOUT_MS = 240_000;
const KILLS = (Object.keys(CASES) as Transition[]).flatMap((transition) =>
  (['before', 'after'] as const).map((when) => ({ transition, when })),
);

const nameOf = ({ transition, when }: (typeof KILLS)[number]): string => `${transition} ${when}`;

/** The executor's process dies by SIGKILL at the commit of one transition of one action. Lanes are independent executors: one case at a time each. */
describe('the executor is killed right before and right after the commit of', () => {
  let stage: Stage;
  const played = new Map<Lane, number>();
  const running = new Map<string, Promise<void>>();

  beforeAll(async () => {
    stage = await Stage.open(LANES);
    const lanes = new Pool(stage.lanes);
    for (const kill of KILLS) {
      const end = lanes.use((lane) => play(lane, kill));
      // Its own test reports it, which may come much later.
      end.catch(() => undefined);
      running.set(nameOf(kill), end);
    }
  }, TIMEOUT_MS);
  afterAll(() => stage.close(), TIMEOUT_MS);

  async function play(lane: Lane, { transition, when }: (typeof KILLS)[number]): Promise<void> {
    const { type, ends, play: act } = CASES[transition];
    const scene = new Scene(stage, lane, type);
    const deaths = lane.deaths;
    await giveOrder(lane.orders, scene.id, { transition, when, how: 'kill' });
    played.set(lane, (played.get(lane) ?? 0) + 1);
    await act(scene);
    await checkEnd(scene, type, ends);
    expect(isCarriedOut(lane.orders, scene.id)).toBe(true);
    expect(lane.deaths).toBe(deaths + 1);
  }

  test.each(KILLS)(
    '$transition ($when): the effect once or not at all, and the end says which',
    (kill) => running.get(nameOf(kill)),
    TIMEOUT_MS,
  );

  test(
    'every book is whole: one chain, every action ended, no lease left, no undo without its step',
    async () => {
      for (const lane of stage.lanes) {
        await lane.close();
        await checkBook(lane.ledger, stage.roster, played.get(lane) ?? 0);
      }
    },
    TIMEOUT_MS,
  );
});
