import { describe, expect, test } from '@jest/globals';
import { failedTests } from '../../src/domain/policy/lint.js';
import { askedOf, runTests } from '../../src/domain/policy/rehearsal.js';
import { weakSpots } from '../../src/domain/policy/weak.js';
import { denyRule, holdRule, keyText, NOW, policyOf, ROSTER, ROSTER_TEXT, rosterOf } from './policy-fixture.js';

const ALLOW =
  '  - { name: small, match: { type: refunds.* }, effect: allow, because: B., budget: [{ per: all, within: 1h, limit: 9 }], executeWithin: 5m, resolve: { from: [person:eve], quorum: 1 } }\n';
const RULES =
  denyRule('{ type: payments.blind }', 'never blind') +
  holdRule('payments.transfer', '[group:finance]', 2, ['independent: 1'], 'big') +
  ALLOW +
  `  - { name: not there, match: { type: payments.batch }, when: "'prod' in preview.touches", effect: deny, because: No. }\n`;
const TWO_AGENTS = rosterOf(
  ROSTER_TEXT.replace('api:', `  other: { owner: ana, key: '${keyText('other')}', propose: [payments.transfer, refunds.*] }\napi:`),
);
/** What the test of these words comes to: `ok`, or what it expected and what it saw. */
const run = (given: string, expected: string): string => {
  const policy = policyOf(RULES, `tests:\n  - { given: ${given}, expect: ${expected} }\n`);
  const [result] = runTests(policy, TWO_AGENTS, NOW);
  if (result === undefined) throw new Error('no test');
  expect(failedTests(policy, TWO_AGENTS, 'policy.yaml', NOW)).toHaveLength(result.ok ? 0 : 1);
  return result.ok ? 'ok' : `${result.expected} | ${result.seen}`;
};
const TRANSFER = '{ type: payments.transfer, params: {} }';

describe("a policy's own tests", () => {
  test.each([
    [TRANSFER, '{ effect: hold }', 'ok'],
    [TRANSFER, '{ effect: hold, rule: big }', 'ok'],
    [TRANSFER, '{ effect: hold, rule: big, independent: 1 }', 'ok'],
    [TRANSFER, '{ effect: hold, independent: 0 }', 'hold, independent 0 | hold by "big", independent 1'],
    [TRANSFER, '{ effect: hold, rule: small }', 'hold by "small" | hold by "big"'],
    [TRANSFER, '{ effect: hold, code: rule_denies }', 'hold rule_denies | hold by "big"'],
    [TRANSFER, '{ effect: allow, rule: big }', 'allow by "big" | hold by "big"'],
    ['{ type: refunds.small, params: {} }', '{ effect: allow, rule: small, independent: 0 }', 'ok'],
    ['{ type: refunds.small, params: {} }', '{ effect: allow, independent: 1 }', 'allow, independent 1 | allow by "small", independent 0'],
    ['{ type: refunds.small, params: {}, request: vouched }', '{ effect: deny, code: rule_missing }', 'ok'],
    ['{ type: payments.blind, params: {} }', '{ effect: deny, code: rule_denies, rule: never blind }', 'ok'],
    ['{ type: payments.blind, params: {} }', '{ effect: deny, independent: 0 }', 'ok'],
    [
      '{ type: payments.blind, params: {} }',
      '{ effect: deny, code: rule_missing }',
      'deny rule_missing | deny rule_denies by "never blind"',
    ],
    ['{ type: payments.other, params: {} }', '{ effect: deny, code: rule_missing }', 'ok'],
    ['{ type: payments.other, params: {} }', '{ effect: hold }', 'hold | deny rule_missing'],
    ['{ type: payments.other, params: {} }', '{ effect: deny, rule: big }', 'deny by "big" | deny rule_missing'],
    ['{ type: secrets.rotate, params: {} }', '{ effect: deny }', 'deny | nothing by "no agent of the roster may propose secrets.rotate"'],
    ['{ type: payments.transfer, params: {}, agent: ghost }', '{ effect: hold }', 'hold | nothing by "the roster has no agent ghost"'],
    [
      '{ type: payments.transfer, params: {}, onBehalfOf: zoe }',
      '{ effect: hold }',
      'hold | nothing by "the roster has nobody called zoe"',
    ],
    [
      '{ type: payments.transfer, params: {}, onBehalfOf: zoe }',
      '{ effect: deny, independent: 0 }',
      'deny, independent 0 | nothing by "the roster has nobody called zoe", independent 0',
    ],
    [
      '{ type: payments.batch, params: {} }',
      '{ effect: deny, code: policy_error }',
      'deny policy_error | nothing by "rule "not there": when: \'prod\' in preview.touches: no preview was made yet; say in given: what it would be"',
    ],
    ['{ type: payments.batch, params: {}, preview: { touches: [prod] } }', '{ effect: deny, code: rule_denies }', 'ok'],
    ['{ type: payments.batch, params: {}, preview: {} }', '{ effect: deny, code: rule_missing }', 'ok'],
  ])('%s expecting %s: %s', (given, expected, said) => expect(run(given, expected)).toBe(said));
});

