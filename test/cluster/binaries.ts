import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../../src/temporal/binary.js';

export interface ServerBinaries {
  readonly server: string;
  readonly sqlTool: string;
  /** Of the server's own module: `postgresql/v12/…`. */
  readonly schema: string;
}

const MODULE = 'go.temporal.io/server';

/**
 * The Temporal server and its schema tool, built by `go install` from the Go module of this version, whose content the Go checksum database vouches for; kept in
 * the project's cache. The first time takes some ten minutes on two cores and 3 GB of disk. Throws if Go is missing or too old for it.
 */
export async function serverBinaries(version: string, log: (line: string) => void): Promise<ServerBinaries> {
  const target = join(cacheFolder(), `temporal-server-${version}`);
  if (!existsSync(target)) {
    log(`building Temporal server ${version} from its Go module, once: some ten minutes`);
    await mkdir(dirname(target), { recursive: true });
    // Beside the target, and renamed when whole: half a build must never be found there.
    const scratch = await mkdtemp(`${target}.`);
    try {
      const packages = ['cmd/server', 'cmd/tools/sql'].map((each) => `${MODULE}/${each}@v${version}`);
      await go(['install', '-p', '2', ...packages], { GOBIN: scratch });
      await rename(scratch, target);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }
  const { Dir } = JSON.parse(await go(['mod', 'download', '-json', `${MODULE}@v${version}`])) as { readonly Dir: string };
  return { server: join(target, 'server'), sqlTool: join(target, 'sql'), schema: join(Dir, 'schema') };
}

async function go(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const child = spawn('go', args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, GOTOOLCHAIN: 'local', ...env } });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise((done, failed) => child.once('error', failed).once('close', done));
  if (code !== 0) throw new Error(`go ${args.join(' ')}: exit ${String(code)}`);
  return output;
}
