import type { PreviewDraft } from '../../src/executor/define-action.js';
import type { Mirror } from './mirror.js';
import { utf8 } from './tree-diff.js';

export type Change = NonNullable<PreviewDraft['changes']>[number];

const MAX_PART = 3_000;
/** Words of an envelope are limited: longer ones go into several changes, nothing is left out. */
export function changesOf(what: string, from: string | undefined, to: string | undefined): Change[] {
  const [olds, news] = [partsOf(from), partsOf(to)];
  const count = Math.max(olds.length, news.length, 1);
  return Array.from({ length: count }, (_, i) => ({
    what: count === 1 ? what : `${what}, part ${i + 1} of ${count}`,
    ...(olds[i] === undefined ? {} : { from: olds[i] }),
    ...(news[i] === undefined ? {} : { to: news[i] }),
  }));
}

function partsOf(text: string | undefined): string[] {
  if (text === undefined) return [];
  if (text === '') return [''];
  const parts: string[] = [];
  let part = '';
  // By whole characters: half of one could be neither shown nor signed.
  for (const character of text) {
    if (part.length + character.length > MAX_PART) {
      parts.push(part);
      part = '';
    }
    part += character;
  }
  return [...parts, part];
}

const NO_END = ' (no line break at the end of the file)';
/** A text's lines; the last says so where no line break ends it. */
export function linesOf(text: string): string[] {
  if (text === '') return [];
  const lines = text.split('\n');
  const last = lines.pop() ?? '';
  return last === '' ? lines : [...lines, `${last}${NO_END}`];
}

/** The lines of two blobs that differ, by git, which is told their ids and never a name: no attribute has a say. Line numbers as in `after`. */
export async function changedLines(mirror: Mirror, path: string, before: string, after: string): Promise<Change[]> {
  const options = [
    '--no-ext-diff',
    '--no-textconv',
    '--no-color',
    '--text',
    '-U0',
    '--inter-hunk-context=0',
    '--diff-algorithm=myers',
    '--no-indent-heuristic',
  ];
  const { stdout } = await mirror.git(['diff', ...options, before, after, '--']);
  const changes: Change[] = [];
  let hunk = { at: 0, olds: [] as string[], news: [] as string[] };
  let last: string[] = [];
  const flush = (): void => {
    changes.push(...pairs(path, hunk.at, hunk.olds, hunk.news));
    hunk = { at: 0, olds: [], news: [] };
  };
  let inHunk = false;
  for (const line of bytesOfLines(stdout)) {
    const start = /^@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@/.exec(line.subarray(0, 100).toString('latin1'));
    if (start !== null) {
      flush();
      // Of an empty side the number is that of the line before.
      hunk.at = Number(start[1]) + (start[2] === '0' ? 1 : 0);
      inHunk = true;
    } else if (inHunk && (line[0] === MINUS || line[0] === PLUS)) {
      last = line[0] === MINUS ? hunk.olds : hunk.news;
      const text = utf8(line.subarray(1));
      if (text === undefined) throw new Error(`a line of ${path} is no text`);
      last.push(text);
    } else if (inHunk && line[0] === BACKSLASH) last.push(`${last.pop() ?? ''}${NO_END}`);
  }
  flush();
  return changes;
}
const [MINUS, PLUS, BACKSLASH] = [0x2d, 0x2b, 0x5c];

function* bytesOfLines(bytes: Buffer): Generator<Buffer> {
  for (let from = 0; from < bytes.length;) {
    const end = bytes.indexOf(10, from);
    yield bytes.subarray(from, end < 0 ? bytes.length : end);
    from = end < 0 ? bytes.length : end + 1;
  }
}

/** Old line beside new line, one change each. */
export function pairs(path: string, at: number, olds: readonly string[], news: readonly string[]): Change[] {
  return Array.from({ length: Math.max(olds.length, news.length) }, (_, i) => i).flatMap((i) =>
    changesOf(i < news.length ? `${path} line ${at + i}` : `${path} line ${at + news.length}, removed before it`, olds[i], news[i]),
  );
}