describe('who would ask', () => {
  const asked = (given: Partial<Parameters<typeof askedOf>[1]>) =>
    askedOf(TWO_AGENTS, { type: 'payments.transfer', params: { cents: 1 }, ...given });
  test('the first agent that may propose the type, for nobody, by its own signature', () => {
    expect(asked({})).toEqual({
      type: 'payments.transfer',
      params: { cents: 1 },
      preview: undefined,
      agent: 'ap-agent',
      owner: 'dana',
      onBehalfOf: null,
      request: 'signed',
      editors: [],
      undo: [],
      spent: 'nothing',
    });
    expect(asked({ type: 'refunds.small' })).toMatchObject({ agent: 'other', owner: 'ana' });
  });
  test('or whoever is given', () => {
    const preview = { touches: ['x'], warnings: [], changes: [] };
    expect(asked({ agent: 'other', onBehalfOf: 'ben', request: 'vouched', preview })).toMatchObject({
      agent: 'other',
      owner: 'ana',
      onBehalfOf: 'ben',
      request: 'vouched',
      preview,
    });
  });
});

describe('weak spots', () => {
  const STOP = 'stop: { freeze: [group:security], thaw: { from: [group:security], quorum: 2 } }\n';
  const weak = (rules: string, rest = STOP): string[] =>
    weakSpots(policyOf(rules, rest), ROSTER, 'policy.yaml', NOW).map(({ text }) => text);
  const high = (from: string, quorum: number, more: readonly string[] = []): string =>
    holdRule('payments.transfer', from, quorum, ['risk: high', 'independent: 1', ...more], 'r');

  test.each<[string, string, string[]]>([
    ['24h to start is not too long', high('[group:finance]', 2).replace('30m', '24h'), []],
    [
      'a minute more is',
      high('[group:finance]', 2).replace('30m', '1441m'),
      ['rule "r" is of high risk, and may start 1441m after people agreed'],
    ],
    ['two of three are enough people', high('[group:finance]', 2), []],
    ['one who is asked alone is told as one, not as all', high('[person:ana]', 1), ['rule "r" is of high risk, and one person is enough']],
    [
      'all of two',
      holdRule('a', '[group:security]', 2, [], 'r'),
      ['stage reviewers of rule "r" needs all 2 it asks: one who is away, or asks for it, and it expires'],
    ],
    [
      'of medium risk nothing of this is said',
      holdRule('a', '[person:ana]', 1, ['risk: medium', 'rejections: 1']).replace('30m', '2d'),
      [],
    ],
    [
      'a tier that helps out',
      holdRule('a', '[person:x]', 2, [
        'stages: [{ name: s, from: [group:security], quorum: 2, escalate: [{ after: 1h, to: [group:finance] }] }]',
      ]).replace(/ {4}(?:from|quorum): .*\n/g, ''),
      [],
    ],
    [
      'a tier that asks for everybody',
      holdRule(
        'a',
        '[person:x]',
        2,
        ['stages: [{ name: s, from: [group:security], quorum: 1, escalate: [{ after: 1h, to: [person:ana], quorum: 3 }] }]'],
        'r',
      ).replace(/ {4}(?:from|quorum): .*\n/g, ''),
      ['stage s of rule "r" needs all 3 it asks: one who is away, or asks for it, and it expires'],
    ],
    [
      'two stages of one person each are two people',
      holdRule('a', '[person:x]', 2, [
        'risk: high',
        'independent: 1',
        'stages: [{ name: s, from: [group:finance], quorum: 1 }, { name: t, from: [group:security], quorum: 1 }]',
      ]).replace(/ {4}(?:from|quorum): .*\n/g, ''),
      [],
    ],
  ])('%s', (_what, rules, said) => expect(weak(rules)).toEqual(said));

  test('whoever lets something run without asking anybody should be able to stop it, too', () => {
    expect(weak(ALLOW, '')).toEqual(['nobody may freeze: nothing stops what this policy lets run']);
    expect(weak(ALLOW + denyRule('{ type: a }'), '')).toHaveLength(1);
    expect(weak(ALLOW)).toEqual([]);
  });
});
