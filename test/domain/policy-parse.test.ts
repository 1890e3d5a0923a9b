import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { problemsOf, shown } from '../../src/domain/policy/fields.js';
import { wordsOf } from '../../src/domain/policy/budget.js';
import { readsPreview } from '../../src/domain/policy/evaluate.js';
import { guardsOf } from '../../src/domain/policy/guards.js';
import { denied, denyRule, held, holdRule, HOUR, policyOf, rule } from './policy-fixture.js';

const MINUTE = 60_000;

describe('what a rule means when it is silent', () => {
  test('a deny rule: its match, its reason and where it stands', () => {
    const [first, second] = policyOf(
      denyRule('{ type: a }') + denyRule('{ type: b, agent: ap-agent }', 'two').replace(' effect', ' when: action.type == "b", effect'),
    ).rules;
    expect(first).toEqual({ effect: 'deny', name: 'no', match: { type: 'a' }, when: undefined, because: 'Never.', path: ['rules', 0] });
    expect(second).toMatchObject({
      name: 'two',
      match: { type: 'b', agent: 'ap-agent' },
      when: { text: 'action.type == "b"', readsPreview: false },
      path: ['rules', 1],
    });
  });
  test('an allow rule takes signed requests only; a hold rule any, and one no ends it', () => {
    const allow = (more = ''): string =>
      `  - { name: small, match: { type: a }, effect: allow, because: B., budget: [{ per: owner, within: 1h, sum: /cents, limit: 9 }], executeWithin: 5m, resolve: { from: [person:eve], quorum: 1 }${more} }\n`;
    expect(policyOf(allow()).rules).toEqual([
      {
        effect: 'allow',
        name: 'small',
        match: { type: 'a' },
        because: 'B.',
        path: ['rules', 0],
        executeWithin: 5 * MINUTE,
        resolve: { from: ['person:eve'], quorum: 1 },
        budget: [{ per: 'owner', within: HOUR, sum: '/cents', limit: 9 }],
        request: 'signed',
      },
    ]);
    expect(policyOf(allow(', risk: medium, cooldown: 2h, request: vouched')).rules).toMatchObject([
      { risk: 'medium', cooldown: 2 * HOUR, request: 'any' },
    ]);
    expect(policyOf(allow(', request: signed')).rules).toMatchObject([{ request: 'signed' }]);
    const hold = (more: readonly string[]) => policyOf(holdRule('a', '[person:ana]', 1, more)).rules[0];
    expect(hold([])).toEqual({
      effect: 'hold',
      name: 'hold a',
      match: { type: 'a' },
      because: 'Money leaves the company.',
      path: ['rules', 0],
      stages: [{ name: 'reviewers', from: ['person:ana'], quorum: 1, remind: [], escalate: [], path: ['rules', 0] }],
      approveWithin: 24 * HOUR,
      executeWithin: 30 * MINUTE,
      rejections: 1,
      guards: guardsOf({}),
      budget: [],
      request: 'any',
    });
    expect([hold(['request: signed']), hold(['request: vouched'])]).toMatchObject([{ request: 'signed' }, { request: 'any' }]);
  });
  test('guards, one by one', () => {
    expect(guardsOf({})).toEqual({ independent: 0, minTime: 0, confirmField: null, minView: 0 });
    expect(guardsOf({ independent: 2, minTime: 3, confirmField: '/a', minView: 4 })).toEqual({
      independent: 2,
      minTime: 3,
      confirmField: '/a',
      minView: 4,
    });
  });
  test('a policy without data, tests or stop has none of them', () => {
    expect(policyOf(denyRule('{ type: a }'))).toMatchObject({ version: 1, data: {}, tests: [], stop: { freeze: [] } });
    expect(policyOf(denyRule('{ type: a }')).stop.thaw).toBeUndefined();
    const given = '{ type: a, params: {} }';
    const [one, two] = policyOf(
      denyRule('{ type: a }'),
      `tests: [{ given: ${given}, expect: { effect: deny } }, { given: ${given}, expect: { effect: hold, rule: r } }]\n`,
    ).tests;
    expect([one, two]).toEqual([
      { given: { type: 'a', params: {} }, expect: { effect: 'deny' }, path: ['tests', 0] },
      { given: { type: 'a', params: {} }, expect: { effect: 'hold', rule: 'r' }, path: ['tests', 1] },
    ]);
  });
});

