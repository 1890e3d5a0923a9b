import { expect, test } from '@jest/globals';
import { problemText } from '../../src/domain/problem.js';
import { weakSpots } from '../../src/domain/policy/weak.js';
import { denyRule, holdRule, NOW, policyOf, ROSTER } from './policy-fixture.js';

const STOP = 'stop: { freeze: [group:security], thaw: { from: [group:security], quorum: 2 } }\n';
const warnings = (rules: string, rest = STOP): string[] => weakSpots(policyOf(rules, rest), ROSTER, 'policy.yaml', NOW).map(problemText);
const high = (more: readonly string[], quorum = 2): string =>
  holdRule('payments.transfer', '[group:finance]', quorum, ['risk: high', ...more]);

test('none where nothing is weak', () => {
  expect(warnings(high(['independent: 1']))).toEqual([]);
  expect(warnings(holdRule('payments.transfer', '[group:finance]', 1))).toEqual([]);
});
test.each<[string, string, string]>([
  [
    'high risk without an independent vote',
    high([]),
    'policy.yaml:4: rule "hold payments.transfer" is of high risk without an independent vote: web pages alone could carry it. Write: independent: 1',
  ],
  [
    'high risk, one person',
    high(['independent: 1'], 1),
    'policy.yaml:4: rule "hold payments.transfer" is of high risk, and one person is enough. Write: quorum: 2 or more',
  ],
  [
    'high risk, one no is not enough',
    high(['independent: 1', 'rejections: 2']),
    'policy.yaml:14: rule "hold payments.transfer" is of high risk, and one no does not stop it. Write: rejections: 1, or leave it out',
  ],
  [
    'high risk, an old approval',
    high(['independent: 1']).replace('executeWithin: 30m', 'executeWithin: 2d'),
    'policy.yaml:11: rule "hold payments.transfer" is of high risk, and may start 2d after people agreed. Write: executeWithin: 24h or less',
  ],
  [
    'a stage that needs everybody',
    holdRule('a', '[group:finance]', 3),
    'policy.yaml:4: stage reviewers of rule "hold a" needs all 3 it asks: one who is away, or asks for it, and it expires. Write: more people, an escalation, or a lower quorum',
  ],
])('%s', (_title, rules, said) => {
  expect(warnings(rules)).toEqual([expect.stringContaining(said)]);
});
test('nobody may stop what it lets run, or lift a stop', () => {
  const rules = holdRule('payments.transfer', '[group:finance]', 1);
  expect(warnings(rules, '')).toEqual([
    expect.stringContaining(
      'policy.yaml:3: nobody may freeze: nothing stops what this policy lets run. Write: stop: { freeze: [group:on-call] }',
    ),
  ]);
  expect(warnings(rules, 'stop: { freeze: [group:security] }\n')).toEqual([
    expect.stringContaining(
      'policy.yaml:12: nobody may thaw: a freeze is for ever. Write: thaw: { from: [group:security], quorum: 2 }, beside freeze',
    ),
  ]);
  expect(warnings(denyRule('{ type: a }'), '')).toEqual([]);
});
