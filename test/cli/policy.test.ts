import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { policyText } from '../helpers/rules-fixture.js';
import { Folder } from './folder.js';

let folder: Folder;
const write = (text: string): Promise<void> => writeFile(join(folder.dir, 'policy.yaml'), text);
beforeEach(async () => {
  folder = await Folder.make('http://127.0.0.1:1');
});
afterEach(() => folder.remove());

const TESTS = `tests:
  - given: { type: payments.transfer, params: { vendor: ACME, cents: 1 } }
    expect: { effect: hold }
`;

test('policy lint: nothing wrong, or every problem with its line and what to write', async () => {
  await write(policyText() + TESTS);
  const fine = await folder.run(['policy', 'lint']);
  expect(fine.exit).toBe(0);
  expect(fine.terminal.said).toContain('1 test, nothing wrong');
  await write(policyText().replace('effect: hold', 'when: action.parms.cents > 5\n    effect: hold'));
  const bad = await folder.run(['policy', 'lint']);
  expect(bad.exit).toBe(1);
  expect(bad.terminal.said).toContain('action has no "parms"');
  expect(bad.terminal.said).toContain('when: action.params.cents > 50000');
});

test('policy test: each test, and exit 1 where one fails', async () => {
  await write(policyText() + TESTS);
  const passed = await folder.run(['policy', 'test']);
  expect(passed.exit).toBe(0);
  expect(passed.terminal.said).toContain('1 of 1 tests passed');
  await write(policyText() + TESTS.replace('effect: hold', 'effect: deny, code: rule_missing'));
  const failed = await folder.run(['policy', 'test']);
  expect(failed.exit).toBe(1);
  expect(failed.terminal.said).toContain('expected deny rule_missing, got hold');
  const json = JSON.parse((await folder.run(['--json', 'policy', 'test'])).terminal.text) as { ok: boolean; tests: { ok: boolean }[] };
  expect(json).toMatchObject({ ok: false, tests: [{ ok: false }] });
  expect((await folder.run(['policy', 'lint'])).exit).toBe(1);
});

test('policy explain: who would be asked, or why it is denied; nothing is sent', async () => {
  await write(policyText());
  const held = await folder.run(['policy', 'explain', 'payments.transfer', '/vendor=ACME', '/cents=5']);
  expect(held.exit).toBe(0);
  expect(held.terminal.said).toContain('2 of ana, ben, cleo');
  expect(held.terminal.said).toContain('never counted: dana (owner)');
  const denied = await folder.run(['policy', 'explain', 'secrets.rotate', '--agent', 'ap-agent']);
  expect(denied.terminal.said).toContain('denied (rule_missing)');
  expect((await folder.run(['policy', 'explain', 'payments.transfer', '--agent', 'nobody'])).exit).toBe(2);
});

test('policy explain: a rule that reads the preview is open here, until --touches says what it would be', async () => {
  await write(policyText({ denyWhen: '"environment production" in preview.touches' }));
  const ask = ['policy', 'explain', 'payments.transfer', '/vendor=ACME', '/cents=5'];
  const open = await folder.run(ask);
  expect(open.exit).toBe(0);
  expect(open.terminal.said).toContain('"never so": not decidable here: it reads the preview');
  expect(open.terminal.said).not.toContain('denied (');
  expect((await folder.run([...ask, '--touches', 'environment staging'])).terminal.said).toContain('held by "vendor payments"');
  expect((await folder.run([...ask, '--touches', 'x', 'environment production'])).terminal.said).toContain('denied (rule_denies)');
});

test('policy lint: warnings are told and refuse nothing, but with --strict', async () => {
  await write(policyText({ stages: '[{ name: finance, from: [group:finance], quorum: 1 }]', more: ['risk: high'] }));
  const warned = await folder.run(['policy', 'lint']);
  expect(warned.exit).toBe(0);
  expect(warned.terminal.said).toContain('warning: policy.yaml:4: rule "vendor payments" is of high risk without an independent vote');
  expect(warned.terminal.said).toContain('Write: independent: 1');
  expect(warned.terminal.said).toContain('nothing wrong, 2 warnings');
  expect((await folder.run(['policy', 'lint', '--strict'])).exit).toBe(1);
  await write(policyText({ more: ['risk: high', 'independent: 1'] }));
  expect((await folder.run(['policy', 'lint', '--strict'])).exit).toBe(0);
});

test('policy explain: the guards of the rule', async () => {
  await write(policyText({ more: ['independent: 1', 'minTime: 10m', 'confirmField: /cents', 'minView: 20s'] }));
  const { terminal } = await folder.run(['policy', 'explain', 'payments.transfer', '/vendor=ACME', '/cents=5']);
  expect(terminal.said).toContain('at least 1 of them with the command line (Ed25519 keys)');
  expect(terminal.said).toContain('nothing starts within 10m of the seal');
  expect(terminal.said).toContain('every approval repeats the value of /cents');
  expect(terminal.said).toContain('read for 20s before it takes an approval');
});
