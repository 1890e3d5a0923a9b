#!/usr/bin/env node
import { join, resolve } from 'node:path';
import { temporalBinary } from '../src/temporal/binary.js';
import type { Attack } from './attack.js';
import { GUARDS, type GuardName } from './guards.js';
import { ATTACKS } from './list.js';
import { startProduct } from './product.js';
import { attackers, effectsOf, strike, type Struck } from './strike.js';

/**
 * `npm run redteam [-- --unguarded] [--json] [name…]`: attacks a running product, and counts what came of it at the target. `--unguarded`: each attack
 * against a product whose guard was patched out, where it must succeed: else it tests nothing.
 */
const AT_ONCE = 3;
const args = process.argv.slice(2);
const json = args.includes('--json');
const unguarded = args.includes('--unguarded');
const names = args.filter((arg) => !arg.startsWith('--'));
const attacks = ATTACKS.filter(({ id }) => names.length === 0 || names.some((name) => id.includes(name)));
const dir = resolve('.keyturn', 'redteam');

const endings = new Set<() => Promise<unknown>>();
async function endAll(): Promise<void> {
  for (const attacker of attackers) attacker.kill('SIGKILL');
  await Promise.all([...endings].map((end) => end()));
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void endAll().finally(() => process.exit(130)));

const say = (line: string): void => {
  if (!json) console.log(line);
};

function tell({ attack, seen, effects, fooled }: Struck, ok: boolean, expected: string): void {
  const { id, cases, words, holds, guard } = attack;
  if (json) console.log(JSON.stringify({ id, cases, words, holds, guard, expected, seen, effects, fooled, ok }));
  else {
    const numbers = cases.length === 0 ? '-' : cases.join(', ');
    console.log(`${ok ? 'ok   ' : 'WRONG'} ${numbers.padEnd(7)} ${id}: ${words}`);
    console.log(`      with ${holds.join(', ')}; expected: ${expected}; seen: ${seen}; effects at the target: ${effects}`);
  }
}

/** Some at a time; those that need the product for themselves one after the other, at the end. */
async function all(some: readonly Attack[], one: (attack: Attack) => Promise<void>): Promise<void> {
  const waiting = some.filter(({ alone }) => alone !== true);
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await one(next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  for (const attack of some) if (attack.alone === true) await one(attack);
}

/** Returns how many fell short. */
async function guardedRun(cli: string): Promise<number> {
  const product = await startProduct(join(dir, 'guarded'), cli, undefined, (end) => endings.add(end));
  const { stage } = product;
  const struck: Struck[] = [];
  await all(attacks, async (attack) => void struck.push(await strike(stage, attack, false)));
  let effects = 0;
  let stopped = 0;
  // Counted once more after all of them: nothing came late.
  for (const each of struck) {
    const last = { ...each, effects: Math.max(each.effects, await effectsOf(stage, each.attack)) };
    const ok = last.effects === 0 && !last.fooled && last.seen === each.attack.expected;
    tell(last, ok, each.attack.expected);
    effects += last.effects;
    if (ok) stopped++;
  }
  const left = await product.stop();
  if (left.length > 0) say(`processes left running: ${left.join(' ')}`);
  const summary = { attacks: attacks.length, stopped, effects };
  console.log(json ? JSON.stringify(summary) : `redteam: ${attacks.length} attacks, ${stopped} stopped, ${effects} effects at the target`);
  return attacks.length - stopped + effects + left.length;
}

async function unguardedRun(cli: string): Promise<number> {
  const { copyBuild, patchBuild, removeBuild } = await import('./patched.js');
  const root = await copyBuild();
  endings.add(() => removeBuild(root));
  let succeeded = 0;
  let left = 0;
  for (const guard of Object.keys(GUARDS) as GuardName[]) {
    const those = attacks.filter((attack) => attack.guard === guard);
    if (those.length === 0) continue;
    say(`without "${guard}"`);
    const putBack = await patchBuild(root, GUARDS[guard]);
    const product = await startProduct(join(dir, 'unguarded'), cli, root, (end) => endings.add(end));
    const { stage } = product;
    await all(those, async (attack) => {
      const struck = await strike(stage, attack, true);
      const ok = struck.effects > 0 || struck.fooled;
      tell(struck, ok, 'it succeeds');
      if (ok) succeeded++;
    });
    left += (await product.stop()).length;
    await putBack();
  }
  await removeBuild(root);
  console.log(
    json
      ? JSON.stringify({ attacks: attacks.length, succeeded })
      : `unguarded: ${succeeded} of ${attacks.length} attacks succeed without their guard`,
  );
  return attacks.length - succeeded + left;
}

try {
  const { path } = await temporalBinary({ log: say });
  const short = unguarded ? await unguardedRun(path) : await guardedRun(path);
  process.exitCode = short === 0 && attacks.length > 0 ? 0 : 1;
} catch (error) {
  await endAll();
  console.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exit(1);
}
