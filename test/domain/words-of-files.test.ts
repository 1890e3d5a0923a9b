import { describe, expect, test } from '@jest/globals';
import { fromBase64Url, fromHex, utf8 } from '../../src/domain/bytes.js';
import { canonicalize, JsonRefused, parseCanonical, parseStrict } from '../../src/domain/json.js';
import { MAX_YAML_BYTES, readYaml } from '../../src/domain/yaml.js';

/** What is thrown, to the word. */
function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof JsonRefused && error.name === 'JsonRefused') return error.message;
    throw error;
  }
  return 'taken';
}

describe('JSON that is refused: what is wrong, and where', () => {
  test.each([
    ['', 'a value expected at character 1'],
    ['{', 'a key in double quotes expected at character 2'],
    ['{"a"', '":" expected at character 5'],
    ['{"a":', 'a value expected at character 6'],
    ['{"a":1', '"," or "}" expected at character 7'],
    ['{"a":1,', 'a key in double quotes expected at character 8'],
    ['{"a":1,}', 'a key in double quotes expected at character 8'],
    ['{a:1}', 'a key in double quotes expected at character 2'],
    ['{"a" 1}', '":" expected at character 6'],
    ['[', 'a value expected at character 2'],
    ['[1', '"," or "]" expected at character 3'],
    ['[1,', 'a value expected at character 4'],
    ['[1,]', 'a value expected at character 4'],
    ['[1 2]', '"," or "]" expected at character 4'],
    ['"a', 'string without an end at character 3'],
    ['"\\x"', 'malformed string at character 5'],
    ['"\\ud800"', 'lone surrogate in a string at character 9'],
    ['{"__proto__":1}', 'the key "__proto__" is refused at character 13'],
    ['{"a":1,"a":2}', 'the key "a" stands twice at character 11'],
    ['1 2', 'text after the value at character 3'],
    ['01', 'text after the value at character 2'],
    ['-', 'a value expected at character 1'],
    ['1e999', 'number beyond 2^53 - 1: pass it as a string at character 1'],
    ['9007199254740993', 'number beyond 2^53 - 1: pass it as a string at character 1'],
    ['tru', 'a value expected at character 1'],
    ['nul', 'a value expected at character 1'],
    ['{"a":1]', '"," or "}" expected at character 7'],
    ['[1}', '"," or "]" expected at character 3'],
    ['{"a":"\\"', 'string without an end at character 9'],
  ])('%j', (text, said) => {
    expect(refusal(() => parseStrict(text))).toBe(said);
    expect(refusal(() => parseCanonical(utf8(text)))).toBe(said);
  });

  test('64 levels are taken, one more is not', () => {
    const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
    const members = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
    for (const text of [nested(65), members(64)]) {
      expect(canonicalize(parseStrict(text))).toBe(text);
      expect(canonicalize(parseStrict(` ${text}`))).toBe(text);
    }
    expect(refusal(() => parseStrict(nested(66)))).toBe('nested deeper than 64 at character 66');
    expect(refusal(() => parseStrict(members(65)))).toBe('nested deeper than 64 at character 326');
    expect(refusal(() => canonicalize(JSON.parse(nested(66))))).toBe('nested deeper than 64');
    expect(refusal(() => canonicalize(JSON.parse(members(65))))).toBe('nested deeper than 64');
  });

  test('space of every kind around everything is taken as JSON, not as its one form', () => {
    const text = ' \t\n\r{ "b" : [ 1 , { "c" : "\\"" } , [ ] , { } ] , "a" : null , "d" : true , "e" : false , "f" : -1.5e+3 } ';
    expect(canonicalize(parseStrict(text))).toBe('{"a":null,"b":[1,{"c":"\\""},[],{}],"d":true,"e":false,"f":-1500}');
    expect(refusal(() => parseCanonical(utf8(text)))).toBe('not canonical JSON (RFC 8785)');
    expect(refusal(() => parseCanonical(Uint8Array.of(0xff)))).toBe('not UTF-8');
  });

  test.each<[string, unknown, string]>([
    ['nothing', undefined, 'undefined is not JSON'],
    ['a function', () => 1, 'function is not JSON'],
    ['a symbol', Symbol('a'), 'symbol is not JSON'],
    ['a bigint', 1n, 'bigint is not JSON'],
    ['NaN', Number.NaN, 'NaN and Infinity are not JSON'],
    ['2^53', 2 ** 53, 'integer beyond 2^53 - 1: pass it as a string'],
    ['half a character', '\ud800', 'lone surrogate in a string'],
    ['half a character in a key', { '\udfff': 1 }, 'lone surrogate in a string'],
    ['toJSON', { a: 1, toJSON: () => 1 }, 'toJSON is not honoured'],
    ['a Map', new Map(), 'only plain objects are JSON'],
    ['a symbol key', { [Symbol('a')]: 1 }, 'symbol keys are not JSON'],
    ['a hole', new Array(2), 'hole in an array, or more than its items'],
    ['an array with members', Object.assign([1], { more: 1 }), 'hole in an array, or more than its items'],
    ['a hole, and a member in its place', Object.assign(new Array<number>(2), { 1: 2, more: 1 }), 'member "0" is computed, not data'],
    ['__proto__', JSON.parse('{"__proto__":1}'), 'the key "__proto__" is refused'],
  ])('%s', (_name, value, said) => {
    expect(refusal(() => canonicalize(value))).toBe(said);
    expect(refusal(() => canonicalize([value]))).toBe(said);
  });
  test('a member that is called toJSON and is no function is data; -0 is 0', () => {
    expect(canonicalize({ toJSON: 1 })).toBe('{"toJSON":1}');
    expect(canonicalize([-0, 2 ** 53 - 1, 1 - 2 ** 53])).toBe('[0,9007199254740991,-9007199254740991]');
  });
});

