import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { chargesOf, overBudget, spentKey, type BudgetLine } from '../../src/domain/policy/budget.js';
import { lintPolicy } from '../../src/domain/policy/lint.js';
import { parsePolicy } from '../../src/domain/policy/parse.js';
import { problemText } from '../../src/domain/problem.js';
import { denied, denyRule, HOUR, holdRule, NOW, policyOf, policyText, ROSTER, rule } from './policy-fixture.js';

const BUDGET = 'budget: [{ per: agent, within: 24h, limit: 3 }, { per: owner, within: 24h, sum: /cents, limit: 1000 }]';
const allowRule = (lines: readonly string[] = [], name = 'small', budget = BUDGET): string =>
  [
    `  - name: ${name}`,
    '    match: { type: payments.transfer }',
    '    effect: allow',
    '    because: Small sums are cheap to lose.',
    `    ${budget}`,
    '    executeWithin: 5m',
    '    resolve: { from: [group:finance-leads], quorum: 1 }',
    ...lines.map((line) => `    ${line}`),
    '',
  ].join('\n');
const HOLD = holdRule('payments.transfer', '[group:finance]', 1);
const spent = (count: number, cents: number, name = 'small') =>
  new Map([
    [spentKey(name, 0), count],
    [spentKey(name, 1), cents],
  ]);
const say = (text: string): string[] => {
  const read = parsePolicy(text, 'policy.yaml');
  return read.ok ? [] : read.problems.map(problemText);
};

describe('6.2 allow: within its budget, for a signed request', () => {
  const policy = policyOf(allowRule() + HOLD);
  const asking = (cents: number, before: ReturnType<typeof spent>) => rule(policy, { params: { cents }, spent: before });

  test('it fits: nobody is asked, and it has the shorter of lives', () => {
    expect(asking(1_000, spent(2, 0))).toMatchObject({
      effect: 'allow',
      rule: { name: 'small' },
      stages: [],
      approveWithin: 5 * 60_000,
      executeWithin: 5 * 60_000,
      resolve: { people: ['eve'], quorum: 1 },
    });
  });

  test.each([
    ['one too many', 1, spent(3, 0)],
    ['one cent too much', 1, spent(0, 1_000)],
    ['too much at once', 1_001, spent(0, 0)],
  ])('attack 76: %s is for the next rule, and says why', (_name, cents, before) => {
    expect(asking(cents, before)).toMatchObject({
      effect: 'hold',
      rule: { name: 'hold payments.transfer' },
      passedOver: expect.stringContaining('the budget of rule "small" is used up'),
    });
  });

  test('with no rule after it: denied, budget_exceeded, never let through', () => {
    expect(denied(rule(policyOf(allowRule()), { params: { cents: 1_001 }, spent: spent(0, 0) })).code).toBe('budget_exceeded');
  });

  test('a vouched request is for the next rule, unless the rule takes it', () => {
    const asked = { params: { cents: 1 }, request: 'vouched' as const };
    expect(rule(policy, asked)).toMatchObject({ effect: 'hold' });
    expect(denied(rule(policyOf(allowRule()), asked)).code).toBe('rule_missing');
    expect(rule(policyOf(allowRule(['request: vouched']) + HOLD), asked)).toMatchObject({ effect: 'allow', request: 'any' });
  });

  test('what cannot be summed, or what nobody looked up, denies', () => {
    for (const cents of [-1, 0.5, '40', null, [1], {}])
      expect(denied(rule(policy, { params: { cents } })).text).toContain(
        'rule "small": the budget sums /cents, which is no whole number from 0 in these parameters',
      );
    expect(denied(rule(policy, { params: {} })).code).toBe('policy_error');
    expect(denied(rule(policy, { params: { cents: 1 }, spent: new Map() })).text).toContain(
      'rule "small": nobody knows how much of its budget is used up',
    );
  });

  test('a deny rule still comes first, and so does an error of a condition', () => {
    expect(
      denied(
        rule(policyOf(allowRule() + denyRule('{ type: payments.* }') + HOLD.replaceAll('payments.transfer', 'other.type')), {
          params: { cents: 1 },
        }),
      ).code,
    ).toBe('rule_denies');
    expect(denied(rule(policyOf(allowRule(['when: action.params.none > 1']) + HOLD), { params: { cents: 1 } })).code).toBe('policy_error');
  });

  test('whatever was spent and asked: let run only where the sums fit', () => {
    fc.assert(
      fc.property(fc.nat(6), fc.nat(2_000), fc.nat(2_000), (count, before, cents) => {
        const fits = count + 1 <= 3 && before + cents <= 1_000;
        expect(asking(cents, spent(count, before)).effect).toBe(fits ? 'allow' : 'hold');
      }),
    );
  });
});

