import { describe, expect, test } from '@jest/globals';
import { parsePolicy } from '../../src/domain/policy/parse.js';
import { holdRule, policyText } from './rule-texts.js';

/** Every field a policy may have, one a line, so that each can be written wrongly. */
const FULL = `schema: keyturn/policy@1
version: 1
rules:
  - name: vendor payments
    match: { type: payments.transfer, agent: ap-agent }
    when: action.params.cents > 5
    effect: hold
    because: Money leaves the company.
    risk: high
    stages:
      - name: finance
        from: [group:finance]
        quorum: 2
        remind: [1h]
        escalate:
          - after: 8h
            to: [group:finance-leads]
            quorum: 3
    approveWithin: 24h
    executeWithin: 15m
    rejections: 2
    resolve: { from: [group:security], quorum: 1 }
    cooldown: 12h
    independent: 1
    minTime: 10m
    confirmField: /cents
    minView: 20s
    budget:
      - per: agent
        within: 6h
        sum: /lines/0/cents
        limit: 100
    request: signed
    delegates: [group:staff]
    breakGlass:
      review: { from: [group:auditors], quorum: 1 }
      reviewWithin: 72h
  - name: small
    match: { type: refunds.* }
    effect: allow
    because: Small sums are cheap to lose.
    risk: low
    budget: [{ per: all, within: 1d, limit: 20 }]
    executeWithin: 5m
    resolve: { from: [person:eve], quorum: 1 }
    cooldown: 2h
    request: vouched
stop:
  freeze: [group:on-call]
  thaw: { from: [group:owners], quorum: 2 }
data: { git.merge: { production: [infra/**] } }
tests:
  - given:
      type: payments.batch
      params: { cents: 7 }
      agent: old-agent
      onBehalfOf: dana
      request: vouched
      preview:
        touches: [production]
        warnings: [a binary file]
        changes: [{ what: limit, from: '5', to: '7' }]
    expect:
      effect: deny
      rule: small sums
      independent: 0
      code: rule_denies
`;

const say = (text: string): string[] => {
  const read = parsePolicy(text, 'policy.yaml');
  return read.ok ? [] : read.problems.map(({ code, line, text: said, write }) => `${code} ${line} ${said} → ${write}`);
};

/** The line of `FULL` on which these words stand. */
const lineOf = (words: string): number => FULL.slice(0, FULL.indexOf(words)).split('\n').length;

const REFS = 'is not group:<name> or person:<id>';
const NAME = 'is not a name of lower-case letters, digits, ".", "_" or "-"';
const WHOLE = 'is not a whole number from 1 to 100';
const TIME = 'is not a duration of at most 90 days';
const FIELDS = 'is not a set of fields';
const TEST_SAMPLE =
  'tests: [{ given: { type: payments.transfer, params: { cents: 480000 } }, expect: { effect: hold, rule: vendor payments } }]';

