import { describe, expect, test } from '@jest/globals';
import { readAssignment, readParams, readPatch } from '../../src/cli/assignments.js';

describe('/pointer=value', () => {
  test.each([
    ['/cents=820000', '/cents', 820_000],
    ['/cents="820000"', '/cents', '820000'],
    ['/vendor=ACME GmbH', '/vendor', 'ACME GmbH'],
    ['/iban=DE89370400440532013000', '/iban', 'DE89370400440532013000'],
    ['/note=a=b', '/note', 'a=b'],
    ['/note=', '/note', ''],
    ['/on=true', '/on', true],
    ['/none=null', '/none', null],
    ['/lines=[1,2]', '/lines', [1, 2]],
    ['/to/a~1b~0c=x', '/to/a~1b~0c', 'x'],
    ['/ref=007', '/ref', '007'],
    ['/note=[urgent] pay', '/note', '[urgent] pay'],
  ])('%s', (text, pointer, value) => {
    expect(readAssignment(text)).toEqual([pointer, value]);
  });

  test.each(['cents=1', '/cents', '=1', '/a~2=1', 'x/y=1'])('%s is none', (text) => {
    expect(() => readAssignment(text)).toThrow(/no change of a parameter/);
  });

  // JSON would read them as something else than what was typed.
  test.each(['/n=9007199254740993', '/o={"a":1,"a":2}', '/o={"__proto__":1}', '/s="\\ud800"'])(
    '%s would change on the way: refused',
    (text) => {
      expect(() => readAssignment(text)).toThrow(/refused/);
    },
  );

  test('a patch names each place once', () => {
    expect(readPatch(['/a=1', '/b=2'])).toEqual({ '/a': 1, '/b': 2 });
    expect(() => readPatch(['/a=1', '/a=2'])).toThrow(/twice/);
  });
});

describe('parameters', () => {
  test('nested by their pointers', () => {
    expect(readParams(['/vendor=ACME', '/to/iban=DE1', '/to/a~1b=2'])).toEqual({ vendor: 'ACME', to: { iban: 'DE1', 'a/b': 2 } });
    expect(readParams([])).toEqual({});
  });
  test.each([[['/a=1', '/a/b=2']], [['/a/b=2', '/a=1']]])('%s exclude each other', (texts) => {
    expect(() => readParams(texts)).toThrow(/exclude/);
  });
  test('no prototype is reached', () => {
    expect(() => readParams(['/__proto__/polluted=1'])).toThrow(/__proto__/);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(Object.keys(readParams(['/constructor/x=1']))).toEqual(['constructor']);
  });
});
