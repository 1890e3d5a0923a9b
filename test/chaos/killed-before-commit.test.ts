import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Transition } from '../../src/executor/ledger/transitions.js';
import { CASES } from './cases.js';
import { checkBook, checkEnd } from './checks.js';
import type { Lane } from './lane.js';
import { giveOrder, isCarriedOut } from './orders.js';
import { Pool } from './pool.js';
import { Scene } from './scene.js';
import { Stage } from './stage.js';

const LANES = 4;
const TIMEOUT_MS = 240_000;
const TRANSITIONS = Object.keys(CASES) as Transition[];

/** An executor's process dies by SIGKILL of its own between the last write and the commit of a transition. A lane plays one case at a time. */
describe('the executor is killed right before the commit of', () => {
  let stage: Stage;
  const played = new Map<Lane, number>();
  const running = new Map<Transition, Promise<void>>();

  beforeAll(async () => {
    stage = await Stage.open(LANES);
    const lanes = new Pool(stage.lanes);
    for (const transition of TRANSITIONS) {
      const end = lanes.use((lane) => play(lane, transition));
      // Its own test reports it, which may come much later.
      end.catch(() => undefined);
      running.set(transition, end);
    }
  }, TIMEOUT_MS);
  afterAll(() => stage.close(), TIMEOUT_MS);

  async function play(lane: Lane, transition: Transition): Promise<void> {
    const scene = new Scene(stage, lane, CASES[transition].type);
    const { deaths } = lane;
    await giveOrder(lane.orders, scene.id, { transition, when: 'before' });
    played.set(lane, (played.get(lane) ?? 0) + 1);
    await CASES[transition].play(scene);
    await checkEnd(scene, CASES[transition]);
    expect(isCarriedOut(lane.orders, scene.id)).toBe(true);
    expect(lane.deaths).toBe(deaths + 1);
  }

  test.each(TRANSITIONS)('%s: the effect once or not at all, and the end says which', (transition) => running.get(transition), TIMEOUT_MS);

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