/** What stands in `FULL`, what a hand wrote in its place, and what it is told. */
const WRONG: [right: string, wrong: string, said: string, write: string][] = [
  ['schema: keyturn/policy@1', 'schema: 1', 'schema 1 is not a form this build reads', 'schema: keyturn/policy@1'],
  ['version: 1', 'version: 1.5', 'version 1.5 is not a whole number from 1', 'version: 1'],
  ['name: vendor payments', 'name: "a\\nb"', 'name "a\\nb" is not a text of one line', 'name: vendor payments'],
  ['name: vendor payments', 'name: " "', 'name " " is not a text of one line', 'name: vendor payments'],
  ['name: small\n', `name: ${'x'.repeat(201)}\n`, `name "${'x'.repeat(58)}… is not a text of one line`, 'name: vendor payments'],
  [
    '{ type: payments.transfer, agent: ap-agent }',
    'payments.transfer',
    `match "payments.transfer" ${FIELDS}`,
    'match: { type: payments.transfer }',
  ],
  ['agent: ap-agent', 'agent: AP', 'agent "AP" is not the id of an agent', 'agent: ap-agent'],
  ['type: refunds.*', 'type: refunds*', 'type "refunds*" is not a type or prefix.*', 'type: payments.transfer, or type: payments.*'],
  [
    'when: action.params.cents > 5',
    'when: [a]',
    'when is not a text in the Common Expression Language',
    'when: action.params.cents > 50000',
  ],
  [
    'when: action.params.cents > 5',
    'when: cents > 5',
    'the condition cannot be used: there is no "cents": all is in action and preview',
    'when: action.params.cents > 50000',
  ],
  [
    'because: Money leaves the company.',
    'because: " "',
    'because " " is not a sentence',
    'because: Money leaves the company and is hard to get back.',
  ],
  [
    'because: Money leaves the company.',
    `because: ${'x'.repeat(2_001)}`,
    `because "${'x'.repeat(58)}… is not a sentence`,
    'because: Money leaves the company and is hard to get back.',
  ],
  ['risk: high', 'risk: 5', 'risk 5 is not low, medium or high', 'risk: high'],
  ['risk: low', 'risk: none', 'risk "none" is not low, medium or high', 'risk: low'],
  ['name: finance\n', 'name: Finance\n', `name "Finance" ${NAME}`, 'name: finance'],
  ['from: [group:finance]', 'from: []', 'from must have at least 1', 'from: [group:finance]'],
  ['from: [group:finance]', 'from: [5]', `from 5 ${REFS}`, 'group:finance, or person:ana'],
  ['from: [group:finance]', 'from: [team:finance]', `from "team:finance" ${REFS}`, 'group:finance, or person:ana'],
  ['from: [group:finance]', 'from: ["a group:finance"]', `from "a group:finance" ${REFS}`, 'group:finance, or person:ana'],
  ['from: [group:finance]', 'from: [group:Finance]', `from "group:Finance" ${REFS}`, 'group:finance, or person:ana'],
  ['from: [group:finance]', 'from: ["group:"]', `from "group:" ${REFS}`, 'group:finance, or person:ana'],
  ['quorum: 2', 'quorum: 1.5', `quorum 1.5 ${WHOLE}`, 'quorum: 2'],
  ['remind: [1h]', 'remind: []', 'remind must have at least 1', 'remind: [1h, 4h]'],
  ['remind: [1h]', 'remind: [soon]', `remind "soon" ${TIME}`, 'remind: [1h, 4h]'],
  [
    '- after: 8h\n            to: [group:finance-leads]\n            quorum: 3',
    '- 8h',
    `escalate "8h" ${FIELDS}`,
    'escalate: [{ after: 8h, to: [group:finance-leads] }]',
  ],
  ['after: 8h', 'after: later', `after "later" ${TIME}`, 'after: 8h'],
  ['to: [group:finance-leads]', 'to: []', 'to must have at least 1', 'to: [group:finance]'],
  ['quorum: 3', 'quorum: many', `quorum "many" ${WHOLE}`, 'quorum: 2'],
  ['approveWithin: 24h', 'approveWithin: 0h', `approveWithin "0h" ${TIME}`, 'approveWithin: 24h'],
  ['approveWithin: 24h', 'approveWithin: 0', `approveWithin 0 ${TIME}`, 'approveWithin: 24h'],
  ['approveWithin: 24h', 'approveWithin: "24"', `approveWithin "24" ${TIME}`, 'approveWithin: 24h'],
  ['approveWithin: 24h', 'approveWithin: 24', `approveWithin 24 ${TIME}`, '24m, or 24h: a number and its unit (s, m, h, d)'],
  ['executeWithin: 15m', 'executeWithin: soon', `executeWithin "soon" ${TIME}`, 'executeWithin: 30m'],
  ['rejections: 2', 'rejections: 0', `rejections 0 ${WHOLE}`, 'rejections: 1'],
  ['{ from: [group:security], quorum: 1 }', 'eve', `resolve "eve" ${FIELDS}`, 'resolve: { from: [group:finance-leads], quorum: 1 }'],
  ['cooldown: 12h', 'cooldown: 91d', `cooldown "91d" ${TIME}`, 'cooldown: 24h'],
  ['minTime: 10m', 'minTime: later', `minTime "later" ${TIME}`, 'minTime: 10m'],
  ['minView: 20s', 'minView: a while', `minView "a while" ${TIME}`, 'minView: 20s'],
  ['independent: 1\n', 'independent: some\n', 'independent "some" is not a whole number from 1 to 100', 'independent: 1'],
  ['confirmField: /cents', 'confirmField: cents', 'confirmField "cents" is not a JSON pointer into the parameters', 'confirmField: /cents'],
  [
    'confirmField: /cents',
    'confirmField: vendor',
    'confirmField "vendor" is not a JSON pointer into the parameters',
    'confirmField: /vendor',
  ],
  ['confirmField: /cents', 'confirmField: 7', 'confirmField 7 is not a JSON pointer into the parameters', 'confirmField: /cents'],
  [
    'confirmField: /cents',
    'confirmField: [vendor]',
    'confirmField ["vendor"] is not a JSON pointer into the parameters',
    'confirmField: /cents',
  ],
  ['confirmField: /cents', 'confirmField: 7a', 'confirmField "7a" is not a JSON pointer into the parameters', 'confirmField: /cents'],
  ['confirmField: /cents', 'confirmField: a b', 'confirmField "a b" is not a JSON pointer into the parameters', 'confirmField: /cents'],
  [
    '- per: agent\n        within: 6h\n        sum: /lines/0/cents\n        limit: 100',
    '- 20',
    `budget 20 ${FIELDS}`,
    '{ per: agent, within: 24h, limit: 20 }, or { per: owner, within: 24h, sum: /cents, limit: 100000 }',
  ],
  [
    'budget: [{ per: all, within: 1d, limit: 20 }]',
    'budget: 20',
    'budget 20 is not a list',
    'budget: [{ per: agent, within: 24h, limit: 20 }]',
  ],
  ['per: agent', 'per: person', 'per "person" is not agent, owner or all', 'per: agent, per: owner, or per: all'],
  ['within: 6h', 'within: 6', `within 6 ${TIME}`, '6m, or 6h: a number and its unit (s, m, h, d)'],
  ['within: 6h', 'within: a day', `within "a day" ${TIME}`, 'within: 24h'],
  [
    'sum: /lines/0/cents',
    'sum: lines',
    'sum "lines" is not a JSON pointer to a whole number of the parameters',
    'sum: /cents; left out, actions are counted',
  ],
  ['limit: 100', 'limit: 0.5', 'limit 0.5 is not a whole number from 1', 'limit: 20'],
  ['request: signed', 'request: any', 'request "any" is not signed or vouched', 'request: signed, or request: vouched'],
  ['delegates: [group:staff]', 'delegates: []', 'delegates must have at least 1', 'delegates: [group:finance]'],
  [
    'breakGlass:\n      review: { from: [group:auditors], quorum: 1 }\n      reviewWithin: 72h',
    'breakGlass: true',
    `breakGlass true ${FIELDS}`,
    'breakGlass: { review: { from: [group:security], quorum: 1 }, reviewWithin: 72h }',
  ],
  ['{ from: [group:auditors], quorum: 1 }', 'eve', `review "eve" ${FIELDS}`, 'review: { from: [group:security], quorum: 1 }'],
  ['{ from: [group:auditors], quorum: 1 }', '{ from: [], quorum: 1 }', 'from must have at least 1', 'from: [group:finance]'],
  ['{ from: [group:auditors], quorum: 1 }', '{ from: [group:auditors] }', 'quorum is missing', 'quorum: 1'],
  ['reviewWithin: 72h', 'reviewWithin: soon', `reviewWithin "soon" ${TIME}`, 'reviewWithin: 72h'],
  ['executeWithin: 5m', 'executeWithin: soon', `executeWithin "soon" ${TIME}`, 'executeWithin: 5m'],
  ['{ from: [person:eve], quorum: 1 }', 'eve', `resolve "eve" ${FIELDS}`, 'resolve: { from: [group:finance-leads], quorum: 1 }'],
  ['cooldown: 2h', 'cooldown: soon', `cooldown "soon" ${TIME}`, 'cooldown: 24h'],
  [
    'stop:\n  freeze: [group:on-call]\n  thaw: { from: [group:owners], quorum: 2 }',
    'stop: [group:on-call]',
    `stop ["group:on-call"] ${FIELDS}`,
    'stop: { freeze: [group:on-call] }',
  ],
  ['freeze: [group:on-call]', 'freeze: []', 'freeze must have at least 1', 'freeze: [group:finance]'],
  [
    '{ from: [group:owners], quorum: 2 }',
    '[group:owners]',
    `thaw ["group:owners"] ${FIELDS}`,
    'thaw: { from: [group:security], quorum: 2 }',
  ],
  [
    'data: { git.merge: { production: [infra/**] } }',
    'data: [infra]',
    'data ["infra"] is not a set of fields of at most 64 KiB',
    'data: { git.merge: { environments: { production: [infra/prod/**] } } }',
  ],
  [
    'data: { git.merge: { production: [infra/**] } }',
    'data:',
    'data (empty) is not a set of fields of at most 64 KiB',
    'data: { git.merge: { environments: { production: [infra/prod/**] } } }',
  ],
  ['type: payments.batch', 'type: Payments', 'type "Payments" is not a type', 'type: payments.transfer'],
  ['params: { cents: 7 }', 'params: cents', 'params "cents" is not a set of parameters', 'params: { cents: 480000 }'],
  ['params: { cents: 7 }', 'params: [7]', 'params [7] is not a set of parameters', 'params: { cents: 480000 }'],
  ['params: { cents: 7 }', 'params:', 'params (empty) is not a set of parameters', 'params: { cents: 480000 }'],
  ['agent: old-agent', 'agent: "*"', 'agent "*" is not the id of an agent', 'agent: ap-agent'],
  ['onBehalfOf: dana', 'onBehalfOf: Dana Lima', 'onBehalfOf "Dana Lima" is not the id of a person', 'onBehalfOf: dana'],
  ['request: vouched\n      preview', 'request: any\n      preview', 'request "any" is not signed or vouched', 'request: vouched'],
  ['touches: [production]', 'touches: production', 'touches "production" is not a list', 'preview: { touches: [environment production] }'],
  ['touches: [production]', 'touches: [5]', 'touches 5 is not a text', 'preview: { touches: [environment production] }'],
  ['warnings: [a binary file]', 'warnings: [5]', 'warnings 5 is not a text', 'preview: { touches: [environment production] }'],
  ['warnings: [a binary file]', 'warnings: none', 'warnings "none" is not a list', 'preview: { touches: [environment production] }'],
  [
    "changes: [{ what: limit, from: '5', to: '7' }]",
    'changes: none',
    'changes "none" is not a list',
    'preview: { touches: [environment production] }',
  ],
  [
    "changes: [{ what: limit, from: '5', to: '7' }]",
    'changes: [limit]',
    `changes "limit" ${FIELDS}`,
    'changes: [{ what: README.md, from: text, to: text }]',
  ],
  ['what: limit', 'what: 5', 'what 5 is not a text', 'changes: [{ what: README.md, from: text, to: text }]'],
  ["from: '5'", 'from: 5', 'from 5 is not a text', 'changes: [{ what: README.md, from: text, to: text }]'],
  ["to: '7'", 'to: 7', 'to 7 is not a text', 'changes: [{ what: README.md, from: text, to: text }]'],
  ['effect: deny', 'effect: stop', 'effect "stop" is not hold, allow or deny', 'effect: hold'],
  ['rule: small sums', 'rule: 7', 'rule 7 is not the name of a rule', 'rule: vendor payments'],
  ['independent: 0', 'independent: -1', 'independent -1 is not a whole number from 0', 'independent: 1'],
  ['code: rule_denies', 'code: denied', 'code "denied" is not a code of a denial', 'code: rule_missing'],
];

