import { describe, expect, test } from '@jest/globals';
import { stageSchema } from '../../src/domain/objects/envelope.js';
import type { UndoPlan } from '../../src/domain/objects/envelope.js';
import { deniedBy, mayFreeze, thawRule } from '../../src/domain/policy/evaluate.js';
import { guardsOf } from '../../src/domain/policy/guards.js';
import {
  agent,
  ASKED,
  denied,
  denyRule,
  held,
  holdRule,
  HOUR,
  keyText,
  NOW,
  person,
  personLine,
  policyOf,
  ROSTER,
  ROSTER_TEXT,
  rosterOf,
  rule,
} from './policy-fixture.js';

const DAY = 24 * HOUR;

describe('6.1 which rule decides', () => {
  const hold = holdRule('payments.transfer', '[group:finance]', 2);

  test('6.1 a deny rule is tried first wherever it stands', () => {
    for (const rules of [hold + denyRule('{ type: payments.* }'), denyRule('{ type: payments.* }') + hold]) {
      expect(rule(policyOf(rules))).toEqual({ effect: 'deny', code: 'rule_denies', rule: 'no', text: 'rule "no": Never.' });
    }
  });

  test('6.1 a deny rule for another type or agent does not apply', () => {
    const rules = denyRule('{ type: payments.refund }', 'a') + denyRule('{ type: payments.transfer, agent: other }', 'b') + hold;
    expect(rule(policyOf(rules)).effect).toBe('hold');
    expect(denied(rule(policyOf(rules), { agent: agent('other') })).rule).toBe('b');
  });

  test('6.1 the first matching hold rule decides', () => {
    const policy = policyOf(holdRule('payments.refund', '[person:ana]', 1) + hold + holdRule('payments.*', '[person:eve]', 1));
    expect(held(rule(policy)).rule.name).toBe('hold payments.transfer');
    expect(held(rule(policy, { type: 'payments.other' })).stages[0]?.from).toEqual(['eve']);
  });

  test('attack case 3: no rule applies, so it is denied', () => {
    expect(denied(rule(policyOf(hold), { type: 'secrets.rotate' })).code).toBe('rule_missing');
    expect(denied(rule(policyOf(denyRule('{ type: a }')))).code).toBe('rule_missing');
  });

  test('6.1 the deny rules can be asked alone, before the preview', () => {
    const policy = policyOf(hold + denyRule('{ type: payments.transfer, agent: other }') + denyRule('{ type: payments.* }', 'later'));
    expect(deniedBy(policy, { ...ASKED, agent: 'other' })).toMatchObject({ code: 'rule_denies', rule: 'no', text: 'rule "no": Never.' });
    expect(deniedBy(policy, ASKED)?.rule).toBe('later');
    expect(deniedBy(policy, { ...ASKED, type: 'secrets.rotate' })).toBeUndefined();
  });

  test('6.1 anything that goes wrong in the evaluation denies', () => {
    const hostile = new Proxy(ROSTER, {
      get: () => {
        throw new Error('boom');
      },
    });
    expect(rule(policyOf(hold), {}, hostile)).toEqual({
      effect: 'deny',
      code: 'policy_error',
      text: 'the policy could not be evaluated: boom',
    });
    const odd = new Proxy(ROSTER, {
      get: () => {
        throw Object.create(null);
      },
    });
    expect(denied(rule(policyOf(hold), {}, odd)).code).toBe('policy_error');
  });

  test.each([
    ['a group of its stage', holdRule('payments.transfer', '[group:finance, group:gone]', 1)],
    ['a person of its stage', holdRule('payments.transfer', '[group:finance, person:gone]', 1)],
    ['its resolvers', holdRule('payments.transfer', '[group:finance]', 1, ['resolve: { from: [group:gone], quorum: 1 }'])],
    ['a tier', escalating('{ after: 1h, to: [group:gone] }')],
  ])('6.1 a name missing from the roster denies, in %s', (_where, rules) => {
    const ruling = denied(rule(policyOf(rules)));
    expect(ruling.code).toBe('policy_error');
    expect(ruling.text).toMatch(/names (?:group|person):gone, which the roster does not have/);
  });
});

