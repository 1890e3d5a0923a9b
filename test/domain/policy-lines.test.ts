import { describe, expect, test } from '@jest/globals';
import { failedTests, lintPolicy } from '../../src/domain/policy/lint.js';
import { parsePolicy } from '../../src/domain/policy/parse.js';
import { weakSpots } from '../../src/domain/policy/weak.js';
import { denyRule, holdRule, keyText, NOW, policyOf, policyText, ROSTER, ROSTER_TEXT, rosterOf } from './policy-fixture.js';

/** Each name, number and list of it stands on a line of its own, so that a finding can only be told at the right one. */
const FINE = `schema: keyturn/policy@1
version: 1
rules:
  - name: held
    match:
      type: payments.transfer
      agent: ap-agent
    effect: hold
    because: Money leaves the company.
    risk: high
    stages:
      - name: finance
        from:
          - group:finance
          - person:eve
        quorum: 2
        remind:
          - 1h
          - 2h
        escalate:
          - after: 8h
            to:
              - group:finance-leads
              - person:finn
            quorum: 3
          - after: 9h
            to:
              - person:finn
            quorum: 3
      - name: second
        from:
          - group:everyone
        quorum: 1
    approveWithin: 24h
    executeWithin: 15m
    rejections: 1
    resolve:
      from:
        - group:security
      quorum: 2
    independent: 1
    minTime: 10m
    minView: 20s
    delegates:
      - group:security
    breakGlass:
      review:
        from:
          - group:reviewers
        quorum: 1
      reviewWithin: 72h
  - name: allowed
    match:
      type: refunds.*
    effect: allow
    because: Small.
    budget:
      - per: all
        within: 1h
        limit: 1
    executeWithin: 5m
    resolve:
      from:
        - person:finn
        - group:security
      quorum: 2
stop:
  freeze:
    - person:ana
    - group:security
  thaw:
    from:
      - person:ben
      - group:security
    quorum: 3
tests:
  - given: { type: payments.transfer, params: {} }
    expect: { effect: deny }
`;
/** The line of the words after this mark. */
const at = (text: string, mark: string, words = mark): number => text.slice(0, text.indexOf(words, text.indexOf(mark))).split('\n').length;

function parsed(text: string) {
  const read = parsePolicy(text, 'policy.yaml');
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.policy;
}
/** Whoever reviews is asked by no stage, and owns no agent. */
const OWNED = rosterOf(
  ROSTER_TEXT.replace('security: [finn, eve]', 'security: [finn, eve]\n  reviewers: [dana]').replace('owner: dana', 'owner: ana'),
);
const lint = (text: string): [number, string][] =>
  lintPolicy(parsed(text), OWNED, 'policy.yaml', NOW).map(({ code, file, line, text: said }) => {
    expect([code, file]).toEqual(['policy_invalid', 'policy.yaml']);
    return [line, said];
  });

test('the policy has nothing wrong', () => {
  expect(lint(FINE)).toEqual([]);
});

describe('the linter tells a name the roster lacks at its own line', () => {
  const NAMES: [where: string, mark: string, right: string, wrong: string, said: string][] = [
    ['the agent', 'match:', 'ap-agent', 'zorro', 'the roster has no agent "zorro"'],
    ['a stage', 'name: finance', 'person:eve', 'person:zorro', 'the roster has no person "zorro"'],
    ['a tier', 'after: 8h', 'person:finn', 'person:zorro', 'the roster has no person "zorro"'],
    ['the second tier', 'after: 9h', 'person:finn', 'person:zorro', 'the roster has no person "zorro"'],
    ['the second stage', 'name: second', 'group:everyone', 'group:zorro', 'the roster has no group "zorro"'],
    ['resolve', '    resolve:', 'group:security', 'group:zorro', 'the roster has no group "zorro"'],
    ['delegates', 'delegates:', 'group:security', 'group:zorro', 'the roster has no group "zorro"'],
    ['the review', 'review:', 'group:reviewers', 'group:zorro', 'the roster has no group "zorro"'],
    ['resolve of an allow rule', 'within: 1h', 'group:security', 'group:zorro', 'the roster has no group "zorro"'],
    ['freeze', 'freeze:', 'group:security', 'group:zorro', 'the roster has no group "zorro"'],
    ['thaw', 'thaw:', 'group:security', 'group:zorro', 'the roster has no group "zorro"'],
  ];
  test.each(NAMES)('in %s', (_where, mark, right, wrong, said) => {
    const from = FINE.indexOf(mark);
    const text = FINE.slice(0, from) + FINE.slice(from).replace(right, wrong);
    expect(lint(text)).toEqual([[at(FINE, mark, right), said]]);
  });
});