describe('a value of the wrong kind is told with its line and what to write', () => {
  test('the policy itself has none', () => expect(say(FULL)).toEqual([]));

  test.each(WRONG.map(([right, wrong, said, write]) => [said, right, wrong, write]))('%s', (said, right, wrong, write) => {
    expect(FULL.split(right)).not.toHaveLength(1);
    expect(say(FULL.replace(right, wrong))).toEqual([`policy_invalid ${lineOf(right)} ${said} → ${write}`]);
  });

  test.each([
    ['the whole file', 'just text\n', 'the file "just text" is not a set of fields', 'schema: keyturn/policy@1 and its rules'],
    [
      'its rules',
      FULL.slice(0, FULL.indexOf('rules:')) + 'rules: none\n',
      'rules "none" is not a list',
      'rules: [{ name: …, match: …, effect: hold }]',
    ],
    ['a hold rule', policyText('  - { effect: hold }\n'), 'name is missing', 'name: vendor payments'],
    [
      'a stage',
      policyText(holdRule('a', '[group:x]', 1, ['stages: [finance]']).replace(/ {4}(?:from|quorum).*\n/g, '')),
      'stages "finance" is not a set of fields',
      '{ name: finance, from: [group:finance], quorum: 2 }',
    ],
    [
      'stages',
      policyText(holdRule('a', '[group:x]', 1, ['stages: finance']).replace(/ {4}(?:from|quorum).*\n/g, '')),
      'stages "finance" is not a list',
      'stages: [{ name: finance, from: [group:finance], quorum: 2 }]',
    ],
    [
      'a tier of a list',
      policyText(
        holdRule('a', '[group:x]', 1, ['stages: [{ name: s, from: [group:x], quorum: 1, escalate: 8h }]']).replace(
          / {4}(?:from|quorum).*\n/g,
          '',
        ),
      ),
      'escalate "8h" is not a list',
      'escalate: [{ after: 8h, to: [group:finance-leads] }]',
    ],
    ['from of a rule without stages', policyText(holdRule('a', 'finance', 1)), 'from "finance" is not a list', 'from: [group:finance]'],
    [
      'quorum of a rule without stages',
      policyText(holdRule('a', '[group:x]', 0)),
      'quorum 0 is not a whole number from 1 to 100',
      'quorum: 2',
    ],
    ['its tests', `${policyText('  []\n')}tests: none\n`, 'tests "none" is not a list', TEST_SAMPLE],
    ['one of its tests', `${policyText('  []\n')}tests: [none]\n`, 'tests "none" is not a set of fields', TEST_SAMPLE],
    [
      'what a test gives',
      `${policyText('  []\n')}tests: [{ given: x, expect: { effect: hold } }]\n`,
      'given "x" is not a set of fields',
      'given: { type: payments.transfer, params: { cents: 480000 } }',
    ],
    [
      'what a test expects',
      `${policyText('  []\n')}tests: [{ given: { type: a, params: {} }, expect: hold }]\n`,
      'expect "hold" is not a set of fields',
      'expect: { effect: hold, rule: vendor payments }',
    ],
    [
      'a preview of a test',
      `${policyText('  []\n')}tests: [{ given: { type: a, params: {}, preview: [x] }, expect: { effect: hold } }]\n`,
      'preview ["x"] is not a set of fields',
      'preview: { touches: [environment production] }',
    ],
  ])('%s', (_what, text, said, write) => {
    expect(say(text)[0]?.replace(/^policy_invalid \d+ /, '')).toBe(`${said} → ${write}`);
  });

  test('a preview that says nothing is one of nothing', () => {
    const read = parsePolicy(
      `${policyText('  []\n')}tests: [{ given: { type: a, params: {}, preview: {} }, expect: { effect: deny } }]\n`,
      'policy.yaml',
    );
    expect(read.ok && read.policy.tests[0]?.given.preview).toEqual({ touches: [], warnings: [], changes: [] });
  });
  test.each(['rule_denies', 'rule_missing', 'policy_error', 'quorum_unsatisfiable', 'budget_exceeded'])('a test may expect %s', (code) => {
    expect(say(FULL.replace('code: rule_denies', `code: ${code}`))).toEqual([]);
  });
  test.each([
    ['a signed request', 'request: vouched\n      preview', 'request: signed\n      preview'],
    ['that something is let run', 'effect: deny\n', 'effect: allow\n'],
    ['that something is held', 'effect: deny\n', 'effect: hold\n'],
  ])('or %s', (_what, right, wrong) => expect(say(FULL.replace(right, wrong))).toEqual([]));
  test.each([
    ['a change that says nothing of before and after', '{ what: note }'],
    ['one that says there was nothing', '{ what: note, from: null, to: null }'],
  ])('%s is a change', (_what, change) => {
    expect(say(FULL.replace("{ what: limit, from: '5', to: '7' }", change))).toEqual([]);
  });
});

