import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../src/temporal/paths.js';
import type { Attack } from './attack.js';
import type { Stage } from './stage.js';

const ATTACKER_MS = 90_000;
const EFFECT_MS = 8_000;

/** What became of one attack. `effects`: payments nobody agreed to, counted in the bank's own book. */
export interface Struck {
  readonly attack: Attack;
  readonly seen: string;
  readonly effects: number;
  readonly fooled: boolean;
}

/** Attackers that live; ended with the run. */
export const attackers = new Set<ChildProcess>();

/** Makes its honest life, lets it strike in a process of its own, and counts at the target. `awaited`: it is expected to succeed, which may take a moment. */
export async function strike(stage: Stage, attack: Attack, awaited: boolean): Promise<Struck> {
  const vendor = attack.id;
  const none = { attack, effects: 0, fooled: false };
  let seen: string;
  try {
    const facts = stage.facts(vendor, await attack.prepare(stage, vendor));
    seen = await inOwnProcess(stage, attack, { holds: stage.holds(attack), facts }, (url) => attack.victim?.(stage, facts, url));
  } catch (error) {
    return { ...none, seen: `it could not be tried: ${error instanceof Error ? error.message : String(error)}` };
  }
  const fooled = attack.fooled?.(seen) ?? false;
  let effects = await effectsOf(stage, attack);
  for (
    const end = Date.now() + EFFECT_MS;
    awaited && !fooled && effects === 0 && Date.now() < end;
    effects = await effectsOf(stage, attack)
  )
    await new Promise((done) => setTimeout(done, 100));
  await attack.restore?.(stage);
  return { attack, seen, effects, fooled };
}

/** What the book has beyond what people agreed to. */
export const effectsOf = async (stage: Stage, { id, honest = 0 }: Attack): Promise<number> =>
  Math.max(0, (await stage.effects(id)) - honest);

/** The attacker's process has nothing but its one line of input: no environment, no file of ours. */
async function inOwnProcess(
  stage: Stage,
  attack: Attack,
  input: unknown,
  victim: (url: string) => Promise<string> | undefined,
): Promise<string> {
  const cwd = join(stage.dir, 'attackers', attack.id);
  await mkdir(cwd, { recursive: true });
  const child = spawn(process.execPath, [join(packageRoot, 'dist/redteam/attacker.js'), attack.id], {
    cwd,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  attackers.add(child);
  const late = setTimeout(() => child.kill('SIGKILL'), ATTACKER_MS);
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const gone = new Promise<void>((done) => child.once('close', () => done()));
  try {
    const line = new Promise<string | undefined>((read) => {
      createInterface({ input: child.stdout }).once('line', read);
      void gone.then(() => read(undefined));
    });
    child.stdin.on('error', () => undefined);
    child.stdin.write(`${JSON.stringify(input)}\n`);
    const said = await line;
    if (said === undefined) throw new Error(`the attacker's process ended: ${errors.slice(-500)}`);
    const { seen } = JSON.parse(said) as { seen: string };
    return (await victim(seen)) ?? seen;
  } finally {
    child.stdin.end();
    await gone;
    clearTimeout(late);
    attackers.delete(child);
  }
}
