import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tableRows, text } from '../docs/markdown.js';

export const DEPLOY = join(import.meta.dirname, '../../deploy');

/** Every file of deploy/, by its path in it. */
export const deployFiles = (): string[] =>
  readdirSync(DEPLOY, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(DEPLOY.length + 1))
    .sort();

export const deployText = (path: string): string => readFileSync(join(DEPLOY, path), 'utf8');

/** The variables of the README's table, and who reads each. */
export function variables(): ReadonlyMap<string, string> {
  const rows = tableRows(text('README.md')).filter(([names = '']) => /^`(?:KEYTURN|TEMPORAL)_/.test(names));
  return new Map(
    rows.flatMap(([names = '', readers = '']) => [...names.matchAll(/`([A-Z_]+)`/g)].map(([, name = '']) => [name, readers] as const)),
  );
}

/** Whether the README says that `part` reads the variable. */
export const reads = (part: string, variable: string): boolean =>
  (variables().get(variable) ?? '').toLowerCase().split(', ').includes(part);
