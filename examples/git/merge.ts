import {
  Failed,
  NotStarted,
  type ProbeAnswer,
  type ProbeContext,
  type RunContext,
  type UndoContext,
} from '../../src/executor/define-action.js';
import { fenceCommit, mergeCommit, mergedTree, revertCommit } from './commits.js';
import type { Mirror } from './mirror.js';
import { headRef, keyRef, reviewedSchema, type MergeParams, type Reviewed } from './names.js';
import { listed, repositoryOf } from './preview.js';
import type { Repositories } from './repositories.js';

export interface Merged {
  readonly commit: string;
  readonly branch: string;
}

/**
 * Merges exactly the two commits people saw. One atomic push moves the branch from where they saw it and uses the key up; so it happens once, or not at
 * all. Throws `NotStarted` or `Failed` where surely nothing moved.
 */
export async function runMerge(
  repositories: Repositories,
  params: MergeParams,
  { idempotencyKey, precondition }: RunContext,
): Promise<Merged> {
  const { mirror, reviewed, commit } = await prepared(repositories, params, idempotencyKey, precondition);
  const [branch, used] = [headRef(params.target), keyRef(idempotencyKey)];
  const pushed = await mirror.push([
    { ref: branch, from: reviewed.target, to: commit },
    { ref: used, from: null, to: commit },
  ]);
  const done = { commit, branch: params.target };
  if (pushed.ok) return done;
  // Nothing of this push happened; perhaps an earlier one with this key did.
  const heads = await mirror.heads([branch, used], 'write');
  if (heads.get(used) === commit) return done;
  if (heads.has(used)) throw new NotStarted('fenced');
  if (heads.get(branch) !== reviewed.target)
    throw new Failed(
      'target_moved',
      `${params.target} moved from ${reviewed.target} to ${heads.get(branch) ?? 'nowhere'} after it was looked at; propose anew`,
    );
  throw refusal(pushed.why);
}

/** A busy repository may be tried again; what its own rules refuse stays refused. */
const refusal = (why: string): NotStarted | Failed =>
  /cannot lock ref|failed to update ref|unable to (?:create|write)/i.test(why)
    ? new NotStarted('repository_busy', why)
    : new Failed('repository_refuses', why);

/** The merge commit, made here. Whatever goes wrong on the way, nothing was pushed. */
async function prepared(
  repositories: Repositories,
  params: MergeParams,
  key: string,
  precondition: unknown,
): Promise<{ readonly mirror: Mirror; readonly reviewed: Reviewed; readonly commit: string }> {
  try {
    const mirror = repositoryOf(repositories, params.repository);
    const reviewed = reviewedSchema.parse(precondition);
    await mirror.fetch([reviewed.source, reviewed.target], 'write');
    const merged = await mergedTree(mirror, reviewed.target, reviewed.source);
    if (!('tree' in merged) || merged.tree !== reviewed.tree)
      throw new Failed('tree_changed', 'merging the same commits no longer gives the tree people saw: another version of git?');
    return { mirror, reviewed, commit: await mergeCommit(mirror, params, reviewed, key) };
  } catch (error) {
    throw error instanceof Failed
      ? error
      : new NotStarted('repository_unavailable', error instanceof Error ? error.message : String(error));
  }
}

/** After a crash: did the merge with this key happen? If not, the key is used up here, so that a push still under way is refused. */
export async function probeMerge(
  repositories: Repositories,
  { idempotencyKey, precondition }: ProbeContext,
  params: MergeParams,
): Promise<ProbeAnswer> {
  const mirror = repositoryOf(repositories, params.repository);
  const reviewed = reviewedSchema.parse(precondition);
  const [branch, used] = [headRef(params.target), keyRef(idempotencyKey)];
  await mirror.fetch([reviewed.source, reviewed.target], 'write');
  // Known by its id, which follows from all that was agreed to: words in a commit anybody can write.
  const commit = await mergeCommit(mirror, params, reviewed, idempotencyKey);
  const done: ProbeAnswer = { outcome: 'done', result: { commit, branch: params.target } satisfies Merged };
  const heads = await mirror.heads([branch, used], 'write');
  if (heads.get(used) === commit || (await isIn(mirror, commit, heads.get(branch)))) return done;
  if (heads.has(used)) return { outcome: 'fenced' };
  const fence = await fenceCommit(mirror, idempotencyKey);
  const pushed = await mirror.push([{ ref: used, from: null, to: fence }]);
  if (pushed.ok) return { outcome: 'fenced' };
  const after = (await mirror.heads([used], 'write')).get(used);
  if (after === commit) return done;
  if (after === undefined) throw new Error(`the key cannot be used up: ${pushed.why}`);
  return { outcome: 'fenced' };
}

async function isIn(mirror: Mirror, commit: string, head: string | undefined): Promise<boolean> {
  if (head === undefined) return false;
  await mirror.fetch([head], 'write');
  return mirror.isAncestor(commit, head);
}

/**
 * Reverts the merge on the branch as it is now. Idempotent by its own key; a branch that moves meanwhile is tried again. Throws `Failed` where it
 * conflicts with what came since: then a person must.
 */
export async function undoMerge(
  repositories: Repositories,
  params: MergeParams,
  { undoes, idempotencyKey, precondition }: UndoContext,
): Promise<void> {
  const mirror = repositoryOf(repositories, params.repository);
  const reviewed = reviewedSchema.parse(precondition);
  const [branch, used] = [headRef(params.target), keyRef(idempotencyKey)];
  await mirror.fetch([reviewed.source, reviewed.target], 'write');
  const merge = await mergeCommit(mirror, params, reviewed, undoes);
  const revertOnto = (onto: string) => revertCommit(mirror, merge, reviewed.target, onto, idempotencyKey);
  const heads = await mirror.heads([branch, used], 'write');
  const earlier = heads.get(used);
  if (earlier !== undefined) return isThisRevert(mirror, earlier, revertOnto);
  const head = heads.get(branch);
  // Not there, or not there any more: nothing of it is left.
  if (head === undefined || !(await isIn(mirror, merge, head))) return;
  const revert = await revertOnto(head);
  if ('conflicts' in revert)
    throw new Failed(
      'revert_conflicts',
      `what came after the merge conflicts with its revert in ${listed(revert.conflicts)}; revert ${merge} by hand`,
    );
  if (revert.commit === undefined) return;
  const pushed = await mirror.push([
    { ref: branch, from: head, to: revert.commit },
    { ref: used, from: null, to: revert.commit },
  ]);
  if (pushed.ok) return;
  if ((await mirror.heads([branch], 'write')).get(branch) !== head) throw new Error(`${params.target} moved meanwhile`);
  throw refusal(pushed.why);
}

/** A key that is used up proves an earlier try only if it holds just the revert that try would have made: its id cannot be forged, its words could. */
async function isThisRevert(mirror: Mirror, found: string, revertOnto: (head: string) => ReturnType<typeof revertCommit>): Promise<void> {
  await mirror.fetch([found], 'write');
  const { exit, stdout } = await mirror.git(['rev-parse', '--quiet', '--verify', `${found}^1`], { exits: [0, 1, 128] });
  const revert = exit === 0 ? await revertOnto(stdout.toString('utf8').trim()) : { commit: undefined };
  if ('conflicts' in revert || revert.commit !== found)
    throw new Failed('key_taken', `somebody else wrote ${found} where this revert keeps its key`);
}
