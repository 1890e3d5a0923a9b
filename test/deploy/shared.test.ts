import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { loadClientConfigFromToml } from '@temporalio/envconfig';
import { runCli } from '../../src/cli/program.js';
import { utf8 } from '../../src/domain/bytes.js';
import { FakeTerminal } from '../cli/fake-terminal.js';
import { service } from '../cluster/compose.js';
import { ROOT } from '../docs/markdown.js';
import { deployFiles, deployText, variables } from './files.js';

const all = deployFiles().map((path) => [path, deployText(path)] as const);
/** Read by Temporal's own images. */
const OF_TEMPORAL = ['TEMPORAL_ALLOW_NO_AUTH', 'TEMPORAL_DISABLE_WRITE_ACTIONS'];

describe('deploy/', () => {
  test.each(all)('%s names only variables of the README, and holds no secret', (_path, text) => {
    const named = [...text.matchAll(/\b(?:KEYTURN|TEMPORAL)_[A-Z_]*[A-Z]\b/g)].map(([name]) => name);
    const known = [...variables().keys(), ...OF_TEMPORAL];
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
    expect(text).not.toMatch(/keyturn-ed25519-private:|BEGIN [A-Z ]*PRIVATE KEY|eyJ[A-Za-z0-9_-]{20}|:\/\/[^:@/\s%]+:[^@%\s]+@/);
  });

  test('temporal.toml: profiles as the library reads them, every key known to it, no key in it', () => {
    const { profiles } = loadClientConfigFromToml(utf8(deployText('temporal-cloud/temporal.toml')), { strict: true });
    expect(Object.keys(profiles)).toEqual(['cloud-api-key', 'cloud-mtls']);
    for (const profile of Object.values(profiles)) {
      expect(profile.address).toBe(`${profile.namespace ?? ''}.tmprl.cloud:7233`);
      expect(profile.apiKey).toBeUndefined();
    }
    expect(profiles['cloud-mtls']?.tls).toMatchObject({
      clientCert: { path: expect.any(String) },
      clientKey: { path: expect.any(String) },
    });
  });
});

describe('the image', () => {
  const dockerfile = deployText('Dockerfile');

  test('copies only what there is', () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths = '']) => paths.split(' '));
    expect(copied.length).toBeGreaterThan(8);
    expect(copied.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    const sent = deployText('Dockerfile.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    expect(copied.filter((path) => !sent.includes(path.split('/')[0] ?? ''))).toEqual([]);
  });

  test('one base of one version, no root, only what production needs', () => {
    const bases = new Set([...dockerfile.matchAll(/^FROM (\S+:\S+)/gm)].map(([, base]) => base));
    expect([...bases]).toEqual([expect.stringMatching(/^node:\d+\.\d+\.\d+-/)]);
    expect(dockerfile).toContain('npm ci --omit=dev');
    expect(dockerfile).toMatch(/^USER 1000:1000$/m);
    expect(dockerfile).not.toMatch(/^USER (?:root|0)/m);
  });

  const commands = [...dockerfile.matchAll(/^CMD (\[.*\])$/gm)].map(([, json = '']) => JSON.parse(json) as string[]);
  test.each([...commands, service('ledger-init').command ?? []].map((args) => [args.join(' '), args] as const))(
    '`keyturn %s` is a command with these options',
    async (_name, args) => {
      const terminal = new FakeTerminal();
      expect(await runCli([...args, '--help'], terminal, {})).toBe(0);
      for (const option of args.filter((each) => each.startsWith('--'))) expect(terminal.text).toContain(option);
    },
  );

  test('there is one command a part', () => {
    expect(commands.map(([part]) => part)).toEqual(['api', 'worker', 'executor']);
  });
});
