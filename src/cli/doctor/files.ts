import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { problemText } from '../../domain/problem.js';
import { FileRefused } from '../../domain/problem.js';
import { holderOf, type Roster } from '../../domain/roster.js';
import { readKeyFile } from '../../files/key-files.js';
import { readPolicy } from '../../files/rules.js';
import { keysFolder } from '../identity.js';
import type { Workspace } from '../workspace.js';
import { fine, problem, wordsOf, type Finding } from './finding.js';

const OLDEST_NODE = [20, 19] as const;

export function nodeVersion(version = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isOld = major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
  return isOld ? problem('node', version, `Install Node ${OLDEST_NODE.join('.')} or newer.`) : fine('node', version);
}

/** The roster, or why nothing else that needs it can be looked at. */
export async function rosterFile(workspace: Workspace): Promise<{ readonly roster: Roster | undefined; readonly findings: Finding[] }> {
  try {
    const roster = await workspace.roster();
    const development = roster.development ? ', development' : '';
    const text = `deployment ${roster.deployment}, ${roster.people.size} people, executors: ${[...roster.executors.keys()].join(', ')}${development}`;
    return { roster, findings: [fine('roster.yaml', text)] };
  } catch (error) {
    return { roster: undefined, findings: refusedFile('roster.yaml', error) };
  }
}

export async function policyFile({ root }: Workspace, roster: Roster, now: number): Promise<Finding[]> {
  const path = join(root, 'policy.yaml');
  if (!existsSync(path)) return [fine('policy.yaml', 'not here: only the executor needs it')];
  try {
    const { version, rules } = await readPolicy(path, roster, now);
    return [fine('policy.yaml', `version ${version}, rules: ${rules.length}`)];
  } catch (error) {
    return refusedFile('policy.yaml', error);
  }
}

function refusedFile(what: string, error: unknown): Finding[] {
  if (!(error instanceof FileRefused)) return [problem(what, wordsOf(error), 'Make the file readable.')];
  return error.problems.map((each) => problem(what, problemText(each).replace(/ Write: .*$/s, ''), `Write: ${each.write}`));
}

export function configFile({ config }: Workspace, roster: Roster): Finding {
  const { me, url } = config;
  if (me === undefined)
    return problem('config', 'it is not known who you are', 'Write { "url": …, "me": "<your roster id>" } into .keyturn/config.json.');
  const known = [...roster.people.keys()].some((id) => id === me);
  return known
    ? fine('config', `you are ${me}${url === undefined ? '' : `, API ${url}`}`)
    : problem('config', `${me} is nobody in roster.yaml`, 'Correct "me" in .keyturn/config.json.');
}

/** Private keys: readable by their owner alone, and each somebody's in the roster. */
export async function keyFiles({ root }: Workspace, roster: Roster): Promise<Finding[]> {
  const folder = keysFolder(root);
  const files = (await readdir(folder).catch(() => [])).filter((file) => file.endsWith('.key')).sort();
  const findings = (await Promise.all(files.map((file) => keyFile(folder, file, roster)))).filter((finding) => finding !== undefined);
  return findings.length > 0 ? findings : [fine('keys', `${files.length} in ${folder}`)];
}

async function keyFile(folder: string, file: string, roster: Roster): Promise<Finding | undefined> {
  const path = join(folder, file);
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) return problem('keys', `others may read ${path}`, `chmod 600 ${path}`);
  try {
    const { key } = await readKeyFile(path);
    if (holderOf(roster, key.id) !== undefined) return undefined;
    return problem('keys', `${path} is nobody's key in roster.yaml`, `Put ${key.text} there, or remove the file.`);
  } catch (error) {
    return problem('keys', wordsOf(error), 'Make a new one: keyturn keys new FILE');
  }
}