describe('the form: only this one is read, and a later one is known for what it is', () => {
  const said = (form: string): string | undefined => say(FULL.replace('keyturn/policy@1', form))[0];
  test.each(['keyturn/policy@2', 'keyturn/policy@10', 'keyturn/policy@9999'])('%s is a later form', (form) => {
    expect(said(form)).toBe(
      `policy_unsupported 1 this build does not enforce ${form} → schema: keyturn/policy@1, or use a build that enforces it`,
    );
  });
  test.each([
    'keyturn/policy@0',
    'keyturn/policy@02',
    'keyturn/policy@10000',
    'keyturn/policy@2a',
    'a keyturn/policy@2',
    '[keyturn/policy@2]',
  ])('%s is none', (form) =>
    expect(said(form)).toMatch(/^policy_invalid 1 schema .* is not a form this build reads → schema: keyturn\/policy@1$/),
  );
});

describe('JSON pointers into the parameters', () => {
  const pointers = ['/cents', '/a~0b', '/a~1b', '/a/b/0', '/ü', '/a b', `/${'x'.repeat(199)}`];
  const none = ['/', '/a/', '//a', 'a', 'a/b', '/a~', '/a~2', '/a~b', `/${'x'.repeat(200)}`];
  const written = (right: string, pointer: string): string[] =>
    say(FULL.replace(right, `${right.slice(0, right.indexOf(':'))}: "${pointer}"`));
  describe.each(['sum: /lines/0/cents', 'confirmField: /cents'])('in place of %s', (right) => {
    test.each(pointers)('%s is one', (pointer) => expect(written(right, pointer)).toEqual([]));
    test.each(none)('%s is none', (pointer) => {
      expect(written(right, pointer)).toEqual([expect.stringContaining('is not a JSON pointer')]);
    });
  });
});

