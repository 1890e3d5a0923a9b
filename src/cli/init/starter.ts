import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { initLedger } from '../../executor/ledger/ledger.js';
import { openSqlite } from '../../executor/ledger/sqlite.js';
import { newPrivateKey, writeKeyFile } from '../../files/key-files.js';
import { freePort, isPortFree } from '../../temporal/free-port.js';
import { packageRoot } from '../../temporal/paths.js';
import { CliError } from '../errors.js';
import { DEFAULT_URL } from '../workspace.js';
import { keyturnSpec, manifestOf } from './package.js';

const TEMPLATES = join(packageRoot, 'examples', 'starter');
const COPIED = ['executor.ts', 'agent.ts', 'policy.yaml'] as const;
const WRITTEN = [...COPIED, 'roster.yaml', 'package.json', '.env', '.gitignore', '.keyturn'] as const;
const PEOPLE = ['ana', 'ben', 'cleo', 'dana'] as const;
const AGENT = 'ap-agent';
const DOOR_PORT = 7_879;
const ME = 'ana';

export interface Starter {
  readonly files: readonly string[];
  readonly deployment: string;
  /** How package.json names keyturn. */
  readonly spec: string;
}

/** Writes the starter folder. Throws `file_exists`, naming it, if one of its files is there already: then nothing is written at all. */
export async function writeStarter(dir: string): Promise<Starter> {
  const taken = WRITTEN.find((file) => existsSync(join(dir, file)));
  if (taken !== undefined)
    throw new CliError('file_exists', `${join(dir, taken)} exists already, and nothing is overwritten`, 'Choose a new folder.');
  await mkdir(dir, { recursive: true });
  const deployment = deploymentOf(dir);
  const write = (name: string, text: string, mode = 0o644): Promise<void> => writeFile(join(dir, name), text, { flag: 'wx', mode });

  await mkdir(join(dir, '.keyturn', 'keys'), { recursive: true, mode: 0o700 });
  const agentKey = newPrivateKey();
  await write('roster.yaml', await rosterOf(deployment, (name) => newKey(dir, name, name === `agent-${AGENT}` ? agentKey : undefined)));
  for (const file of COPIED) await write(file, await readFile(join(TEMPLATES, file), 'utf8'));
  const spec = await keyturnSpec();
  await write('package.json', await manifestOf(basename(dir), spec));
  await write('.gitignore', '.keyturn/\n.env\nnode_modules/\n');
  const env = { KEYTURN_URL: DEFAULT_URL, KEYTURN_DEPLOYMENT: deployment, KEYTURN_AGENT: AGENT, KEYTURN_AGENT_KEY: agentKey };
  await write(
    '.env',
    Object.entries(env)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
    0o600,
  );
  await write(join('.keyturn', 'config.json'), `${JSON.stringify({ url: DEFAULT_URL, me: ME }, null, 2)}\n`);
  await newLedger(join(dir, '.keyturn', 'ledger.db'), deployment);
  return { files: WRITTEN, deployment, spec };
}

/** A name of the folder's letters: what is signed here fits no other folder. */
function deploymentOf(dir: string): string {
  const name = basename(dir)
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 58)
    .replace(/[^a-z0-9]+$/, '');
  return name === '' ? 'dev' : `${name}-dev`;
}

async function newKey(dir: string, name: string, text?: string): Promise<string> {
  const path = join(dir, '.keyturn', 'keys', `${name}.key`);
  return (text === undefined ? await writeKeyFile(path) : await writeKeyFile(path, text)).key.text;
}

/** The template's keys are samples nobody holds: each line gets its own. Nor may the door be another folder's that runs beside this one. */
async function rosterOf(deployment: string, key: (name: string) => Promise<string>): Promise<string> {
  const port = (await isPortFree(DOOR_PORT)) ? DOOR_PORT : await freePort();
  let text = (await readFile(join(TEMPLATES, 'roster.yaml'), 'utf8'))
    .replace('deployment: my-gate', `deployment: ${deployment}`)
    .replace(`127.0.0.1:${DOOR_PORT}`, `127.0.0.1:${port}`);
  for (const name of [...PEOPLE, `agent-${AGENT}`, 'api', 'executor-bank']) text = text.replace(`$${name}$`, await key(name));
  return text;
}

async function newLedger(path: string, deployment: string): Promise<void> {
  const database = openSqlite(path, { create: true });
  try {
    await initLedger(database, deployment);
  } finally {
    await database.close();
  }
  await chmod(path, 0o600);
}
