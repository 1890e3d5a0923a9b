import { expect, test } from '@jest/globals';
import { matchesGlob } from '../../examples/git/glob.js';
import { mergeParams } from '../../examples/git/names.js';
import { MERGE } from './git-origin.js';

test.each([
  '-x',
  '--upload-pack=x',
  'a..b',
  '../x',
  '/x',
  'x/',
  'a//b',
  'x.lock',
  'a/.b',
  'a b',
  'a:b',
  'refs/../x',
  'a\nb',
  'a^',
  'a~1',
  'a@{0}',
  '*',
  '',
  'x.',
  'é',
  'a/-b',
  '+x',
])('%j is no branch', (name) => {
  expect(mergeParams.safeParse({ ...MERGE, source: name }).success).toBe(false);
  expect(mergeParams.safeParse({ ...MERGE, target: name }).success).toBe(false);
});
test('parameters: a name of a repository, two branches that differ, and nothing else', () => {
  expect(mergeParams.safeParse({ ...MERGE, source: 'team/fix-1.2_b' }).success).toBe(true);
  for (const params of [
    { ...MERGE, repository: '/srv/git' },
    { ...MERGE, repository: '__proto__' },
    { ...MERGE, repository: 'ext::sh -c x' },
    { ...MERGE, source: 'main' },
    { ...MERGE, force: true },
  ])
    expect(mergeParams.safeParse(params).success).toBe(false);
});

test.each([
  ['infra/prod/**', 'infra/prod/a/b.tf', true],
  ['infra/prod/**', 'infra/prod', true],
  ['infra/prod/**', 'infra/production/a', false],
  ['infra/*/a.tf', 'infra/x/a.tf', true],
  ['infra/*/a.tf', 'infra/x/y/a.tf', false],
  ['**/Jenkinsfile', 'Jenkinsfile', true],
  ['**/Jenkinsfile', 'a/b/Jenkinsfile', true],
  ['*.t?', 'a.tf', true],
  ['*.t?', 'a.tff', false],
  ['a.b', 'axb', false],
  ['infra:a/**', 'a/b', true],
  ['other:a/**', 'a/b', false],
])('the pattern %s takes %s: %s', (pattern, path, expected) => expect(matchesGlob(pattern, 'infra', path)).toBe(expected));
test('a pattern of the worst kind ends soon', () => expect(matchesGlob(`${'*a'.repeat(150)}b`, 'infra', 'a'.repeat(1_000))).toBe(false));
