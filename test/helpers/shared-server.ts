import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDevServer } from '../../src/temporal/dev-server.js';

/** Run by `global-setup.ts`: starts a dev server, prints its address, and ends with it when its stdin closes, however jest ended. */

// A Ctrl-C reaches the whole terminal; the server outlives it until jest has closed our stdin.
process.on('SIGINT', () => undefined);

const folder = await mkdtemp(join(tmpdir(), 'keyturn-test-'));
const removeFolder = (): Promise<void> => rm(folder, { recursive: true, force: true });
const log = (line: string): void => void process.stderr.write(`${line}\n`);
const server = await startDevServer({ dbFilename: join(folder, 'temporal.db'), log }).catch(async (error: unknown) => {
  await removeFolder();
  throw error;
});

process.stdin.resume().once('end', () => {
  // By force: nobody needs this database again.
  server.child.once('exit', () => void removeFolder());
  server.child.kill('SIGKILL');
});
process.stdout.write(`${server.address}\n`);
