import { describe, expect, test } from '@jest/globals';
import { MAX_CONDITION_CHARS, PreviewMissing, previewFactsOf, readCondition, type Facts } from '../../src/domain/policy/condition.js';
import { explainPolicy } from '../../src/domain/policy/explain.js';
import { PolicyError } from '../../src/domain/policy/policy-error.js';
import { ASKED, denied, holdRule, NOW, policyOf, ROSTER, rule } from './policy-fixture.js';

const FACTS: Facts = {
  ...ASKED,
  params: { cents: 480_000, big: 2 ** 53 - 1, half: 0.5, on: true, tags: ['new', 'abroad'], lines: [{ n: 1 }, { n: 2 }], none: null },
};
const conditionOf = (text: string) => {
  const read = readCondition(text);
  if (!read.ok) throw new Error(read.text);
  return read.condition;
};
const holds = (text: string): boolean => conditionOf(text).holds(FACTS);
const refusal = (text: string): string => {
  const read = readCondition(text);
  return read.ok ? 'fine' : `${read.text} → ${read.write}`;
};
const SAMPLE = 'when: action.params.cents > 50000';

describe('what a condition reads', () => {
  test.each([
    ['{"a": action.params.cents}.a > 5', true],
    ['{action.type: 1}["payments.transfer"] == 1', true],
    ['[action.params.cents, 1][1] == 1', true],
    ['action.params.lines.all(l, l.n > 0)', true],
    ['action.params.lines.exists(l, l.n > 2)', false],
    ['action.params.tags.filter(t, t != "new").exists(t, t == "abroad")', true],
    ['action.params.tags.map(t, t + "!") == ["new!", "abroad!"]', true],
    ['action.params.tags.exists_one(preview, preview == "new")', true],
    ['action.params.big == 9007199254740991', true],
    ['action.params.half < 1.0 && action.params.on', true],
    ['action.params.cents / 7 == 68571 && action.params.half / 2.0 == 0.25', true],
    ['action.params.none == null', true],
    ['action.params.lines[1].n == 2 && size(action.params.tags) == 2', true],
    ['true', true],
    ['1 > 2', false],
  ])('%s: %s', (text, expected) => expect(holds(text)).toBe(expected));

  test('only what it reads is asked for: a condition on the action needs no preview, one on the preview alone needs nothing else', () => {
    const preview = previewFactsOf({ touches: ['production'], warnings: [], changes: [{ what: 'limit', to: '7' }] });
    expect(conditionOf('action.params.on').readsPreview).toBe(false);
    expect(conditionOf('action.params.on').holds(FACTS, preview)).toBe(true);
    expect(conditionOf('"production" in preview.touches').holds(FACTS, preview)).toBe(true);
    expect(conditionOf('preview.changes[0].from == null && preview.changes[0].to == "7"').holds(FACTS, preview)).toBe(true);
    expect(() => conditionOf('"production" in preview.touches').holds(FACTS)).toThrow(
      new PreviewMissing('when: "production" in preview.touches: no preview was made yet'),
    );
    expect(previewFactsOf({ touches: [], warnings: ['w'], changes: [{ what: 'a', from: '5', to: '7' }] })).toEqual({
      touches: [],
      warnings: ['w'],
      changes: [{ what: 'a', from: '5', to: '7' }],
    });
  });

  test('what it comes to must be true or false', () => {
    expect(() => holds('action.params.cents')).toThrow(new PolicyError('when: action.params.cents: neither true nor false'));
    expect(() => holds('action.params.nothing > 1')).toThrow(/^when: action\.params\.nothing > 1: .+/);
  });
});

