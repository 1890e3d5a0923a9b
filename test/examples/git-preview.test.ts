import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { previewMerge } from '../../examples/git/preview.js';
import type { Json, JsonObject } from '../../src/domain/json.js';
import { previewSchema } from '../../src/domain/objects/envelope.js';
import { PreviewRefused, PreviewTooLarge, type PreviewDraft } from '../../src/executor/define-action.js';
import { MERGE, Origin } from './git-origin.js';

const DATA = { 'git.merge': { environments: { production: ['infra/prod/**'], staging: ['infra:infra/staging/**', 'other:**'] } } };

let origin: Origin;
beforeEach(() => {
  origin = Origin.make();
});
afterEach(() => origin.remove());

async function preview(params: Parameters<typeof previewMerge>[1] = MERGE, policyData: JsonObject = DATA): Promise<Required<PreviewDraft>> {
  const {
    changes = [],
    touches = [],
    warnings = [],
    precondition = null,
  } = await previewMerge(origin.repositories, params, { policyData });
  // As the executor will take it.
  previewSchema.parse({ changes, touches, warnings, precondition, undo: [{ step: 'merge', plan: { undo: 'automatic' } }] });
  return { changes, touches, warnings, precondition };
}
const linesOf = async (): Promise<unknown[]> => (await preview()).changes.filter(({ what }) => / line \d+/.test(what));
const refusal = (): Promise<Error> =>
  preview().then(
    () => new Error('not refused'),
    (error: Error) => error,
  );

describe('what people are shown', () => {
  test('every changed line, every file and commit, and both heads', async () => {
    const source = origin.commit('feature', {
      'README.md': 'one\n2\nthree\nfour\n',
      'infra/prod/new.tf': 'a = 1\nb = 2',
      'infra/staging/main.tf': null,
    });
    const { changes, touches, warnings, precondition } = await preview();
    expect(changes).toEqual([
      { what: 'branch main of infra', from: origin.head(), to: `a merge of feature at ${source}` },
      { what: `commit ${source}`, to: 'a change, by Dev <dev@example.com> as the commit says' },
      { what: 'file README.md', from: expect.stringMatching(/^file, 14 bytes, /), to: expect.stringMatching(/^file, 17 bytes, /) },
      { what: 'README.md line 2', from: 'two', to: '2' },
      { what: 'README.md line 4', to: 'four' },
      { what: 'file infra/prod/new.tf', from: 'none', to: expect.stringMatching(/^file, 11 bytes, /) },
      { what: 'infra/prod/new.tf line 1', to: 'a = 1' },
      { what: 'infra/prod/new.tf line 2', to: 'b = 2 (no line break at the end of the file)' },
      { what: 'file infra/staging/main.tf', from: expect.stringMatching(/^file, /), to: 'none' },
      { what: 'infra/staging/main.tf line 1, removed before it', from: 'size = 1' },
    ]);
    expect(touches).toEqual(['repository infra', 'branch main', 'environment production', 'environment staging', 'unassigned paths']);
    expect(warnings).toEqual([]);
    expect(precondition).toEqual({ source, target: origin.head(), tree: expect.stringMatching(/^[0-9a-f]{40}$/) });
  });

  test('the result against the branch as it is, not against where both parted', async () => {
    origin.commit('feature', { 'a.txt': 'a\n', 'README.md': 'one\ntwo\nthree\nfour\n' });
    origin.commit('main', { 'a.txt': 'a\n' });
    expect(await linesOf()).toEqual([{ what: 'README.md line 4', to: 'four' }]);
  });

  test('each head moving changes the precondition', async () => {
    origin.commit('feature', { 'a.txt': 'a\n' });
    const first = (await preview()).precondition;
    origin.commit('feature', { 'a.txt': 'b\n' });
    const second = (await preview()).precondition;
    origin.commit('main', { 'b.txt': 'b\n' });
    const third = (await preview()).precondition;
    expect(new Set([first, second, third].map((each) => JSON.stringify(each))).size).toBe(3);
  });

  test('a long line is shown in parts, none of it left out', async () => {
    const line = '😀'.repeat(4_000);
    origin.commit('feature', { 'a.txt': `${line}\n` });
    const parts = (await preview()).changes.filter(({ what }) => what.startsWith('a.txt line 1'));
    expect(parts.map(({ what }) => what)).toEqual(['a.txt line 1, part 1 of 3', 'a.txt line 1, part 2 of 3', 'a.txt line 1, part 3 of 3']);
    expect(parts.map(({ to }) => to).join('')).toBe(line);
  });

  test('lines that look like the marks of a diff are lines', async () => {
    origin.commit('main', { 'a.txt': '-- a\n@@ -1 +1 @@\n\\ No newline\n' });
    origin.git('branch', '-q', 'feature', 'main');
    origin.commit('feature', { 'a.txt': '++ b\n@@ -9 +9 @@\n\\ No newline\ndiff --git a b\n' });
    expect(await linesOf()).toEqual([
      { what: 'a.txt line 1', from: '-- a', to: '++ b' },
      { what: 'a.txt line 2', from: '@@ -1 +1 @@', to: '@@ -9 +9 @@' },
      { what: 'a.txt line 4', to: 'diff --git a b' },
    ]);
  });
});

