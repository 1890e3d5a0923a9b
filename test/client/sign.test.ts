import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { agentKeyOf, type SignedKind } from '../../src/client/sign.js';
import { fromBase64Url } from '../../src/domain/bytes.js';
import { signerOf, verifySigned } from '../../src/domain/dsse.js';
import { newPrivateKey } from '../../src/files/key-files.js';

const PREFIX = 'keyturn-ed25519-private:';

describe('signatures of the client', () => {
  test('are those of the domain, to the byte', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.constantFrom<SignedKind>('request', 'cancel', 'reply', 'read'),
        fc.jsonValue(),
        (seed, kind, value) => {
          const mine = agentKeyOf(PREFIX + Buffer.from(seed).toString('base64url'));
          const theirs = signerOf(seed);
          let wanted: unknown;
          try {
            wanted = theirs.sign(kind, value);
          } catch (error) {
            // What is no I-JSON is signed by neither.
            expect(() => mine.sign(kind, value)).toThrow(String(error instanceof Error ? error.message : error));
            return;
          }
          expect(mine.id).toBe(theirs.key.id);
          expect(mine.sign(kind, value)).toEqual(wanted);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('of a key that keyturn made, the domain verifies', () => {
    const text = newPrivateKey();
    const { key } = signerOf(fromBase64Url(text.slice(PREFIX.length)));
    const signed = agentKeyOf(`${text}\n`).sign('request', { v: 1 });
    expect(verifySigned('request', signed as Parameters<typeof verifySigned>[1], key)).toBe(true);
    expect(verifySigned('cancel', signed as Parameters<typeof verifySigned>[1], key)).toBe(false);
  });

  test('a key that is none is refused without a word of it', () => {
    for (const text of ['', 'secret', `${PREFIX}c2VjcmV0`, `${PREFIX}***`]) {
      expect(() => agentKeyOf(text)).toThrow(/private key is not one/);
      expect(() => agentKeyOf(text)).not.toThrow(/secret|c2VjcmV0/);
    }
  });
});

/** Every module an import of `file` loads at run time: types are erased. */
function loadedBy(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  if (!file.startsWith('/')) return seen;
  const source = readFileSync(file, 'utf8');
  for (const [statement, from] of source.matchAll(/^(?:import|export)\s[^;]*?from '([^']+)';/gms)) {
    const names = /\{([^}]*)\}/
      .exec(statement)?.[1]
      ?.split(',')
      .map((name) => name.trim()) ?? ['default'];
    if (/^(?:import|export) type\b/.test(statement) || names.filter((name) => name !== '').every((name) => name.startsWith('type ')))
      continue;
    loadedBy(from?.startsWith('.') === true ? resolve(dirname(file), from.replace(/\.js$/, '.ts')) : (from ?? ''), seen);
  }
  return seen;
}

test('an import of keyturn/client loads no package: no zod, no noble, no Temporal', () => {
  const loaded = [...loadedBy(resolve(import.meta.dirname, '../../src/client/index.ts'))];
  expect(loaded.filter((name) => !name.startsWith('/')).sort()).toEqual(['node:crypto', 'node:fs']);
  expect(
    loaded
      .filter((name) => name.includes('/src/domain/'))
      .map((name) => name.split('/').pop())
      .sort(),
  ).toEqual(['bytes.ts', 'json.ts']);
});
