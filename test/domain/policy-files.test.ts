import { describe, expect, test } from '@jest/globals';
import { guardsOf } from '../../src/domain/policy/guards.js';
import { parsePolicy } from '../../src/domain/policy/parse.js';
import { FileRefused, problemText } from '../../src/domain/problem.js';
import { holdRule, policyText } from './rule-texts.js';

const GOOD = `# who decides what
schema: keyturn/policy@1
version: 1
rules:
  - name: vendor payments
    match: { type: payments.transfer }
    effect: hold
    because: Money leaves the company and is hard to get back.
    risk: high
    stages:
      - { name: finance, from: [group:finance], quorum: 2, remind: [1h, 4h], escalate: [{ after: 8h, to: [group:finance-leads], quorum: 3 }] }
      - { name: security, from: [person:finn], quorum: 1 }
    approveWithin: 24h
    executeWithin: 30m
    rejections: 2
    resolve: { from: [group:finance-leads], quorum: 1 }
  - name: no secrets
    match: { type: secrets.*, agent: ap-agent }
    effect: deny
    because: Never by a machine.
stop: { freeze: [group:security], thaw: { from: [group:security], quorum: 2 } }
`;

const say = (text: string): string[] => {
  const read = parsePolicy(text, 'policy.yaml');
  return read.ok ? [] : read.problems.map((problem) => `${problem.code} ${problemText(problem)}`);
};

describe('a valid policy', () => {
  test('keeps every field, with durations in ms', () => {
    const read = parsePolicy(GOOD, 'policy.yaml');
    if (!read.ok) throw new Error(read.problems.map(problemText).join('\n'));
    const [hold, deny] = read.policy.rules;
    expect(hold).toEqual({
      effect: 'hold',
      budget: [],
      request: 'any',
      name: 'vendor payments',
      match: { type: 'payments.transfer' },
      because: 'Money leaves the company and is hard to get back.',
      path: ['rules', 0],
      risk: 'high',
      stages: [
        {
          name: 'finance',
          from: ['group:finance'],
          quorum: 2,
          remind: [3_600_000, 14_400_000],
          escalate: [{ after: 28_800_000, to: ['group:finance-leads'], quorum: 3 }],
          path: ['rules', 0, 'stages', 0],
        },
        { name: 'security', from: ['person:finn'], quorum: 1, remind: [], escalate: [], path: ['rules', 0, 'stages', 1] },
      ],
      approveWithin: 86_400_000,
      executeWithin: 1_800_000,
      rejections: 2,
      resolve: { from: ['group:finance-leads'], quorum: 1 },
      guards: guardsOf({}),
    });
    expect(deny).toMatchObject({ effect: 'deny', match: { type: 'secrets.*', agent: 'ap-agent' } });
    expect(read.policy.stop).toEqual({ freeze: ['group:security'], thaw: { from: ['group:security'], quorum: 2 } });
    expect(read.policy.version).toBe(1);
  });

  test('has one digest, whatever its comments and layout, and another for other content', () => {
    const digest = (text: string): string | undefined => {
      const read = parsePolicy(text, 'policy.yaml');
      return read.ok ? read.policy.digest : undefined;
    };
    expect(digest(GOOD)).toMatch(/^[0-9a-f]{64}$/);
    expect(digest(`${GOOD}\n# more\n`)).toBe(digest(GOOD));
    expect(digest(GOOD.replace('{ type: payments.transfer }', '\n      type: "payments.transfer"'))).toBe(digest(GOOD));
    expect(digest(GOOD.replace('24h', '25h'))).not.toBe(digest(GOOD));
  });

  test('may have no rules at all: everything is denied then', () => {
    expect(say('schema: keyturn/policy@1\nversion: 1\nrules: []\n')).toEqual([]);
  });
});

