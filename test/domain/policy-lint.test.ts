import { describe, expect, test } from '@jest/globals';
import { lintPolicy } from '../../src/domain/policy/lint.js';
import { problemText } from '../../src/domain/problem.js';
import { denyRule, holdRule, keyText, NOW, policyOf, ROSTER, ROSTER_TEXT, rosterOf } from './policy-fixture.js';

const lint = (rules: string, rest = '', roster = ROSTER): string[] =>
  lintPolicy(policyOf(rules, rest), roster, 'policy.yaml', NOW).map(problemText);
const hold = (from: string, quorum: number, more: string[] = []): string => holdRule('payments.transfer', from, quorum, more);

test('a policy that fits its roster has no problem', () => {
  const rules =
    denyRule('{ type: payments.transfer, agent: ap-agent }') +
    holdRule('payments.*', '[group:everyone]', 3, ['resolve: { from: [group:security], quorum: 2 }', 'rejections: 2']);
  expect(lint(rules, 'stop: { freeze: [group:security], thaw: { from: [group:security], quorum: 2 } }\n')).toEqual([]);
});

describe('9 every name exists', () => {
  test.each([
    [
      'a group, by a typo',
      hold('[group:finanse]', 1),
      'policy.yaml:8: the roster has no group "finanse": did you mean "finance"? Write: group:finance',
    ],
    [
      'a group',
      hold('[group:finance, group:wizards]', 1),
      'policy.yaml:8: the roster has no group "wizards". Write: a name the roster has',
    ],
    ['a person', hold('[person:anna]', 1), 'policy.yaml:8: the roster has no person "anna": did you mean "ana"? Write: person:ana'],
    [
      'a group is not a person',
      hold('[person:finance]', 1),
      'policy.yaml:8: the roster has no person "finance". Write: a name the roster has',
    ],
    [
      'who resolves',
      hold('[group:finance]', 1, ['resolve: { from: [group:leads], quorum: 1 }']),
      'policy.yaml:12: the roster has no group "leads"',
    ],
    [
      'to whom it may be handed over',
      hold('[group:finance]', 1, ['delegates: [group:leads]']),
      'policy.yaml:12: the roster has no group "leads"',
    ],
    [
      'an agent',
      denyRule('{ type: a, agent: ap-agnet }'),
      'policy.yaml:4: the roster has no agent "ap-agnet": did you mean "ap-agent"? Write: agent: ap-agent',
    ],
    ['an unknown agent', denyRule('{ type: a, agent: zorro }'), 'policy.yaml:4: the roster has no agent "zorro". Write: one of ap-agent'],
  ])('%s', (_title, rules, said) => {
    expect(lint(rules).join('\n')).toContain(said);
  });

  test('in a tier and in stop', () => {
    const stages = [
      'stages:',
      '  - name: one',
      '    from: [group:finance]',
      '    quorum: 1',
      '    escalate:',
      '      - { after: 1h, to: [group:finance-led] }',
    ];
    const rules = hold('[group:finance]', 1, stages)
      .replace(/ {4}(?:from|quorum): .*\n/, '')
      .replace(/ {4}quorum: 1\n/, '');
    expect(lint(rules)).toEqual([
      expect.stringContaining(
        'policy.yaml:15: the roster has no group "finance-led": did you mean "finance-leads"? Write: group:finance-leads',
      ),
    ]);
    const stop = 'stop: { freeze: [group:x], thaw: { from: [group:y], quorum: 1 } }\n';
    expect(lint(denyRule('{ type: a }'), stop)).toEqual([
      expect.stringContaining('policy.yaml:5: the roster has no group "x". Write: a name the roster has'),
      expect.stringContaining('policy.yaml:5: the roster has no group "y". Write: a name the roster has'),
    ]);
  });

  test('all wrong names of a rule are told at once', () => {
    expect(lint(hold('[group:x, person:y]', 1, ['resolve: { from: [group:z], quorum: 1 }']))).toHaveLength(3);
  });

  test('a group that holds nobody any more', () => {
    const roster = rosterOf(ROSTER_TEXT.replace('name: eve,', 'name: eve, until: 2026-01-01T00:00:00.000Z,'));
    expect(lint(hold('[group:finance-leads]', 1), '', roster)[0]).toContain(
      'policy.yaml:8: group:finance-leads hold nobody now. Write: people who are still there',
    );
  });
});