describe('what deserves a second look', () => {
  test('binary files, submodules, links, what may be run, pipelines, odd names', async () => {
    const some = origin.head();
    origin.commit('feature', {
      'logo.png': Uint8Array.of(1, 0, 2),
      'latin.txt': Uint8Array.of(0xe9, 10),
      'vendor/lib': { submodule: some },
      'infra/prod/link': { link: '../../README.md' },
      'go.sh': { run: 'echo\n' },
      '.github/workflows/ci.yml': 'on: push\n',
      '.gitattributes': '*.tf -diff\n',
      'a\nb\u202e.txt': 'x\n',
    });
    const { warnings, changes, touches } = await preview();
    expect(warnings).toEqual([
      'pipelines: .gitattributes, .github/workflows/ci.yml',
      'binary: latin.txt, logo.png',
      'submodules: vendor/lib',
      'symbolic links: infra/prod/link',
      'executable: go.sh',
      'odd names: a\nb\u202e.txt',
    ]);
    const what = (name: string) => changes.find((each) => each.what === name);
    expect(what('file logo.png')?.to).toMatch(/^file, 3 bytes, binary, [0-9a-f]{40}$/);
    expect(what('file vendor/lib')).toMatchObject({ from: 'none', to: `submodule at ${some}` });
    expect(what('infra/prod/link line 1')?.to).toBe('../../README.md (no line break at the end of the file)');
    expect(touches).toContain('environment production');
  });

  test('a mode alone is a change', async () => {
    origin.commit('main', { 'go.sh': 'echo\n' });
    origin.commit('feature', { 'go.sh': { run: 'echo\n' } });
    const { changes, warnings } = await preview();
    expect(changes.at(-1)).toMatchObject({
      what: 'file go.sh',
      from: expect.stringMatching(/^file, /),
      to: expect.stringMatching(/^executable, /),
    });
    expect(warnings).toEqual(['executable: go.sh']);
    origin.pull();
    origin.git('checkout', '-q', '-b', 'back', 'feature');
    origin.git('push', '-q', 'origin', 'feature:main');
    origin.commit('back', { 'go.sh': 'echo\n' });
    expect((await preview({ ...MERGE, source: 'back' })).warnings).toEqual(['no longer executable: go.sh']);
  });

  test('attributes of the branch hide nothing, and no driver it names is run', async () => {
    const trap = join(origin.dir, 'trapped');
    origin.commit('main', { '.gitattributes': '* -diff -text merge=trap diff=trap filter=trap\n', 'a.txt': 'a\n' });
    origin.git('branch', '-q', 'feature', 'main');
    origin.commit('feature', {
      'a.txt': 'b\n',
      '.gitconfig': `[diff "trap"]\n\tcommand = touch ${trap}\n\ttextconv = touch ${trap}\n[merge "trap"]\n\tdriver = touch ${trap}\n`,
      'hooks/pre-push': { run: `#!/bin/sh\ntouch ${trap}\n` },
      config: `[core]\n\tfsmonitor = touch ${trap}\n`,
    });
    const before = { ...process.env };
    Object.assign(process.env, {
      GIT_EXTERNAL_DIFF: `touch ${trap}`,
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'diff.trap.textconv',
      GIT_CONFIG_VALUE_0: `touch ${trap}`,
      GIT_SSH_COMMAND: `touch ${trap}`,
    });
    try {
      expect((await preview()).changes).toContainEqual({ what: 'a.txt line 1', from: 'a', to: 'b' });
    } finally {
      for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    }
    expect(existsSync(trap)).toBe(false);
  });
});

