import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDevServer } from '../../src/temporal/dev-server.js';

/** Run by `global-setup.ts`: starts a dev server, prints its address, and ends with it when its stdin closes, however jest ended. */

// A Ctrl-C reaches the whole terminal; the server outlives it until jest has closed our stdin.
process.on('SIGINT', () => undefined);

const folder = await mkdtemp(join(tmpdir(), 'keyturn-test-'));
const server = await startDevServer({ dbFilename: join(folder, 'temporal.db'), log: (line) => process.stderr.write(`${line}\n`) });

process.stdin.resume().once('end', () => {
  // By force: nobody needs this database again.
  server.child.once('exit', () => void rm(folder, { recursive: true, force: true }));
  server.child.kill('SIGKILL');
});
process.stdout.write(`${server.address}\n`);
