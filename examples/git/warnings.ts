import { matchesGlob } from './glob.js';
import type { ScopeData } from './scope.js';
import { MODES, type Changed, type Content, type Side } from './tree-diff.js';

const MAX_WORDS = 3_000;

/** What deserves a second look, one warning a kind, so that a rule can ask `w.startsWith('binary: ')`. All the paths stand in the changes as well. */
export function warningsOf(
  { pipelines }: ScopeData,
  repository: string,
  paths: readonly Changed[],
  contents: ReadonlyMap<string, Content>,
): string[] {
  const is = (side: Side | null, mode: string): boolean => side?.mode === mode;
  const binary = (side: Side | null): boolean => side !== null && !is(side, MODES.submodule) && contents.get(side.oid)?.text === undefined;
  const either =
    (test: (side: Side | null) => boolean) =>
    (each: Changed): boolean =>
      test(each.before) || test(each.after);
  const kinds: readonly (readonly [string, (each: Changed) => boolean])[] = [
    ['pipelines', ({ path }) => pipelines.some((pattern) => matchesGlob(pattern, repository, path))],
    ['binary', either(binary)],
    ['submodules', either((side) => is(side, MODES.submodule))],
    ['symbolic links', either((side) => is(side, MODES.symlink))],
    ['executable', ({ before, after }) => is(after, MODES.executable) && !is(before, MODES.executable)],
    ['no longer executable', ({ before, after }) => is(before, MODES.executable) && after !== null && !is(after, MODES.executable)],
    ['odd names', ({ path }) => /\p{C}/u.test(path)],
  ];
  return kinds.flatMap(([kind, test]) => {
    const found = paths.filter(test).map(({ path }) => path);
    return found.length === 0 ? [] : [`${kind}: ${namesOf(found)}`];
  });
}

/** As many names as fit, and how many more stand in the changes. */
function namesOf(paths: readonly string[]): string {
  let words = '';
  for (const [i, path] of paths.entries()) {
    if (words.length + path.length > MAX_WORDS) return `${words}${i === 0 ? '' : ' '}and ${paths.length - i} more, see the changes`;
    words += `${i === 0 ? '' : ', '}${path}`;
  }
  return words;
}