describe('what a ruling carries', () => {
  const hold = (more: readonly string[], asked = {}) =>
    held(rule(policyOf(holdRule('payments.transfer', '[group:finance]', 1, more)), asked));
  test('a cooldown, a handing over, a budget only where the rule has one', () => {
    const plain = hold([]);
    expect(['cooldown', 'delegates', 'breakGlass', 'passedOver'].filter((field) => Object.hasOwn(plain, field))).toEqual([]);
    expect(hold(['cooldown: 2h', 'delegates: [group:security]', 'budget: [{ per: all, within: 1h, limit: 2 }]'])).toMatchObject({
      cooldown: 2 * HOUR,
      delegates: ['eve', 'finn'],
      budget: [{ per: 'all', within: HOUR, limit: 2 }],
    });
  });
  test('an allowed action: nobody asked, nothing to confirm, as long to start as its rule says', () => {
    const allow = (more = ''): string =>
      `  - { name: small, match: { type: payments.* }, effect: allow, because: B., budget: [{ per: all, within: 1h, limit: 9 }], executeWithin: 5m, resolve: { from: [person:eve, person:ana], quorum: 2 }${more} }\n`;
    expect(rule(policyOf(allow()))).toEqual({
      effect: 'allow',
      rule: { name: 'small', because: 'B.' },
      risk: 'low',
      reasons: ['It can be undone automatically.'],
      stages: [],
      rejections: 1,
      resolve: { people: ['ana', 'eve'], quorum: 2 },
      exclusions: [{ person: 'dana', why: 'owner' }],
      approveWithin: 5 * MINUTE,
      executeWithin: 5 * MINUTE,
      guards: guardsOf({}),
      budget: [{ per: 'all', within: HOUR, limit: 9 }],
      request: 'signed',
    });
    expect(Object.hasOwn(rule(policyOf(allow())), 'cooldown')).toBe(false);
    expect(rule(policyOf(allow(', cooldown: 3h, risk: high')))).toMatchObject({
      cooldown: 3 * HOUR,
      risk: 'high',
      reasons: ['The policy calls it high risk.', 'It can be undone automatically.'],
    });
  });
  test('what only the agent itself may ask for is denied where the API vouches for it', () => {
    expect(rule(policyOf(holdRule('payments.transfer', '[group:finance]', 1, ['request: signed'], 'r')), { request: 'vouched' })).toEqual({
      effect: 'deny',
      code: 'rule_denies',
      rule: 'r',
      text: 'rule "r" takes only requests the agent itself has signed',
    });
  });
  test('a value nobody could type denies, and says which', () => {
    const policy = policyOf(holdRule('payments.transfer', '[group:finance]', 1, ['confirmField: /to/iban'], 'r'));
    expect(rule(policy, { params: { to: {} } })).toEqual({
      effect: 'deny',
      code: 'policy_error',
      rule: 'r',
      text: 'rule "r": confirmField /to/iban names nothing in these parameters that a person could type',
    });
  });
  test('the risk and whose word it is', () => {
    const risk = (line: readonly string[], undo: Parameters<typeof rule>[1] = {}) => {
      const { risk: is, reasons } = hold(line, undo);
      return [is, ...reasons];
    };
    expect(risk([], { undo: [] })).toEqual(['high', 'Nothing says how it is undone.']);
    expect(risk(['risk: low'])).toEqual(['low', 'It can be undone automatically.']);
    expect(risk(['risk: medium'], { undo: [{ undo: 'by_hand', how: 'Call.' }] })).toEqual(['medium', 'It can only be undone by hand.']);
    expect(risk(['risk: high'], { undo: [{ undo: 'impossible' }] })).toEqual(['high', 'It cannot be undone.']);
  });
  test('of several allow rules whose budgets are used up the first says so', () => {
    const allow = (name: string): string =>
      `  - { name: ${name}, match: { type: payments.* }, effect: allow, because: B., budget: [{ per: all, within: 1h, limit: 9 }], executeWithin: 5m, resolve: { from: [person:eve], quorum: 1 } }\n`;
    const spent = new Map([
      ['0 one', 9],
      ['0 two', 9],
    ]);
    const used = 'the budget of rule "one" is used up: 9 of 9 actions within 1h, in all';
    expect(denied(rule(policyOf(allow('one') + allow('two')), { spent }))).toEqual({ effect: 'deny', code: 'budget_exceeded', text: used });
    const behind = policyOf(allow('one') + allow('two') + holdRule('payments.transfer', '[group:finance]', 1));
    expect(rule(behind, { spent })).toMatchObject({ effect: 'hold', passedOver: used });
    expect(
      rule(behind, {
        spent: new Map([
          ['0 one', 9],
          ['0 two', 8],
        ]),
      }),
    ).toMatchObject({ effect: 'allow', rule: { name: 'two' } });
    const unmeetable = policyOf(allow('one') + holdRule('payments.transfer', '[group:finance]', 4));
    expect(Object.hasOwn(rule(unmeetable, { spent }), 'passedOver')).toBe(false);
  });
  test('a budget whose ledger was restored within its time counts as used up; one that was never asked denies', () => {
    const policy = policyOf(
      holdRule('payments.transfer', '[group:finance]', 1, ['budget: [{ per: agent, within: 1h, sum: /cents, limit: 9 }]'], 'r'),
    );
    const by = (spent: ReadonlyMap<string, number | 'unknown'>) => denied(rule(policy, { params: { cents: 1 }, spent }));
    expect(by(new Map([['0 r', 'unknown']]))).toEqual({
      effect: 'deny',
      code: 'budget_exceeded',
      rule: 'r',
      text: 'the budget of rule "r" counts as used up, /cents within 1h, of this agent: the ledger was restored within that time, and what ran since its backup is not in it',
    });
    expect(wordsOf({ per: 'owner', within: HOUR, limit: 1 })).toBe("actions within 1h, of this owner's agents");
    expect(by(new Map())).toMatchObject({ code: 'policy_error', text: 'rule "r": nobody knows how much of its budget is used up' });
    expect(by(new Map([['0 r', 9]]))).toMatchObject({
      code: 'budget_exceeded',
      text: 'the budget of rule "r" is used up: 9 of 9 /cents within 1h, of this agent',
    });
    expect(rule(policy, { params: { cents: 1 }, spent: new Map([['0 r', 8]]) }).effect).toBe('hold');
  });
  test("a break-glass rule that nobody is left to review is denied in the rule's name", () => {
    const glass = holdRule(
      'payments.transfer',
      '[group:finance]',
      1,
      ['breakGlass: { review: { from: [person:finn], quorum: 1 }, reviewWithin: 1h }'],
      'glass',
    ).replace('30m', '15m');
    const by = (asked: Parameters<typeof rule>[1]) => rule(policyOf(glass), asked);
    expect(by({})).toMatchObject({ effect: 'hold', breakGlass: { people: ['finn'], quorum: 1, reviewWithin: HOUR } });
    const finn = held(by({})).breakGlass?.people ?? [];
    const left = 'rule "glass" is break-glass and needs 1 to review it whom none of its stages asks; left: nobody';
    for (const asked of [{ owner: finn[0] }, { onBehalfOf: finn[0] }, { editors: finn }] as Parameters<typeof rule>[1][])
      expect(by(asked)).toEqual({ effect: 'deny', code: 'quorum_unsatisfiable', text: left, rule: 'glass' });
    expect(denied(rule(policyOf(glass.replace('breakGlass', 'delegates: [person:finn]\n    breakGlass')))).text).toBe(left);
  });
});