describe('and a number that cannot be met', () => {
  test.each([
    ['a stage', 'name: second', 'quorum: 1', 'quorum: 6', 'quorum 6 is more than the 5 people of stage second'],
    ['resolve', '    resolve:', 'quorum: 2', 'quorum: 3', 'quorum 3 is more than the 2 people of resolve'],
    ['resolve of an allow rule', 'within: 1h', 'quorum: 2', 'quorum: 3', 'quorum 3 is more than the 2 people of resolve'],
    ['thaw', 'thaw:', 'quorum: 3', 'quorum: 4', 'quorum 4 is more than the 3 people of thaw'],
    [
      'rejections',
      'rejections: 1',
      'rejections: 1',
      'rejections: 6',
      'rejections 6 is more than the 5 people asked: no "no" could ever stand',
    ],
  ])('in %s', (_where, mark, right, wrong, said) => {
    const from = FINE.indexOf(mark);
    expect(lint(FINE.slice(0, from) + FINE.slice(from).replace(right, wrong))).toEqual([[at(FINE, mark, right), said]]);
  });

  test('the bar that a tier raises, at the quorum of its stage', () => {
    const raised = FINE.replace('quorum: 3\n      - name: second', 'quorum: 6\n      - name: second');
    expect(lint(raised)).toEqual([[at(FINE, 'name: finance', 'quorum: 2'), 'quorum 6 is more than the 5 people of stage finance']]);
  });

  test('who is left to review, at the review', () => {
    const text = FINE.replace('          - group:reviewers', '          - person:ana');
    expect(lint(text)).toEqual([
      [at(FINE, 'review:'), 'rule "held" is break-glass and needs 1 to review it whom none of its stages asks; left: nobody'],
    ]);
  });

  test('a resolve that all its people just meet hides no stage that nobody can', () => {
    const nobody = rosterOf(['ana', 'ben', 'cleo'].reduce((text, id) => text.replace(`keys: ['${keyText(id)}']`, 'keys: []'), ROSTER_TEXT));
    const more = ['resolve: { from: [group:security], quorum: 2 }'];
    const rules = holdRule('payments.transfer', '[group:finance]', 1, more, 'r');
    expect(lintPolicy(policyOf(rules), nobody, 'policy.yaml', NOW).map(({ text }) => text)).toEqual([
      'rule "r" needs 1 distinct person, 0 may count: stage reviewers 1 of nobody; no valid key: ana ben cleo',
    ]);
  });

  test('rejections of as many as are asked can stand', () => {
    expect(lint(FINE.replace('rejections: 1', 'rejections: 5'))).toEqual([]);
  });
});

