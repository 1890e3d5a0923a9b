import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { requireGit } from '../../examples/git/git.js';
import { runMerge } from '../../examples/git/merge.js';
import { previewMerge } from '../../examples/git/preview.js';
import { openRepositories, readRepositories } from '../../examples/git/repositories.js';
import { actionIdOf } from '../../src/domain/ids.js';
import { failedTests, lintPolicy } from '../../src/domain/policy/lint.js';
import { parsePolicy } from '../../src/domain/policy/parse.js';
import { problemText } from '../../src/domain/problem.js';
import { parseRoster } from '../../src/domain/roster.js';
import { rosterText } from '../helpers/rules-fixture.js';
import { AGENT } from '../helpers/signers.js';
import { MERGE, Origin } from './git-origin.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'keyturn-git-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A program of this name, first on the path. */
function program(name: string, text: string): string {
  const bin = join(dir, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, name), text);
  chmodSync(join(bin, name), 0o755);
  return bin;
}
async function start(path: string): Promise<{ exit: number | null; said: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/git/executor.ts'], {
    env: { PATH: path, KEYTURN_DIR: dir },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
  const [exit] = (await once(child, 'close')) as [number | null];
  return { exit, said };
}

describe('the executor does not start', () => {
  test('with a git too old, or none; it says which is needed', async () => {
    const old = await start(program('git', '#!/bin/sh\necho git version 2.37.9\n'));
    expect(old).toMatchObject({
      exit: 1,
      said: expect.stringContaining('git 2.38 or newer is needed (git merge-tree --write-tree); here is git version 2.37.9'),
    });
    expect(await start('/nonexistent')).toMatchObject({ exit: 1, said: expect.stringContaining('and none was found') });
    await requireGit();
  });
  test('without repositories, or with one that is no plain address', () => {
    const file = join(dir, 'repositories.json');
    expect(() => readRepositories(file, dir)).toThrow('repositories.json');
    for (const url of [
      'ext::sh -c x',
      '-x',
      '--upload-pack=x',
      'file:///srv/x',
      '../x',
      'https://user:secret@host/x',
      'http://host/x',
      'git@host:x',
      'ssh://-oProxyCommand=x/y',
    ]) {
      writeFileSync(file, JSON.stringify({ infra: { url } }));
      expect(() => readRepositories(file, dir)).toThrow('infra');
    }
    for (const url of ['/srv/git/infra.git', 'https://git.example.com/infra.git', 'ssh://git@git.example.com:2222/infra.git']) {
      writeFileSync(file, JSON.stringify({ infra: { url, writeKey: '/etc/keyturn/infra.key' } }));
      expect([...readRepositories(file, dir).keys()]).toEqual(['infra']);
    }
    writeFileSync(file, JSON.stringify({ infra: { url: '/srv/git/infra.git', writeKey: '/a b' } }));
    expect(() => readRepositories(file, dir)).toThrow('infra');
  });
});

test('by ssh: previews with the key that reads, an approved merge with the key that writes', async () => {
  const origin = Origin.make();
  const path = process.env['PATH'];
  try {
    const log = join(dir, 'ssh.log');
    process.env['PATH'] = `${program('ssh', `#!/bin/sh\necho "$@" >> ${log}\nfor last; do :; done\nexec sh -c "$last"\n`)}:${path ?? ''}`;
    const settings = { url: `ssh://git@git.example.com${origin.url}`, readKey: '/keys/read', writeKey: '/keys/write' };
    const repositories = openRepositories({ infra: settings }, join(dir, 'copies'));
    origin.commit('feature', { 'a.txt': 'a\n' });
    const { precondition = null } = await previewMerge(repositories, MERGE, { policyData: {} });
    const seen = readFileSync(log, 'utf8');
    expect(seen).toContain('-i /keys/read');
    expect(seen).not.toContain('/keys/write');
    const actionId = actionIdOf('acme-test', 'ap-agent', 'by ssh');
    await runMerge(repositories, MERGE, { idempotencyKey: `${actionId}/merge/run/1`, actionId, precondition, credentials: undefined });
    expect(origin.merges()).toBe(1);
    const pushed = readFileSync(log, 'utf8').slice(seen.length);
    expect(pushed).toContain('-i /keys/write');
    expect(pushed).not.toContain('/keys/read');
    expect(pushed).toContain('git-receive-pack');
  } finally {
    process.env['PATH'] = path;
    origin.remove();
  }
});

test('examples/git/policy.yaml is valid, and passes its own tests', () => {
  const roster = parseRoster(
    rosterText({
      groups: { platform: ['ana', 'ben', 'cleo'] },
      runs: ['git.merge'],
      agents: [`ap-agent: { owner: dana, key: '${AGENT.key.text}', propose: [git.*] }`],
    }),
    'roster.yaml',
  );
  const policy = parsePolicy(readFileSync(join(import.meta.dirname, '../../examples/git/policy.yaml'), 'utf8'), 'policy.yaml');
  if (!roster.ok || !policy.ok) throw new Error(JSON.stringify({ roster, policy }));
  const problems = [lintPolicy, failedTests].flatMap((check) => check(policy.policy, roster.roster, 'policy.yaml', Date.now()));
  expect(problems.map(problemText)).toEqual([]);
});