describe('whether what a policy says hangs on the preview', () => {
  const reads = (when: string, type = 'payments.transfer', agent = 'ap-agent') =>
    readsPreview(
      policyOf(
        denyRule('{ type: other.type }', 'other') +
          denyRule('{ type: payments.*, agent: ap-agent }').replace(' effect', ` when: '${when}', effect`),
      ),
      { type, agent },
    );
  test('only where a rule that takes this type and agent reads it', () => {
    expect(reads('size(preview.touches) > 0')).toBe(true);
    expect(reads('action.params.cents > 0')).toBe(false);
    expect(reads('size(preview.touches) > 0', 'refunds.small')).toBe(false);
    expect(reads('size(preview.touches) > 0', 'payments.transfer', 'other')).toBe(false);
  });
});

describe('what is said of values', () => {
  test.each<[string, unknown, string]>([
    ['nothing', null, '(empty)'],
    ['a text, in quotes', 'a "b"', '"a \\"b\\""'],
    ['what is no JSON', undefined, ''],
    ['a number', 5, '5'],
    ['60 characters', 'x'.repeat(58), `"${'x'.repeat(58)}"`],
    ['one more', 'x'.repeat(59), `"${'x'.repeat(58)}…`],
  ])('%s', (_what, value, text) => expect(shown(value)).toBe(text));

  test('an issue of a kind no file of ours has is told in its own words', () => {
    const read = z.strictObject({ mail: z.email('no address') }).safeParse({ mail: 'x' });
    if (read.success) throw new Error('read');
    const at = () => ({ line: 7, column: 1 });
    expect(problemsOf(read.error.issues, { file: 'f.yaml', code: 'policy_invalid', value: { mail: 'x' }, at })).toEqual([
      { code: 'policy_invalid', file: 'f.yaml', line: 7, text: 'mail "x": no address', write: 'what the documentation shows' },
    ]);
  });
});
