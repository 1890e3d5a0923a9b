import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');
export const text = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Every page of the project, by its path from the root. */
export const PAGES: readonly string[] = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
].sort();

/** What stands between fences is code, not markdown. */
export const withoutFences = (page: string): string => page.replace(/^```[^\n]*\n[\s\S]*?^```$/gm, '');

export interface Link {
  readonly words: string;
  readonly to: string;
  readonly title: string | undefined;
}
/** Inline links outside code. */
export function linksOf(page: string): Link[] {
  const prose = withoutFences(page);
  return [...prose.matchAll(/\[([^\]]+)\]\(([^)\s]+)(?:\s+"([^"]*)")?\)/g)].map(([, words = '', to = '', title]) => ({ words, to, title }));
}

/** The anchors of a page's headings, as the usual renderers make them. */
export function anchorsOf(page: string): string[] {
  return [...withoutFences(page).matchAll(/^#{1,6} +(.+)$/gm)].map(([, heading = '']) =>
    heading
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** The fenced block after `<!-- mark -->`. Throws if there is none: a mark nobody follows would check nothing. */
export function blockAfter(page: string, mark: string): string {
  const found = page.split(`<!-- ${mark} -->\n`)[1]?.match(/^```[^\n]*\n([\s\S]*?)^```$/m);
  if (found?.index !== 0) throw new Error(`no fenced block follows <!-- ${mark} -->`);
  return found[1] ?? '';
}

/** Rows of every table, without heads and rules, as trimmed cells. */
export function tableRows(page: string): string[][] {
  const lines = page.split('\n');
  return lines
    .filter((line, i) => line.startsWith('|') && !line.startsWith('|---') && !(lines[i + 1]?.startsWith('|---') ?? false))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((each) => each.trim()),
    );
}