describe('fields where they have no place', () => {
  const DENY = '  - name: x\n    match: { type: a }\n    effect: deny\n    because: No.\n';
  const ALLOW =
    '  - name: x\n    match: { type: a }\n    effect: allow\n    because: Small.\n    budget: [{ per: all, within: 1h, limit: 1 }]\n    executeWithin: 5m\n    resolve: { from: [person:eve], quorum: 1 }\n';
  test.each([
    'risk',
    'stages',
    'from',
    'quorum',
    'approveWithin',
    'executeWithin',
    'rejections',
    'resolve',
    'cooldown',
    'budget',
    'request',
    'delegates',
    'breakGlass',
  ])('%s in a deny rule: nothing runs', (field) => {
    expect(say(policyText(`${DENY}    ${field}: 1\n`))).toEqual([
      `policy_invalid 8 "${field}" has no place in a deny rule: nothing runs → the rule without ${field}, or effect: hold`,
    ]);
  });
  test.each(['independent', 'minTime', 'confirmField', 'minView'])('%s in a deny rule: nobody is asked', (field) => {
    expect(say(policyText(`${DENY}    ${field}: 1\n`))).toEqual([
      `policy_invalid 8 "${field}" has no place in a deny rule: nobody is asked → the rule without ${field}, or effect: hold`,
    ]);
  });
  test.each(['stages', 'from', 'quorum', 'approveWithin', 'rejections', 'delegates', 'independent', 'minTime', 'confirmField', 'minView'])(
    '%s in an allow rule: nobody is asked',
    (field) => {
      expect(say(policyText(`${ALLOW}    ${field}: 1\n`))).toEqual([
        `policy_invalid 11 "${field}" has no place in an allow rule: nobody is asked → the rule without ${field}, or effect: hold`,
      ]);
    },
  );
  test.each([
    ['remind', 'remind: [1h]'],
    ['escalate', 'escalate: [{ after: 8h, to: [group:finance-leads] }]'],
  ])('%s outside of a stage', (field, sample) => {
    expect(say(policyText(holdRule('a', '[group:x]', 1, [`${field}: [1h]`])))).toEqual([
      `policy_invalid 12 "${field}" belongs in a stage → stages: [{ name: finance, from: […], quorum: 2, ${sample} }]`,
    ]);
  });
});

