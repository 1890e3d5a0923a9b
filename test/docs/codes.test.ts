import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { CODES } from '../../src/domain/codes.js';

const HEAD = ['| Code | HTTP | Message | Remedy | Retry |', '|---|---|---|---|---|'];
const cell = (text: string): string => text.replaceAll('|', '\\|');

test('6.14 docs/codes.md is the catalogue of src/domain/codes.ts, row by row', () => {
  const lines = readFileSync(join(import.meta.dirname, '../../docs/codes.md'), 'utf8').split('\n');
  const rows = Object.entries(CODES).map(
    ([code, { status, message, remedy, retry }]) => `| \`${code}\` | ${status} | ${cell(message)} | ${cell(remedy)} | ${retry} |`,
  );
  expect(lines.filter((line) => line.startsWith('|'))).toEqual([...HEAD, ...rows]);
});
