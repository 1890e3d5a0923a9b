import { describe, expect, test } from '@jest/globals';
import { lintPolicy } from '../../src/domain/policy/lint.js';
import { parsePolicy } from '../../src/domain/policy/parse.js';
import { problemText } from '../../src/domain/problem.js';
import {
  denied,
  denyRule,
  held,
  holdRule,
  HOUR,
  NOW,
  policyOf,
  policyText,
  ROSTER,
  ROSTER_TEXT,
  rosterOf,
  rule,
} from './policy-fixture.js';

const glass = (from: string, quorum: number, review: string, more = ''): string =>
  holdRule('payments.transfer', from, quorum, [`breakGlass: { review: ${review}, reviewWithin: 72h }`]).replace('30m', '15m') + more;
const SECURITY = '{ from: [group:security], quorum: 1 }';
const lint = (rules: string, roster = ROSTER): string[] => lintPolicy(policyOf(rules), roster, 'policy.yaml', NOW).map(problemText);
const say = (rules: string): string[] => {
  const read = parsePolicy(policyText(rules), 'policy.yaml');
  return read.ok ? [] : read.problems.map((problem) => `${problem.code} ${problemText(problem)}`);
};

describe('6.10 a break-glass rule', () => {
  test('is a hold rule, picked like any, with its reviewers resolved and sorted; an ordinary rule has none', () => {
    const ruling = held(rule(policyOf(glass('[group:finance]', 1, SECURITY))));
    expect(ruling.breakGlass).toEqual({ people: ['eve', 'finn'], quorum: 1, reviewWithin: 72 * HOUR });
    expect(held(rule(policyOf(holdRule('payments.transfer', '[group:finance]', 1)))).breakGlass).toBeUndefined();
    const behind = policyOf(holdRule('payments.*', '[group:finance]', 2, [], 'first') + glass('[group:finance]', 1, SECURITY));
    expect(held(rule(behind)).rule.name).toBe('first');
  });
  test('attack: a deny rule wins, wherever it stands', () => {
    const policy = policyOf(glass('[group:finance]', 1, SECURITY) + denyRule('{ type: payments.transfer, agent: ap-agent }'));
    expect(denied(rule(policy)).code).toBe('rule_denies');
  });
  test('starts within 15 minutes, or the file is refused', () => {
    expect(say(glass('[group:finance]', 1, SECURITY))).toEqual([]);
    expect(say(glass('[group:finance]', 1, SECURITY).replace('15m', '16m'))).toEqual([
      'policy_invalid policy.yaml:11: a break-glass rule that gives 16m to start is for what can wait. Write: executeWithin: 15m or less',
    ]);
  });
  test.each([
    [
      'no reviewers',
      'breakGlass: { reviewWithin: 72h }',
      'policy_invalid policy.yaml:12: review is missing. Write: review: { from: [group:security], quorum: 1 }',
    ],
    [
      'a quorum of nobody',
      'breakGlass: { review: { from: [group:security], quorum: 0 }, reviewWithin: 72h }',
      'policy_invalid policy.yaml:12: quorum 0 is not a whole number from 1 to 100. Write: quorum: 1',
    ],
    ['no time', `breakGlass: { review: ${SECURITY} }`, 'policy_invalid policy.yaml:12: reviewWithin is missing. Write: reviewWithin: 72h'],
    [
      'a switch',
      'breakGlass: true',
      'policy_invalid policy.yaml:12: breakGlass true is not a set of fields. Write: breakGlass: { review: { from: [group:security], quorum: 1 }, reviewWithin: 72h }',
    ],
  ])('%s: refused', (_what, line, text) => {
    expect(say(holdRule('payments.transfer', '[group:finance]', 1, [line]))[0]).toContain(text);
  });
  test('has no place in a deny rule', () => {
    const text = say(
      `  - name: x\n    match: { type: a }\n    effect: deny\n    because: No.\n    breakGlass: { review: ${SECURITY}, reviewWithin: 1h }\n`,
    );
    expect(text[0]).toContain(
      'policy_invalid policy.yaml:8: "breakGlass" has no place in a deny rule: nothing runs. Write: the rule without breakGlass, or effect: hold',
    );
  });
});

describe('6.10 whoever lets it run, others are left to review it', () => {
  test('by people whom no stage asks', () => {
    expect(lint(glass('[group:finance]', 1, SECURITY))).toEqual([]);
    // eve lets it run, finn is left; but where both may let it run, nobody is sure to be.
    expect(lint(glass('[group:finance, person:eve]', 1, SECURITY))).toEqual([]);
    expect(lint(glass('[group:finance, group:security]', 1, SECURITY))).toEqual([
      'policy.yaml:12: rule "hold payments.transfer" is break-glass and needs 1 to review it whom none of its stages asks; left: nobody. Write: people whom no stage of this rule asks, and who own no such agent',
    ]);
    expect(lint(glass('[group:finance, person:eve]', 1, '{ from: [group:security], quorum: 2 }'))[0]).toContain(
      'policy.yaml:12: rule "hold payments.transfer" is break-glass and needs 2 to review it whom none of its stages asks; left: finn. Write: people whom no stage of this rule asks, and who own no such agent',
    );
  });
  test('escalations ask, too; the agent’s owner never reviews', () => {
    const escalated = glass('[group:finance]', 1, '{ from: [person:eve], quorum: 1 }').replace(
      '    from: [group:finance]\n    quorum: 1\n',
      '    stages: [{ name: s, from: [group:finance], quorum: 1, escalate: [{ after: 1h, to: [person:eve] }] }]\n',
    );
    expect(lint(escalated)[0]).toContain('left: nobody');
    expect(lint(glass('[group:finance]', 1, '{ from: [person:dana], quorum: 1 }'))[0]).toContain('left: nobody');
    const policy = policyOf(glass('[group:finance]', 1, '{ from: [person:dana, person:eve], quorum: 1 }'));
    expect(held(rule(policy)).breakGlass?.people).toEqual(['dana', 'eve']);
    expect(denied(rule(policyOf(glass('[group:finance]', 1, '{ from: [person:dana], quorum: 1 }')))).code).toBe('quorum_unsatisfiable');
    // Self-approval lets the owner count as approving, never as the one who looks at it afterwards.
    const alone = rosterOf(ROSTER_TEXT.replace('deployment: acme-dev', 'deployment: acme-dev\ndevelopment: true\nselfApproval: true'));
    expect(denied(rule(policyOf(glass('[group:finance]', 1, '{ from: [person:dana], quorum: 1 }')), {}, alone)).text).toContain(
      'left: nobody',
    );
  });
  test('who holds no key reviews nothing; a name the roster lacks is told', () => {
    const keyless = rosterOf(
      ROSTER_TEXT.replace(/ {2}finn: .*/, '  finn: { name: finn, keys: [] }').replace(/ {2}eve: .*/, '  eve: { name: eve, keys: [] }'),
    );
    expect(lint(glass('[group:finance]', 1, SECURITY), keyless)[0]).toContain('left: nobody');
    expect(lint(glass('[group:finance]', 1, '{ from: [group:securty], quorum: 1 }'))[0]).toContain(
      'policy.yaml:12: the roster has no group "securty": did you mean "security"? Write: group:security',
    );
  });
});