describe('what is refused when the file is read', () => {
  const CANNOT = 'the condition cannot be used: ';
  test.each([
    ['{"a": cents}.a > 5', 'there is no "cents": all is in action and preview'],
    ['{cents: 5}["a"] > 5', 'there is no "cents": all is in action and preview'],
    ['google.protobuf.Int64Value{value: cents} > 5', 'there is no "cents": all is in action and preview'],
    ['[1, cents] == [1, 2]', 'there is no "cents": all is in action and preview'],
    ['cents.startsWith("a")', 'there is no "cents": all is in action and preview'],
    ['size(cents) > 1', 'there is no "cents": all is in action and preview'],
    ['cents.all(c, c > 1)', 'there is no "cents": all is in action and preview'],
    ['action.params.tags.all(t, t == tags)', 'there is no "tags": all is in action and preview'],
    ['action.params.tags.all(t, t != "x") && t == "y"', 'there is no "t": all is in action and preview'],
    ['type(action.params.cents) == int', 'there is no "int": all is in action and preview'],
    ['size(action) > 1', 'name a field of action'],
    ['has(action.parms)', 'action has no "parms": it has type, agent, owner, onBehalfOf, params, request'],
    ['has(preview.touched)', 'preview has no "touched": it has touches, warnings, changes'],
    ['action.params.tags.all(t, t == action)', 'name a field of action'],
    ['action.params.tags.all(t, action.parms == t)', 'action has no "parms": it has type, agent, owner, onBehalfOf, params, request'],
    ['action.params.tags.all(t, action.params.lines.exists(l, l.n > 1))', 'a loop within a loop'],
    ['action.params.tags.exists(t, [t].all(u, u == "x"))', 'a loop within a loop'],
  ])('%s: %s', (text, why) => expect(refusal(text)).toBe(`${CANNOT}${why} → ${SAMPLE}`));

  test('a loop over what another left, and one beside another, are none within another', () => {
    expect(holds('action.params.tags.filter(t, t != "x").all(t, t != "y") && action.params.lines.all(l, l.n > 0)')).toBe(true);
  });

  test('what cannot be read is told in one line, in the words of the parser', () => {
    expect(refusal('action.params.cents >')).toBe(
      `the condition cannot be read: <input>:1:21: found > but expecting end of input → ${SAMPLE}`,
    );
    expect(refusal(`"${'x'.repeat(900)}`)).toMatch(/^the condition cannot be read: [^\n]{1,300} → /);
  });

  test(`of ${MAX_CONDITION_CHARS} characters, and not one more`, () => {
    const text = (length: number): string => `action.type == "${'x'.repeat(length - 'action.type == ""'.length)}"`;
    expect(holds(text(1_000))).toBe(false);
    expect(refusal(text(1_001))).toBe('the condition is longer than 1000 characters → several rules, each with a short condition');
  });
});

describe('explaining what each rule says', () => {
  const said = (policy: string, params = {}) => explainPolicy(policyOf(policy), ROSTER, { ...ASKED, params }, NOW).rules;
  test('for another type or agent, false, and with its error where it cannot be evaluated', () => {
    const hold = (name: string, type: string, more: readonly string[] = []) => holdRule(type, '[group:finance]', 1, more, name);
    const rules = said(
      hold('elsewhere', 'refunds.*') +
        hold('small', 'payments.*', ['when: action.params.cents < 5']) +
        hold('odd', 'payments.transfer', ['when: action.params.vendor == "ACME"']) +
        hold('rest', 'payments.*'),
      { cents: 9 },
    );
    expect(rules).toEqual([
      { rule: 'elsewhere', effect: 'hold', says: 'other' },
      { rule: 'small', effect: 'hold', says: 'when is false' },
      { rule: 'odd', effect: 'hold', says: 'error', error: expect.stringMatching(/^when: action\.params\.vendor == "ACME": .*vendor/) },
      { rule: 'rest', effect: 'hold', says: 'applies' },
    ]);
  });
});

describe('6.1 what goes wrong while a condition is asked', () => {
  const broken = (error: unknown) => ({
    ...policyOf(holdRule('payments.transfer', '[group:finance]', 1)),
    rules: policyOf(holdRule('payments.transfer', '[group:finance]', 1)).rules.map((each) => ({
      ...each,
      when: {
        text: 'odd',
        readsPreview: false,
        holds: () => {
          throw error;
        },
      },
    })),
  });
  test('an error of the policy names its rule', () => {
    expect(String(new PolicyError('too much'))).toBe('PolicyError: too much');
    expect(denied(rule(broken(new PolicyError('too much'))))).toEqual({
      effect: 'deny',
      code: 'policy_error',
      text: 'rule "hold payments.transfer": too much',
    });
  });
  test('any other denies as well, in its own words or without any, and at no length', () => {
    expect(denied(rule(broken(new Error('boom')))).text).toBe('the policy could not be evaluated: boom');
    expect(denied(rule(broken('boom'))).text).toBe('the policy could not be evaluated: no error text');
    expect(denied(rule(broken(new PolicyError('x'.repeat(5_000))))).text).toHaveLength(2_000);
    expect(explainPolicy(broken('boom'), ROSTER, ASKED, NOW).rules).toEqual([
      { rule: 'hold payments.transfer', effect: 'hold', says: 'error', error: 'no error text' },
    ]);
  });
});