describe('what the file itself gets wrong', () => {
  const told = (text: string): [number, string][] => {
    const read = parsePolicy(text, 'policy.yaml');
    return read.ok ? [] : read.problems.map(({ line, text: said }) => [line, said]);
  };
  test.each([
    ['a reminder that does not rise', '          - 2h', '          - 1h', 'reminder at 1h does not come after the one at 1h'],
    [
      'the first reminder that comes too late',
      '          - 1h\n          - 2h',
      '          - 24h',
      'reminder at 1d comes after approveWithin',
    ],
    [
      'a tier that lowers the bar',
      'quorum: 3\n      - name: second',
      'quorum: 2\n      - name: second',
      'quorum 2 is lower than the 3 before it',
    ],
    ['the name of a stage', 'name: second', 'name: finance', 'another stage is called "finance" already'],
    ['the name of a rule', 'name: allowed', 'name: held', 'another rule is called "held" already'],
    ['independent', 'independent: 1', 'independent: 4', 'independent 4 is more than the 3 who must agree'],
    ['minTime', 'minTime: 10m', 'minTime: 15m', 'minTime 15m is not less than executeWithin 15m: a vote made at the seal could never run'],
    ['minView', 'minView: 20s', 'minView: 24h', 'minView 1d is not less than approveWithin 1d: nobody could approve in time'],
    [
      'executeWithin of break-glass',
      'executeWithin: 15m',
      'executeWithin: 16m',
      'a break-glass rule that gives 16m to start is for what can wait',
    ],
  ])('%s, at its line', (_what, right, wrong, said) => {
    expect(FINE).toContain(right);
    expect(told(FINE.replace(right, wrong))).toEqual([[at(FINE, right, right.trim()), said]]);
  });

  test('a name that is taken is told where the name stands, wherever in its rule or stage', () => {
    const rule = (name: string): string => `  - match: { type: a }\n    name: ${name}\n    effect: deny\n    because: No.\n`;
    const stage = (name: string): string => `      - from: [group:finance]\n        name: ${name}\n        quorum: 1\n`;
    const hold = holdRule('a', '[group:x]', 1).replace(/ {4}(?:from|quorum).*\n/g, '');
    expect(told(policyText(rule('x') + rule('x')))).toEqual([[9, 'another rule is called "x" already']]);
    expect(told(policyText(`${hold}    stages:\n${stage('s')}${stage('s')}`))).toEqual([[15, 'another stage is called "s" already']]);
    expect(told(policyText(`${hold}    stages:\n${stage('s')}${stage('t')}`))).toEqual([]);
  });

  test('a tier at or after approveWithin is told at the tier', () => {
    expect(told(FINE.replace('after: 9h', 'after: 24h'))).toEqual([[at(FINE, 'after: 9h'), 'escalation at 1d comes after approveWithin']]);
    expect(told(FINE.replace('after: 9h', 'after: 1439m'))).toEqual([]);
    expect(told(FINE.replace('after: 9h', 'after: 8h'))).toEqual([
      [at(FINE, 'after: 9h'), 'escalation at 8h does not come after the one at 8h'],
    ]);
  });

  test('after one that fell back the next must still rise above the highest', () => {
    expect(
      told(FINE.replace('          - 1h\n          - 2h', '          - 3h\n          - 1h\n          - 2h')).map(([, said]) => said),
    ).toEqual(['reminder at 1h does not come after the one at 3h', 'reminder at 2h does not come after the one at 3h']);
  });

  test.each([
    ['independent of all stages together', 'independent: 1', 'independent: 3'],
    ['minTime a minute less', 'minTime: 10m', 'minTime: 14m'],
    ['minView a minute less', 'minView: 20s', 'minView: 1439m'],
  ])('%s is taken', (_what, right, wrong) => expect(told(FINE.replace(right, wrong))).toEqual([]));
});

test('a weak spot of a stage is told at the stage, of a number at the number, of a failed test at the test', () => {
  const weak = (text: string): [number, string][] =>
    weakSpots(parsed(text), OWNED, 'policy.yaml', NOW).map(({ code, line, text: said }) => [line, `${code} ${said.slice(0, 40)}`]);
  expect(weak(FINE)).toEqual([]);
  expect(weak(FINE.replace('rejections: 1', 'rejections: 2'))).toEqual([
    [at(FINE, 'rejections: 1'), 'policy_invalid rule "held" is of high risk, and one no '],
  ]);
  const all = FINE.replace('          - group:everyone\n        quorum: 1', '          - group:everyone\n        quorum: 5');
  expect(weak(all)).toEqual([[at(FINE, 'name: second'), 'policy_invalid stage second of rule "held" needs all 5 ']]);
  expect(failedTests(parsed(FINE), OWNED, 'policy.yaml', NOW).map(({ code, line, text }) => [line, code, text])).toEqual([
    [at(FINE, '- given', 'given'), 'policy_invalid', 'this test expects deny, and gets hold by "held"'],
  ]);
});

