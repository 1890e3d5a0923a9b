import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../src/temporal/paths.js';

/**
 * `npm run bench`: the three benchmarks one after the other, each against its own fresh server, and one line of all three. `--full`: at the size the
 * README quotes. Exits 1 if one fell short.
 */
const { values: given } = parseArgs({ options: { full: { type: 'boolean', default: false } } });
const dist = (name: string): string => join(packageRoot, 'dist/bench', name);
const tsx = join(packageRoot, 'node_modules/tsx/dist/cli.mjs');
const PARTS: Readonly<Record<string, readonly string[]>> = {
  'bench:ratios': [dist('run.js')],
  'bench:scale': [dist('scale.js'), ...(given.full ? ['--actions', '20000', '--minutes', '90'] : [])],
  'bench:crew': [
    tsx,
    join(packageRoot, 'test/chaos/crew-bench.ts'),
    ...(given.full ? ['--actions', '300', '--kills', '40', '--minutes', '30'] : []),
  ],
};

let child: ChildProcess | undefined;
let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    stopped = true;
    child?.kill(signal);
  });

/** Its last line, and whether it says ok and so does its exit. */
async function play(name: string, args: readonly string[]): Promise<{ readonly ok: boolean; readonly line: string }> {
  const started = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  child = started;
  const exited = new Promise<number | null>((done, failed) => started.once('error', failed).once('exit', done));
  let last = '';
  for await (const line of createInterface({ input: started.stdout })) {
    console.log(line);
    if (line !== '') last = line;
  }
  const code = await exited;
  return last.startsWith(`${name}: `)
    ? { ok: code === 0, line: last.slice(name.length + 2) }
    : { ok: false, line: `SHORT: exit ${code ?? 'by a signal'}` };
}

const results: { readonly name: string; readonly ok: boolean; readonly line: string }[] = [];
for (const [name, args] of Object.entries(PARTS)) if (!stopped) results.push({ name, ...(await play(name, args)) });
const ok = !stopped && results.length === Object.keys(PARTS).length && results.every((result) => result.ok);
const short = results.filter((result) => !result.ok).map(({ name, line }) => `${name} ${line}`);
console.log(
  ok
    ? `bench: ok: ${results.map(({ line }) => line.replace(/^ok: /, '')).join(' | ')}`
    : `bench: ${stopped ? 'stopped' : `SHORT: ${short.join(' | ')}`}`,
);
process.exitCode = ok ? 0 : 1;
