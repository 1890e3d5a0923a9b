import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyturnSpec } from '../../src/cli/init/package.js';
import { runCli } from '../../src/cli/program.js';
import { readDotEnv, settingsFrom } from '../../src/client/settings.js';
import { openLedger } from '../../src/executor/ledger/ledger.js';
import { openSqlite } from '../../src/executor/ledger/sqlite.js';
import { readKeyFile } from '../../src/files/key-files.js';
import { readPolicy, readRoster } from '../../src/files/rules.js';
import { holderOf } from '../../src/domain/roster.js';
import { FakeTerminal } from './fake-terminal.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'keyturn-init-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const init = async (...args: string[]) => {
  const terminal = new FakeTerminal();
  return { exit: await runCli(['--dir', dir, 'init', ...args], terminal, {}), terminal };
};
const FILES = ['executor.ts', 'agent.ts', 'policy.yaml', 'roster.yaml'];
const text = (file: string): Promise<string> => readFile(join(dir, 'my-gate', file), 'utf8');

describe('init', () => {
  test('writes four short files that are valid, everybody’s own key, a ledger, and what to type next', async () => {
    const { exit, terminal } = await init('my-gate', '--no-install');
    expect(exit).toBe(0);
    expect(terminal.text).toContain('npx keyturn dev -- npx tsx executor.ts');
    for (const file of FILES) expect((await text(file)).trimEnd().split('\n').length).toBeLessThanOrEqual(25);

    const gate = join(dir, 'my-gate');
    const roster = await readRoster(join(gate, 'roster.yaml'));
    await readPolicy(join(gate, 'policy.yaml'), roster, Date.now());
    expect(roster).toMatchObject({ deployment: 'my-gate-dev', development: true });
    expect(roster.executors.get('bank')?.door).toMatch(/^http:\/\/127\.0\.0\.1:[0-9]+$/);
    const holders = await Promise.all(
      ['ana', 'ben', 'cleo', 'dana', 'agent-ap-agent', 'api', 'executor-bank'].map(async (name) => {
        const path = join(gate, '.keyturn', 'keys', `${name}.key`);
        expect((await stat(path)).mode & 0o077).toBe(0);
        return holderOf(roster, (await readKeyFile(path)).key.id)?.kind;
      }),
    );
    expect(holders).toEqual(['person', 'person', 'person', 'person', 'agent', 'api', 'executor']);

    const ledger = await openLedger(
      openSqlite(join(gate, '.keyturn', 'ledger.db'), { create: false }),
      'my-gate-dev',
      await readKeyFile(join(gate, '.keyturn', 'keys', 'executor-bank.key')),
    );
    expect(ledger.identity).toMatchObject({ deployment: 'my-gate-dev', epoch: 1 });
    await ledger.close();
  });

  test('.env is what the client reads, with the very key the roster lists, for its owner alone', async () => {
    await init('my-gate', '--no-install');
    const path = join(dir, 'my-gate', '.env');
    expect((await stat(path)).mode & 0o077).toBe(0);
    const settings = settingsFrom({}, readDotEnv(path));
    expect(settings).toMatchObject({
      url: 'http://127.0.0.1:7878',
      deployment: 'my-gate-dev',
      agent: 'ap-agent',
      credential: { kind: 'key' },
    });
    const roster = await readRoster(join(dir, 'my-gate', 'roster.yaml'));
    const id = settings.credential.kind === 'key' ? settings.credential.key.id : '';
    expect([...roster.agents.values()].flatMap(({ keys }) => keys.map(({ key }) => key.id))).toContain(id);
    expect(await text('.gitignore')).toBe('.keyturn/\n.env\nnode_modules/\n');
  });

  test('two folders share no key', async () => {
    await init('one', '--no-install');
    await init('two', '--no-install');
    const [one, two] = await Promise.all(['one', 'two'].map((name) => readFile(join(dir, name, 'roster.yaml'), 'utf8')));
    const keys = (roster = ''): string[] => [...roster.matchAll(/ed25519:\S+?'/g)].map(([key]) => key);
    expect(keys(one)).toHaveLength(7);
    expect(new Set([...keys(one), ...keys(two)]).size).toBe(14);
  });

  test.each([...FILES, 'package.json', '.env', '.gitignore', '.keyturn'])(
    'never overwrites: refuses a folder with %s, naming it, and writes nothing',
    async (file) => {
      const gate = join(dir, 'my-gate');
      await mkdir(gate);
      await writeFile(join(gate, file), 'mine');
      const { exit, terminal } = await init('my-gate', '--no-install');
      expect(exit).toBe(1);
      expect(terminal.said).toContain('(file_exists)');
      expect(terminal.said.replaceAll('› ', '')).toContain(file);
      expect(await text(file)).toBe('mine');
      await expect(stat(join(gate, file === 'agent.ts' ? 'roster.yaml' : 'agent.ts'))).rejects.toThrow();
    },
  );

  test('a folder’s name that is no deployment’s name becomes one', async () => {
    await init('My Gate (2)', '--no-install');
    expect(await readFile(join(dir, 'My Gate (2)', 'roster.yaml'), 'utf8')).toContain('deployment: my-gate-2-dev');
    expect(JSON.parse(await readFile(join(dir, 'My Gate (2)', 'package.json'), 'utf8'))).toMatchObject({
      name: 'my-gate-2-',
      type: 'module',
      private: true,
    });
  });
});

describe('how the new folder names the keyturn that runs', () => {
  const host = async (manifest: object, lock?: object): Promise<string> => {
    const root = join(dir, 'node_modules', 'keyturn');
    await mkdir(root, { recursive: true });
    await writeFile(join(root, 'package.json'), JSON.stringify({ name: 'keyturn', version: '0.1.0' }));
    await writeFile(join(dir, 'package.json'), JSON.stringify(manifest));
    if (lock !== undefined) await writeFile(join(dir, 'package-lock.json'), JSON.stringify(lock));
    return keyturnSpec(root);
  };
  test('a tarball, as an absolute path', async () => {
    expect(await host({ dependencies: { keyturn: 'file:../keyturn-0.1.0.tgz' } })).toBe(`file:${join(dir, '..', 'keyturn-0.1.0.tgz')}`);
    expect(await host({ devDependencies: { keyturn: './keyturn-0.1.0.tgz' } })).toBe(`file:${join(dir, 'keyturn-0.1.0.tgz')}`);
  });
  test('a version', async () => {
    expect(await host({ dependencies: { keyturn: '^0.1.0' } })).toBe('^0.1.0');
  });
  test('what only the lock file knows, and else its own version', async () => {
    const lock = { packages: { 'node_modules/keyturn': { resolved: 'file:keyturn-0.1.0.tgz', version: '0.1.0' } } };
    expect(await host({}, lock)).toBe(`file:${join(dir, 'keyturn-0.1.0.tgz')}`);
    await rm(join(dir, 'package-lock.json'));
    expect(await host({})).toBe('0.1.0');
  });
  test('a clone: the clone itself', async () => {
    expect(await keyturnSpec(dir)).toBe(`file:${dir}`);
  });
});
