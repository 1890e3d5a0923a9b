import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { asCliError, CliError } from '../../src/cli/errors.js';
import { exitOf } from '../../src/cli/exit.js';
import { runCli } from '../../src/cli/program.js';
import { outcomeOf, STATUSES, type Status } from '../../src/domain/outcome.js';
import { actionIdSchema } from '../../src/domain/ids.js';
import { FileRefused } from '../../src/domain/problem.js';
import { LedgerRefused } from '../../src/executor/ledger/database.js';
import { FakeTerminal } from './fake-terminal.js';

const run = async (...args: string[]) => {
  const terminal = new FakeTerminal();
  return { exit: await runCli(args, terminal, {}), terminal };
};

describe('arguments', () => {
  test.each([
    [[], 'no command was given'],
    [['aprove', 'act_x'], "unknown command 'aprove' (Did you mean approve?)"],
    [['approve'], "missing required argument 'id'"],
    [['approve', 'act_x', 'act_y'], 'too many arguments'],
    [['reject', 'act_x'], "required option '--reason <text>' not specified"],
    [['modify', 'act_x', '--reason', 'typo'], "missing required argument 'changes'"],
    [['modify', 'act_x', 'cents=1', '--reason', 'typo'], 'no change of a parameter'],
    [['propose', 'payments.transfer', '--reason', 'x'], '--idempotency-key'],
    [['approve', 'act_x', '--force'], "unknown option '--force'"],
    [['ledger'], 'no command was given'],
    [['api', '--port', 'many'], 'no port'],
    [['api', '--host', 'localhost'], 'no IP address'],
  ])('%j: exit 2, one sentence, the remedy, the code', async (args, text) => {
    const { exit, terminal } = await run(...args);
    expect(exit).toBe(2);
    expect(terminal.said).toContain(text);
    expect(terminal.said).toContain('(usage)');
    expect(terminal.lines).toEqual([]);
  });

  test('--json: the error is one JSON line on the error stream', async () => {
    const { exit, terminal } = await run('aprove', '--json');
    expect(exit).toBe(2);
    expect(terminal.errors).toHaveLength(1);
    expect(JSON.parse(terminal.errors[0] ?? '')).toMatchObject({ error: { code: 'usage', remedy: 'See: keyturn --help' } });
  });

  test('--help and --version are no errors; help fits 80 columns and names every command of the issue', async () => {
    const { exit, terminal } = await run('--help');
    expect(exit).toBe(0);
    for (const line of terminal.text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    const all =
      'init dev propose wait get cancel inbox show approve reject modify withdraw resolve keys ledger evidence api worker executor doctor demo';
    for (const name of all.split(' ')) expect(terminal.text).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'));
    expect((await run('--version')).terminal.text).toMatch(/^\d+\.\d+\.\d+/);
    expect((await run('approve', '--help')).exit).toBe(0);
  });
});

describe('exit codes of §11', () => {
  const id = actionIdSchema.parse(`act_${'0'.repeat(26)}`);
  const expected: Record<Status, number> = {
    evaluating: 6,
    awaiting_approval: 6,
    approved: 6,
    executing: 6,
    compensating: 6,
    outcome_unknown: 5,
    compensation_failed: 5,
    denied: 3,
    rejected: 3,
    expired: 3,
    execution_expired: 3,
    cancelled: 3,
    failed: 3,
    succeeded: 0,
    compensated: 4,
  };
  test.each(Object.keys(STATUSES) as Status[])('%s', (status) => {
    expect(exitOf(outcomeOf(id, status, { code: status, text: '' }))).toBe(expected[status]);
  });
});

describe('errors', () => {
  test('files and ledgers keep their own words and codes; anything else is internal', () => {
    const problem = { code: 'policy_unsupported', file: 'policy.yaml', line: 7, text: 'no', write: 'yes' } as const;
    expect(asCliError(new FileRefused([problem]))).toMatchObject({ code: 'policy_unsupported', text: 'policy.yaml:7: no. Write: yes' });
    expect(asCliError(new LedgerRefused('held'))).toMatchObject({ code: 'ledger_invalid', text: 'held', exit: 1 });
    expect(asCliError(new Error('boom'))).toMatchObject({ code: 'internal', exit: 1 });
    expect(asCliError('boom')).toBeInstanceOf(CliError);
  });
});

describe('what --help loads', () => {
  const SOURCE = resolve(import.meta.dirname, '../../src/cli');
  const STATIC = /^(?:import|export)\s(?!type\s)(?:[^'";]*?\sfrom\s)?['"]([^'"]+)['"]/gm;

  /** Everything that is loaded without a command: the static imports from `main.ts` on, types aside. */
  function loaded(file: string, seen = new Set<string>(), packages = new Set<string>()): { files: Set<string>; packages: Set<string> } {
    if (seen.has(file)) return { files: seen, packages };
    seen.add(file);
    for (const [whole, from = ''] of readFileSync(file, 'utf8').matchAll(STATIC)) {
      const isTypesOnly = /^import\s*\{(?:\s*type\s[^,}]+,?)+\s*\}/.test(whole);
      if (isTypesOnly) continue;
      if (!from.startsWith('.')) packages.add(from);
      else loaded(resolve(dirname(file), from.replace(/\.js$/, '.ts')), seen, packages);
    }
    return { files: seen, packages };
  }

  test('commander and a few small files: no zod, no crypto, no Temporal', () => {
    const { files, packages } = loaded(resolve(SOURCE, 'main.ts'));
    expect([...packages].filter((name) => !name.startsWith('node:'))).toEqual(['commander']);
    expect(files.size).toBeLessThanOrEqual(16);
    for (const file of files) {
      expect(existsSync(file)).toBe(true);
      expect(file.startsWith(SOURCE)).toBe(true);
    }
  });

  test('no door imports another: the command line loads the API only to run it', () => {
    const { files } = loaded(resolve(SOURCE, 'desk.ts'));
    for (const file of files) expect(file).not.toMatch(/src\/(?:api|client|executor|workflows)\//);
  });
});