/** What stands in GOOD, what a hand wrote instead, and what it is told: line, problem, remedy. */
const BROKEN: [title: string, from: string, to: string, said: string][] = [
  [
    'a typo in a field',
    'approveWithin',
    'aproveWithin',
    'policy_invalid policy.yaml:13: "aproveWithin" is no field here: did you mean "approveWithin"? Write: approveWithin',
  ],
  [
    'quorom',
    'quorum: 2, remind',
    'quorom: 2, remind',
    'policy_invalid policy.yaml:11: "quorom" is no field here: did you mean "quorum"? Write: quorum',
  ],
  [
    'an unknown field',
    'risk: high',
    'colour: red',
    'policy_invalid policy.yaml:9: "colour" is no field here. Write: one of name, match, when, because, effect, risk, stages, from, quorum, remind, escalate, approveWithin, executeWithin, rejections, resolve, cooldown, independent, minTime, confirmField, minView, budget, request, delegates, breakGlass',
  ],
  [
    'no because',
    '    because: Never by a machine.\n',
    '',
    'policy_invalid policy.yaml:17: because is missing. Write: because: Money leaves the company and is hard to get back.',
  ],
  [
    'an empty because',
    'because: Never by a machine.',
    'because:',
    'policy_invalid policy.yaml:20: because (empty) is not a sentence. Write: because: Money leaves the company and is hard to get back.',
  ],
  [
    'a number as a duration',
    'executeWithin: 30m',
    'executeWithin: 30',
    'policy_invalid policy.yaml:14: executeWithin 30 is not a duration of at most 90 days. Write: 30m, or 30h: a number and its unit (s, m, h, d)',
  ],
  [
    'a duration over 90 days',
    '24h',
    '91d',
    'policy_invalid policy.yaml:13: approveWithin "91d" is not a duration of at most 90 days. Write: approveWithin: 24h',
  ],
  [
    'a bare name',
    '[person:finn]',
    '[finn]',
    'policy_invalid policy.yaml:12: from "finn" is not group:<name> or person:<id>. Write: group:finn, or person:finn',
  ],
  [
    'one name without brackets',
    '[person:finn]',
    'person:finn',
    'policy_invalid policy.yaml:12: from "person:finn" is not a list. Write: from: [group:finance]',
  ],
  ['nobody asked', '[person:finn]', '[]', 'policy_invalid policy.yaml:12: from must have at least 1. Write: from: [group:finance]'],
  [
    'an unknown effect',
    'effect: hold',
    'effect: holt',
    'policy_invalid policy.yaml:7: effect "holt" is unknown. Write: effect: hold, effect: allow or effect: deny',
  ],
  [
    'no effect',
    '    effect: hold\n',
    '',
    'policy_invalid policy.yaml:5: effect is missing. Write: effect: hold, effect: allow or effect: deny',
  ],
  [
    'a wildcard for everything',
    'payments.transfer',
    "'*'",
    'policy_invalid policy.yaml:6: type "*" is not a type or prefix.*. Write: type: payments.transfer, or type: payments.*',
  ],
  [
    'a wildcard in the middle',
    'payments.transfer',
    'pay*.transfer',
    'policy_invalid policy.yaml:6: type "pay*.transfer" is not a type or prefix.*. Write: type: payments.transfer, or type: payments.*',
  ],
  [
    'a match that is text',
    '{ type: payments.transfer }',
    'payments.transfer',
    'policy_invalid policy.yaml:6: match "payments.transfer" is not a set of fields. Write: match: { type: payments.transfer }',
  ],
  [
    'an unknown risk',
    'risk: high',
    'risk: huge',
    'policy_invalid policy.yaml:9: risk "huge" is not low, medium or high. Write: risk: high',
  ],
  [
    'two rules of one name',
    'name: no secrets',
    'name: vendor payments',
    'policy_invalid policy.yaml:17: another rule is called "vendor payments" already. Write: a name of its own',
  ],
  [
    'two stages of one name',
    'name: security',
    'name: finance',
    'policy_invalid policy.yaml:12: another stage is called "finance" already. Write: a name of its own',
  ],
  [
    'stages and from',
    '    risk: high',
    '    from: [group:finance]',
    'policy_invalid policy.yaml:9: the rule has both stages and from. Write: stages, or from and quorum, not both',
  ],
  [
    'stages and quorum',
    '    risk: high',
    '    quorum: 2',
    'policy_invalid policy.yaml:9: the rule has both stages and quorum. Write: stages, or from and quorum, not both',
  ],
  [
    'a reminder that falls back',
    '[1h, 4h]',
    '[4h, 1h]',
    'policy_invalid policy.yaml:11: reminder at 1h does not come after the one at 4h. Write: rising times',
  ],
  [
    'a reminder after the end',
    '[1h, 4h]',
    '[1h, 24h]',
    'policy_invalid policy.yaml:11: reminder at 1d comes after approveWithin. Write: less than 1d',
  ],
  [
    'eleven reminders',
    '[1h, 4h]',
    '[1m, 2m, 3m, 4m, 5m, 6m, 7m, 8m, 9m, 10m, 11m]',
    'policy_invalid policy.yaml:11: remind may have at most 10. Write: at most 10, such as remind: [1h, 4h]',
  ],
  [
    'an escalation after the end',
    'after: 8h',
    'after: 2d',
    'policy_invalid policy.yaml:11: escalation at 2d comes after approveWithin. Write: less than 1d',
  ],
  [
    '6.8 a tier that lowers the quorum',
    'quorum: 3 }] }',
    'quorum: 1 }] }',
    'policy_invalid policy.yaml:11: quorum 1 is lower than the 2 before it. Write: quorum: 2 or more, or leave it out',
  ],
  [
    'a reminder outside the stage',
    '    risk: high',
    '    remind: [1h]',
    'policy_invalid policy.yaml:9: "remind" belongs in a stage. Write: stages: [{ name: finance, from: […], quorum: 2, remind: [1h] }]',
  ],
  [
    'a deny rule that asks',
    '    effect: deny',
    '    effect: deny\n    quorum: 2',
    'policy_invalid policy.yaml:20: "quorum" has no place in a deny rule: nothing runs. Write: the rule without quorum, or effect: hold',
  ],
  [
    'another schema',
    'keyturn/policy@1',
    'keyturn/policy@2',
    'policy_unsupported policy.yaml:2: this build does not enforce keyturn/policy@2. Write: schema: keyturn/policy@1, or use a build that enforces it',
  ],
  ['version zero', 'version: 1', 'version: 0', 'policy_invalid policy.yaml:3: version 0 is not a whole number from 1. Write: version: 1'],
  ['a key twice', 'risk: high', 'effect: deny', 'policy_invalid policy.yaml:9: the key "effect" stands twice. Write: it once'],
  ['a tab', '    risk: high', '\trisk: high', 'Write: '],
  [
    'a rule that is text',
    '  - name: no secrets',
    '  - nothing\n  - name: no secrets',
    'policy_invalid policy.yaml:17: rules "nothing" is not a set of fields. Write: effect: hold, effect: allow or effect: deny',
  ],
];