describe('a hold rule with a budget, or for signed requests', () => {
  test('its budget is used up: denied', () => {
    const policy = policyOf(holdRule('payments.transfer', '[group:finance]', 1, ['budget: [{ per: all, within: 1h, limit: 2 }]'], 'held'));
    const used = (n: number) => rule(policy, { spent: new Map([[spentKey('held', 0), n]]) });
    expect(used(1).effect).toBe('hold');
    expect(denied(used(2)).code).toBe('budget_exceeded');
  });

  test('request: signed denies what the API vouched for', () => {
    const policy = policyOf(holdRule('payments.transfer', '[group:finance]', 1, ['request: signed']));
    expect(rule(policy)).toMatchObject({ effect: 'hold', request: 'signed' });
    expect(denied(rule(policy, { request: 'vouched' })).text).toContain(
      'rule "hold payments.transfer" takes only requests the agent itself has signed',
    );
  });

  test('a condition may ask which it is', () => {
    const policy = policyOf(denyRule('{ type: payments.* }').replace(' effect', ' when: action.request == "vouched", effect') + HOLD);
    expect(rule(policy).effect).toBe('hold');
    expect(rule(policy, { request: 'vouched' }).effect).toBe('deny');
  });
});

describe('charges', () => {
  test('one for the action, one for each whole number from 0', () => {
    expect(chargesOf({ cents: 5, lines: [{ n: 2 }, { n: -1 }], text: '7', half: 0.5, 'a/b': 1 })).toEqual([
      { what: '', amount: 1 },
      { what: '/a~1b', amount: 1 },
      { what: '/cents', amount: 5 },
      { what: '/lines/0/n', amount: 2 },
    ]);
  });

  test('parameters with more numbers than are recorded cannot be summed by those left out', () => {
    const params = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`n${String(i).padStart(3, '0')}`, i]));
    const line = (sum: string): { name: string; budget: BudgetLine[] } => ({
      name: 'r',
      budget: [{ per: 'all', within: HOUR, sum, limit: 10 }],
    });
    expect(chargesOf(params)).toHaveLength(100);
    expect(overBudget(line('/n003'), params, 'nothing')).toBeUndefined();
    expect(() => overBudget(line('/n199'), params, 'nothing')).toThrow('no whole number');
  });
});

describe('an allow rule in the file', () => {
  test.each([
    [
      'no budget',
      allowRule().replace(/ {4}budget.*\n/, ''),
      'policy.yaml:4: budget is missing. Write: budget: [{ per: agent, within: 24h, limit: 20 }]',
    ],
    [
      'an empty budget',
      allowRule([], 'x', 'budget: []'),
      'policy.yaml:8: budget must have at least 1. Write: budget: [{ per: agent, within: 24h, limit: 20 }]',
    ],
    [
      'a budget of nothing',
      allowRule([], 'x', 'budget: [{ per: agent, within: 24h, limit: 0 }]'),
      'policy.yaml:8: limit 0 is not a whole number from 1. Write: limit: 20',
    ],
    [
      'no one to resolve',
      allowRule().replace(/ {4}resolve.*\n/, ''),
      'policy.yaml:4: resolve is missing. Write: resolve: { from: [group:finance-leads], quorum: 1 }',
    ],
    ['stages', allowRule(['stages: []']), 'has no place in an allow rule'],
    ['a quorum', allowRule(['quorum: 0']), 'has no place in an allow rule'],
    [
      'a pointer that is none',
      allowRule([], 'x', 'budget: [{ per: agent, within: 24h, sum: cents, limit: 1 }]'),
      'policy.yaml:8: sum "cents" is not a JSON pointer to a whole number of the parameters. Write: sum: /cents; left out, actions are counted',
    ],
    [
      'a scope the agent chooses',
      allowRule([], 'x', 'budget: [{ per: onBehalfOf, within: 24h, limit: 1 }]'),
      'policy.yaml:8: per "onBehalfOf" is not agent, owner or all. Write: per: agent, per: owner, or per: all',
    ],
  ])('%s is refused', (_name, rules, why) => {
    expect(say(policyText(rules)).join('\n')).toContain(why);
  });

  test('lint: a rule after an allow rule is reached, one behind a hold or deny rule is not', () => {
    const problems = (rules: string) => lintPolicy(policyOf(rules), ROSTER, 'policy.yaml', NOW).map(({ text }) => text);
    expect(problems(allowRule() + HOLD)).toEqual([]);
    expect(problems(allowRule() + allowRule([], 'more'))).toEqual([]);
    expect(problems(HOLD + allowRule())).toEqual([expect.stringContaining('"small" is never reached')]);
    expect(problems(allowRule() + denyRule('{ type: payments.* }'))).toEqual([expect.stringContaining('"small" is never reached')]);
    expect(problems(allowRule().replace('quorum: 1', 'quorum: 9'))).toEqual([
      expect.stringContaining('quorum 9 is more than the 1 person of resolve'),
    ]);
    expect(problems(allowRule().replace('finance-leads', 'finance-leds'))).toEqual([
      expect.stringContaining('the roster has no group "finance-leds": did you mean "finance-leads"?'),
    ]);
  });
});
