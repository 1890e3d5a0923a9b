import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { probeMerge, runMerge, undoMerge } from '../../examples/git/merge.js';
import { previewMerge } from '../../examples/git/preview.js';
import type { Repositories } from '../../examples/git/repositories.js';
import type { Json } from '../../src/domain/json.js';
import { actionIdOf } from '../../src/domain/ids.js';
import { MERGE, Origin } from './git-origin.js';

const ID = actionIdOf('acme-test', 'ap-agent', 'a merge');
const contextOf = (precondition: Json, attempt = 1) => ({
  idempotencyKey: `${ID}/merge/run/${attempt}`,
  actionId: ID,
  precondition,
  credentials: undefined,
});
const undoOf = (precondition: Json, attempt = 1) => ({
  ...contextOf(precondition),
  undoes: `${ID}/merge/run/${attempt}`,
  idempotencyKey: `${ID}/merge/undo`,
});
const code = (code: string, name = 'Failed') => expect.objectContaining({ name, code });

let origin: Origin;
beforeEach(() => {
  origin = Origin.make();
});
afterEach(() => origin.remove());

/** The branch with a change, as people saw it. */
async function reviewed(repositories: Repositories = origin.repositories): Promise<Json> {
  origin.commit('feature', { 'infra/prod/main.tf': 'size = 2\n' });
  return (await previewMerge(repositories, MERGE, { policyData: {} })).precondition ?? null;
}

describe('run', () => {
  test('one merge commit of exactly the two heads, on the branch and under its key; again with the same key, the same', async () => {
    const seen = await reviewed();
    const done = await runMerge(origin.repositories, MERGE, contextOf(seen));
    expect(origin.head()).toBe(done.commit);
    expect(origin.at('rev-parse', `refs/keyturn/${ID}/merge/run/1`)).toBe(done.commit);
    const { source, target, tree } = seen as { source: string; target: string; tree: string };
    expect(origin.at('log', '-1', '--format=%P %T %an', 'main')).toBe(`${target} ${source} ${tree} Keyturn`);
    expect(origin.at('log', '-1', '--format=%(trailers:key=Keyturn-Key,valueonly)', 'main')).toBe(`${ID}/merge/run/1`);
    expect(origin.file('infra/prod/main.tf')).toBe('size = 2');
    expect(await runMerge(origin.repositories, MERGE, contextOf(seen))).toEqual(done);
    // Another executor, with a copy of its own, at another time.
    expect(await runMerge(origin.mirrors('second'), MERGE, contextOf(seen))).toEqual(done);
    expect(origin.merges()).toBe(1);
  });

  test('attack 34: what the agent pushes after the agreement is not merged', async () => {
    const seen = await reviewed();
    origin.commit('feature', { 'infra/prod/main.tf': 'size = 999\n' });
    await runMerge(origin.repositories, MERGE, contextOf(seen));
    expect(origin.file('infra/prod/main.tf')).toBe('size = 2');
  });

  test('attack 34: a target that moved after the last look: failed, and nothing moved', async () => {
    const seen = await reviewed();
    const head = origin.commit('main', { 'other.txt': 'x\n' });
    await expect(runMerge(origin.repositories, MERGE, contextOf(seen))).rejects.toEqual(code('target_moved'));
    expect(origin.head()).toBe(head);
    expect(origin.at('for-each-ref', 'refs/keyturn')).toBe('');
  });

  test('two executors with two keys of one action: one merge', async () => {
    const seen = await reviewed();
    const ends = await Promise.allSettled([
      runMerge(origin.repositories, MERGE, contextOf(seen, 1)),
      runMerge(origin.mirrors('second'), MERGE, contextOf(seen, 2)),
    ]);
    expect(ends.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1);
    expect(origin.merges()).toBeLessThanOrEqual(1);
    expect(origin.at('for-each-ref', 'refs/keyturn').split('\n').filter(Boolean)).toHaveLength(origin.merges());
  });

  test('what the repository itself refuses is a failure with its words; one that is away was surely not started', async () => {
    const seen = await reviewed();
    const hook = join(origin.url, 'hooks', 'pre-receive');
    writeFileSync(hook, '#!/bin/sh\necho no >&2\nexit 1\n');
    chmodSync(hook, 0o755);
    const head = origin.head();
    await expect(runMerge(origin.repositories, MERGE, contextOf(seen))).rejects.toEqual(code('repository_refuses'));
    expect(origin.head()).toBe(head);
    await expect(runMerge(new Map(), MERGE, contextOf(seen))).rejects.toEqual(code('repository_unavailable', 'NotStarted'));
    await expect(runMerge(origin.repositories, MERGE, contextOf(null))).rejects.toEqual(code('repository_unavailable', 'NotStarted'));
    const other = { ...(seen as object), tree: origin.at('rev-parse', 'main^{tree}') };
    await expect(runMerge(origin.repositories, MERGE, contextOf(other))).rejects.toEqual(code('tree_changed'));
    expect(origin.head()).toBe(head);
  });

  test('a key that could name another ref is none', async () => {
    const seen = await reviewed();
    for (const idempotencyKey of ['', '../heads/main', `${ID}/merge/run/1/../../x`, `${ID}/merge/run/1:refs/heads/main`])
      await expect(runMerge(origin.repositories, MERGE, { ...contextOf(seen), idempotencyKey })).rejects.toThrow();
    expect(origin.merges()).toBe(0);
  });
});

