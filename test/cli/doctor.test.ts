import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { chmod, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configFile, keyFiles, nodeVersion, policyFile, rosterFile } from '../../src/cli/doctor/files.js';
import { ledgerFile } from '../../src/cli/doctor/ledger.js';
import { openWorkspace } from '../../src/cli/workspace.js';
import { openSqlite } from '../../src/executor/ledger/sqlite.js';
import { policyText } from '../helpers/rules-fixture.js';
import { Folder } from './folder.js';
import { roster } from './ran-once.js';

let folder: Folder;
beforeEach(async () => {
  folder = await Folder.make('http://127.0.0.1:1');
});
afterEach(() => folder.remove());

describe('keys', () => {
  test('new: for its owner alone, never overwritten; show and id tell the public half', async () => {
    const file = join(folder.dir, 'mine.key');
    const made = await folder.run(['keys', 'new', file]);
    expect(made.terminal.text).toMatch(/^ed25519:MCow/);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await folder.run(['keys', 'new', file])).terminal.said).toContain('(file_exists)');
    expect((await folder.run(['keys', 'show', file])).terminal.text).toBe(made.terminal.text);
    const id = (await folder.run(['keys', 'id', file])).terminal.text;
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect((await folder.run(['keys', 'id', made.terminal.text])).terminal.text).toBe(id);
    expect((await folder.run(['keys', 'show', join(folder.dir, 'roster.yaml')])).terminal.said).toContain('(key_invalid)');
    expect(made.terminal.said).not.toContain('private:');
  });
});

describe('doctor looks at files', () => {
  test('all well', async () => {
    const workspace = await openWorkspace(folder.dir);
    await writeFile(join(folder.dir, 'policy.yaml'), policyText());
    const all = [nodeVersion('20.19.0'), configFile(workspace, roster()), ...(await rosterFile(workspace)).findings];
    const more = [...(await policyFile(workspace, roster(), Date.now())), ...(await keyFiles(workspace, roster()))];
    for (const finding of [...all, ...more]) expect(finding).toMatchObject({ ok: true });
  });

  test('an old Node, an invalid policy with its line, somebody unknown', async () => {
    expect(nodeVersion('20.18.9')).toMatchObject({ ok: false });
    const workspace = await openWorkspace(folder.dir);
    await writeFile(join(folder.dir, 'policy.yaml'), policyText({ stages: '[{ name: finance, from: [group:finance], quorum: 9 }]' }));
    const [policy] = await policyFile(workspace, roster(), Date.now());
    expect(policy?.ok).toBe(false);
    expect(policy?.text).toMatch(/policy\.yaml:\d+: quorum 9/);
    expect(configFile({ ...workspace, config: { me: 'nobody' } }, roster())).toMatchObject({ ok: false });
    expect(configFile({ ...workspace, config: {} }, roster())).toMatchObject({ ok: false });
  });

  test('a private key that others may read, and one that is nobody’s', async () => {
    const workspace = await openWorkspace(folder.dir);
    const keys = join(folder.dir, '.keyturn', 'keys');
    await chmod(join(keys, 'ana.key'), 0o644);
    await folder.run(['keys', 'new', join(keys, 'stray.key')]);
    const findings = await keyFiles(workspace, roster());
    expect(findings).toHaveLength(2);
    for (const finding of findings) expect(finding).toMatchObject({ ok: false });
    expect(JSON.stringify(findings)).toContain('chmod 600');
  });

  test('a ledger: missing is fine, held is fine, of another deployment is not', async () => {
    const workspace = await openWorkspace(folder.dir);
    expect(await ledgerFile(workspace, roster(), {})).toMatchObject({ ok: true });
    await folder.run(['ledger', 'init', '--deployment', 'other']);
    expect(await ledgerFile(workspace, roster(), {})).toMatchObject({ ok: false });
    const path = join(folder.dir, '.keyturn', 'ledger.db');
    const held = openSqlite(path, { create: false });
    expect(await ledgerFile(workspace, roster(), {})).toMatchObject({ ok: true, text: 'held by a running executor' });
    await held.close();
  });

  test('doctor tells problems with their remedy and exits 1', async () => {
    const { exit, terminal } = await folder.run(['doctor'], undefined, { TEMPORAL_ADDRESS: '127.0.0.1:1' });
    expect(exit).toBe(1);
    expect(terminal.text).toContain('problem  api');
    expect(terminal.text).toContain('keyturn dev');
  });
});
