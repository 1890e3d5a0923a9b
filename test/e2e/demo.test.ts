import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { isAlive } from '../../src/files/process-life.js';
import { packageRoot } from '../../src/temporal/paths.js';

/** Runs the built demo as `npm run demo` does. */
async function demo(...args: string[]): Promise<{ code: number; lines: string[] }> {
  const child = spawn(process.execPath, ['dist/demo/run.js', ...args], { cwd: packageRoot, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number>((done) => child.once('close', (status) => done(status ?? 1)));
  return { code, lines: output.split('\n') };
}

/** Ids, process ids, digests, ports, versions and times differ from run to run; nothing else does. */
const normal = (lines: readonly string[]): string[] =>
  lines
    .map((line) =>
      line
        .replace(/act_[0-9a-z]{26}/g, 'act_<id>')
        .replace(/act_[0-9a-z]{4}/g, 'act_<i>')
        .replace(/digest [0-9a-f]{12}/g, 'digest <digest>')
        .replace(/(pid|kill -9|started|temporal|worker|executor|,) +\d+/g, '$1 <pid>')
        .replace(/api :\d+/g, 'api :<port>')
        .replace(/temporal \d+\.\d+\.\d+/g, 'temporal <version>')
        .replace(/in \d+(\.\d+)? s/g, 'in <s> s')
        // Which check meets the changed byte first depends on the bytes of the run.
        .replace(/FAILED, .*/, 'FAILED, <step>')
        .replace(/ +/g, ' ')
        .trimEnd(),
    )
    .filter((line) => line !== '');

describe('npm run demo', () => {
  test('prints what the README shows, at most 80 columns, and leaves nothing running', async () => {
    const { code, lines } = await demo();
    const readme = await readFile(join(packageRoot, 'README.md'), 'utf8');
    const shown = /<!-- demo output -->\s*```[a-z]*\n([\s\S]*?)```\s*<!-- \/demo output -->/.exec(readme)?.[1] ?? '';
    expect(normal(lines)).toEqual(normal(shown.split('\n')));
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(code).toBe(0);
    // Five processes at the start, three started anew after the first kill, one after the second.
    const pids = new Set(
      lines.flatMap((line) => [...line.matchAll(/\b(?:pid|started|temporal,|worker,) +(\d+)\b/g)].map((match) => Number(match[1]))),
    );
    expect([...pids].filter((pid) => isAlive(pid))).toEqual([]);
    expect(pids.size).toBe(9);
  }, 180_000);

  test("--json claims one fact a line, and ends with their conjunction and the bank's book", async () => {
    const { code, lines } = await demo('--json');
    const facts = lines
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { ok: boolean; story?: number; expected?: unknown; seen?: unknown; book?: { state: string }[] });
    const last = facts.at(-1);
    expect(code).toBe(0);
    expect(last?.ok).toBe(facts.slice(0, -1).every((fact) => fact.ok));
    expect(last?.book?.map((entry) => entry.state)).toEqual(['paid', 'paid', 'released']);
    expect(new Set(facts.slice(0, -1).map((fact) => fact.story))).toEqual(new Set([1, 2, 3, 4, 5, 6, 7]));
    for (const fact of facts.slice(0, -1)) expect(fact.seen).toEqual(fact.expected);
  }, 180_000);
});
