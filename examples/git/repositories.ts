import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { Mirror } from './mirror.js';
import { repositoryNameSchema } from './names.js';

const path = z.string().regex(/^\/[A-Za-z0-9_./-]+$/, 'an absolute path of plain characters');
const settingsSchema = z.strictObject({
  /** An absolute path, ssh://… or https://…; no credentials in it. */
  url: z.union([path, z.string().regex(/^(?:ssh:\/\/(?:[A-Za-z0-9_.-]+@)?|https:\/\/)[A-Za-z0-9.-]+(?::\d+)?\/[A-Za-z0-9_.~/-]+$/)]),
  /** Private keys for ssh: previews use the first, only an approved act the second. */
  readKey: path.optional(),
  writeKey: path.optional(),
});
export type RepositorySettings = z.infer<typeof settingsSchema>;
const fileSchema = z.record(repositoryNameSchema, settingsSchema);

/** The repositories an executor may work on, by name. */
export type Repositories = ReadonlyMap<string, Mirror>;

/** Each with a bare copy under `folder`, which holds objects only: nothing is ever checked out. */
export const openRepositories = (settings: Readonly<Record<string, RepositorySettings>>, folder: string): Repositories =>
  new Map(Object.entries(settings).map(([name, each]) => [name, new Mirror(each, join(folder, `${name}.git`))]));

/** Reads repositories.json: `{ "infra": { "url": "ssh://git@git.example.com/infra.git" } }`. Throws where it is not that. */
export function readRepositories(file: string, folder: string): Repositories {
  const read = fileSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (!read.success) throw new Error(`${file}: ${z.prettifyError(read.error)}`);
  return openRepositories(read.data, folder);
}
