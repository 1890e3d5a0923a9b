import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rosterText } from '../helpers/rules-fixture.js';
import { FakeAction, FakeApi } from './fake-api.js';
import { Folder } from './folder.js';
import { ranOnce } from './ran-once.js';

let folder: Folder;
beforeEach(async () => {
  folder = await Folder.make('http://127.0.0.1:1');
});
afterEach(() => folder.remove());

describe('evidence verify', () => {
  test('OK offline, and the trust root it used: beside the file, else here, else --roster', async () => {
    const { evidence } = await ranOnce();
    await mkdir(join(folder.dir, 'sub'));
    await writeFile(join(folder.dir, 'sub', 'e.json'), evidence);
    const here = await folder.run(['evidence', 'verify', 'sub/e.json']);
    expect(here.exit).toBe(0);
    expect(here.terminal.lines[0]).toBe('OK, offline');
    expect(here.terminal.lines[1]).toContain(`trust root: ${join(folder.dir, 'roster.yaml')}`);

    await writeFile(join(folder.dir, 'sub', 'roster.yaml'), rosterText());
    expect((await folder.run(['evidence', 'verify', 'sub/e.json'])).terminal.lines[1]).toContain(join('sub', 'roster.yaml'));
    await rm(join(folder.dir, 'roster.yaml'));
    expect((await folder.run(['evidence', 'verify', 'sub/e.json', '--roster', 'sub/roster.yaml'])).exit).toBe(0);
  });

  test('one byte changed: FAILED with the step, exit 1', async () => {
    const { evidence } = await ranOnce();
    const text = new TextDecoder().decode(evidence);
    const at = text.indexOf('"decisions":[') + 200;
    evidence[at] = (evidence[at] ?? 0) ^ 1;
    await writeFile(join(folder.dir, 'e.json'), evidence);
    const { exit, terminal } = await folder.run(['evidence', 'verify', 'e.json']);
    expect(exit).toBe(1);
    expect(terminal.lines[0]).toMatch(/^FAILED, (?:decision 1|file)$/);
    const json = await folder.run(['evidence', 'verify', 'e.json', '--json']);
    expect(JSON.parse(json.terminal.text)).toMatchObject({ ok: false });
  });

  test('another roster, no roster, no file', async () => {
    const { evidence } = await ranOnce();
    await writeFile(join(folder.dir, 'e.json'), evidence);
    await writeFile(join(folder.dir, 'roster.yaml'), rosterText({ people: { ana: '{ name: ana, keys: [] }' } }));
    expect((await folder.run(['evidence', 'verify', 'e.json'])).terminal.lines[0]).toMatch(/^FAILED/);
    await rm(join(folder.dir, 'roster.yaml'));
    expect((await folder.run(['evidence', 'verify', 'e.json'])).terminal.said).toContain('nothing to trust');
    expect((await folder.run(['evidence', 'verify', 'no.json'])).terminal.said).toContain('(file_unreadable)');
  });

  test('export writes the bytes as they came', async () => {
    const { evidence } = await ranOnce();
    const api = await FakeApi.start(new FakeAction());
    api.evidence = new Uint8Array(evidence);
    const id = api.actions[0]?.id ?? '';
    await folder.run(['evidence', 'export', id, '-o', 'e.json', '--url', api.url]);
    const out = await folder.run(['evidence', 'export', id, '--url', api.url]);
    await api.stop();
    expect(new Uint8Array(await readFile(join(folder.dir, 'e.json')))).toEqual(new Uint8Array(evidence));
    expect(out.terminal.text).toBe(new TextDecoder().decode(evidence));
    expect((await folder.run(['evidence', 'verify', 'e.json'])).exit).toBe(0);
  });
});
