import { expect, test } from '@jest/globals';
import { FileRefused, Findings, problemText, type Problem } from '../../src/domain/problem.js';

const problem = (line: number, text: string): Problem => ({ code: 'policy_invalid', file: 'policy.yaml', line, text, write: 'quorum: 2' });

test('a problem in words ends as a sentence does, and says what to write', () => {
  for (const [text, said] of [
    ['quorum 3 is too much', 'quorum 3 is too much.'],
    ['Is that so?', 'Is that so?'],
    ['Never!', 'Never!'],
    ['It is.', 'It is.'],
    ['"1." is none', '"1." is none.'],
  ] as const)
    expect(problemText(problem(12, text))).toBe(`policy.yaml:12: ${said} Write: quorum: 2`);
});

test('a file that is refused says all of it, one a line', () => {
  const problems = [problem(1, 'one'), problem(2, 'two')];
  const refused = new FileRefused(problems);
  expect(refused).toMatchObject({ name: 'FileRefused', problems });
  expect(refused.message).toBe('policy.yaml:1: one. Write: quorum: 2\npolicy.yaml:2: two. Write: quorum: 2');
});

test('findings come from top to bottom, and those of one line as they were found', () => {
  const findings = new Findings('policy.yaml', 'policy_invalid', ([line]) => ({ line: Number(line), column: 1 }));
  for (const [line, text] of [
    [3, 'c'],
    [1, 'a'],
    [2, 'b'],
    [1, 'aa'],
  ] as const)
    findings.add([line], text, 'quorum: 2');
  findings.add([4], 'd', 'quorum: 2', 'roster_invalid');
  expect(findings.problems).toEqual([
    problem(1, 'a'),
    problem(1, 'aa'),
    problem(2, 'b'),
    problem(3, 'c'),
    { ...problem(4, 'd'), code: 'roster_invalid' },
  ]);
});