describe('9 a typo in the policy is told with file, line and what to write', () => {
  test.each(BROKEN)('%s', (_title, from, to, said) => {
    const text = GOOD.replace(from, to);
    expect(text).not.toBe(GOOD);
    expect(say(text).join('\n')).toContain(said);
  });

  test('all mistakes are told at once, from top to bottom', () => {
    const said = say(GOOD.replace('risk: high', 'risk: huge').replace('24h', '24').replace('quorum: 2 } }', 'quorum: 0 } }'));
    expect(said.map((line) => /yaml:(\d+)/.exec(line)?.[1])).toEqual(['9', '13', '21']);
  });

  test('a rule that asks nobody is told what is missing', () => {
    const hold = holdRule('payments.transfer', '[group:finance]', 1);
    expect(say(policyText(hold.replace(/ {4}quorum.*\n/, '')))[0]).toContain(
      'policy_invalid policy.yaml:4: rule "hold payments.transfer" asks nobody: quorum missing. Write: from: [group:finance] and quorum: 2, or stages',
    );
    expect(say(policyText(hold.replace(/ {4}from.*\n/, '')))[0]).toContain(
      'policy_invalid policy.yaml:4: rule "hold payments.transfer" asks nobody: from missing. Write: from: [group:finance] and quorum: 2, or stages',
    );
    expect(say(policyText(hold.replace(/ {4}(?:from|quorum).*\n/g, '')))[0]).toContain(
      'policy_invalid policy.yaml:4: rule "hold payments.transfer" asks nobody: from and quorum missing. Write: from: [group:finance] and quorum: 2, or stages',
    );
  });

  test('escalations must rise strictly, and bars never fall from tier to tier', () => {
    const ladder = (tiers: string): string => GOOD.replace('[{ after: 8h, to: [group:finance-leads], quorum: 3 }]', `[${tiers}]`);
    const tier = (after: string, quorum: string): string => `{ after: ${after}, to: [group:security]${quorum} }`;
    expect(say(ladder(`${tier('1h', '')}, ${tier('1h', '')}`))[0]).toContain(
      'policy_invalid policy.yaml:11: escalation at 1h does not come after the one at 1h. Write: rising times',
    );
    expect(say(ladder(`${tier('1h', ', quorum: 4')}, ${tier('2h', ', quorum: 3')}`))[0]).toContain(
      'policy_invalid policy.yaml:11: quorum 3 is lower than the 4 before it. Write: quorum: 4 or more, or leave it out',
    );
    expect(say(ladder(`${tier('1h', ', quorum: 4')}, ${tier('2h', '')}, ${tier('3h', ', quorum: 4')}`))).toEqual([]);
  });

  test('the refusal of a file tells every problem', () => {
    const read = parsePolicy(GOOD.replace('risk: high', 'risk: huge'), 'policy.yaml');
    if (read.ok) throw new Error('accepted');
    expect(new FileRefused(read.problems).message).toBe('policy.yaml:9: risk "huge" is not low, medium or high. Write: risk: high');
  });
});

