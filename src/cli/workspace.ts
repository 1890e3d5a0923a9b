import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import type { Roster } from '../domain/roster.js';
import { parseStrict } from '../domain/json.js';
import { readRoster } from '../files/rules.js';
import { CliError } from './errors.js';
import { issuesOf } from './text/inert.js';

const configSchema = z.strictObject({
  /** Of the API. */
  url: z.url({ protocol: /^https?$/ }).optional(),
  /** Who sits here: a person's roster id. */
  me: z.string().optional(),
  /** My private key, relative to the folder. Left out: `.keyturn/keys/<me>.key`. */
  key: z.string().optional(),
});
export type Config = z.infer<typeof configSchema>;

const CONFIG = join('.keyturn', 'config.json');
export const DEFAULT_URL = 'http://127.0.0.1:7878';

/** A folder with roster.yaml (the command line's own trust root: it names the executors' keys) and `.keyturn`. */
export interface Workspace {
  readonly root: string;
  readonly rosterFile: string;
  readonly config: Config;
  /** Read when it is asked for: not every command needs one. Throws `FileRefused`. */
  roster(): Promise<Roster>;
  /** A file in `.keyturn`, whose folder exists then, for the owner alone. */
  stateFile(name: string): Promise<string>;
}

/** The nearest folder with `.keyturn/config.json`, from `dir` upwards; else `dir` itself. */
export function rootOf(dir: string): string {
  const start = resolve(dir);
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, CONFIG))) return folder;
    if (dirname(folder) === folder) return start;
  }
}

export async function openWorkspace(dir: string): Promise<Workspace> {
  const root = rootOf(dir);
  const rosterFile = join(root, 'roster.yaml');
  let roster: Promise<Roster> | undefined;
  return {
    root,
    rosterFile,
    config: await readConfig(join(root, CONFIG)),
    roster: () => (roster ??= readRoster(rosterFile)),
    async stateFile(name) {
      const folder = join(root, '.keyturn');
      await mkdir(folder, { recursive: true, mode: 0o700 });
      return join(folder, name);
    },
  };
}

async function readConfig(path: string): Promise<Config> {
  if (!existsSync(path)) return {};
  try {
    return configSchema.parse(parseStrict(await readFile(path, 'utf8')));
  } catch (error) {
    const why = error instanceof z.ZodError ? issuesOf(error) : error instanceof Error ? error.message : String(error);
    throw new CliError('config_invalid', `${path} cannot be used: ${why}`, `Write: { "url": "${DEFAULT_URL}", "me": "<your roster id>" }`);
  }
}
