import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newPrivateKey } from '../../src/files/key-files.js';
import { rosterText } from '../helpers/rules-fixture.js';

const RUN = resolve(import.meta.dirname, '../../src/api/run-api.ts');
const SCRIPT = `const { runApi } = await import(${JSON.stringify(RUN)});
try { console.log((await runApi({ dir: process.argv[1], port: 0 })).url); } catch (error) { console.log('error ' + error.message); }`;

describe('the API of a folder, as a process', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'keyturn-run-api-'));
    await mkdir(join(dir, '.keyturn', 'keys'), { recursive: true });
  });
  afterAll(() => rm(dir, { recursive: true }));

  /** The first line it prints, and the process. */
  async function start(more: NodeJS.ProcessEnv = {}): Promise<{ line: string; child: ReturnType<typeof spawn> }> {
    const args = ['--import', 'tsx', '--input-type=module', '-e', SCRIPT, dir];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TEMPORAL_ADDRESS: '127.0.0.1:1', ...more },
      cwd: resolve(import.meta.dirname, '../..'),
    });
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    return { line, child };
  }

  test('starts without Temporal and says so; SIGTERM ends it cleanly', async () => {
    await writeFile(join(dir, 'roster.yaml'), rosterText());
    const { line, child } = await start();
    expect(line).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await fetch(`${line}/healthz`)).status).toBe(200);
    expect((await fetch(`${line}/readyz`)).status).toBe(503);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  test('its key may come as a file, and must be the one the roster names', async () => {
    const file = join(dir, 'mounted-key');
    await writeFile(file, `${newPrivateKey()}\n`);
    const { line, child } = await start({ KEYTURN_API_KEY_FILE: file });
    expect(line).toMatch(/^error roster.yaml does not give the key in KEYTURN_API_KEY_FILE to the API/);
    await once(child, 'exit');
  });

  test('a key that the roster does not give to the API, and a roster that is none, are start-up errors', async () => {
    await writeFile(join(dir, '.keyturn', 'keys', 'api.key'), newPrivateKey());
    const key = await start();
    expect(key.line).toMatch(/^error roster.yaml does not give the key in .*api\.key to the API/);
    await once(key.child, 'exit');
    await writeFile(join(dir, 'roster.yaml'), 'schema: nonsense\n');
    const roster = await start();
    expect(roster.line).toMatch(/^error .*roster\.yaml:1: /);
    await once(roster.child, 'exit');
  });
});