describe('6.2 at lint, every quorum can be met', () => {
  test('by the people of its stage', () => {
    expect(lint(hold('[group:finance]', 4))).toEqual([
      'policy.yaml:9: quorum 4 is more than the 3 people of stage reviewers. Write: quorum: 3 or less, or name more people',
    ]);
    expect(lint(hold('[person:ana]', 2))[0]).toContain(
      'policy.yaml:9: quorum 2 is more than the 1 person of stage reviewers. Write: quorum: 1 or less, or name more people',
    );
  });

  test('by the people of resolve and thaw', () => {
    expect(lint(hold('[group:finance]', 1, ['resolve: { from: [group:security], quorum: 3 }']))).toEqual([
      'policy.yaml:12: quorum 3 is more than the 2 people of resolve. Write: quorum: 2 or less, or name more people',
    ]);
    expect(lint(denyRule('{ type: a }'), 'stop: { thaw: { from: [group:security], quorum: 3 } }\n')[0]).toContain(
      'policy.yaml:5: quorum 3 is more than the 2 people of thaw. Write: quorum: 2 or less, or name more people',
    );
  });

  test('by distinct people across stages', () => {
    const rules = `  - name: two
    match: { type: payments.transfer }
    effect: hold
    because: Money.
    stages: [{ name: a, from: [group:security], quorum: 2 }, { name: b, from: [group:finance-leads], quorum: 1 }]
    approveWithin: 24h
    executeWithin: 30m
`;
    expect(lint(rules)[0]).toContain(
      'policy.yaml:4: rule "two" needs 3 distinct people, 2 may count: stage a 2 of eve finn, stage b 1 of eve. Write: lower quorums, or more people',
    );
  });

  test('by people who hold a valid key', () => {
    const roster = rosterOf(ROSTER_TEXT.replace(`keys: ['${keyText('ben')}']`, 'keys: []'));
    expect(lint(hold('[group:finance]', 3), '', roster)[0]).toContain(
      'policy.yaml:4: rule "hold payments.transfer" needs 3 distinct people, 2 may count: stage reviewers 3 of ana cleo; no valid key: ben. Write: lower quorums, or more people',
    );
  });

  test('attack case 11: also with each agent that may ask left without its owner', () => {
    const owned = (more: string) => rosterOf(ROSTER_TEXT.replace('owner: dana', `owner: ana${more}`));
    expect(lint(hold('[group:finance]', 3), '', owned(''))).toEqual([
      expect.stringContaining(
        'policy.yaml:4: asked by agent ap-agent: rule "hold payments.transfer" needs 3 distinct people, 2 may count: stage reviewers 3 of ben cleo; ana does not count: owns the agent. Write: more people, or a rule of its own for this agent',
      ),
    ]);
    expect(lint(hold('[group:finance]', 2), '', owned(''))).toEqual([]);
    expect(lint(hold('[group:finance]', 3), '', owned(', until: 2026-01-01T00:00:00.000Z'))).toEqual([]);
    const lifted = rosterOf(
      ROSTER_TEXT.replace('owner: dana', 'owner: ana').replace('people:', 'development: true\nselfApproval: true\npeople:'),
    );
    expect(lint(hold('[group:finance]', 3), '', lifted)).toEqual([]);
  });

  test('an agent that never reaches the rule does not matter to it', () => {
    const roster = rosterOf(ROSTER_TEXT.replace('owner: dana', 'owner: ana'));
    const wide = holdRule('payments.*', '[group:finance]', 3);
    const own = wide
      .replace('{ type: payments.* }', '{ type: payments.*, agent: ap-agent }')
      .replace('name: hold payments.*', 'name: own')
      .replace('quorum: 3', 'quorum: 2');
    expect(lint(wide, '', roster)).toHaveLength(1);
    expect(lint(own + wide, '', roster)).toEqual([]);
    expect(lint(wide + denyRule('{ type: payments.*, agent: ap-agent }'), '', roster)).toEqual([]);
    expect(lint(holdRule('secrets.*', '[group:finance]', 3), '', roster)).toEqual([]);
    const others = `${ROSTER_TEXT.replace('api:', `  other: { owner: dana, key: '${keyText('other')}', propose: [payments.*] }\napi:`).replace('owner: dana, key', 'owner: ana, key')}`;
    expect(lint(wide.replace('{ type: payments.* }', '{ type: payments.*, agent: other }'), '', rosterOf(others))).toEqual([]);
  });

  test('more people than can be sealed', () => {
    const ids = Array.from({ length: 101 }, (_, i) => `p${i}`);
    const people = ids.map((id) => `  ${id}: { name: ${id}, keys: [] }`).join('\n');
    const roster = rosterOf(
      ROSTER_TEXT.replace('people:\n', `people:\n${people}\n`).replace('groups:\n', `groups:\n  crowd: [${ids.join(', ')}]\n`),
    );
    expect(lint(hold('[group:crowd]', 1), '', roster)[0]).toContain(
      'policy.yaml:4: rule "hold payments.transfer" asks 101 people; at most 100 can be sealed. Write: smaller groups',
    );
  });

  test('6.5 rejections that could never stand', () => {
    expect(lint(hold('[group:finance]', 1, ['rejections: 4']))[0]).toContain(
      'policy.yaml:12: rejections 4 is more than the 3 people asked: no "no" could ever stand. Write: rejections: 3 or less',
    );
  });
});

describe('9 unreachable rules', () => {
  test.each([
    [
      'a wider hold before it',
      holdRule('payments.*', '[group:finance]', 1, [], 'wide') + hold('[group:finance]', 1),
      'policy.yaml:12: rule "hold payments.transfer" is never reached: rule "wide" takes all it matches. Write: the narrower rule first, or no such rule',
    ],
    [
      'a deny rule anywhere',
      hold('[group:finance]', 1) + denyRule('{ type: payments.* }'),
      'policy.yaml:4: rule "hold payments.transfer" is never reached: rule "no" takes all it matches. Write: a narrower deny rule, or no such rule',
    ],
    [
      'a wider deny before a deny',
      denyRule('{ type: a.* }') + denyRule('{ type: a.b, agent: ap-agent }', 'narrow'),
      'policy.yaml:5: rule "narrow" is never reached: rule "no" takes all it matches. Write: a narrower deny rule, or no such rule',
    ],
  ])('%s', (_title, rules, said) => {
    expect(lint(rules)).toEqual([expect.stringContaining(said)]);
  });

  test('a narrower rule before it, or a hold before a deny, leaves it reachable', () => {
    expect(lint(hold('[group:finance]', 1) + holdRule('payments.*', '[group:finance]', 1))).toEqual([]);
    expect(lint(holdRule('payments.*', '[group:finance]', 1) + denyRule('{ type: payments.transfer }'))).toEqual([]);
    expect(lint(denyRule('{ type: a.b }') + denyRule('{ type: a.* }', 'wide'))).toEqual([]);
  });
});
