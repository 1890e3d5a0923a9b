import type { Mirror } from './mirror.js';
import { oidSchema, type MergeParams, type Reviewed } from './names.js';

/** A merge of two commits in the object store alone: nothing is checked out, so nothing that was pushed takes effect here. */
export async function mergedTree(
  mirror: Mirror,
  ours: string,
  theirs: string,
): Promise<{ readonly tree: string } | { readonly conflicts: readonly string[] }> {
  const { exit, stdout } = await mirror.git(['merge-tree', '--write-tree', '-z', '--name-only', '--no-messages', ours, theirs], {
    exits: [0, 1],
  });
  const [tree = '', ...names] = stdout.toString('utf8').split('\0');
  return exit === 0 ? { tree: oidSchema.parse(tree.trim()) } : { conflicts: [...new Set(names.filter((name) => name !== ''))] };
}

interface Commit {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly message: string;
}

/** Makes a commit whose id follows from what is given alone: the same again, whenever and wherever it is asked for. */
export async function commitOf(mirror: Mirror, { tree, parents, message }: Commit): Promise<string> {
  const at = `@${await newestDate(mirror, parents)} +0000`;
  const who = { NAME: 'Keyturn', EMAIL: 'keyturn@localhost', DATE: at };
  const env = Object.fromEntries(
    Object.entries(who).flatMap(([k, v]) => [
      [`GIT_AUTHOR_${k}`, v],
      [`GIT_COMMITTER_${k}`, v],
    ]),
  );
  return oidSchema.parse(
    await mirror.line(['commit-tree', ...parents.flatMap((each) => ['-p', each]), '-F', '-', tree], { env, input: message }),
  );
}

const LAST_DATE = Date.UTC(2100, 0) / 1_000;
/** Dates of commits are whatever their authors wrote: kept to what git takes. */
async function newestDate(mirror: Mirror, commits: readonly string[]): Promise<number> {
  if (commits.length === 0) return 0;
  const dates = (await mirror.line(['log', '--no-walk', '--no-mailmap', '--format=%ct', ...commits, '--'])).split('\n').map(Number);
  return Math.min(Math.max(0, ...dates.filter(Number.isSafeInteger)), LAST_DATE);
}

/** The merge people agreed to, for one idempotency key: of exactly these heads, with exactly this tree. */
export const mergeCommit = (
  mirror: Mirror,
  { repository, source, target }: MergeParams,
  { tree, ...heads }: Reviewed,
  key: string,
): Promise<string> =>
  commitOf(mirror, {
    tree,
    parents: [heads.target, heads.source],
    message: `Merge ${source} into ${target}\n\nKeyturn-Repository: ${repository}\nKeyturn-Key: ${key}\n`,
  });

/** Takes the place of a run that did not happen: while its ref holds this, that run can never take effect. */
export async function fenceCommit(mirror: Mirror, key: string): Promise<string> {
  const tree = oidSchema.parse(await mirror.line(['mktree'], { input: '' }));
  return commitOf(mirror, { tree, parents: [], message: `Fence\n\nKeyturn-Key: ${key}\n` });
}

/**
 * `git revert -m 1` of a merge onto `head`: a merge of what was there before the merge, with the merge itself as the common ancestor. Undefined: `head`
 * has nothing of it left.
 */
export async function revertCommit(
  mirror: Mirror,
  merge: string,
  before: string,
  head: string,
  key: string,
): Promise<{ readonly commit: string | undefined } | { readonly conflicts: readonly string[] }> {
  const message = `Before ${merge}\n`;
  const back = await commitOf(mirror, { tree: `${before}^{tree}`, parents: [merge], message });
  const merged = await mergedTree(mirror, head, back);
  if ('conflicts' in merged) return merged;
  if (merged.tree === (await mirror.line(['rev-parse', '--verify', `${head}^{tree}`]))) return { commit: undefined };
  const commit = await commitOf(mirror, {
    tree: merged.tree,
    parents: [head],
    message: `Revert the merge ${merge}\n\nThis reverts it to its first parent ${before}.\n\nKeyturn-Key: ${key}\n`,
  });
  return { commit };
}