describe('probe', () => {
  test('done, even where the branch went on, or its key was cleaned away', async () => {
    const seen = await reviewed();
    const done = await runMerge(origin.repositories, MERGE, contextOf(seen));
    origin.pull();
    origin.commit('main', { 'later.txt': 'x\n' });
    const probe = () => probeMerge(origin.mirrors('second'), contextOf(seen), MERGE);
    expect(await probe()).toEqual({ outcome: 'done', result: done });
    origin.at('update-ref', '-d', `refs/keyturn/${ID}/merge/run/1`);
    expect(await probe()).toEqual({ outcome: 'done', result: done });
    expect(origin.at('for-each-ref', 'refs/keyturn')).toBe('');
  });

  test('fenced: what did not happen can never happen any more with that key, but with the next', async () => {
    const seen = await reviewed();
    const head = origin.head();
    for (let i = 0; i < 2; i++) expect(await probeMerge(origin.repositories, contextOf(seen), MERGE)).toEqual({ outcome: 'fenced' });
    await expect(runMerge(origin.mirrors('late'), MERGE, contextOf(seen))).rejects.toEqual(code('fenced', 'NotStarted'));
    expect(origin.head()).toBe(head);
    expect((await runMerge(origin.repositories, MERGE, contextOf(seen, 2))).commit).toBe(origin.head());
  });

  test('a run and a probe at once: done or fenced, and the branch says the same', async () => {
    const seen = await reviewed();
    const [ran, probed] = await Promise.allSettled([
      runMerge(origin.repositories, MERGE, contextOf(seen)),
      probeMerge(origin.mirrors('second'), contextOf(seen), MERGE),
    ]);
    const again = await probeMerge(origin.repositories, contextOf(seen), MERGE);
    expect(origin.merges()).toBe(again.outcome === 'done' ? 1 : 0);
    if (ran.status === 'fulfilled') expect(again.outcome).toBe('done');
    if (probed.status === 'fulfilled') expect(probed.value.outcome).toBe(again.outcome);
  });

  test("a commit of the agent's own that bears the key's words is not the merge", async () => {
    origin.commit('feature', { 'infra/prod/main.tf': 'size = 2\n' }, `Merge feature into main\n\nKeyturn-Key: ${ID}/merge/run/1`);
    const seen = (await previewMerge(origin.repositories, MERGE, { policyData: {} })).precondition ?? null;
    origin.git('push', '-q', 'origin', 'feature:main');
    expect(await probeMerge(origin.repositories, contextOf(seen), MERGE)).toEqual({ outcome: 'fenced' });
  });
});

describe('undo', () => {
  test('a revert on the branch as it is now; again, nothing more', async () => {
    const seen = await reviewed();
    await runMerge(origin.repositories, MERGE, contextOf(seen));
    origin.pull();
    origin.commit('main', { 'later.txt': 'x\n' });
    for (const repositories of [origin.repositories, origin.mirrors('second')]) await undoMerge(repositories, MERGE, undoOf(seen));
    expect(origin.file('infra/prod/main.tf')).toBe('size = 1');
    expect(origin.file('later.txt')).toBe('x');
    expect(origin.at('log', '--format=%s', '-2', 'main').split('\n')).toEqual([expect.stringMatching(/^Revert the merge /), 'a change']);
    expect(origin.at('rev-parse', `refs/keyturn/${ID}/merge/undo`)).toBe(origin.head());
  });

  test('what came since is in its way: a person must', async () => {
    const seen = await reviewed();
    await runMerge(origin.repositories, MERGE, contextOf(seen));
    origin.pull();
    const head = origin.commit('main', { 'infra/prod/main.tf': 'size = 3\n' });
    await expect(undoMerge(origin.repositories, MERGE, undoOf(seen))).rejects.toEqual(code('revert_conflicts'));
    expect(origin.head()).toBe(head);
  });

  test('reverted by hand already, or the merge is gone: nothing to do', async () => {
    const seen = await reviewed();
    const before = origin.head();
    await runMerge(origin.repositories, MERGE, contextOf(seen));
    origin.pull();
    const head = origin.commit('main', { 'infra/prod/main.tf': 'size = 1\n' });
    await undoMerge(origin.repositories, MERGE, undoOf(seen));
    expect(origin.head()).toBe(head);
    origin.at('update-ref', 'refs/heads/main', before);
    await undoMerge(origin.repositories, MERGE, undoOf(seen));
    expect(origin.head()).toBe(before);
  });

  test("somebody else's commit under the undo's key is not believed", async () => {
    const seen = await reviewed();
    const { commit } = await runMerge(origin.repositories, MERGE, contextOf(seen));
    origin.at('update-ref', `refs/keyturn/${ID}/merge/undo`, commit);
    await expect(undoMerge(origin.repositories, MERGE, undoOf(seen))).rejects.toEqual(code('key_taken'));
    expect(origin.head()).toBe(commit);
  });

  test('hooks of the copy are never run', async () => {
    const seen = await reviewed();
    const trap = join(origin.dir, 'trapped');
    for (const name of ['pre-push', 'reference-transaction', 'post-merge']) {
      const hook = join(origin.dir, 'executor', 'infra.git', 'hooks', name);
      const { mkdirSync } = await import('node:fs');
      mkdirSync(join(hook, '..'), { recursive: true });
      writeFileSync(hook, `#!/bin/sh\ntouch ${trap}\n`);
      chmodSync(hook, 0o755);
    }
    await runMerge(origin.repositories, MERGE, contextOf(seen));
    expect(existsSync(trap)).toBe(false);
  });
});