describe('which rules are reached, and by whom', () => {
  const said = (rules: string, roster = ROSTER): string[] =>
    lintPolicy(policyOf(rules), roster, 'policy.yaml', NOW).map(({ text }) => text);
  const hold = (type: string, name: string, more: readonly string[] = [], from = '[group:finance]', quorum = 2): string =>
    holdRule(type, from, quorum, more, name);
  const WHEN = 'when: action.params.cents > 5';

  test.each<[string, string, string[]]>([
    [
      'another condition hides nothing',
      hold('payments.*', 'a', ['when: action.params.cents > 6']) + hold('payments.transfer', 'b', [WHEN]),
      [],
    ],
    ['a condition hides none without', hold('payments.*', 'a', [WHEN]) + hold('payments.transfer', 'b'), []],
    [
      'none hides one with a condition',
      hold('payments.*', 'a') + hold('payments.transfer', 'b', [WHEN]),
      ['rule "b" is never reached: rule "a" takes all it matches'],
    ],
    ['the same twice', hold('payments.*', 'a') + hold('payments.*', 'b'), ['rule "b" is never reached: rule "a" takes all it matches']],
    [
      'each of two behind one',
      hold('payments.*', 'a') + hold('payments.x', 'b') + hold('payments.y', 'c'),
      ['rule "b" is never reached: rule "a" takes all it matches', 'rule "c" is never reached: rule "a" takes all it matches'],
    ],
    [
      'the first that takes all is named',
      hold('payments.*', 'a') + hold('payments.*', 'b') + hold('payments.x', 'c'),
      ['rule "b" is never reached: rule "a" takes all it matches', 'rule "c" is never reached: rule "a" takes all it matches'],
    ],
  ])('%s', (_title, rules, expected) => expect(said(rules)).toEqual(expected));

  const three = (own: string): string[] =>
    said(own + hold('payments.transfer', 'wide', [], '[group:finance]', 3), rosterOf(ROSTER_TEXT.replace('owner: dana', 'owner: ana')));
  const blamed = [expect.stringContaining('asked by agent ap-agent: rule "wide" needs 3 distinct people, 2 may count')];
  test.each<[string, string, unknown[]]>([
    ['nothing', '', blamed],
    [
      'a hold rule that takes what the agent asks',
      hold('payments.transfer', 'own').replace('{ type: payments.transfer }', '{ type: payments.transfer, agent: ap-agent }'),
      [],
    ],
    ['one for another type', hold('payments.refund', 'own'), blamed],
    [
      'one with a condition',
      hold('payments.transfer', 'own', [WHEN]).replace('{ type: payments.transfer }', '{ type: payments.transfer, agent: ap-agent }'),
      blamed,
    ],
    [
      'an allow rule',
      '  - { name: own, match: { type: payments.transfer, agent: ap-agent }, effect: allow, because: B., budget: [{ per: all, within: 1h, limit: 9 }], executeWithin: 5m, resolve: { from: [person:eve], quorum: 1 } }\n',
      blamed,
    ],
    [
      'a deny rule with a condition',
      denyRule('{ type: payments.transfer, agent: ap-agent }').replace(' effect', ` ${WHEN}, effect`),
      blamed,
    ],
    ['a deny rule', denyRule('{ type: payments.transfer, agent: ap-agent }'), []],
  ])("an agent's owner matters to a rule the agent reaches: before it stands %s", (_title, own, expected) => {
    expect(three(own)).toEqual(expected);
  });

  test('a rule for this very agent is reached by it, and by no other', () => {
    const wide = (agent: string): string[] =>
      said(
        hold('payments.transfer', 'wide', [], '[group:finance]', 3).replace('transfer }', `transfer, agent: ${agent} }`),
        rosterOf(
          ROSTER_TEXT.replace('owner: dana', 'owner: ana').replace(
            'api:',
            `  other: { owner: dana, key: '${keyText('other')}', propose: [payments.*] }\napi:`,
          ),
        ),
      );
    expect([wide('ap-agent'), wide('other')]).toEqual([blamed, []]);
  });

  test('one of several families the agent may propose is enough to reach it; a hold rule after it changes nothing', () => {
    const roster = rosterOf(
      ROSTER_TEXT.replace('owner: dana', 'owner: ana').replace('propose: [payments.*]', 'propose: [refunds.*, payments.transfer]'),
    );
    const wide = hold('payments.*', 'wide', [], '[group:finance]', 3);
    expect(said(wide, roster)).toEqual(blamed);
    expect(said(wide + hold('refunds.*', 'later'), roster)).toEqual(blamed);
    expect(
      said(
        hold('payments.transfer', 'own').replace('{ type: payments.transfer }', '{ type: payments.transfer, agent: ap-agent }') + wide,
        roster,
      ),
    ).toEqual([]);
  });

  test('an agent is over from its end on', () => {
    const until = (end: string): string[] =>
      said(
        hold('payments.transfer', 'wide', [], '[group:finance]', 3),
        rosterOf(ROSTER_TEXT.replace('owner: dana', `owner: ana, until: ${end}`)),
      );
    expect(until('2026-06-01T00:00:00.000Z')).toEqual([]);
    expect(until('2026-06-01T00:00:00.001Z')).toEqual(blamed);
  });

  test('of the agents who may ask a break-glass rule, one with an end or another family takes nobody from its review', () => {
    const glass = hold(
      'payments.transfer',
      'glass',
      ['breakGlass: { review: { from: [person:dana], quorum: 1 }, reviewWithin: 1h }'],
      '[group:finance]',
      1,
    ).replace('30m', '15m');
    const left = ['rule "glass" is break-glass and needs 1 to review it whom none of its stages asks; left: nobody'];
    expect(said(glass)).toEqual(left);
    const until = (end: string): string[] => said(glass, rosterOf(ROSTER_TEXT.replace('owner: dana', `owner: dana, until: ${end}`)));
    expect(until('2026-06-01T00:00:00.001Z')).toEqual(left);
    expect(until('2026-06-01T00:00:00.000Z')).toEqual([]);
    expect(said(glass, rosterOf(ROSTER_TEXT.replace('[payments.*]', '[refunds.*]')))).toEqual([]);
  });

  test('an unknown agent is told with all there are', () => {
    const two = rosterOf(ROSTER_TEXT.replace('api:', `  other: { owner: dana, key: '${keyText('other')}', propose: [payments.*] }\napi:`));
    const findings = lintPolicy(policyOf(denyRule('{ type: a, agent: zorro }')), two, 'policy.yaml', NOW);
    expect(findings.map(({ write }) => write)).toEqual(['one of ap-agent, other']);
  });

  test('people who have all left hold nobody, by whatever names', () => {
    const gone = rosterOf(
      ROSTER_TEXT.replace('name: eve,', 'name: eve, until: 2026-01-01T00:00:00.000Z,').replace(
        'name: finn,',
        'name: finn, until: 2026-01-01T00:00:00.000Z,',
      ),
    );
    const findings = lintPolicy(
      policyOf(hold('a', 'r', ['resolve: { from: [group:security, person:eve], quorum: 1 }'])),
      gone,
      'policy.yaml',
      NOW,
    );
    expect(findings.map(({ text, write }) => [text, write])).toEqual([
      ['group:security and person:eve hold nobody now', 'people who are still there'],
    ]);
  });
});
