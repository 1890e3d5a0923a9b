import { afterEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile, mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiPort } from '../../src/cli/dev/api-port.js';
import { Keeper, type News } from '../../src/cli/dev/keeper.js';
import { startPart, type Life } from '../../src/cli/dev/part.js';
import { parseReady } from '../../src/cli/dev/ready.js';
import { isAlive } from '../../src/files/process-life.js';

const READY = `console.log(JSON.stringify({ keyturn: 'executor', name: 'bank', pid: process.pid })); setInterval(() => {}, 1000);`;
const node = (script: string) => ({ name: 'executor', file: process.execPath, args: ['-e', script], cwd: tmpdir(), env: process.env });

const started: Life[] = [];
const start = async (script: string, log: (line: string) => void = () => undefined): Promise<Life> => {
  const life = await startPart(node(script), log);
  started.push(life);
  return life;
};
afterEach(() => {
  for (const life of started.splice(0)) life.kill();
});

const until = async (so: () => boolean): Promise<void> => {
  for (let i = 0; i < 200 && !so(); i++) await new Promise((done) => setTimeout(done, 50));
  expect(so()).toBe(true);
};

describe('a part', () => {
  test('is ready when it says so; all else it prints is passed on', async () => {
    const lines: string[] = [];
    const life = await start(`console.log('hello'); console.error('{"other":1}'); ${READY} console.log('more');`, (line) =>
      lines.push(line),
    );
    expect(life.ready).toEqual({ keyturn: 'executor', name: 'bank', pid: life.pid });
    await until(() => lines.length === 3);
    expect(lines.sort()).toEqual(['hello', 'more', '{"other":1}']);
  });

  test('tells the pid of the part itself, not of what started it, and ends both', async () => {
    const wrapper = `const { spawn } = require('node:child_process'); spawn(process.execPath, ['-e', ${JSON.stringify(READY)}], { stdio: 'inherit' }).on('exit', () => process.exit());`;
    const life = await start(wrapper);
    expect(isAlive(life.pid)).toBe(true);
    await life.stop();
    expect(isAlive(life.pid)).toBe(false);
    await life.stop();
  });

  test('that ends before it is ready rejects, with why', async () => {
    await expect(start('process.exit(3)')).rejects.toThrow('exit code 3');
    await expect(startPart({ ...node(''), file: '/no/such/program' }, () => undefined)).rejects.toThrow('ENOENT');
  });
});

describe('a keeper', () => {
  test('starts again whatever was killed, and says so', async () => {
    const news: News[] = [];
    const keeper = new Keeper(
      'executor',
      () => start(READY),
      (each) => news.push(each),
    );
    const first = (await keeper.begin()).pid;
    process.kill(first, 'SIGKILL');
    await until(() => news.length === 2);
    expect(news).toMatchObject([
      { kind: 'died', pid: first, why: 'SIGKILL' },
      { kind: 'restarted', was: first, pid: keeper.pid },
    ]);
    expect(isAlive(keeper.pid)).toBe(true);
    await keeper.stop();
    await new Promise((done) => setTimeout(done, 300));
    expect(isAlive(keeper.pid)).toBe(false);
    expect(news).toHaveLength(2);
  });

  test('asked to stop while a part is only starting: it ends at once', async () => {
    let pid = 0;
    const silent = `console.log(process.pid); setInterval(() => {}, 1000);`;
    const keeper = new Keeper(
      'executor',
      (signal) => startPart(node(silent), (line) => (pid = Number(line)), signal),
      () => undefined,
    );
    const begun = keeper.begin();
    const over = expect(begun).rejects.toThrow();
    await until(() => pid > 0);
    await keeper.stop();
    await over;
    await until(() => !isAlive(pid));
    await expect(keeper.begin()).rejects.toThrow();
  });

  test('gives up at the beginning after three tries', async () => {
    const news: News[] = [];
    const keeper = new Keeper(
      'executor',
      () => start('process.exit(1)'),
      (each) => news.push(each),
    );
    await expect(keeper.begin()).rejects.toThrow('exit code 1');
    expect(news.map(({ kind }) => kind)).toEqual(['failed', 'failed']);
  });

  test('never gives up later: it may be a file that is being mended', async () => {
    const news: News[] = [];
    const scripts = [READY, 'process.exit(1)', 'process.exit(1)', READY];
    const keeper = new Keeper(
      'executor',
      () => start(scripts.shift() ?? READY),
      (each) => news.push(each),
    );
    process.kill((await keeper.begin()).pid, 'SIGKILL');
    await until(() => news.at(-1)?.kind === 'restarted');
    expect(news.map(({ kind }) => kind)).toEqual(['died', 'failed', 'failed', 'restarted']);
    await keeper.stop();
  });
});

test.each(['', 'text', '{', '[]', 'null', '{"keyturn":1}', '{"ready":true}'])('%j is no ready line', (line) => {
  expect(parseReady(line)).toBeUndefined();
});

describe('the port of the API', () => {
  test('is the configured one; where that is taken a free one, and files of init say so', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'keyturn-dev-'));
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const url = `http://127.0.0.1:${port}`;
    await mkdir(join(dir, '.keyturn'));
    await writeFile(join(dir, '.keyturn', 'config.json'), JSON.stringify({ url, me: 'ana' }));
    await writeFile(join(dir, '.env'), `MINE=1\nKEYTURN_URL=${url}\nKEYTURN_AGENT=ap-agent\n`);

    const other = await apiPort(dir);
    expect(other.port).not.toBe(port);
    expect(other.notice).toContain('.keyturn/config.json and .env say so now');
    const now = `http://127.0.0.1:${other.port}`;
    expect(JSON.parse(await readFile(join(dir, '.keyturn', 'config.json'), 'utf8'))).toEqual({ url: now, me: 'ana' });
    expect(await readFile(join(dir, '.env'), 'utf8')).toBe(`MINE=1\nKEYTURN_URL=${now}\nKEYTURN_AGENT=ap-agent\n`);
    expect(await apiPort(dir)).toEqual({ port: other.port, notice: undefined });
    taken.close();
    await rm(dir, { recursive: true });
  });
});
