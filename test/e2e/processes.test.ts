import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Processes } from '../../demo/processes.js';
import { isAlive } from '../../src/files/process-life.js';

test('a part that never said it is ready is ended with the others: a start that failed leaves nothing running', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'keyturn-processes-'));
  try {
    const pidFile = join(dir, 'pid');
    await mkdir(join(dir, 'dist/src/cli'), { recursive: true });
    await writeFile(
      join(dir, 'dist/src/cli/main.js'),
      `require('node:fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); setInterval(() => {}, 1000);`,
    );
    const processes = new Processes(dir, 1, 'no password', false, { root: dir, readyMs: 2_000 });
    await expect(processes.startWorker()).rejects.toThrow('worker was not ready');
    const pid = Number(await readFile(pidFile, 'utf8'));
    expect(isAlive(pid)).toBe(true);
    expect(await processes.stopAll()).toEqual([]);
    expect(isAlive(pid)).toBe(false);
  } finally {
    await rm(dir, { recursive: true });
  }
});
