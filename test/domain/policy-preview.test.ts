import { describe, expect, test } from '@jest/globals';
import { previewFactsOf, readCondition, type PreviewFacts } from '../../src/domain/policy/condition.js';
import { deniedBy } from '../../src/domain/policy/evaluate.js';
import { explainPolicy } from '../../src/domain/policy/explain.js';
import { failedTests, lintPolicy } from '../../src/domain/policy/lint.js';
import { parsePolicy } from '../../src/domain/policy/parse.js';
import { problemText } from '../../src/domain/problem.js';
import { ASKED, denied, held, holdRule, NOW, policyOf, policyText, ROSTER, rule } from './policy-fixture.js';

const PREVIEW = previewFactsOf({
  touches: ['environment production', 'DE89'],
  warnings: ['a binary file'],
  changes: [{ what: 'limit', from: '5', to: '7' }, { what: 'note' }],
});
const NOTHING: PreviewFacts = { touches: [], warnings: [], changes: [] };
const conditionOf = (text: string) => {
  const read = readCondition(text);
  if (!read.ok) throw new Error(read.text);
  return read.condition;
};
const denyWhen = (when: string, name = 'never so'): string =>
  `  - { name: ${name}, match: { type: payments.* }, when: '${when}', effect: deny, because: No. }\n`;
const PRODUCTION = 'preview.touches.exists(t, t == "environment production")';

describe('conditions over the preview', () => {
  test.each([
    [PRODUCTION, true],
    ['"environment staging" in preview.touches', false],
    ['size(preview.warnings) > 0 && action.type == "payments.transfer"', true],
    ['preview.changes.exists(c, c.what == "limit" && c.from == "5" && c.to == "7")', true],
    ['preview.changes[1].from == null && preview.changes[1].to == null', true],
  ])('%s: %s', (text, expected) => {
    expect(conditionOf(text).readsPreview).toBe(true);
    expect(conditionOf(text).holds(ASKED, PREVIEW)).toBe(expected);
  });

  test('it is said of a condition whether it reads the preview: a name of a loop is not it', () => {
    expect(conditionOf('action.params.tags.exists(preview, preview.touches == "x")').readsPreview).toBe(false);
    expect(conditionOf('action.agent == "preview.touches"').readsPreview).toBe(false);
    expect(conditionOf('action.agent == "x" || has(preview.touches)').readsPreview).toBe(true);
  });

  test.each([
    ['preview.touched.exists(t, t == "x")', 'the condition cannot be used: preview has no "touched": it has touches, warnings, changes'],
    ['preview == 1', 'the condition cannot be used: name a field of preview'],
    ['preview.precondition == 1', 'the condition cannot be used: preview has no "precondition": it has touches, warnings, changes'],
    ['preview.touches.exists(t, preview.warnings.exists(w, w == t))', 'a loop within a loop'],
    ['action.params.tags.exists(t, preview.touches.exists(p, p == t))', 'a loop within a loop'],
  ])('%s is refused when the file is read', (text, why) => {
    const read = readCondition(text);
    expect(read.ok ? 'fine' : read.text).toContain(why);
  });
});

describe('§4 the order: deny rules on the action, then with the preview the whole policy', () => {
  const policy = policyOf(
    denyWhen(PRODUCTION) + denyWhen('action.params.cents > 100', 'too much') + holdRule('payments.transfer', '[group:finance]', 2),
  );

  test('before the preview only rules on the action are asked', () => {
    expect(deniedBy(policy, { ...ASKED, params: { cents: 101 } })).toMatchObject({
      code: 'rule_denies',
      text: 'rule "too much": No.',
      rule: 'too much',
    });
    expect(deniedBy(policy, { ...ASKED, params: { cents: 100 } })).toBeUndefined();
  });
  test('with it, both, and what the action alone forbids is said first', () => {
    expect(denied(rule(policy, { params: { cents: 101 }, preview: PREVIEW })).rule).toBe('too much');
    expect(denied(rule(policy, { params: { cents: 100 }, preview: PREVIEW })).rule).toBe('never so');
    expect(held(rule(policy, { params: { cents: 100 }, preview: NOTHING })).rule.name).toBe('hold payments.transfer');
  });
  test('6.1 without a preview a rule that reads it denies', () => {
    expect(rule(policy, { params: { cents: 100 } })).toMatchObject({
      effect: 'deny',
      code: 'policy_error',
      text: 'rule "never so": when: preview.touches.exists(t, t == "environment production"): no preview was made yet',
      undecided: true,
    });
    const narrowed = policyOf(
      holdRule('payments.transfer', '[group:finance]', 2, [`when: '${PRODUCTION}'`]) + holdRule('payments.*', '[group:finance]', 1),
    );
    expect(rule(narrowed)).toMatchObject({
      effect: 'deny',
      code: 'policy_error',
      text: 'rule "hold payments.transfer": when: preview.touches.exists(t, t == "environment production"): no preview was made yet',
      undecided: true,
    });
    expect(rule(narrowed, { preview: NOTHING })).toMatchObject({ effect: 'hold', rule: { name: 'hold payments.*' } });
  });
  test('6.1 one that cannot be evaluated denies, whatever else would hold', () => {
    for (const text of ['preview.touches[9] == "x"', 'preview.touches', 'preview.changes.all(c, c.from > 5)'])
      expect(rule(policyOf(denyWhen(text) + holdRule('payments.*', '[group:finance]', 1)), { preview: PREVIEW })).toMatchObject({
        effect: 'deny',
        code: 'policy_error',
      });
  });
  test('a denial on the action needs no preview to be decided', () => {
    expect(rule(policy, { params: { cents: 101 } })).toMatchObject({ code: 'rule_denies', text: 'rule "too much": No.', rule: 'too much' });
  });
});

