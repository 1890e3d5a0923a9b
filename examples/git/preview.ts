import { PreviewRefused, PreviewTooLarge, type PreviewContext, type PreviewDraft } from '../../src/executor/define-action.js';
import { mergedTree } from './commits.js';
import { changedLines, changesOf, linesOf, pairs, type Change } from './line-diff.js';
import type { Mirror } from './mirror.js';
import { headRef, type MergeParams, type Reviewed } from './names.js';
import type { Repositories } from './repositories.js';
import { readScopeData, touchesOf } from './scope.js';
import { changedPaths, contentsOf, MODES, type Changed, type Content, type Side } from './tree-diff.js';
import { warningsOf } from './warnings.js';

/** More than this nobody reads: it is refused, with the way out. */
export const LIMITS = { commits: 100, files: 200, changes: 900, bytes: 180_000 } as const;

export function repositoryOf(repositories: Repositories, name: string): Mirror {
  const mirror = repositories.get(name);
  if (mirror === undefined)
    throw new PreviewRefused(`This executor knows no repository "${name}". It knows: ${[...repositories.keys()].join(', ') || 'none'}.`);
  return mirror;
}

/** What a merge would change, with read rights only: the diff line by line, files, commits, and where it deploys to. */
export async function previewMerge(repositories: Repositories, params: MergeParams, { policyData }: PreviewContext): Promise<PreviewDraft> {
  const { repository, source, target } = params;
  const data = readScopeData(policyData);
  const mirror = repositoryOf(repositories, repository);
  const heads = await mirror.heads([headRef(source), headRef(target)]);
  const [from, onto] = [heads.get(headRef(source)), heads.get(headRef(target))];
  if (from === undefined || onto === undefined)
    throw new PreviewRefused(`${repository} has no branch ${from === undefined ? source : target}.`);
  await mirror.fetch([from, onto]);
  if (await mirror.isAncestor(from, onto)) throw new PreviewRefused(`Nothing to merge: ${target} has all of ${source} already.`);
  if ((await mirror.git(['merge-base', from, onto], { exits: [0, 1] })).exit === 1)
    throw new PreviewRefused(`${source} and ${target} have no history in common.`);
  const merged = await mergedTree(mirror, onto, from);
  if ('conflicts' in merged)
    throw new PreviewRefused(
      `${source} conflicts with ${target} in ${listed(merged.conflicts)}. Merge ${target} into ${source} first, then propose anew.`,
    );
  const paths = await changedPaths(mirror, `${onto}^{tree}`, merged.tree);
  if (paths.length === 0) throw new PreviewRefused(`Nothing to merge: ${source} would change no file of ${target}.`);

  const commits = await commitsOf(mirror, from, onto);
  tooMany(commits.length, LIMITS.commits, 'commits', params, paths);
  tooMany(paths.length, LIMITS.files, 'files', params, paths);
  const contents = await contentsOf(mirror, paths);
  const changes: Change[] = [
    { what: `branch ${target} of ${repository}`, from: onto, to: `a merge of ${source} at ${from}` },
    ...commits.flatMap(({ id, words }) => changesOf(`commit ${id}`, undefined, words)),
  ];
  for (const path of paths) {
    changes.push(...(await changesOfPath(mirror, path, contents)));
    tooMany(changes.length, LIMITS.changes, 'changed lines', params, paths);
  }
  tooMany(Buffer.byteLength(JSON.stringify(changes)), LIMITS.bytes, 'bytes of changes', params, paths);
  const precondition: Reviewed = { source: from, target: onto, tree: merged.tree };
  return {
    changes,
    touches: [
      `repository ${repository}`,
      `branch ${target}`,
      ...touchesOf(
        data,
        repository,
        paths.map(({ path }) => path),
      ),
    ],
    warnings: warningsOf(data, repository, paths, contents),
    precondition,
  };
}

/** At most 20 names in a sentence, and how many more there are. */
export function listed(names: readonly string[]): string {
  const more = names.length - 20;
  return names.slice(0, 20).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function tooMany(count: number, limit: number, what: string, { source, target }: MergeParams, paths: readonly Changed[]): void {
  if (count <= limit) return;
  const folders = new Map<string, number>();
  for (const { path } of paths) {
    const folder = path.includes('/') ? `${path.slice(0, path.indexOf('/'))}/` : 'the top folder';
    folders.set(folder, (folders.get(folder) ?? 0) + 1);
  }
  const by = [...folders].sort(([, a], [, b]) => b - a).map(([folder, files]) => `${folder} ${files}`);
  throw new PreviewTooLarge(
    `Merging ${source} into ${target} is more than ${limit} ${what}, the most that people are shown at once (files by folder: ${listed(by)}). ` +
      `Merge it in parts: put an earlier commit of ${source}, or the files of one folder, on a branch of its own and propose that first.`,
  );
}

async function commitsOf(mirror: Mirror, from: string, onto: string): Promise<{ readonly id: string; readonly words: string }[]> {
  const options = [`--max-count=${LIMITS.commits + 1}`, '-z', '--no-mailmap', '--no-notes', '--format=%H%x1f%an%x1f%ae%x1f%s'];
  const said = (await mirror.git(['log', ...options, from, `^${onto}`, '--'])).stdout.toString('utf8');
  return said
    .split('\0')
    .filter((each) => each !== '')
    .map((each) => {
      const [id = '', name = '', mail = '', ...subject] = each.split('\u001f');
      return { id, words: `${subject.join(' ')}, by ${name} <${mail}> as the commit says` };
    });
}

async function changesOfPath(mirror: Mirror, { path, before, after }: Changed, contents: ReadonlyMap<string, Content>): Promise<Change[]> {
  const head = { what: `file ${path}`, from: sideWords(before, contents), to: sideWords(after, contents) };
  const [old, now] = [textOf(before, contents), textOf(after, contents)];
  // A side that is no text says so in its own line, and a warning does.
  if (old === undefined || now === undefined || before?.oid === after?.oid) return [head];
  if (before !== null && after !== null) return [head, ...(await changedLines(mirror, path, before.oid, after.oid))];
  return [head, ...pairs(path, 1, linesOf(old), linesOf(now))];
}

/** Of a side that is not there, no text at all; undefined: it cannot be shown as text. */
function textOf(side: Side | null, contents: ReadonlyMap<string, Content>): string | undefined {
  if (side === null) return '';
  return side.mode === MODES.submodule ? undefined : contents.get(side.oid)?.text;
}

function sideWords(side: Side | null, contents: ReadonlyMap<string, Content>): string {
  if (side === null) return 'none';
  if (side.mode === MODES.submodule) return `submodule at ${side.oid}`;
  const kind =
    { [MODES.executable]: 'executable', [MODES.symlink]: 'symbolic link', [MODES.file]: 'file' }[side.mode] ?? `mode ${side.mode}`;
  const content = contents.get(side.oid);
  return `${kind}, ${content?.bytes ?? 0} bytes${content?.text === undefined ? ', binary' : ''}, ${side.oid}`;
}
