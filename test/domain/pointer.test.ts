import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonicalize, type Json } from '../../src/domain/json.js';
import { isEditable, pointerEntries, replaceAt, valueAt } from '../../src/domain/pointer.js';

const DOCUMENT = { a: { 'b/c': 1, 'd~e': [10, { x: null }] }, '': 2, empty: {}, none: [], '01': 'text' };

describe('pointers (RFC 6901)', () => {
  test('every leaf by its pointer; empty objects and arrays are leaves', () => {
    expect(Object.fromEntries(pointerEntries(DOCUMENT))).toEqual({
      '/a/b~1c': 1,
      '/a/d~0e/0': 10,
      '/a/d~0e/1/x': null,
      '/': 2,
      '/empty': {},
      '/none': [],
      '/01': 'text',
    });
    expect(pointerEntries({})).toEqual([]);
  });

  test.each<[string, Json]>([
    ['/a/b~1c', { ...DOCUMENT, a: { ...DOCUMENT.a, 'b/c': 7 } }],
    ['/a/d~0e/0', { ...DOCUMENT, a: { ...DOCUMENT.a, 'd~e': [7, { x: null }] } }],
    ['/a/d~0e/1/x', { ...DOCUMENT, a: { ...DOCUMENT.a, 'd~e': [10, { x: 7 }] } }],
    ['/', { ...DOCUMENT, '': 7 }],
    ['/empty', { ...DOCUMENT, empty: 7 }],
  ])('%s is replaced, the rest is not touched', (pointer, expected) => {
    expect(replaceAt(DOCUMENT, pointer, 7)).toEqual(expected);
  });

  test('a patch never invents places, nor reaches what is no data', () => {
    const nowhere = [
      '',
      'a',
      'x/01',
      '/b',
      '/a/b',
      '/a/d~0e/2',
      '/a/d~0e/-',
      '/a/d~0e/00',
      '/a/d~0e/-1',
      '/a/d~0e/1.0',
      '/empty/x',
      '/none/0',
      '/a/b~1c/x',
      '/01/0',
      '/01/length',
      '/none/length',
    ];
    const prototypes = ['/__proto__', '/__proto__/x', '/constructor', '/constructor/prototype', '/a/toString', '/none/__proto__'];
    for (const pointer of [...nowhere, ...prototypes]) expect([pointer, replaceAt(DOCUMENT, pointer, 7)]).toEqual([pointer, undefined]);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  test('a place in a list is its number, as it is written and no other way', () => {
    const list = Array.from({ length: 120 }, (_, i) => i);
    for (const i of [0, 5, 12, 119]) {
      expect(valueAt(list, `/${i}`)).toBe(i);
      expect(replaceAt(list, `/${i}`, 'new')).toEqual(list.with(i, 'new' as never));
    }
    const nowhere = ['', '5', 'x/5', '/05', '/00', '/5x', '/x5', '/-5', '/5.0', '/120', '/1234567', '/length'];
    for (const pointer of nowhere)
      expect([pointer, valueAt(list, pointer), replaceAt(list, pointer, 'new')]).toEqual([pointer, undefined, undefined]);
    expect(valueAt({ a: [{ 'b/c': 1 }] }, '/a/0/b~1c')).toBe(1);
    expect(valueAt({ a: null }, '/a/b')).toBeUndefined();
  });

  test('what it was given stays as it was', () => {
    const before = canonicalize(DOCUMENT);
    replaceAt(DOCUMENT, '/a/d~0e/1/x', 'changed');
    expect(canonicalize(DOCUMENT)).toBe(before);
  });

  test('every leaf can be replaced by its own pointer, and only that leaf changes', () => {
    const key = fc.string({ maxLength: 4 }).filter((text) => text !== '__proto__');
    const { tree } = fc.letrec<{ tree: Json }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 3 },
        fc.integer(),
        fc.boolean(),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(key, tie('tree'), { maxKeys: 3 }),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(key, tree, { maxKeys: 4 }), (document: Json) => {
        const leaves = pointerEntries(document);
        for (const [pointer] of leaves) {
          const changed = replaceAt(document, pointer, 'new');
          if (changed === undefined) return false;
          const now = new Map(pointerEntries(changed));
          if (
            now.size !== leaves.length ||
            !leaves.every(([at, value]) => canonicalize(now.get(at)) === canonicalize(at === pointer ? 'new' : value))
          )
            return false;
        }
        return true;
      }),
      { numRuns: 300 },
    );
  });
});

describe('what a type lets reviewers edit', () => {
  test.each([
    ['/cents', ['/cents'], true],
    ['/address/city', ['/address'], true],
    ['/cents', ['/cents/minor'], false],
    ['/centsTotal', ['/cents'], false],
    ['/cents', [], false],
    ['/address', ['/address/city'], false],
  ])('%s with %j: %s', (pointer, editable, expected) => {
    expect(isEditable(pointer, editable)).toBe(expected);
  });
});
