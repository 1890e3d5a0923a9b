import { PreviewRefused, PreviewTooLarge } from '../../src/executor/define-action.js';
import type { Mirror } from './mirror.js';

export const MODES = { file: '100644', executable: '100755', symlink: '120000', submodule: '160000' } as const;

/** One side of a changed path; null: it is not there. */
export interface Side {
  readonly mode: string;
  readonly oid: string;
}
export interface Changed {
  readonly path: string;
  readonly before: Side | null;
  readonly after: Side | null;
}

/** Every path that differs between two trees, without guessing renames: what goes and what comes are both named. */
export async function changedPaths(mirror: Mirror, before: string, after: string): Promise<Changed[]> {
  const options = ['-r', '-z', '--raw', '--no-abbrev', '--no-renames', '--no-ext-diff', '--no-textconv', '--ignore-submodules=none'];
  const { stdout } = await mirror.git(['diff-tree', ...options, before, after, '--']);
  const fields = splitAtZero(stdout);
  const changed: Changed[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const [, oldMode = '', newMode = '', oldId = '', newId = ''] =
      /^:(\d{6}) (\d{6}) ([0-9a-f]+) ([0-9a-f]+) [A-Z]$/.exec(fields[i]?.toString('latin1') ?? '') ?? [];
    if (oldMode === '') throw new Error('git diff-tree said something unknown');
    changed.push({ path: nameOf(fields[i + 1] ?? Buffer.alloc(0)), before: sideOf(oldMode, oldId), after: sideOf(newMode, newId) });
  }
  return changed;
}

const sideOf = (mode: string, oid: string): Side | null => (mode === '000000' ? null : { mode, oid });

function splitAtZero(bytes: Buffer): Buffer[] {
  const fields: Buffer[] = [];
  for (let from = 0, to = bytes.indexOf(0); to >= 0; from = to + 1, to = bytes.indexOf(0, from)) fields.push(bytes.subarray(from, to));
  return fields;
}

const MAX_NAME = 1_000;
/** Names are bytes to git; what people cannot be shown exactly, they cannot agree to. */
function nameOf(bytes: Buffer): string {
  const name = utf8(bytes);
  if (name === undefined)
    throw new PreviewRefused(`A file name is not UTF-8 and cannot be shown: ${JSON.stringify(bytes.toString('latin1'))}. Rename it.`);
  if (name.length > MAX_NAME)
    throw new PreviewRefused(
      `A file name has ${name.length} characters, more than people can be shown: ${name.slice(0, 100)}… Shorten it.`,
    );
  return name;
}

const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Undefined where the bytes are not exactly a text. */
export function utf8(bytes: Uint8Array): string | undefined {
  try {
    return DECODER.decode(bytes);
  } catch {
    return undefined;
  }
}

const MAX_TEXT_BYTES = 1_048_576;
const MAX_ALL_BYTES = 16 * MAX_TEXT_BYTES;
const HEAD_BYTES = 8_000;

/** A blob as people can be shown it: a text, or its size where it is none. */
export type Content = { readonly text: string; readonly bytes: number } | { readonly text: undefined; readonly bytes: number };

/** Reads blobs. Neither .gitattributes nor a file's name decides what is text, only its bytes. Throws `PreviewTooLarge`. */
export async function contentsOf(mirror: Mirror, changed: readonly Changed[]): Promise<ReadonlyMap<string, Content>> {
  const names = new Map<string, string>();
  for (const { path, before, after } of changed)
    for (const side of [before, after]) if (side !== null && side.mode !== MODES.submodule) names.set(side.oid, path);
  const sizes = await sizesOf(mirror, [...names.keys()]);
  const contents = new Map<string, Content>();
  const small: string[] = [];
  let all = 0;
  for (const [oid, bytes] of sizes) {
    if (bytes <= MAX_TEXT_BYTES) {
      all += bytes;
      small.push(oid);
      continue;
    }
    const { stdout } = await mirror.git(['cat-file', 'blob', oid], { maxBytes: HEAD_BYTES, head: true });
    if (!stdout.includes(0))
      throw new PreviewTooLarge(
        `${names.get(oid) ?? oid} is a text of ${bytes} bytes; people are shown at most ${MAX_TEXT_BYTES}. Split the file, or leave it out of this branch.`,
      );
    contents.set(oid, { text: undefined, bytes });
  }
  if (all > MAX_ALL_BYTES)
    throw new PreviewTooLarge(
      `The files changed hold more than ${MAX_ALL_BYTES} bytes. Merge some of them on a branch of their own first.`,
    );
  const { stdout } = await mirror.git(['cat-file', '--batch'], { input: linesOfIds(small) });
  let at = 0;
  for (const oid of small) {
    const bytes = sizes.get(oid) ?? 0;
    const from = stdout.indexOf(10, at) + 1;
    const content = stdout.subarray(from, from + bytes);
    if (stdout.subarray(at, from).toString('latin1') !== `${oid} blob ${bytes}\n`) throw new Error('git cat-file said something unknown');
    contents.set(oid, { text: content.includes(0) ? undefined : utf8(content), bytes });
    at = from + bytes + 1;
  }
  return contents;
}

async function sizesOf(mirror: Mirror, oids: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const { stdout } = await mirror.git(['cat-file', '--batch-check'], { input: linesOfIds(oids) });
  const lines = stdout.toString('latin1').trimEnd().split('\n');
  return new Map(
    oids.map((oid, i) => {
      const [, found, size] = /^([0-9a-f]+) blob (\d+)$/.exec(lines[i] ?? '') ?? [];
      if (found !== oid) throw new Error(`${oid} is not here`);
      return [oid, Number(size)];
    }),
  );
}
const linesOfIds = (oids: readonly string[]): string => oids.map((oid) => `${oid}\n`).join('');
