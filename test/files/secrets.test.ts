import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { secretOf } from '../../src/files/secrets.js';

describe('secrets by variable or file', () => {
  let dir: string;
  let file: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'keyturn-secret-'));
    file = join(dir, 'secret');
    writeFileSync(file, 'postgres://keyturn@db/ledger\n');
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  test.each(['KEYTURN_EXECUTOR_KEY', 'KEYTURN_API_KEY', 'KEYTURN_LEDGER'] as const)('%s', (name) => {
    expect(secretOf(name, {})).toBeUndefined();
    expect(secretOf(name, { [name]: 'given' })).toEqual({ text: 'given', from: name });
    expect(secretOf(name, { [`${name}_FILE`]: file })).toEqual({ text: 'postgres://keyturn@db/ledger', from: `${name}_FILE` });
  });

  test('both set, a file that is empty or not there: refused, never the default', () => {
    expect(() => secretOf('KEYTURN_LEDGER', { KEYTURN_LEDGER: 'a', KEYTURN_LEDGER_FILE: file })).toThrow('both set');
    expect(() => secretOf('KEYTURN_LEDGER', { KEYTURN_LEDGER_FILE: join(dir, 'none') })).toThrow('cannot be read');
    expect(() => secretOf('KEYTURN_LEDGER', { KEYTURN_LEDGER_FILE: '' })).toThrow('cannot be read');
    const empty = join(dir, 'empty');
    writeFileSync(empty, ' \n');
    expect(() => secretOf('KEYTURN_LEDGER', { KEYTURN_LEDGER_FILE: empty })).toThrow('is empty');
  });

  test('no message holds the secret', () => {
    const said: string[] = [];
    for (const env of [{ KEYTURN_API_KEY: 'hush', KEYTURN_API_KEY_FILE: file }, { KEYTURN_API_KEY_FILE: dir }]) {
      try {
        secretOf('KEYTURN_API_KEY', env);
      } catch (error) {
        said.push(String(error));
      }
    }
    expect(said).toHaveLength(2);
    expect(said.join()).not.toMatch(/hush|keyturn@db/);
  });
});
