import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

interface Shared {
  child: ChildProcess;
  address: string;
}

/** In a process of its own under tsx: jest loads this file without the `.js` to `.ts` mapping that the sources need. */
async function startShared(): Promise<Shared> {
  const script = resolve(import.meta.dirname, 'shared-server.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const address = await new Promise<string>((found, reject) => {
    lines.once('line', found);
    child.once('error', reject);
    child.once('exit', (code) => {
      reject(new Error(`test/helpers/shared-server.ts exited with ${String(code)}`));
    });
  });
  return { child, address };
}

async function stopShared({ child }: Shared): Promise<void> {
  const gone = once(child, 'exit');
  child.stdin?.end();
  await gone;
}

function door(): Server {
  let shared: Promise<Shared> | undefined;
  const server = createServer((request, response) => {
    const answer = async (): Promise<string> => {
      if (request.method !== 'DELETE') return (await (shared ??= startShared())).address;
      server.close();
      if (shared !== undefined) await shared.then(stopShared, () => undefined);
      return '';
    };
    answer().then(
      (text) => response.setHeader('connection', 'close').end(text),
      (error: unknown) => response.writeHead(500, { connection: 'close' }).end(String(error)),
    );
  });
  // A run that crashes must not wait for its door.
  server.unref();
  return server;
}

/**
 * One Temporal dev server for the whole jest run, started by the first test file that asks at the door (see `testServer`): a run of
 * unit tests alone pays nothing. `global-teardown.ts` closes the door with DELETE, which ends the server.
 */
async function globalSetup(): Promise<void> {
  if (process.env['TEMPORAL_TEST_ADDRESS'] !== undefined) return;
  const server = door().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address === 'object' && address !== null) process.env['KEYTURN_TEST_DOOR'] = `http://127.0.0.1:${String(address.port)}/`;
}

// jest takes the default export; this spelling keeps one name for the function.
export { globalSetup as default };
