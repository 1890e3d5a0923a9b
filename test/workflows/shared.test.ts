import { readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { packageRoot } from '../../src/temporal/paths.js';

const IMPORT = /^(?:import|export)\s+(?!type\b)([^;]*?)\s+from\s+'(\.[^']+)\.js';/gms;

/** What a file loads at run time, relative to the package: imports of types alone load nothing. */
async function loadedBy(file: string): Promise<string[]> {
  const text = await readFile(join(packageRoot, `${file}.ts`), 'utf8');
  return [...text.matchAll(IMPORT)].flatMap(([, what = '', from = '']) => {
    const names = /^\{(.*)\}$/s
      .exec(what)?.[1]
      ?.split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '');
    const loads = names === undefined || names.some((name) => !name.startsWith('type '));
    return loads ? [normalize(join(dirname(file), from))] : [];
  });
}

/** All of src/domain that is loaded by these files, directly or by others. */
async function domainOf(...files: readonly string[]): Promise<string[]> {
  const seen = new Set<string>();
  const queue = [...files];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    queue.push(...(await loadedBy(file)));
  }
  return [...seen].filter((file) => file.startsWith('src/domain/')).sort();
}

describe('src/workflows/shared.ts', () => {
  test('names every module of src/domain that a run loads, and freezes each: what it left out would be frozen to its depths', async () => {
    const shared = await loadedBy('src/workflows/shared');
    const named = shared.filter((file) => file.startsWith('src/domain/')).sort();
    expect(named).toEqual(await domainOf('src/workflows/index'));
    const text = await readFile(join(packageRoot, 'src/workflows/shared.ts'), 'utf8');
    const imported = [...text.matchAll(/^import \* as (\w+) from '\.\.\/domain/gm)].map(([, name]) => name);
    const frozen = /for \(const module of \[([^\]]*)\]\)\s*Object\.freeze\(module\)/
      .exec(text)?.[1]
      ?.split(',')
      .map((name) => name.trim());
    expect(frozen?.filter((name) => name !== '')).toEqual(imported);
  });
});
