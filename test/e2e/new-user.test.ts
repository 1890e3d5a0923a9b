import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isAlive } from '../../src/files/process-life.js';
import { packageRoot } from '../../src/temporal/paths.js';

const run = promisify(execFile);

/** Collects what a process prints until a line matches. */
class Watched {
  output = '';
  constructor(readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
  }
  async until(pattern: RegExp, ms = 60_000): Promise<RegExpExecArray> {
    const end = Date.now() + ms;
    for (;;) {
      const match = pattern.exec(this.output);
      if (match !== null) return match;
      if (Date.now() > end) throw new Error(`in vain: ${String(pattern)} in\n${this.output}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid !== undefined && isAlive(-child.pid)) process.kill(-child.pid, signal);
}

/** The README's block "Gate your first action", with the tarball `npm pack` makes, installed outside this clone. */
describe('a new user in an empty folder', () => {
  let home: string;
  let gate: string;
  let dev: Watched | undefined;
  const env = { ...process.env, NO_COLOR: '1', npm_config_fund: 'false', npm_config_audit: 'false' };

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'keyturn-new-user-'));
    gate = join(home, 'my-gate');
    await run('npm', ['pack', '--ignore-scripts', '--pack-destination', home], { cwd: packageRoot, env });
    const tarball = (await readdir(home)).find((name) => name.endsWith('.tgz')) ?? '';
    await run('npm', ['init', '-y'], { cwd: home, env });
    await run('npm', ['install', '--prefer-offline', join(home, tarball)], { cwd: home, env, maxBuffer: 1e8 });
  }, 300_000);

  afterAll(async () => {
    if (dev !== undefined) signalGroup(dev.child, 'SIGKILL');
    await rm(home, { recursive: true, force: true });
  }, 60_000);

  test('init, dev, agent, show and two approvals: the effect is there, once', async () => {
    await run('npx', ['keyturn', 'init', 'my-gate'], { cwd: home, env: { ...env, npm_config_prefer_offline: 'true' }, maxBuffer: 1e8 });
    for (const file of ['executor.ts', 'agent.ts', 'policy.yaml', 'roster.yaml']) {
      const lines = (await readFile(join(gate, file), 'utf8')).trimEnd().split('\n').length;
      expect([file, lines <= 25]).toEqual([file, true]);
    }
    dev = new Watched(
      spawn('npx', ['keyturn', 'dev', '--json', '--', 'npx', 'tsx', 'executor.ts'], {
        cwd: gate,
        env,
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
    const ready = JSON.parse((await dev.until(/^\{.*"ready":true.*\}$/m, 120_000))[0]) as { door: string; pids: Record<string, number> };
    expect(await readFile(join(gate, 'roster.yaml'), 'utf8')).toContain(`door: 'http://${ready.door}'`);
    const agent = new Watched(spawn('npx', ['tsx', 'agent.ts'], { cwd: gate, env, stdio: ['ignore', 'pipe', 'pipe'] }));
    const id = (await agent.until(/act_[0-9a-z]{26}/))[0];
    const short = id.slice(0, 8);
    expect((await run('npx', ['keyturn', 'show', short], { cwd: gate, env })).stdout).toContain('ACME GmbH');
    expect((await run('npx', ['keyturn', 'approve', short, '--as', 'ana'], { cwd: gate, env })).stdout).toContain('1 of 2');
    expect((await run('npx', ['keyturn', 'approve', short, '--as', 'ben'], { cwd: gate, env })).stdout).toContain('2 of 2');
    await agent.until(/paid/);
    const book = JSON.parse(await readFile(join(gate, '.keyturn', 'bank.json'), 'utf8')) as unknown;
    expect(JSON.stringify(book).match(/480000/g)).toHaveLength(1);

    // The brake, as if there were no API: docs/stopping.md.
    const byDoor = ['keyturn', '--url', 'http://127.0.0.1:1', 'freeze', '--all', '--reason', 'rehearsal'];
    expect((await run('npx', byDoor, { cwd: gate, env })).stdout).toContain('bank: frozen (by its own door)');

    // Ctrl-C in a terminal reaches the whole foreground group.
    signalGroup(dev.child, 'SIGINT');
    const end = Date.now() + 30_000;
    while (Object.values(ready.pids).some((pid) => isAlive(pid)) && Date.now() < end) await new Promise((done) => setTimeout(done, 100));
    expect(Object.entries(ready.pids).filter(([, pid]) => isAlive(pid))).toEqual([]);
  }, 300_000);
});
