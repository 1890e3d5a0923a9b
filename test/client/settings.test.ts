import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Keyturn } from '../../src/client/keyturn.js';
import { readDotEnv, settingsFrom } from '../../src/client/settings.js';
import { newPrivateKey } from '../../src/files/key-files.js';

const KEY = newPrivateKey();
const ENV = { KEYTURN_DEPLOYMENT: 'acme-dev', KEYTURN_AGENT: 'ap-agent', KEYTURN_AGENT_KEY: KEY };

describe('settings of the client', () => {
  test('options win over the environment; what is missing is named', () => {
    expect(settingsFrom({}, ENV)).toMatchObject({
      url: 'http://127.0.0.1:7878',
      deployment: 'acme-dev',
      agent: 'ap-agent',
      credential: { kind: 'key' },
    });
    expect(settingsFrom({ url: 'https://gate.example/', agent: 'other', bearer: 'b' }, ENV)).toMatchObject({
      url: 'https://gate.example',
      agent: 'other',
      credential: { kind: 'bearer', bearer: 'b' },
    });
    expect(settingsFrom({}, { ...ENV, KEYTURN_AGENT_KEY: '', KEYTURN_AGENT_BEARER: 'b' }).credential).toEqual({
      kind: 'bearer',
      bearer: 'b',
    });
    for (const name of ['KEYTURN_DEPLOYMENT', 'KEYTURN_AGENT', 'KEYTURN_AGENT_KEY'])
      expect(() => settingsFrom({}, { ...ENV, [name]: undefined })).toThrow(`set ${name} `);
    expect(() => settingsFrom({}, { ...ENV, KEYTURN_AGENT_BEARER: 'b' })).toThrow('not both');
    expect(() => settingsFrom({ url: 'file:///etc' }, ENV)).toThrow('http://');
    expect(() => settingsFrom({ key: 'nonsense-secret' }, ENV)).toThrow(/^(?!.*nonsense-secret)/);
  });
});

describe('.env', () => {
  let folder: string;
  const before = process.cwd();
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'keyturn-env-'));
    process.chdir(folder);
  });
  afterAll(() => {
    process.chdir(before);
    rmSync(folder, { recursive: true });
  });
  const write = (text: string): void => writeFileSync('.env', text);

  test('is read strictly, for our own names only, and changes no environment', () => {
    write(
      `# made by keyturn init\nOTHER=$(rm -rf)\nKEYTURN_AGENT=ap-agent # the agent\nexport KEYTURN_DEPLOYMENT="acme-dev"\r\nKEYTURN_AGENT_KEY='${KEY}'\n`,
    );
    expect(readDotEnv('.env')).toEqual({ KEYTURN_AGENT: 'ap-agent', KEYTURN_DEPLOYMENT: 'acme-dev', KEYTURN_AGENT_KEY: KEY });
    expect(new Keyturn()).toBeInstanceOf(Keyturn);
    expect(process.env['KEYTURN_AGENT']).toBeUndefined();
  });

  test('the environment wins over it', () => {
    write(`KEYTURN_DEPLOYMENT=acme-dev\nKEYTURN_AGENT=ap-agent\nKEYTURN_AGENT_KEY=damaged\n`);
    process.env['KEYTURN_AGENT_KEY'] = KEY;
    try {
      expect(new Keyturn()).toBeInstanceOf(Keyturn);
    } finally {
      delete process.env['KEYTURN_AGENT_KEY'];
    }
    expect(() => new Keyturn()).toThrow('private key is not one');
  });

  test.each(['KEYTURN_AGENT', 'KEYTURN_AGENT ap', 'KEYTURN_AGENT=a b', 'KEYTURN_AGENT="$(id)"', "KEYTURN_AGENT='a", 'KEYTURN_AGENT=`id`'])(
    '%s is refused with its line',
    (line) => {
      write(`# one\n${line}\n`);
      expect(() => readDotEnv('.env')).toThrow('.env:2');
    },
  );

  test('no file is no settings', () => {
    expect(readDotEnv('no-such.env')).toEqual({});
  });
});