describe('what is refused, in plain words', () => {
  test('nothing to merge, no such branch, no common history, a conflict', async () => {
    expect(await refusal()).toEqual(new PreviewRefused('infra has no branch feature.'));
    origin.git('push', '-q', 'origin', 'main:feature');
    expect(await refusal()).toEqual(new PreviewRefused('Nothing to merge: main has all of feature already.'));
    origin.git('push', '-q', 'origin', ':feature');
    origin.commit('feature', { 'README.md': 'mine\n' });
    origin.commit('main', { 'README.md': 'yours\n' });
    expect(await refusal()).toEqual(
      new PreviewRefused('feature conflicts with main in README.md. Merge main into feature first, then propose anew.'),
    );
    const alone = origin.git('commit-tree', '-m', 'alone', 'main^{tree}');
    origin.git('push', '-q', 'origin', `${alone}:refs/heads/alone`);
    await expect(preview({ ...MERGE, source: 'alone' })).rejects.toThrow('no history in common');
    await expect(preview({ ...MERGE, repository: 'other' })).rejects.toThrow('This executor knows no repository "other". It knows: infra.');
    origin.commit('empty', {});
    await expect(preview({ ...MERGE, source: 'empty' })).rejects.toThrow('would change no file');
  });

  test('too much for people: how to split it', async () => {
    origin.commit('feature', { 'web/a.txt': 'x\n'.repeat(600), 'infra/b.txt': 'x\n'.repeat(600) });
    const error = await refusal();
    expect(error).toBeInstanceOf(PreviewTooLarge);
    expect(error.message).toContain('more than 900 changed lines');
    expect(error.message).toContain('infra/ 1, web/ 1');
    expect(error.message).toContain('Merge it in parts');
  });
  test.each([
    ['many files', Object.fromEntries(Array.from({ length: 201 }, (_, i) => [`f/${i}`, ''])), 'more than 200 files'],
    ['a huge text', { 'a.txt': 'line\n'.repeat(300_000) }, 'a.txt is a text of 1500000 bytes'],
    ['many bytes', Object.fromEntries(Array.from({ length: 80 }, (_, i) => [`${i}`, 'x'.repeat(2_900)])), 'more than 180000 bytes'],
  ])('%s', async (_name, files, why) => {
    origin.commit('feature', files);
    const error = await refusal();
    expect(error).toBeInstanceOf(PreviewTooLarge);
    expect(error.message).toContain(why);
  });
  test('many commits', async () => {
    origin.git('checkout', '-q', '-b', 'feature', 'main');
    for (let i = 0; i < 101; i++) origin.git('commit', '-q', '--allow-empty', '-m', `${i}`);
    origin.commit('feature', { a: 'a\n' });
    expect((await refusal()).message).toContain('more than 100 commits');
  });
  test('a huge binary is shown as one; a text stays a text however large it is', async () => {
    const bytes = new Uint8Array(2_000_000).fill(65);
    bytes[100] = 0;
    origin.commit('feature', { 'a.bin': bytes });
    expect((await preview()).warnings).toEqual(['binary: a.bin']);
    bytes[100] = 65;
    bytes[9_000] = 0;
    origin.commit('feature', { 'a.bin': bytes });
    expect(await refusal()).toBeInstanceOf(PreviewTooLarge);
  });
  test('a file name that is no text', async () => {
    origin.git('checkout', '-q', '-b', 'feature', 'main');
    const blob = origin.git('hash-object', '-w', 'README.md');
    const tree = origin.git('ls-tree', 'HEAD');
    expect(tree).toContain('README.md');
    const { execFileSync } = await import('node:child_process');
    const made = execFileSync('git', ['mktree'], {
      cwd: join(origin.dir, 'work'),
      input: Buffer.concat([Buffer.from(`100644 blob ${blob}\tbad`), Buffer.of(0xff), Buffer.from('\n')]),
      encoding: 'utf8',
    }).trim();
    const commit = origin.git('commit-tree', '-p', 'main', '-m', 'x', made);
    origin.git('push', '-q', 'origin', `${commit}:refs/heads/feature`);
    expect((await refusal()).message).toContain('A file name is not UTF-8');
  });
  test('data of the policy that are not what they should be make no preview', async () => {
    origin.commit('feature', { a: 'a\n' });
    for (const data of [{ environment: {} }, { environments: { production: 'infra/**' } }, []] as readonly Json[])
      await expect(preview(MERGE, { 'git.merge': data })).rejects.toThrow('policy.yaml, data: git.merge');
    expect((await preview(MERGE, {})).touches).toEqual(['repository infra', 'branch main', 'unassigned paths']);
  });
});
