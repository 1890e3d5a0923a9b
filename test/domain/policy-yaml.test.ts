import { describe, expect, test } from '@jest/globals';
import { problemText } from '../../src/domain/problem.js';
import { readYaml } from '../../src/domain/yaml.js';

const say = (text: string): string => {
  const read = readYaml(text, 'f.yaml', 'policy_invalid');
  return read.ok ? 'read' : read.problems.map(problemText).join('\n');
};

describe('9 YAML is a stricter way to write JSON', () => {
  test('reads maps, lists, text, numbers, true, false and null of YAML 1.2 core', () => {
    const read = readYaml(
      'a: [1, -2.5, yes, "on", true, ~, 0o17, 2026-01-01]\n? b\n: |\n  two\n  lines\n1: x\nconstructor: y\n',
      'f.yaml',
      'policy_invalid',
    );
    expect(read).toMatchObject({
      ok: true,
      value: { a: [1, -2.5, 'yes', 'on', true, null, 15, '2026-01-01'], b: 'two\nlines\n', 1: 'x', constructor: 'y' },
    });
  });

  test('knows where things stand, and where missing things should', () => {
    const read = readYaml('# top\na:\n  - b: 1\n    c:\n      d: [x,\n        y]\n', 'f.yaml', 'policy_invalid');
    if (!read.ok) throw new Error('refused');
    expect(read.at([])).toEqual({ line: 2, column: 1 });
    expect(read.at(['a', 0])).toEqual({ line: 3, column: 5 });
    expect(read.at(['a', 0, 'c', 'd', 1])).toEqual({ line: 6, column: 9 });
    expect(read.at(['a', 0, 'zz', 'd'])).toEqual({ line: 3, column: 5 });
    expect(read.at(['a', 7])).toEqual({ line: 2, column: 1 });
    expect(read.at(['a', 0, 'b', 'deeper'])).toEqual({ line: 3, column: 5 });
  });

  test.each([
    [
      'two documents',
      'a: 1\n---\nb: 2\n',
      'f.yaml:2: Source contains multiple documents; please use YAML.parseAllDocuments(). Write: one document only, without a second "---"',
    ],
    ['an anchor', 'a: 1\nb: &x 2\n', 'f.yaml:2: the anchor &x is refused. Write: the value without it'],
    ['an anchor on a key', '&x a: 1\n', 'f.yaml:1: the anchor &x is refused. Write: the value without it'],
    ['an alias', 'a: &x 1\nb: *x\n', 'f.yaml:2: the alias *x is refused. Write: the value itself'],
    ['a merge key', 'a: 1\n<<: { b: 1 }\n', 'f.yaml:2: merge keys ("<<") are refused. Write: the fields themselves'],
    [
      'a tag',
      'a: !!str 1\n',
      'f.yaml:1: the tag tag:yaml.org,2002:str is refused. Write: the value without a tag; in quotes, if text is meant',
    ],
    ['a local tag', 'a: !foo 1\n', 'f.yaml:1: the tag !foo is refused. Write: the value without a tag; in quotes, if text is meant'],
    ['a bare tag', 'a: ! 1\n', 'f.yaml:1: the tag ! is refused. Write: the value without a tag; in quotes, if text is meant'],
    ['a tag on a key', '!!str a: 1\n', 'the tag'],
    ['a tag on a list', 'a: !!seq [1]\n', 'the tag'],
    ['YAML 1.1', '%YAML 1.1\n---\na: yes\n', 'f.yaml:1: directives ("%…") are refused. Write: the document without them'],
    ['a tag directive', '%TAG ! tag:x,2000:\n---\na: 1\n', 'directives'],
    ['an unknown directive', '%FOO x\n---\na: 1\n', 'directives'],
    ['a key twice', 'a: 1\nb: 1\na: 2\n', 'f.yaml:3: the key "a" stands twice. Write: it once'],
    ['a key twice in two spellings', '1: a\n"1": b\n', 'f.yaml:2: the key "1" stands twice. Write: it once'],
    ['a key twice in flow style', '{ a, a }\n', 'f.yaml:1: the key "a" stands twice. Write: it once'],
    ['a list as a key', '? [a]\n: 1\n', 'f.yaml:1: With stringKeys, all keys must be strings. Write: a plain name before the colon'],
    ['__proto__', 'a: 1\n__proto__: { b: 1 }\n', 'f.yaml:2: the key "__proto__" is refused. Write: another name'],
    ['NaN', 'a: .nan\n', 'f.yaml:1: NaN is no number of JSON. Write: a plain number'],
    ['infinity', 'a: 1e999\n', 'f.yaml:1: Infinity is no number of JSON. Write: a plain number'],
    [
      'an integer beyond 2^53',
      'a: 9007199254740993\n',
      'f.yaml:1: 9007199254740992 is beyond 2^53 - 1. Write: a smaller number, or text in quotes',
    ],
    ['a lone surrogate', 'a: "\\uD800"\n', 'lone surrogate'],
    ['a lone surrogate in a key', '"\\uD800": 1\n', 'lone surrogate'],
    ['a tab', 'a:\n\t- b\n', 'f.yaml:2: Tabs are not allowed as indentation. Write: spaces instead of the tab'],
    [
      'an open bracket',
      'a: [1\nb: 2\n',
      'f.yaml:2: Flow sequence in block collection must be sufficiently indented and end with a ]. Write: the same indentation as its neighbours',
    ],
    ['nothing', '', 'the file is empty'],
    ['only a comment', '# hello\n', 'the file is empty'],
  ])('%s is refused', (_title, text, said) => {
    expect(say(text)).toContain(said);
  });

  test('a file over 1 MiB is refused, counted in bytes', () => {
    expect(say(`a: ${'é'.repeat(524_289)}`)).toContain('f.yaml:1: the file is larger than 1048576 bytes. Write: a smaller file');
  });

  test.each(['[', '- ', '? ', '{a: '])('nesting "%s" without end is refused before it can take the process down', (unit) => {
    expect(say(unit.repeat(200_000))).toContain('f.yaml:1: nested too deeply. Write: fewer levels');
  });
});
