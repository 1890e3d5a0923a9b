import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { actionIdSchema, digestSchema, type ActionId } from '../../domain/ids.js';
import { parseStrict } from '../../domain/json.js';
import type { Workspace } from '../workspace.js';
import type { Revision } from './verified.js';

const lookSchema = z.strictObject({ digest: digestSchema, view: digestSchema, revision: z.int() });
const shownSchema = z.record(actionIdSchema, lookSchema);

/** What was shown last of an action in this folder: all that a vote made here may name. */
export type Look = z.infer<typeof lookSchema>;

const FILE = 'shown.json';
const MOST = 500;

export const lookOf = ({ digest, view, envelope }: Revision): Look => ({ digest, view, revision: envelope.revision });

/** A file that is damaged shows nothing: then the action is to be shown again. */
export async function lastLook(workspace: Workspace, id: ActionId): Promise<Look | undefined> {
  return (await readAll(await workspace.stateFile(FILE)))[id];
}

/** Every action shown in this folder and not forgotten yet. */
export const shownIds = async (workspace: Workspace): Promise<ActionId[]> =>
  Object.keys(await readAll(await workspace.stateFile(FILE))).map((id) => actionIdSchema.parse(id));

export async function rememberLook(workspace: Workspace, id: ActionId, look: Look): Promise<void> {
  const path = await workspace.stateFile(FILE);
  const others = Object.entries(await readAll(path)).filter(([other]) => other !== id);
  const kept = [...others, [id, look] as const].slice(-MOST);
  const scratch = `${path}.${process.pid}`;
  await writeFile(scratch, `${JSON.stringify(Object.fromEntries(kept), null, 1)}\n`, { mode: 0o600 });
  await rename(scratch, path);
}

async function readAll(path: string): Promise<Partial<Record<ActionId, Look>>> {
  try {
    return shownSchema.parse(parseStrict(await readFile(path, 'utf8')));
  } catch {
    return {};
  }
}
