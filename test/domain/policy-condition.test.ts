import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readCondition } from '../../src/domain/policy/condition.js';
import { deniedBy } from '../../src/domain/policy/evaluate.js';
import { explainPolicy } from '../../src/domain/policy/explain.js';
import { failedTests, lintPolicy } from '../../src/domain/policy/lint.js';
import { parsePolicy } from '../../src/domain/policy/parse.js';
import { problemText } from '../../src/domain/problem.js';
import { ASKED, denied, held, holdRule, NOW, policyOf, policyText, ROSTER, rule } from './policy-fixture.js';

const FACTS = {
  ...ASKED,
  params: { vendor: 'ACME', cents: 480_000, rate: 1.5, tags: ['new', 'abroad'], to: { iban: 'DE89' }, none: null },
};
const holds = (text: string, facts = FACTS): boolean => {
  const read = readCondition(text);
  if (!read.ok) throw new Error(read.text);
  return read.condition.holds(facts);
};
const problemOf = (text: string): string => {
  const read = readCondition(text);
  return read.ok ? 'fine' : read.text;
};

describe('conditions (§9): Common Expression Language over the action', () => {
  test.each([
    ['action.params.cents > 50000', true],
    ['action.params.cents > 480000', false],
    ['action.params.cents >= 480000.0', true],
    ['action.params.rate > 1.0', true],
    ['action.params.vendor == "ACME" && action.type == "payments.transfer"', true],
    ['action.params.vendor.matches("^AC")', true],
    ['"abroad" in action.params.tags', true],
    ['action.params.tags.exists(tag, tag.startsWith("ab"))', true],
    ['action.params.tags.all(action, action != "x")', true],
    ['has(action.params.to.iban) && !has(action.params.memo)', true],
    ['action.params["to"].iban == "DE89"', true],
    ['action.agent == "ap-agent" && action.owner == "dana" && action.onBehalfOf == null', true],
    ['action.params.none == null', true],
    ['size(action.params) == 6', true],
  ])('%s: %s', (text, expected) => expect(holds(text)).toBe(expected));

  test.each([
    ['action.params.amount > 1', 'field not found'],
    ['action.params.vendor > 1', 'overload'],
    ['1 / (action.params.cents - 480000) == 1', 'divide'],
    ['action.params.cents', 'neither true nor false'],
    ['action.params.nosuch() == 1', ''],
    ['nosuch(action.params.cents)', ''],
  ])('6.1 %s cannot be evaluated, which denies', (text, why) => {
    expect(() => holds(text)).toThrow(why);
    for (const effect of ['deny', 'hold']) {
      const rules =
        effect === 'hold'
          ? holdRule('payments.transfer', '[group:finance]', 1, [`when: '${text.replaceAll("'", "''")}'`])
          : `  - { name: odd, match: { type: payments.transfer }, when: '${text.replaceAll("'", "''")}', effect: deny, because: No. }\n`;
      // A rule behind it that would hold does not save it.
      const policy = policyOf(rules + holdRule('payments.*', '[group:finance]', 1));
      expect(denied(rule(policy, FACTS))).toMatchObject({ code: 'policy_error' });
      expect(deniedBy(policy, FACTS)?.code).toBe(effect === 'deny' ? 'policy_error' : undefined);
    }
  });

  test.each([
    ['cents > 1', 'the condition cannot be used: there is no "cents": all is in action and preview'],
    [
      'action.parms.cents > 1',
      'the condition cannot be used: action has no "parms": it has type, agent, owner, onBehalfOf, params, request',
    ],
    ['action == 1', 'the condition cannot be used: name a field of action'],
    ['action.params.tags.exists(a, action.params.tags.exists(b, a == b))', 'the condition cannot be used: a loop within a loop'],
    ['[1].all(x, y > 1)', 'the condition cannot be used: there is no "y": all is in action and preview'],
    ['action.params.cents >', 'cannot be read'],
    ['', 'cannot be read'],
    [`action.params.vendor == "${'x'.repeat(1_000)}"`, 'the condition is longer than 1000 characters'],
  ])('%s is refused when the file is read', (text, why) => {
    expect(problemOf(text)).toContain(why);
    const read = parsePolicy(policyText(holdRule('payments.transfer', '[group:finance]', 1, [`when: '${text}'`])), 'policy.yaml');
    expect(read.ok ? [] : read.problems.map(problemText)[0]).toContain('policy.yaml:12: ');
  });

  test('when: 5, and an empty when, are no condition', () => {
    for (const value of ['5', '', 'true', '[a]', '{ a: b }']) {
      const read = parsePolicy(policyText(holdRule('payments.transfer', '[group:finance]', 1, [`when: ${value}`])), 'policy.yaml');
      expect(read.ok ? '' : read.problems.map(problemText).join()).toContain(
        'policy.yaml:12: when is not a text in the Common Expression Language. Write: when: action.params.cents > 50000',
      );
    }
  });

  test("a regular expression of the agent's worst kind ends soon: RE2 does not backtrack", () => {
    expect(
      holds('action.params.vendor.matches("(a+)+$")', { ...FACTS, params: { ...FACTS.params, vendor: `${'a'.repeat(20_000)}!` } }),
    ).toBe(false);
  });

  test('whatever the parameters are, a ruling comes back, and never by exception', () => {
    const policy = policyOf(
      holdRule('payments.transfer', '[group:finance]', 1, ['when: action.params.cents > 50000 || action.params.to.iban.startsWith("DE")']),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('cents', 'to', 'vendor', '__proto__', 'constructor'), fc.jsonValue()), (params) => {
        const ruling = rule(policy, { ...ASKED, params: params as never });
        expect(ruling.effect !== 'deny' || ['policy_error', 'rule_missing'].includes(ruling.code)).toBe(true);
      }),
    );
  });
});