describe('how much a policy may hold', () => {
  const refs = (n: number): string => `[${Array.from({ length: n }, (_, i) => `person:p${i}`).join(', ')}]`;
  test('a hundred names in a list, a quorum of a hundred, no more', () => {
    expect(say(policyText(holdRule('a', refs(100), 100)))).toEqual([]);
    expect(say(policyText(holdRule('a', refs(101), 1)))).toEqual([
      'policy_invalid 8 from may have at most 100 → at most 100, such as from: [group:finance]',
    ]);
    expect(say(policyText(holdRule('a', '[group:x]', 101)))[0]).toContain('quorum 101 is not a whole number from 1 to 100');
  });
  test('data of 64 KiB of canonical JSON, and not a byte more', () => {
    const data = (bytes: number): string => policyText('  []\n', `data: { big: ${'x'.repeat(bytes - '{"big":""}'.length)} }\n`);
    expect(say(data(65_536))).toEqual([]);
    expect(say(data(65_537))).toEqual([expect.stringContaining('is not a set of fields of at most 64 KiB')]);
  });
  test.each([
    ['a name of 200 characters', 'name: small\n', `name: ${'x'.repeat(200)}\n`],
    ['a because of 2000', 'because: Money leaves the company.', `because: ${'x'.repeat(2_000)}`],
    ['independent: 100 votes of as many', 'independent: 1\n', 'independent: 3\n'],
  ])('%s', (_what, right, wrong) => {
    expect(say(FULL.replace(right, wrong).replace('quorum: 2\n', 'quorum: 3\n'))).toEqual([]);
  });
});
