import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeKeyFile } from '../../src/files/key-files.js';
import { privateKeyOf } from '../cli/folder.js';
import { FakeTerminal } from '../cli/fake-terminal.js';
import { runCli } from '../../src/cli/program.js';
import { approve } from '../helpers/messages.js';
import { Child } from './child.js';
import { insist } from './insist.js';
import type { Lane } from './lane.js';
import { Scene } from './scene.js';
import { Stage } from './stage.js';

/**
 * The stop as docs/stopping.md has it, on real processes: Temporal, worker, API, executor and bank. What happened is asked of the bank. `slow` reserves,
 * which takes a while, and then pays.
 */
const TIMEOUT_MS = 240_000;
let stage: Stage;
let lane: Lane;
let api: Child;
let url = '';

beforeAll(async () => {
  stage = await Stage.open(1, { doors: true });
  const [only] = stage.lanes;
  if (only === undefined) throw new Error('no lane');
  lane = only;
  const keys = join(stage.dir, '.keyturn', 'keys');
  await mkdir(keys, { recursive: true, mode: 0o700 });
  for (const person of ['cleo', 'eva']) await writeKeyFile(join(keys, `${person}.key`), privateKeyOf(`person:${person}`));
  await writeKeyFile(join(keys, 'agent-ap-agent.key'), privateKeyOf('agent:ap-agent'));
}, TIMEOUT_MS);
afterAll(() => stage.close(), TIMEOUT_MS);
beforeEach(async () => {
  api = new Child('api', 'test/chaos/api-process.ts', { TEMPORAL_ADDRESS: stage.address, KEYTURN_DIR: stage.dir }, stage.dir);
  url = String((await api.start())['url']);
}, TIMEOUT_MS);
afterEach(() => api.kill());

/** `keyturn …` as this person, in the folder of the stage. */
async function keyturn(me: string, ...args: readonly string[]): Promise<{ exit: number; said: string }> {
  await writeFile(join(stage.dir, '.keyturn', 'config.json'), JSON.stringify({ url, me }));
  const terminal = new FakeTerminal();
  return { exit: await runCli(['--dir', stage.dir, ...args], terminal, {}), said: terminal.said };
}
const digestIn = (said: string): string => /keyturn thaw ([0-9a-f]{64})/.exec(said.replaceAll('\n', ' '))?.[1] ?? '';

async function thawed(digest: string): Promise<void> {
  for (const person of ['cleo', 'eva'])
    await insist(`${person} thaws`, async () =>
      (await keyturn(person, 'thaw', digest, '--reason', 'it was nothing')).exit === 0 ? true : undefined,
    );
}

/** Two steps, agreed to, the first under way: its reservation is in the bank's book. */
async function underWay(): Promise<Scene> {
  const scene = new Scene(stage, lane, 'slow');
  await scene.propose();
  const sealed = await scene.sealed(1);
  for (const person of ['ana', 'ben']) await scene.send('decision', approve(person, sealed, { at: Date.now() }));
  await scene.untilEffects(1);
  return scene;
}
const effects = async (scene: Scene): Promise<string[]> => (await scene.effects()).map(({ kind, state }) => `${kind} ${state}`);

/** The first step is done, and the executor says that it waits for a thaw. */
const heldByFreeze = (scene: Scene): Promise<true> =>
  insist(`${scene.id} is frozen`, async () => {
    const { entries, outcome } = await scene.snapshot();
    return entries.length > 0 && outcome.reason.text.includes('freeze is in force') ? true : undefined;
  });

describe('a freeze during a two-step action', () => {
  test(
    'the second step never starts until as many have thawed as the policy asks for; then it goes on',
    async () => {
      const scene = await underWay();
      const { exit, said } = await keyturn('cleo', 'freeze', '--all', '--reason', 'odd invoices');
      expect([exit, said]).toEqual([0, expect.stringContaining('lane1: frozen')]);
      await heldByFreeze(scene);
      expect(await effects(scene)).toEqual(['reservation reserved']);
      await thawed(digestIn(said));
      expect(await scene.outcome()).toMatchObject({ status: 'succeeded', effect: 'done' });
      expect((await effects(scene)).filter((effect) => effect.startsWith('payment'))).toHaveLength(1);
    },
    TIMEOUT_MS,
  );

  test(
    'after a cancel the first is undone, frozen or not',
    async () => {
      const scene = await underWay();
      const { said } = await keyturn('cleo', 'freeze', '--type', 'slow.lane1', '--reason', 'odd invoices');
      await heldByFreeze(scene);
      expect((await keyturn('cleo', 'cancel', scene.id)).exit).toBe(0);
      expect(await scene.outcome()).toMatchObject({ status: 'compensated', effect: 'undone', reason: { code: 'cancelled' } });
      expect(await effects(scene)).toEqual(['reservation released']);
      await thawed(digestIn(said));
    },
    TIMEOUT_MS,
  );
});

describe('attack 57: API and Temporal are killed by SIGKILL', () => {
  test(
    'the freeze goes through the door, the second step never starts; a cancel by the door undoes the first',
    async () => {
      const scene = await underWay();
      await Promise.all([api.kill(), stage.killServer()]);
      const { exit, said } = await keyturn('cleo', 'freeze', '--all', '--reason', 'everything is down');
      expect([exit, said]).toEqual([0, expect.stringContaining('lane1: frozen (by its own door)')]);
      await stage.startServer();
      await heldByFreeze(scene);
      expect(await effects(scene)).toEqual(['reservation reserved']);
      // The API is still dead.
      const cancelled = await keyturn('cleo', 'cancel', scene.id);
      expect([cancelled.exit, cancelled.said]).toEqual([0, expect.stringContaining('executor lane1 has it on record and signed that')]);
      expect(await scene.outcome()).toMatchObject({ status: 'compensated', effect: 'undone' });
      expect(await effects(scene)).toEqual(['reservation released']);
      url = String((await api.start())['url']);
      await thawed(digestIn(said));
    },
    TIMEOUT_MS,
  );

  test(
    'an executor that starts while Temporal is dead opens its door; a rejection by it ends the run when Temporal is back',
    async () => {
      const scene = new Scene(stage, lane, 'transfer');
      await scene.propose();
      const { digest, view } = await scene.sealed(1);
      await writeFile(join(stage.dir, '.keyturn', 'shown.json'), JSON.stringify({ [scene.id]: { digest, view, revision: 1 } }));
      await Promise.all([api.kill(), stage.killServer()]);
      await lane.kill();
      await insist('the rejection is on record', async () =>
        (await keyturn('cleo', 'reject', scene.id, '--reason', 'paid in October', '--door')).exit === 0 ? true : undefined,
      );
      await lane.kill();
      await stage.startServer();
      expect(await scene.outcome()).toMatchObject({ status: 'rejected', effect: 'none', reason: { text: 'paid in October' } });
      expect(await effects(scene)).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
