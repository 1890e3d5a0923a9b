import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isIP } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { CliError, hasCode, usage } from '../errors.js';
import { EXIT, type ExitCode } from '../exit.js';
import type { Session } from '../session.js';
import type { RunningWorker } from '../../worker.js';
import { DEFAULT_URL } from '../workspace.js';

export interface ApiPartOptions {
  readonly port?: string;
  readonly host?: string;
  /** The API's own copy of the policy. */
  readonly policy?: string;
}

/** `api`: the HTTP door alone, against any Temporal. */
export async function api(session: Session, { port: wanted, host, policy }: ApiPartOptions): Promise<ExitCode> {
  const { root, config } = await session.workspace();
  const port = Number(wanted ?? portOf(config.url ?? DEFAULT_URL));
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw usage(`"${wanted ?? ''}" is no port`, 'Write --port 7878.');
  // A name would be looked up, and may then be any interface: whoever opens this door says which.
  if (host !== undefined && isIP(host) === 0)
    throw usage(`"${host}" is no IP address`, 'Write --host 0.0.0.0 for every interface, inside a container.');
  const { runApi } = await import('../../api/run-api.js');
  const { url } = await runApi({
    dir: root,
    port,
    ...(host === undefined ? {} : { host }),
    ...(policy === undefined ? {} : { policyFile: resolve(root, policy) }),
  }).catch((error: unknown) => {
    if (!hasCode(error, 'EADDRINUSE')) throw error;
    throw new CliError('part_failed', `port ${port} is taken`, 'Choose another with --port, or end what listens there.');
  });
  session.terminal.out(JSON.stringify({ keyturn: 'api', url, pid: process.pid }));
  // It listens until a signal closes it; the process ends with it.
  return EXIT.ok;
}

const portOf = (url: string): string => {
  const { port, protocol } = new URL(url);
  return port === '' ? (protocol === 'https:' ? '443' : '80') : port;
};

/** The SDK's own floor under what it works out from the heap. */
const LEAST_CACHED = 10;

/** `worker`: the workflow role alone. It holds no credentials; of the roster it uses the deployment and the executors' keys. */
export async function worker(session: Session, options: { readonly cached?: string } = {}): Promise<ExitCode> {
  const cached = Number(options.cached ?? LEAST_CACHED);
  if (!Number.isSafeInteger(cached) || cached < LEAST_CACHED)
    throw usage(`"${options.cached ?? ''}" is no number of actions of at least ${LEAST_CACHED}`, 'Write --cached 500.');
  const { rosterFile } = await session.workspace();
  const { startWorker } = await import('../../worker.js');
  const { connect } = await import('../../temporal/connection.js');
  const { untilStopped, watchDev } = await import('../../files/process-life.js');
  const { readReviewUrl } = await import('../../files/review-url.js');
  const { readVersioning } = await import('../../temporal/versioning.js');
  // From the first moment on: it would wait for Temporal long after `dev` has gone.
  const now: { running?: RunningWorker } = {};
  watchDev(() => (now.running === undefined ? process.exit(EXIT.error) : void now.running.stop()));
  const link = process.env['KEYTURN_REVIEW_URL'];
  const reviewUrl = link === undefined || link === '' ? {} : { reviewUrl: readReviewUrl(link) };
  const versioned = readVersioning(process.env['KEYTURN_WORKER_VERSIONING']);
  const cache = options.cached === undefined ? {} : { cached };
  const role = { role: 'workflow', roster: rosterFile, versioned, ...reviewUrl, ...cache } as const;
  now.running = await startWorker(role, (line) => session.terminal.out(line)).catch((error: unknown) => {
    if (!(error instanceof Error) || !error.message.includes('tonic::transport')) throw error;
    const address = connect().connectionOptions.address ?? '';
    throw new CliError(
      'temporal_unavailable',
      `Temporal at ${address} does not answer`,
      'Start it (`keyturn dev` brings one), or set TEMPORAL_ADDRESS.',
    );
  });
  const { buildId } = now.running;
  session.terminal.out(JSON.stringify({ keyturn: 'worker', pid: process.pid, ...(buildId === undefined ? {} : { buildId }) }));
  await untilStopped(now.running);
  return EXIT.ok;
}

/** `executor FILE`: runs the program that calls `startExecutor`, TypeScript too where tsx is installed beside it. */
export async function executor(session: Session, given: string): Promise<ExitCode> {
  const file = resolve(session.globals.dir, given);
  if (!existsSync(file)) throw new CliError('file_unreadable', `there is no ${given}`, 'Name the file that calls startExecutor.');
  // `startExecutor` looks beside the program it was started as; here that is the command line.
  process.env['KEYTURN_DIR'] ??= session.globals.dir === '.' ? dirname(file) : resolve(session.globals.dir);
  if (/\.[cm]?tsx?$/.test(file)) await readTypeScript(file);
  await import(pathToFileURL(file).href);
  return process.exitCode === undefined ? EXIT.ok : EXIT.error;
}

/** Registers tsx as the executor's own folder has it, for the command line brings none; without it, Node's own reading of types, where it has that. */
async function readTypeScript(file: string): Promise<void> {
  let entry: string;
  try {
    // By its own manifest: asked from here, `resolve` would give the CommonJS half.
    const manifest = createRequire(join(dirname(file), 'package.json')).resolve('tsx/package.json');
    entry = join(dirname(manifest), entrySchema.parse(JSON.parse(await readFile(manifest, 'utf8'))).exports['./esm/api'].import.default);
  } catch {
    const typescript: unknown = Reflect.get(process.features, 'typescript');
    if (typescript === 'strip' || typescript === 'transform') return;
    throw new CliError(
      'part_missing',
      `${file} is TypeScript, and tsx is not installed beside it`,
      'Run `npm install --save-dev tsx` there, or use Node 24, which reads types by itself.',
    );
  }
  const tsx = (await import(pathToFileURL(entry).href)) as { readonly register: () => unknown };
  tsx.register();
}

const entrySchema = z.object({ exports: z.object({ './esm/api': z.object({ import: z.object({ default: z.string() }) }) }) });
