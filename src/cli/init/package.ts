import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { packageRoot } from '../../temporal/paths.js';

const manifestSchema = z.looseObject({
  version: z.string().optional(),
  dependencies: z.record(z.string(), z.string()).optional(),
  devDependencies: z.record(z.string(), z.string()).optional(),
  packages: z.record(z.string(), z.looseObject({ resolved: z.string().optional(), version: z.string().optional() })).optional(),
});
type Manifest = z.infer<typeof manifestSchema>;

async function readManifest(path: string): Promise<Manifest> {
  if (!existsSync(path)) return {};
  return manifestSchema.parse(JSON.parse(await readFile(path, 'utf8')));
}

/**
 * How a new folder names the very keyturn that runs now: the tarball or version of the folder it is installed in, with paths made absolute;
 * from a clone, the clone itself. `root` is the folder of keyturn's own package.json.
 */
export async function keyturnSpec(root: string = packageRoot): Promise<string> {
  if (basename(dirname(root)) !== 'node_modules') return `file:${root}`;
  const host = dirname(dirname(root));
  const { dependencies, devDependencies } = await readManifest(join(host, 'package.json'));
  const { packages } = await readManifest(join(host, 'package-lock.json'));
  const locked = packages?.['node_modules/keyturn']?.resolved;
  const named = dependencies?.['keyturn'] ?? devDependencies?.['keyturn'] ?? (locked?.startsWith('file:') === true ? locked : undefined);
  if (named === undefined) return (await readManifest(join(root, 'package.json'))).version ?? 'latest';
  // Two ways to write a path: `file:../x.tgz`, and, in a list of arguments kept by npx, `../x.tgz` itself.
  const path = named.startsWith('file:') ? named.slice('file:'.length) : /^[./~]/.test(named) ? named : undefined;
  return path === undefined ? named : `file:${resolve(host, path)}`;
}

/** package.json of a new folder: keyturn as it runs now, zod and tsx in the versions keyturn itself is built with. */
export async function manifestOf(name: string, spec: string): Promise<string> {
  const own = await readManifest(join(packageRoot, 'package.json'));
  const manifest = {
    name:
      name
        .toLowerCase()
        .replace(/[^a-z0-9._-]+/g, '-')
        .replace(/^[._-]+/, '') || 'my-gate',
    private: true,
    type: 'module',
    dependencies: { keyturn: spec, zod: own.dependencies?.['zod'] ?? '^4' },
    devDependencies: { tsx: own.devDependencies?.['tsx'] ?? '^4' },
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