/** One stage, finance with quorum 2, and its tiers. */
function escalating(tiers: string, from = '[group:finance]'): string {
  return `  - name: ladder
    match: { type: payments.transfer }
    effect: hold
    because: Money.
    stages: [{ name: finance, from: ${from}, quorum: 2, remind: [1h, 4h], escalate: [${tiers}] }]
    approveWithin: 24h
    executeWithin: 30m
`;
}

describe('what a hold says', () => {
  test('people are resolved, distinct and sorted; times are in ms', () => {
    const ruling = held(
      rule(policyOf(escalating('{ after: 8h, to: [group:security, person:ana], quorum: 3 }', '[person:cleo, group:finance, person:ana]'))),
    );
    expect(ruling).toEqual({
      effect: 'hold',
      rule: { name: 'ladder', because: 'Money.' },
      budget: [],
      request: 'any',
      risk: 'low',
      reasons: ['It can be undone automatically.'],
      stages: [
        {
          name: 'finance',
          from: ['ana', 'ben', 'cleo'],
          quorum: 2,
          remind: [HOUR, 4 * HOUR],
          escalate: [{ after: 8 * HOUR, to: ['ana', 'eve', 'finn'], quorum: 3 }],
        },
      ],
      rejections: 1,
      resolve: { people: ['ana', 'ben', 'cleo', 'eve', 'finn'], quorum: 1 },
      exclusions: [{ person: 'dana', why: 'owner' }],
      approveWithin: DAY,
      executeWithin: HOUR / 2,
      guards: guardsOf({}),
    });
    for (const stage of ruling.stages) expect(stageSchema.safeParse(stage).success).toBe(true);
  });

  test('attack case 10: a member of a nested group is asked', () => {
    expect(held(rule(policyOf(holdRule('payments.transfer', '[group:everyone]', 2)))).stages[0]?.from).toEqual([
      'ana',
      'ben',
      'cleo',
      'eve',
      'finn',
    ]);
  });

  test('attack case 9: a display name or a group of the same name is no match; ids only', () => {
    const roster = rosterOf(`${ROSTER_TEXT.replace('name: eve,', 'name: finance,').replace('groups:', `groups:\n  ana: [finn]`)}`);
    const stages = (from: string) => held(rule(policyOf(holdRule('payments.transfer', from, 1)), {}, roster)).stages[0]?.from;
    expect(stages('[group:finance]')).toEqual(['ana', 'ben', 'cleo']);
    expect(stages('[person:ana]')).toEqual(['ana']);
    expect(stages('[group:ana]')).toEqual(['finn']);
  });

  test("attack case 48: nobody but the people of the executor's own roster is ever asked", () => {
    const theirs = rosterOf(
      ROSTER_TEXT.replace('people:\n', `people:\n${personLine('mallory')}\n`).replace('[ana, ben, cleo]', '[ana, ben, cleo, mallory]'),
    );
    const policy = policyOf(holdRule('payments.transfer', '[group:finance]', 1));
    expect(held(rule(policy, {}, theirs)).stages[0]?.from).toContain('mallory');
    expect(JSON.stringify(rule(policy))).not.toContain('mallory');
  });

  test('whoever is past his end is not asked', () => {
    const roster = rosterOf(ROSTER_TEXT.replace('name: ben,', 'name: ben, until: 2026-06-01T00:00:00.000Z,'));
    const policy = policyOf(holdRule('payments.transfer', '[group:finance]', 2));
    expect(held(rule(policy, {}, roster, NOW - 1)).stages[0]?.from).toEqual(['ana', 'ben', 'cleo']);
    expect(held(rule(policy, {}, roster, NOW)).stages[0]?.from).toEqual(['ana', 'cleo']);
  });

  test('attack case 63: a tier whose people all left asks nobody; the bar it raises holds all the same', () => {
    const roster = rosterOf(ROSTER_TEXT.replace('name: eve,', 'name: eve, until: 2026-01-01T00:00:00.000Z,'));
    const stages = (tiers: string) => held(rule(policyOf(escalating(tiers)), {}, roster)).stages[0]?.escalate;
    expect(stages('{ after: 1h, to: [group:finance-leads] }, { after: 2h, to: [person:finn] }')).toEqual([
      { after: 2 * HOUR, to: ['finn'] },
    ]);
    expect(stages('{ after: 1h, to: [group:finance-leads], quorum: 3 }')).toEqual([{ after: HOUR, to: ['ana', 'ben', 'cleo'], quorum: 3 }]);
    const empty = rule(
      policyOf(escalating('{ after: 1h, to: [group:finance-leads], quorum: 3 }, { after: 2h, to: [group:everyone] }', '[person:eve]')),
      {},
      roster,
    );
    expect(denied(empty).code).toBe('policy_error');
  });

  test('the rule may name who resolves, and how many rejections end it', () => {
    const ruling = held(
      rule(
        policyOf(holdRule('payments.transfer', '[group:finance]', 1, ['resolve: { from: [group:security], quorum: 2 }', 'rejections: 2'])),
      ),
    );
    expect(ruling.resolve).toEqual({ people: ['eve', 'finn'], quorum: 2 });
    expect(ruling.rejections).toBe(2);
  });

  test('more than a hundred people are more than can be sealed', () => {
    const ids = Array.from({ length: 101 }, (_, i) => `p${i}`);
    const people = ids.map((id) => `  ${id}: { name: ${id}, keys: ['${keyText(`key of ${id}`)}'] }`).join('\n');
    const crowd = (members: string[]) =>
      rosterOf(
        ROSTER_TEXT.replace('people:\n', `people:\n${people}\n`).replace('groups:\n', `groups:\n  crowd: [${members.join(', ')}]\n`),
      );
    const policy = policyOf(holdRule('payments.transfer', '[group:crowd]', 1));
    expect(denied(rule(policy, {}, crowd(ids))).text).toContain('rule "hold payments.transfer" asks 101 people; at most 100 can be sealed');
    expect(rule(policy, {}, crowd(ids.slice(1))).effect).toBe('hold');
    const resolve = policyOf(holdRule('payments.transfer', '[group:crowd]', 1, ['resolve: { from: [person:ana], quorum: 1 }']));
    expect(denied(rule(resolve, {}, crowd(ids.slice(1)))).code).toBe('policy_error');
  });
});