describe('6.1 which rule decides, with conditions', () => {
  const policy = policyOf(
    `  - { name: never big, match: { type: payments.* }, when: 'action.params.cents > 1000000', effect: deny, because: Too much. }\n` +
      holdRule('payments.transfer', '[group:finance]', 2, ['when: action.params.cents > 50000'], 'big') +
      holdRule('payments.transfer', '[group:finance]', 1, [], 'small'),
    `tests:
  - given: { type: payments.transfer, params: { cents: 2000000 } }
    expect: { effect: deny, code: rule_denies, rule: never big }
  - given: { type: payments.transfer, params: { cents: 60000 } }
    expect: { effect: hold, rule: big }
  - given: { type: payments.transfer, params: { cents: 5 } }
    expect: { effect: hold, rule: big }
  - given: { type: payments.transfer, params: {}, agent: nobody }
    expect: { effect: deny }
`,
  );
  const by = (cents: number) => rule(policy, { params: { cents } });

  test('a deny rule whose condition does not hold forbids nothing; the first hold rule whose condition holds decides', () => {
    expect(denied(by(1_000_001))).toMatchObject({ code: 'rule_denies', rule: 'never big' });
    expect(held(by(1_000_000)).rule.name).toBe('big');
    expect(held(by(50_000)).rule.name).toBe('small');
  });

  test('a rule with a condition hides no later one from the linter; the same condition twice does', () => {
    expect(lintPolicy(policy, ROSTER, 'policy.yaml', NOW)).toEqual([]);
    const twice = ['when: action.params.cents > 5'];
    const hidden = policyOf(
      holdRule('payments.*', '[group:finance]', 1, twice, 'first') + holdRule('payments.transfer', '[group:finance]', 1, twice, 'second'),
    );
    expect(lintPolicy(hidden, ROSTER, 'policy.yaml', NOW).map(problemText)).toEqual([
      expect.stringContaining(
        'policy.yaml:13: rule "second" is never reached: rule "first" takes all it matches. Write: the narrower rule first, or no such rule',
      ),
    ]);
  });

  test("the policy's own tests are run before it starts anything", () => {
    expect(failedTests(policy, ROSTER, 'policy.yaml', NOW).map(problemText)).toEqual([
      expect.stringContaining(
        'policy.yaml:27: this test expects hold by "big", and gets hold by "small". Write: the rule or the test as it should be',
      ),
      expect.stringContaining(
        'policy.yaml:29: this test expects deny, and gets nothing by "the roster has no agent nobody". Write: the rule or the test as it should be',
      ),
    ]);
  });

  test('explain says of every rule why, in the order they are asked', () => {
    const { ruling, rules } = explainPolicy(policy, ROSTER, { ...ASKED, params: { cents: 5 } }, NOW);
    expect(held(ruling).rule.name).toBe('small');
    expect(rules).toEqual([
      { rule: 'never big', effect: 'deny', says: 'when is false' },
      { rule: 'big', effect: 'hold', says: 'when is false' },
      { rule: 'small', effect: 'hold', says: 'applies' },
    ]);
  });
});