describe('YAML that is refused: what is wrong, where, and what to write', () => {
  const said = (text: string): readonly string[] => {
    const read = readYaml(text, 'f.yaml', 'roster_invalid');
    return read.ok ? [] : read.problems.map(({ code, file, line, text: wrong, write }) => `${code} ${file}:${line}: ${wrong} | ${write}`);
  };
  test.each<[string, readonly string[]]>([
    [
      'a: 1\n---\nb: 2\n',
      [
        'roster_invalid f.yaml:2: Source contains multiple documents; please use YAML.parseAllDocuments() | one document only, without a second "---"',
      ],
    ],
    ['a: 1\nb: &x 2\n', ['roster_invalid f.yaml:2: the anchor &x is refused | the value without it']],
    ['b: *x\n', ['roster_invalid f.yaml:1: the alias *x is refused | the value itself']],
    [
      'a: &x 1\nb: *x\n',
      [
        'roster_invalid f.yaml:1: the anchor &x is refused | the value without it',
        'roster_invalid f.yaml:2: the alias *x is refused | the value itself',
      ],
    ],
    ['a: 1\n<<: { b: 1 }\n', ['roster_invalid f.yaml:2: merge keys ("<<") are refused | the fields themselves']],
    [
      'a: !!str 1\n',
      ['roster_invalid f.yaml:1: the tag tag:yaml.org,2002:str is refused | the value without a tag; in quotes, if text is meant'],
    ],
    ['a: !foo 1\n', ['roster_invalid f.yaml:1: the tag !foo is refused | the value without a tag; in quotes, if text is meant']],
    ['a: ! 1\n', ['roster_invalid f.yaml:1: the tag ! is refused | the value without a tag; in quotes, if text is meant']],
    ['%YAML 1.2\n---\na: yes\n', ['roster_invalid f.yaml:1: directives ("%…") are refused | the document without them']],
    ['%TAG ! tag:x,2000:\n---\na: 1\n', ['roster_invalid f.yaml:1: directives ("%…") are refused | the document without them']],
    ['%FOO x\n---\na: 1\n', ['roster_invalid f.yaml:1: directives ("%…") are refused | the document without them']],
    ['a: 1\na: 2\n', ['roster_invalid f.yaml:2: the key "a" stands twice | it once']],
    ['? [a]\n: 1\n', ['roster_invalid f.yaml:1: With stringKeys, all keys must be strings | a plain name before the colon']],
    ['__proto__: 1\n', ['roster_invalid f.yaml:1: the key "__proto__" is refused | another name']],
    ['a: .nan\n', ['roster_invalid f.yaml:1: NaN is no number of JSON | a plain number']],
    ['a: -.inf\n', ['roster_invalid f.yaml:1: -Infinity is no number of JSON | a plain number']],
    ['a: 9007199254740993\n', ['roster_invalid f.yaml:1: 9007199254740992 is beyond 2^53 - 1 | a smaller number, or text in quotes']],
    ['a: "\\uD800"\n', ['roster_invalid f.yaml:1: lone surrogate in a text | whole characters']],
    ['a:\n\t- b\n', ['roster_invalid f.yaml:2: Tabs are not allowed as indentation | spaces instead of the tab']],
    ['a: "x\n', ['roster_invalid f.yaml:2: Missing closing "quote | the missing character, or quotes around the text']],
    [
      'a:\n  b: 1\n c: 2\n',
      ['roster_invalid f.yaml:3: All mapping items must start at the same column | the same indentation as its neighbours'],
    ],
    ['', ['roster_invalid f.yaml:1: the file is empty | its content; see the documentation']],
    ['a: b: c\n', ['roster_invalid f.yaml:1: Nested mappings are not allowed in compact mappings | valid YAML 1.2, such as "name: value"']],
    ['- a\n-b\n', ['roster_invalid f.yaml:2: Unexpected scalar at node end | valid YAML 1.2, such as "name: value"']],
    ['&a a: 1\n', ['roster_invalid f.yaml:1: the anchor &a is refused | the value without it']],
    [
      'c: .nan\nb: .nan\na: &x 1\n',
      [
        'roster_invalid f.yaml:1: NaN is no number of JSON | a plain number',
        'roster_invalid f.yaml:2: NaN is no number of JSON | a plain number',
        'roster_invalid f.yaml:3: the anchor &x is refused | the value without it',
      ],
    ],
  ])('%j', (text, problems) => {
    expect(said(text)).toEqual(problems);
  });
  test('1 MiB is taken, a byte more is not; 60 levels are taken, 70 are not', () => {
    const long = (bytes: number): string => `a: ${'x'.repeat(bytes - 3)}`;
    expect(said(long(MAX_YAML_BYTES))).toEqual([]);
    expect(said(long(MAX_YAML_BYTES + 1))).toEqual(['roster_invalid f.yaml:1: the file is larger than 1048576 bytes | a smaller file']);
    expect(said('['.repeat(60) + ']'.repeat(60))).toEqual([]);
    expect(said('['.repeat(70) + ']'.repeat(70))).toEqual(['roster_invalid f.yaml:1: nested too deeply | fewer levels']);
  });
});

describe('bytes that are refused', () => {
  test('each with its words', () => {
    for (const text of ['A0', '0', 'g0', ' 00']) expect(() => fromHex(text)).toThrow(new RangeError('not lower-case hexadecimal'));
    for (const text of ['A', 'AAAAA', 'A=', 'A+A', ' AA'])
      expect(() => fromBase64Url(text)).toThrow(new RangeError('not unpadded base64url'));
    for (const text of ['AB', 'AAB']) expect(() => fromBase64Url(text)).toThrow(new RangeError('base64url with stray bits'));
  });
});