describe('6.3 who never counts', () => {
  const policy = policyOf(holdRule('payments.transfer', '[group:everyone]', 1));
  const exclusions = (asked: Parameters<typeof rule>[1], roster = ROSTER) => held(rule(policy, asked, roster)).exclusions;

  test('6.3 owner, whoever is acted for, and editors; each once', () => {
    expect(exclusions({ onBehalfOf: person('ana'), editors: [person('finn'), person('ben')] })).toEqual([
      { person: 'dana', why: 'owner' },
      { person: 'ana', why: 'on_behalf_of' },
      { person: 'ben', why: 'editor' },
      { person: 'finn', why: 'editor' },
    ]);
    expect(exclusions({ onBehalfOf: person('dana'), editors: [person('dana'), person('dana')] })).toEqual([
      { person: 'dana', why: 'owner' },
    ]);
  });

  test('6.3 self-approval in development lifts owner and whoever is acted for, never an editor', () => {
    const lifted = rosterOf(ROSTER_TEXT.replace('people:', 'development: true\nselfApproval: true\npeople:'));
    expect(exclusions({ onBehalfOf: person('ana') }, lifted)).toEqual([]);
    expect(exclusions({ editors: [person('dana')] }, lifted)).toEqual([{ person: 'dana', why: 'editor' }]);
    const development = rosterOf(ROSTER_TEXT.replace('people:', 'development: true\npeople:'));
    expect(exclusions({}, development)).toEqual([{ person: 'dana', why: 'owner' }]);
  });
});