describe('lint, explain and tests', () => {
  test('a deny rule on the preview is never reached behind one that takes all, which is asked first wherever it stands', () => {
    const all = '  - { name: all, match: { type: payments.* }, effect: deny, because: No. }\n';
    expect(lintPolicy(policyOf(denyWhen(PRODUCTION) + all), ROSTER, 'policy.yaml', NOW).map(problemText)).toEqual([
      expect.stringContaining(
        'policy.yaml:4: rule "never so" is never reached: rule "all" takes all it matches. Write: a narrower deny rule, or no such rule',
      ),
    ]);
    const same = denyWhen(PRODUCTION) + holdRule('payments.transfer', '[group:finance]', 2, [`when: '${PRODUCTION}'`]);
    expect(lintPolicy(policyOf(same), ROSTER, 'policy.yaml', NOW).map(problemText)).toEqual([
      expect.stringContaining(
        'policy.yaml:5: rule "hold payments.transfer" is never reached: rule "never so" takes all it matches. Write: a narrower deny rule, or no such rule',
      ),
    ]);
    const fine = denyWhen(PRODUCTION) + holdRule('payments.transfer', '[group:finance]', 2);
    expect(lintPolicy(policyOf(fine), ROSTER, 'policy.yaml', NOW)).toEqual([]);
  });

  const rules = denyWhen(PRODUCTION) + holdRule('payments.transfer', '[group:finance]', 2);
  test('explain says which rule is open without a preview, in the order they are asked', () => {
    const policy = policyOf(rules + denyWhen('action.params.cents > 100', 'too much'));
    const open = explainPolicy(policy, ROSTER, { ...ASKED, params: { cents: 1 } }, NOW);
    expect(open.ruling).toMatchObject({ undecided: true });
    expect(open.rules).toEqual([
      { rule: 'too much', effect: 'deny', says: 'when is false' },
      { rule: 'never so', effect: 'deny', says: 'undecided' },
      { rule: 'hold payments.transfer', effect: 'hold', says: 'applies' },
    ]);
    expect(explainPolicy(policy, ROSTER, { ...ASKED, params: { cents: 1 }, preview: PREVIEW }, NOW)).toMatchObject({
      ruling: { code: 'rule_denies', rule: 'never so' },
      rules: [{}, { says: 'applies' }, {}],
    });
  });

  const testsOf = (given: string, expected: string): string[] => {
    const policy = policyOf(rules, `tests:\n  - { given: { type: payments.transfer, params: {}${given} }, expect: ${expected} }\n`);
    return failedTests(policy, ROSTER, 'policy.yaml', NOW).map(problemText);
  };
  test('a test says what the preview would be; without it, no denial it expects is taken for one', () => {
    expect(testsOf(', preview: { touches: [environment production] }', '{ effect: deny, rule: never so }')).toEqual([]);
    expect(testsOf(', preview: { touches: [] }', '{ effect: hold }')).toEqual([]);
    expect(testsOf(', preview: { changes: [{ what: limit }] }', '{ effect: hold }')).toEqual([]);
    for (const expected of ['{ effect: deny, code: policy_error }', '{ effect: hold }'])
      expect(testsOf('', expected)).toEqual([expect.stringContaining('no preview was made yet; say in given: what it would be')]);
  });
  test.each(['preview: [x]', 'preview: { touch: [x] }', 'preview: { touches: x }', 'preview: { changes: [{ what: 5 }] }'])(
    '%s is no preview',
    (given) => {
      const text = policyText(
        rules,
        `tests:\n  - { given: { type: payments.transfer, params: {}, ${given} }, expect: { effect: hold } }\n`,
      );
      expect(parsePolicy(text, 'policy.yaml').ok).toBe(false);
    },
  );
});

describe('data of the policy', () => {
  const rules = holdRule('payments.transfer', '[group:finance]', 2);
  test('is a set of fields, and part of the content whose version is raised', () => {
    expect(policyOf(rules).data).toEqual({});
    const policy = policyOf(rules, 'data: { git.merge: { production: [infra/**] } }\n');
    expect(policy.data).toEqual({ 'git.merge': { production: ['infra/**'] } });
    expect(policy.digest).not.toBe(policyOf(rules, 'data: { git.merge: { production: [prod/**] } }\n').digest);
  });
  test.each(['[a]', 'text', '5', `{ big: ${'x'.repeat(65_536)} }`])('data: %.20s is refused', (data) => {
    const read = parsePolicy(policyText(rules, `data: ${data}\n`), 'policy.yaml');
    expect(read.ok ? '' : read.problems.map(problemText).join()).toContain('is not a set of fields of at most 64 KiB');
  });
});
