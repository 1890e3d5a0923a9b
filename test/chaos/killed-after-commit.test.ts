import { afterAll, beforeAll, describe, test } from '@jest/globals';
import type { Transition } from '../../src/executor/ledger/transitions.js';
import { CASES } from './cases.js';
import { checkBook, checkEnd } from './checks.js';
import { insist } from './insist.js';
import type { Lane } from './lane.js';
import { giveOrder, isCarriedOut, letGo } from './orders.js';
import { Scene } from './scene.js';
import { Stage } from './stage.js';

const TIMEOUT_MS = 240_000;
const TRANSITIONS = Object.keys(CASES) as Transition[];

/** Each kills one process and starts it again, while every case stands right after its transition. An executor that lives on is then let go. */
const KILLS: Readonly<Record<string, (stage: Stage, lane: Lane) => Promise<void>>> = {
  executor: (_stage, lane) => lane.kill(),
  'workflow worker': async (stage, lane) => {
    await stage.killWorker();
    await stage.startWorker();
    await letGo(lane.orders);
  },
  'Temporal server': async (stage, lane) => {
    await stage.killServer();
    await stage.startServer();
    await letGo(lane.orders);
  },
};

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(Object.keys(KILLS).length);
}, TIMEOUT_MS);
afterAll(() => stage.close(), TIMEOUT_MS);

describe.each(Object.keys(KILLS).map((victim, i) => [victim, i] as const))('the %s is killed right after the commit of', (victim, i) => {
  const running = new Map<Transition, Promise<void>>();
  let lane: Lane;

  beforeAll(async () => {
    const own = stage.lanes[i];
    if (own === undefined) throw new Error('too few lanes');
    lane = own;
    const scenes = new Map(TRANSITIONS.map((transition) => [transition, new Scene(stage, own, CASES[transition].type)]));
    for (const [transition, { id }] of scenes) await giveOrder(own.orders, id, { transition, when: 'after' });
    for (const [transition, scene] of scenes) {
      const end = CASES[transition].play(scene).then(() => checkEnd(scene, CASES[transition]));
      end.catch(() => undefined);
      running.set(transition, end);
    }
    for (const [transition, { id }] of scenes)
      await insist(`${transition} is committed`, async () => isCarriedOut(own.orders, id) || undefined);
    await KILLS[victim]?.(stage, own);
  }, TIMEOUT_MS);

  test.each(TRANSITIONS)('%s: the effect once or not at all, and the end says which', (transition) => running.get(transition), TIMEOUT_MS);

  test(
    'the book is whole: one chain, every action ended, no lease left, no undo without its step',
    async () => {
      await lane.close();
      await checkBook(lane.ledger, stage.roster, TRANSITIONS.length);
    },
    TIMEOUT_MS,
  );
});
