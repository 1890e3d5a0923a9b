import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import ts from 'typescript';
import { packageRoot } from '../../src/temporal/paths.js';

/** The rules of agreement (6.x) and the executor's checks (7.x) of the design; SECURITY.md and ARCHITECTURE.md use the same numbers. */
const RULES = Array.from({ length: 14 }, (_, i) => `6.${i + 1}`);
const CHECKS = Array.from({ length: 15 }, (_, i) => `7.${i + 1}`);

/** Numbers at the start of titles: of tests, of groups, and of the rows of tables that make tests. Comments and other strings do not count. */
function numbersIn(name: string, text: string): string[] {
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node, inCall: boolean): void => {
    const calls = ts.isCallExpression(node) && /^(?:test|describe)\b/.test(node.expression.getText(source));
    const rows = ts.isArrayLiteralExpression(node);
    if (
      (inCall || ts.isArrayLiteralExpression(node.parent ?? node)) &&
      (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node))
    )
      found.push(...[...node.text.matchAll(/(?:^|[ ,])([67]\.\d{1,2})(?=[ ,:]|$)/g)].map((match) => match[1] ?? ''));
    node.forEachChild((child) => visit(child, calls || (rows && inCall)));
  };
  visit(source, false);
  return found;
}

describe('every rule and every check', () => {
  test('has a test titled with its number', async () => {
    const files = (await readdir(join(packageRoot, 'test'), { recursive: true })).filter(
      (name) => name.endsWith('.test.ts') && !name.endsWith('rules-coverage.test.ts'),
    );
    const titled = new Set<string>();
    for (const file of files)
      for (const number of numbersIn(file, await readFile(join(packageRoot, 'test', file), 'utf8'))) titled.add(number);
    expect([...RULES, ...CHECKS].filter((number) => !titled.has(number))).toEqual([]);
  });

  test('a number in a comment or in a test body is no title', () => {
    const text =
      "// 6.1\ntest('6.2 one', () => { const x = '6.3 two'; expect('6.4').toBe(x); });\ntest.each([['6.5 three', 1]])('%s', () => {});";
    expect(numbersIn('a.test.ts', text)).toEqual(['6.2', '6.5']);
  });
});
