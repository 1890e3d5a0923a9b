import { startDevServer } from '../../temporal/dev-server.js';
import { freePort, isPortFree } from '../../temporal/free-port.js';
import type { Life } from './part.js';
import { reap } from './reaper.js';

const GRPC_PORT = 7_233;
const UI_PORT = 8_233;

/** Where the dev server listens: chosen once, so that a restarted one is found again. */
export interface TemporalPorts {
  readonly grpc: number;
  readonly ui: number;
}

export async function temporalPorts(): Promise<TemporalPorts> {
  const choose = async (usual: number): Promise<number> => ((await isPortFree(usual)) ? usual : freePort());
  return { grpc: await choose(GRPC_PORT), ui: await choose(UI_PORT) };
}

/** The Temporal dev server as a part. The same database again continues where the last one stopped, even if it was killed. */
export async function startTemporal(dbFilename: string, { grpc, ui }: TemporalPorts, log: (line: string) => void): Promise<Life> {
  const server = await startDevServer({ dbFilename, port: grpc, uiPort: ui, log });
  reap(server.pid);
  const ended = new Promise<string>((done) => server.child.once('exit', (code, signal) => done(signal ?? `exit code ${String(code)}`)));
  return {
    pid: server.pid,
    ready: { keyturn: 'temporal', pid: server.pid },
    ended,
    stop: () => server.stop(),
    kill: () => void server.child.kill('SIGKILL'),
  };
}
