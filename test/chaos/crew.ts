import { setTimeout as sleep } from 'node:timers/promises';
import { DEPLOYMENT } from '../helpers/rules-fixture.js';
import { startPostgres } from '../helpers/postgres.js';
import { initLedger } from '../../src/executor/ledger/ledger.js';
import { openDatabase } from '../../src/executor/start-executor.js';
import { CASES } from './cases.js';
import { checkBook, checkEnd } from './checks.js';
import type { Lane } from './lane.js';
import { Scene } from './scene.js';
import { Stage } from './stage.js';

/** What every action comes to here, and each by another way: a plain run, an answer lost, a first try refused, two steps. */
const PLAYED = [CASES.consume, CASES.release, CASES.retryStep, CASES.startStep] as const;
/** The bank takes its time, so that a kill meets effects under way. */
const BANK_MS = 150;
const FIRST_KILL_MS = 1_500;

export interface CrewPlan {
  readonly members: number;
  readonly actions: number;
  readonly atOnce: number;
  /** How many of the executors are killed, one after the other, at random moments while actions are under way. */
  readonly kills: number;
  /** From one kill to the next, in ms, on average. */
  readonly everyMs: number;
}

export interface CrewReport {
  readonly actions: number;
  readonly kills: number;
  /** Activities that each member answered, by all its processes. */
  readonly answeredBy: readonly number[];
  /** What the bank's book holds for an action beyond what its end says. Empty: nothing was doubled, nothing lost. */
  readonly wrong: readonly string[];
}

/**
 * Several executors on one PostgreSQL ledger; actions are proposed and agreed to while one executor after the other is killed by SIGKILL and started
 * again. Each effect must stand in the bank's book once, and the ledger must be whole.
 */
export async function playCrew(plan: CrewPlan): Promise<CrewReport> {
  const postgres = await startPostgres();
  try {
    const ledger = await postgres.createDatabase();
    const database = await openDatabase(ledger, { create: true });
    await initLedger(database, DEPLOYMENT);
    await database.close();
    const stage = await Stage.open(1, { crew: { members: plan.members, ledger } });
    try {
      return await play(stage, ledger, plan);
    } finally {
      await stage.close();
    }
  } finally {
    await postgres.stop();
  }
}

async function play(stage: Stage, ledger: string, plan: CrewPlan): Promise<CrewReport> {
  const [first] = stage.lanes;
  if (first === undefined) throw new Error('no executor');
  await stage.admin.setFaults({ delayMs: BANK_MS });
  const wrong: string[] = [];
  const scenes: Scene[] = [];
  const over = new AbortController();
  const killing = kill(stage.lanes, plan, over.signal);
  const one = async (): Promise<void> => {
    while (scenes.length < plan.actions) {
      const played = PLAYED[scenes.length % PLAYED.length] ?? CASES.consume;
      const scene = new Scene(stage, first, played.type);
      scenes.push(scene);
      await played.play(scene);
      await checkEnd(scene, played).catch((error: unknown) => wrong.push(`${scene.id} ${played.type}: ${String(error)}`));
    }
  };
  try {
    await Promise.all(Array.from({ length: plan.atOnce }, one));
  } finally {
    over.abort();
    await killing;
  }
  const answered = await answeredBy(scenes);
  for (const lane of stage.lanes) await lane.close();
  await checkBook(ledger, stage.roster, plan.actions);
  return {
    actions: scenes.length,
    kills: await killing,
    answeredBy: stage.lanes.map(({ pids }) => pids.reduce((sum, pid) => sum + (answered.get(pid) ?? 0), 0)),
    wrong,
  };
}

/** In turn, beginning with any: whoever is killed again and again by chance would take no part. Resolves with how many it killed. */
async function kill(lanes: readonly Lane[], { kills, everyMs }: CrewPlan, over: AbortSignal): Promise<number> {
  const first = Math.floor(Math.random() * lanes.length);
  let killed = 0;
  await sleep(FIRST_KILL_MS, undefined, { signal: over }).catch(() => undefined);
  while (killed < kills && !over.aborted) {
    await lanes[(first + killed) % lanes.length]?.kill();
    killed++;
    await sleep(everyMs * (0.5 + Math.random()), undefined, { signal: over }).catch(() => undefined);
  }
  return killed;
}

/** By process id, as Temporal's history names who took an activity. */
async function answeredBy(scenes: readonly Scene[]): Promise<ReadonlyMap<number, number>> {
  const counts = new Map<number, number>();
  for (const scene of scenes) for (const pid of await scene.executors()) counts.set(pid, (counts.get(pid) ?? 0) + 1);
  return counts;
}
