import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, isPortFree } from '../../temporal/free-port.js';
import { DEFAULT_URL, openWorkspace } from '../workspace.js';

export interface ApiPort {
  readonly port: number;
  /** Said when another port than the configured one had to be taken. */
  readonly notice: string | undefined;
}

/**
 * The port of the configured address, or a free one where somebody else has it: then `.keyturn/config.json` and the line in `.env` are
 * brought up to date, or agents and reviewers in other terminals would knock at the wrong door.
 */
export async function apiPort(dir: string): Promise<ApiPort> {
  const { config, root } = await openWorkspace(dir);
  const before = config.url ?? DEFAULT_URL;
  const wanted = Number(new URL(before).port || 80);
  if (await isPortFree(wanted)) return { port: wanted, notice: undefined };
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const changed: string[] = [];
  if (existsSync(join(root, '.keyturn', 'config.json'))) {
    await writeFile(join(root, '.keyturn', 'config.json'), `${JSON.stringify({ ...config, url }, null, 2)}\n`);
    changed.push('.keyturn/config.json');
  }
  if (await replaceInEnv(join(root, '.env'), before, url)) changed.push('.env');
  const told = changed.length === 0 ? '' : `; ${changed.join(' and ')} ${changed.length === 1 ? 'says' : 'say'} so now`;
  return { port, notice: `port ${wanted} is taken: the API is at ${url}${told}` };
}

/** Only the line `init` wrote: whatever else stands there is the user's. */
async function replaceInEnv(path: string, before: string, url: string): Promise<boolean> {
  if (!existsSync(path)) return false;
  const text = await readFile(path, 'utf8');
  const lines = text.split('\n');
  const at = lines.indexOf(`KEYTURN_URL=${before}`);
  if (at < 0) return false;
  await writeFile(path, lines.with(at, `KEYTURN_URL=${url}`).join('\n'));
  return true;
}