describe('6.2 a quorum nobody can meet is denied, with the count', () => {
  test('attack case 11: the only spare member is the requester', () => {
    const policy = policyOf(holdRule('payments.transfer', '[group:finance]', 3));
    expect(rule(policy).effect).toBe('hold');
    expect(rule(policy, { owner: person('ana') })).toEqual({
      effect: 'deny',
      code: 'quorum_unsatisfiable',
      rule: 'hold payments.transfer',
      text: 'rule "hold payments.transfer" needs 3 distinct people, 2 may count: stage reviewers 3 of ben cleo; ana does not count: owns the agent',
    });
    expect(denied(rule(policy, { onBehalfOf: person('ben') })).text).toContain(
      'rule "hold payments.transfer" needs 3 distinct people, 2 may count: stage reviewers 3 of ana cleo; ben does not count: is acted for',
    );
    expect(denied(rule(policy, { editors: [person('cleo')] })).text).toContain(
      'rule "hold payments.transfer" needs 3 distinct people, 2 may count: stage reviewers 3 of ana ben; cleo does not count: modified the action',
    );
  });

  test('attack case 8: one person cannot fill two stages', () => {
    const two = (second: string): string =>
      `  - name: two
    match: { type: payments.transfer }
    effect: hold
    because: Money.
    stages:
      - { name: a, from: [person:ana], quorum: 1 }
      - { name: b, from: ${second}, quorum: 1 }
    approveWithin: 24h
    executeWithin: 30m
`;
    expect(denied(rule(policyOf(two('[person:ana]')))).text).toContain(
      'rule "two" needs 2 distinct people, 1 may count: stage a 1 of ana, stage b 1 of ana',
    );
    expect(rule(policyOf(two('[person:ana, person:ben]'))).effect).toBe('hold');
  });

  test('6.8 a bar that a tier raises must be meetable too', () => {
    expect(rule(policyOf(escalating('{ after: 1h, to: [group:finance-leads], quorum: 4 }'))).effect).toBe('hold');
    expect(denied(rule(policyOf(escalating('{ after: 1h, to: [group:finance-leads], quorum: 5 }')))).code).toBe('quorum_unsatisfiable');
  });

  test('whoever has no key that is valid before the deadline cannot meet it', () => {
    const policy = policyOf(holdRule('payments.transfer', '[group:finance]', 3));
    const withTimes = (times: string) =>
      rosterOf(
        ROSTER_TEXT.replace(
          `name: ben, keys: ['${keyText('ben')}']`,
          `name: ben, keys: [${times === '' ? '' : `{ key: '${keyText('ben')}', ${times} }`}]`,
        ),
      );
    expect(denied(rule(policy, {}, withTimes(''))).text).toContain(
      'rule "hold payments.transfer" needs 3 distinct people, 2 may count: stage reviewers 3 of ana cleo; no valid key: ben',
    );
    expect(denied(rule(policy, {}, withTimes('until: 2026-06-01T00:00:00.000Z'))).code).toBe('quorum_unsatisfiable');
    expect(denied(rule(policy, {}, withTimes('from: 2026-06-02T00:00:00.000Z'))).code).toBe('quorum_unsatisfiable');
    expect(rule(policy, {}, withTimes('from: 2026-06-01T23:59:59.999Z')).effect).toBe('hold');
    expect(rule(policy, {}, withTimes('until: 2026-06-01T00:00:00.001Z')).effect).toBe('hold');
  });

  test('a quorum of resolvers that nobody can meet is denied as well', () => {
    const policy = policyOf(holdRule('payments.transfer', '[group:finance]', 1, ['resolve: { from: [group:finance-leads], quorum: 2 }']));
    expect(denied(rule(policy)).text).toBe('rule "hold payments.transfer" needs 2 to resolve, it names 1');
  });

  test('the sentence stays short where a stage asks many', () => {
    const ids = Array.from({ length: 20 }, (_, i) => `p${i}`);
    const people = ids.map((id) => `  ${id}: { name: ${id}, keys: ['${keyText(`key of ${id}`)}'] }`).join('\n');
    const roster = rosterOf(
      ROSTER_TEXT.replace('people:\n', `people:\n${people}\n`).replace('groups:\n', `groups:\n  crowd: [${ids.join(', ')}]\n`),
    );
    expect(denied(rule(policyOf(holdRule('payments.transfer', '[group:crowd]', 21)), {}, roster)).text).toContain(
      'rule "hold payments.transfer" needs 21 distinct people, 20 may count: stage reviewers 21 of p0 p1 p10 p11 p12 p13 p14 p15 and 12 more',
    );
  });
});

