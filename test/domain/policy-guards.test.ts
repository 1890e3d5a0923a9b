import { describe, expect, test } from '@jest/globals';
import { confirmText } from '../../src/domain/confirm.js';
import type { Json } from '../../src/domain/json.js';
import { lintPolicy } from '../../src/domain/policy/lint.js';
import { parsePolicy } from '../../src/domain/policy/parse.js';
import { runTests } from '../../src/domain/policy/rehearsal.js';
import { problemText } from '../../src/domain/problem.js';
import type { Roster } from '../../src/domain/roster.js';
import {
  denied,
  held,
  holdRule,
  keyText,
  NOW,
  passkey,
  policyOf,
  policyText,
  ROSTER,
  ROSTER_TEXT,
  rosterOf,
  rule,
} from './policy-fixture.js';

const hold = (more: readonly string[], quorum = 2): string => holdRule('payments.transfer', '[group:finance]', quorum, more);
const say = (rules: string): string[] => {
  const read = parsePolicy(policyText(rules), 'policy.yaml');
  return read.ok ? [] : read.problems.map(problemText);
};
const lint = (rules: string, roster: Roster): string[] => lintPolicy(policyOf(rules), roster, 'policy.yaml', NOW).map(problemText);
/** Who of finance signs with a passkey alone. */
const passkeyOf = (...people: readonly string[]): Roster =>
  rosterOf(people.reduce((text, person) => text.replace(`'${keyText(person)}'`, `'${passkey(person)}'`), ROSTER_TEXT));

describe('independent', () => {
  test('is ruled as written; left out, none is demanded', () => {
    expect(held(rule(policyOf(hold(['independent: 2'])))).guards).toMatchObject({ independent: 2 });
    expect(held(rule(policyOf(hold([])))).guards).toMatchObject({ independent: 0, minTime: 0 });
  });
  test.each(['0', '-1', '1.5', '"1"', 'true', '101', ''])('attack cases 1, 2: independent: %s is refused', (value) => {
    expect(say(hold([`independent: ${value}`]))[0]).toMatch(/^policy.yaml:12: independent .*Write: independent: 1$/);
  });
  test('more than must agree at all', () => {
    expect(say(hold(['independent: 3']))).toEqual([
      'policy.yaml:12: independent 3 is more than the 2 who must agree. Write: independent: 2 or less',
    ]);
  });
  test('6.2 too few hold an Ed25519 key: at lint, with what to write, and denied at the seal', () => {
    const rules = hold(['independent: 2']);
    expect(lint(rules, ROSTER)).toEqual([]);
    expect(lint(rules, passkeyOf('ana'))).toEqual([]);
    const one = passkeyOf('ana', 'ben');
    expect(lint(rules, one)).toEqual([
      'policy.yaml:4: rule "hold payments.transfer" needs 2 independent approvals, by Ed25519 keys: of those who may count only cleo could give one. Write: a lower independent, or keys made by keyturn keys new for more of them',
    ]);
    expect(denied(rule(policyOf(rules), {}, one))).toMatchObject({ code: 'quorum_unsatisfiable', rule: 'hold payments.transfer' });
    expect(held(rule(policyOf(hold(['independent: 1'])), {}, one)).guards.independent).toBe(1);
  });
  test('a key that ended, or whose holder never counts, is none', () => {
    const ended = rosterOf(
      ROSTER_TEXT.replace(`'${keyText('cleo')}'`, `'${passkey('cleo')}', { key: '${keyText('cleo')}', until: '2026-05-01T00:00:00.000Z' }`)
        .replace(`'${keyText('ana')}'`, `'${passkey('ana')}'`)
        .replace(`'${keyText('ben')}'`, `'${passkey('ben')}'`),
    );
    expect(denied(rule(policyOf(hold(['independent: 1'])), {}, ended)).code).toBe('quorum_unsatisfiable');
    const excluded = { editors: [held(rule(policyOf(hold([])))).stages[0]?.from[2] ?? 'nobody'] } as Parameters<typeof rule>[1];
    expect(denied(rule(policyOf(hold(['independent: 1'])), excluded, passkeyOf('ana', 'ben'))).text).toContain(
      'rule "hold payments.transfer" needs 1 independent approval, by Ed25519 keys: of those who may count only nobody could give one',
    );
  });
});