describe('6.1 a field this build does not enforce refuses the start', () => {
  test.each(['notify: [group:finance]', 'budgets: []', 'minTimes: 5m', 'quorumOf: 1', 'breakGlas: {}', '"": 1'])(
    '%s, in any rule',
    (field) => {
      for (const rule of [
        holdRule('payments.transfer', '[group:finance]', 1, [field]),
        `  - name: x\n    match: { type: a }\n    effect: deny\n    because: No.\n    ${field}\n`,
      ])
        expect(say(policyText(rule))[0]).toContain('is no field here');
    },
  );

  test('a policy of a later form, which may hold rules this build does not know', () => {
    expect(say(GOOD.replace('keyturn/policy@1', 'keyturn/policy@2'))).toEqual([
      'policy_unsupported policy.yaml:2: this build does not enforce keyturn/policy@2. Write: schema: keyturn/policy@1, or use a build that enforces it',
    ]);
    for (const other of ['keyturn/policy@0', 'keyturn/policy@1.0', 'keyturn/roster@1', '1'])
      expect(say(GOOD.replace('keyturn/policy@1', other))[0]).toContain('policy_invalid');
  });
});

describe('attack cases 1, 2: a quorum of nothing', () => {
  const QUORUMS = [
    '0',
    '-1',
    '1.5',
    '"2"',
    '.nan',
    '.inf',
    '9007199254740992',
    '9007199254740993',
    '101',
    '1e3',
    'true',
    '[2]',
    '',
    '2,0',
    'all',
    '0x0',
  ];
  test.each(QUORUMS)('quorum: %s is refused, in a stage and in a rule', (quorum) => {
    expect(say(GOOD.replace('quorum: 2, remind', `quorum: ${quorum}, remind`))).not.toEqual([]);
    const inRule = policyText(holdRule('payments.transfer', '[group:finance]', 1).replace('quorum: 1', `quorum: ${quorum}`));
    expect(say(inRule)[0]).toContain('policy_invalid policy.yaml:9');
  });

  test.each(['resolve: { from: [group:finance], quorum: 0 }', 'rejections: 0', 'rejections: 1.5', 'rejections: "1"'])(
    '%s is refused',
    (line) => {
      expect(say(policyText(holdRule('payments.transfer', '[group:finance]', 1, [line])))[0]).toContain('policy_invalid policy.yaml:12');
    },
  );

  test('left out, it is refused', () => {
    expect(say(GOOD.replace('quorum: 2, remind', 'remind'))[0]).toContain(
      'policy_invalid policy.yaml:11: quorum is missing. Write: quorum: 2',
    );
    expect(say(GOOD.replace('thaw: { from: [group:security], quorum: 2 }', 'thaw: { from: [group:security] }'))[0]).toContain(
      'policy_invalid policy.yaml:21: quorum is missing. Write: quorum: 1',
    );
  });
});