describe('9 risk is given or follows undo, never below what undo says', () => {
  const automatic: UndoPlan = { undo: 'automatic' };
  const byHand: UndoPlan = { undo: 'by_hand', how: 'Call the bank.' };
  const impossible: UndoPlan = { undo: 'impossible' };
  test.each<[string, UndoPlan[], string]>([
    ['', [automatic], 'low'],
    ['', [automatic, byHand], 'medium'],
    ['', [byHand, impossible], 'high'],
    ['', [], 'high'],
    ['risk: low', [impossible], 'high'],
    ['risk: low', [byHand], 'medium'],
    ['risk: medium', [automatic], 'medium'],
    ['risk: high', [automatic, byHand], 'high'],
    ['risk: low', [automatic], 'low'],
  ])('%s with undo %j is %s', (line, undo, risk) => {
    const ruling = held(rule(policyOf(holdRule('payments.transfer', '[group:finance]', 1, line === '' ? [] : [line])), { undo }));
    expect(ruling.risk).toBe(risk);
    expect(ruling.reasons.length).toBeGreaterThan(0);
  });

  test('the reasons tell whose word it is', () => {
    const reasons = (line: string, undo: UndoPlan[]) =>
      held(rule(policyOf(holdRule('payments.transfer', '[group:finance]', 1, [line])), { undo })).reasons;
    expect(reasons('risk: high', [byHand])).toEqual(['The policy calls it high risk.', 'It can only be undone by hand.']);
    expect(reasons('risk: low', [impossible])).toEqual(['It cannot be undone.']);
  });
});

describe('9 stop: who may freeze and thaw', () => {
  const stopped = (stop: string) => policyOf(denyRule('{ type: a }'), `stop: ${stop}\n`);

  test('left out: nobody', () => {
    const policy = policyOf(denyRule('{ type: a }'));
    expect(mayFreeze(policy, ROSTER, person('eve'), NOW)).toBe(false);
    expect(thawRule(policy, ROSTER, NOW)).toEqual({ people: [], quorum: 1 });
  });

  test('the people named, while they are there', () => {
    const policy = stopped('{ freeze: [group:security], thaw: { from: [group:finance], quorum: 2 } }');
    expect(mayFreeze(policy, ROSTER, person('eve'), NOW)).toBe(true);
    expect(mayFreeze(policy, ROSTER, person('ana'), NOW)).toBe(false);
    expect(mayFreeze(policy, ROSTER, person('mallory'), NOW)).toBe(false);
    expect(thawRule(policy, ROSTER, NOW)).toEqual({ people: ['ana', 'ben', 'cleo'], quorum: 2 });
    const gone = rosterOf(ROSTER_TEXT.replace('name: eve,', 'name: eve, until: 2026-01-01T00:00:00.000Z,'));
    expect(mayFreeze(policy, gone, person('eve'), NOW)).toBe(false);
  });

  test('a name the roster lacks is nobody', () => {
    const policy = stopped('{ freeze: [group:security, group:gone], thaw: { from: [group:security, group:gone], quorum: 1 } }');
    expect(mayFreeze(policy, ROSTER, person('eve'), NOW)).toBe(false);
    expect(thawRule(policy, ROSTER, NOW)).toEqual({ people: [], quorum: 1 });
  });
});