describe('minTime', () => {
  test('is ruled in ms', () => {
    expect(held(rule(policyOf(hold(['minTime: 10m'])))).guards).toMatchObject({ minTime: 600_000 });
  });
  test.each(['10', '0m', '-5m', '91d', 'soon', ''])('minTime: %s is refused', (value) => {
    expect(say(hold([`minTime: ${value}`]))[0]).toMatch(/^policy.yaml:12: minTime/);
  });
  test('6.7 must be less than executeWithin: who votes at once could else never run it', () => {
    expect(say(hold(['minTime: 29m']))).toEqual([]);
    expect(say(hold(['minTime: 30m']))).toEqual([
      'policy.yaml:12: minTime 30m is not less than executeWithin 30m: a vote made at the seal could never run. Write: less than 30m, or a longer executeWithin',
    ]);
  });
});

describe('confirmField, minView', () => {
  test('are ruled as written; what cannot be typed denies', () => {
    const policy = policyOf(hold(['confirmField: /to/0', 'minView: 20s']));
    expect(held(rule(policy, { params: { to: ['ACME'] } })).guards).toMatchObject({ confirmField: '/to/0', minView: 20_000 });
    expect(denied(rule(policy, { params: { to: [] } }))).toMatchObject({ code: 'policy_error', rule: 'hold payments.transfer' });
    expect(denied(rule(policy, { params: { to: ['x'.repeat(501)] } })).code).toBe('policy_error');
  });
  test.each(['cents', '/', '""', '7', '/a~2b', ''])('confirmField: %s is refused', (value) => {
    expect(say(hold([`confirmField: ${value}`]))[0]).toMatch(/^policy.yaml:12: confirmField .*Write: confirmField: \/cents$/);
  });
  test('minView as long as there is time to approve', () => {
    expect(say(hold(['minView: 24h']))).toEqual([
      'policy.yaml:12: minView 1d is not less than approveWithin 1d: nobody could approve in time. Write: less than 1d',
    ]);
  });
});

describe('what is repeated', () => {
  test.each<[string, Json, string, string | undefined]>([
    ['a text as it is', { vendor: 'ACME "x"' }, '/vendor', 'ACME "x"'],
    ['a number', { cents: 480_000 }, '/cents', '480000'],
    ['true, null', { a: true, b: [null] }, '/b/0', 'null'],
    ['an object in canonical order', { a: { z: 1, b: [true] } }, '/a', '{"b":[true],"z":1}'],
    ['a key with a slash', { 'a/b': 1 }, '/a~1b', '1'],
    ['nothing there', { cents: 1 }, '/iban', undefined],
    ['inherited, not there', {}, '/constructor', undefined],
    ['the whole', { cents: 1 }, '', undefined],
  ])('%s', (_title, params, field, text) => {
    expect(confirmText(params, field)).toBe(text);
  });
});

test('a test of the policy may expect how many independent votes are demanded', () => {
  const expecting = (independent: number): string =>
    `tests:\n  - given: { type: payments.transfer, params: {} }\n    expect: { effect: hold, independent: ${independent} }\n`;
  const results = (n: number) => runTests(policyOf(hold(['independent: 1']), expecting(n)), ROSTER, NOW);
  expect(results(1)).toMatchObject([{ ok: true }]);
  expect(results(2)).toMatchObject([
    { ok: false, expected: 'hold, independent 2', seen: 'hold by "hold payments.transfer", independent 1' },
  ]);
});

test.each(['independent: 1', 'minTime: 5m', 'confirmField: /cents', 'minView: 20s'])('%s has no place in a deny rule', (line) => {
  const rules = `  - name: x\n    match: { type: a }\n    effect: deny\n    because: No.\n    ${line}\n`;
  const [field = ''] = line.split(':');
  expect(say(rules)).toEqual([
    `policy.yaml:8: "${field}" has no place in a deny rule: nobody is asked. Write: the rule without ${field}, or effect: hold`,
  ]);
});
