import { describe, expect, test } from '@jest/globals';
import { ladderOf, unmeetable, withoutKey } from '../../src/domain/policy/ladder.js';
import { lintPolicy } from '../../src/domain/policy/lint.js';
import { PolicyError } from '../../src/domain/policy/policy-error.js';
import { weakSpots } from '../../src/domain/policy/weak.js';
import type { Roster } from '../../src/domain/roster.js';
import {
  denied,
  held,
  holdRule,
  HOUR,
  keyText,
  NOW,
  passkey,
  person,
  policyOf,
  ROSTER,
  ROSTER_TEXT,
  rosterOf,
  rule,
} from './policy-fixture.js';

/** `n` more people, and a group `crowd` of the first `members` of them. */
const crowd = (n: number, members = n, groups = ''): Roster => {
  const ids = Array.from({ length: n }, (_, i) => `p${String(i).padStart(3, '0')}`);
  const people = ids.map((id) => `  ${id}: { name: ${id}, keys: ['${keyText(`key of ${id}`)}'] }`).join('\n');
  return rosterOf(
    ROSTER_TEXT.replace('people:\n', `people:\n${people}\n`).replace(
      'groups:\n',
      `groups:\n  crowd: [${ids.slice(0, members).join(', ')}]\n${groups}`,
    ),
  );
};
const keyless = (...ids: readonly string[]): Roster =>
  rosterOf(ids.reduce((text, id) => text.replace(`keys: ['${keyText(id)}']`, 'keys: []'), ROSTER_TEXT));
/** A hold rule with these stages, in YAML. */
const staged = (stages: string, more: readonly string[] = []): string =>
  holdRule('payments.transfer', '[person:ana]', 1, [`stages: ${stages}`, ...more], 'ladder').replace(/ {4}(?:from|quorum): .*\n/g, '');
const textOf = (rules: string, roster: Roster): string => denied(rule(policyOf(rules), {}, roster)).text;

describe('6.2 why a quorum can never be met, in one sentence', () => {
  test('one person of nobody', () => {
    expect(textOf(staged('[{ name: s, from: [person:ana], quorum: 1 }]'), keyless('ana'))).toBe(
      'rule "ladder" needs 1 distinct person, 0 may count: stage s 1 of nobody; no valid key: ana',
    );
  });

  test('by the highest bar and all whom a stage may ever ask, in order of their ids', () => {
    const tiers = 'escalate: [{ after: 1h, to: [person:ana], quorum: 4 }]';
    expect(textOf(staged(`[{ name: s, from: [person:cleo, person:ben], quorum: 2, ${tiers} }]`), ROSTER)).toBe(
      'rule "ladder" needs 4 distinct people, 3 may count: stage s 4 of ana ben cleo',
    );
  });

  test('stage by stage; who has no key is told in order of their ids, whichever stage asks them', () => {
    const stages = '[{ name: a, from: [person:eve], quorum: 1 }, { name: b, from: [person:cleo, person:ben], quorum: 2 }]';
    expect(textOf(staged(stages), keyless('eve', 'ben'))).toBe(
      'rule "ladder" needs 3 distinct people, 1 may count: stage a 1 of nobody, stage b 2 of cleo; no valid key: ben eve',
    );
  });

  test('only those it would have asked are named among those who do not count', () => {
    const asked = { owner: person('finn'), onBehalfOf: person('ana'), editors: [person('dana')] };
    expect(denied(rule(policyOf(holdRule('payments.transfer', '[group:finance]', 3)), asked)).text).toBe(
      'rule "hold payments.transfer" needs 3 distinct people, 2 may count: stage reviewers 3 of ben cleo; ana does not count: is acted for',
    );
  });

  test.each([
    [8, 'p000 p001 p002 p003 p004 p005 p006 p007'],
    [9, 'p000 p001 p002 p003 p004 p005 p006 p007 and 1 more'],
  ])('of %i people', (n, said) => {
    expect(textOf(holdRule('payments.transfer', '[group:crowd]', n + 1), crowd(n))).toMatch(
      new RegExp(`stage reviewers ${n + 1} of ${said}$`),
    );
  });

  test('too few with an Ed25519 key: those who could, in order of their ids', () => {
    const roster = rosterOf(ROSTER_TEXT.replace(`'${keyText('ben')}'`, `'${passkey('ben')}'`));
    const stages = '[{ name: a, from: [person:eve], quorum: 1 }, { name: b, from: [person:cleo, person:ben], quorum: 2 }]';
    expect(textOf(staged(stages, ['independent: 3']), roster)).toBe(
      'rule "ladder" needs 3 independent approvals, by Ed25519 keys: of those who may count only cleo eve could give one',
    );
  });

  test('its resolvers: as many as it needs are enough', () => {
    const resolve = (quorum: number): string =>
      holdRule('payments.transfer', '[group:finance]', 1, [`resolve: { from: [group:security], quorum: ${quorum} }`]);
    expect(held(rule(policyOf(resolve(2)))).resolve).toEqual({ people: ['eve', 'finn'], quorum: 2 });
    expect(textOf(resolve(3), ROSTER)).toBe('rule "hold payments.transfer" needs 3 to resolve, it names 2');
  });
});

describe('what can be sealed', () => {
  const hundred = crowd(101, 100);
  test.each([
    ['who resolves', ['resolve: { from: [person:ana], quorum: 1 }']],
    ['to whom it may be handed over', ['resolve: { from: [group:crowd], quorum: 1 }', 'delegates: [person:ana]']],
    [
      'who reviews it',
      ['resolve: { from: [group:crowd], quorum: 1 }', 'breakGlass: { review: { from: [person:ana], quorum: 1 }, reviewWithin: 1h }'],
    ],
  ])('a hundred people in all: %s is one more', (_who, more) => {
    const rules = holdRule('payments.transfer', '[group:crowd]', 1, more).replace('30m', '15m');
    expect(textOf(rules, hundred)).toBe('rule "hold payments.transfer" asks 101 people; at most 100 can be sealed');
    expect(rule(policyOf(rules.replaceAll('person:ana', 'person:p000')), {}, crowd(100)).effect === 'deny').toBe(
      rules.includes('breakGlass'),
    );
  });

  test('whoever is asked twice is one', () => {
    const more = ['resolve: { from: [group:crowd], quorum: 1 }', 'delegates: [person:p000]'];
    expect(held(rule(policyOf(holdRule('payments.transfer', '[group:crowd]', 1, more)), {}, hundred)).delegates).toEqual(['p000']);
  });

  test('an allow rule names its resolvers: enough of them, and a hundred at most', () => {
    const allow = (resolve: string): string =>
      `  - { name: small, match: { type: payments.* }, effect: allow, because: B., budget: [{ per: all, within: 1h, limit: 9 }], executeWithin: 5m, resolve: ${resolve} }\n`;
    const by = (resolve: string, roster: Roster) => rule(policyOf(allow(resolve)), {}, roster);
    expect(by('{ from: [group:security], quorum: 2 }', ROSTER)).toMatchObject({
      effect: 'allow',
      resolve: { people: ['eve', 'finn'], quorum: 2 },
    });
    expect(by('{ from: [group:security], quorum: 3 }', ROSTER)).toEqual({
      effect: 'deny',
      code: 'policy_error',
      text: 'rule "small" needs 3 to resolve, it names 2',
    });
    expect(by('{ from: [group:crowd], quorum: 1 }', hundred).effect).toBe('allow');
    expect(by('{ from: [group:crowd], quorum: 1 }', crowd(101))).toEqual({
      effect: 'deny',
      code: 'policy_error',
      text: 'rule "small" asks 101 people; at most 100 can be sealed',
    });
    expect(by('{ from: [group:gone], quorum: 1 }', ROSTER)).toMatchObject({
      text: 'rule "small" names group:gone, which the roster does not have',
    });
  });

  test('attack case 63: a bar that nobody is left to meet is an error, not nothing', () => {
    const gone = rosterOf(ROSTER_TEXT.replace('name: eve,', 'name: eve, until: 2026-01-01T00:00:00.000Z,'));
    const rules = staged(
      '[{ name: leads, from: [group:finance-leads], quorum: 1, escalate: [{ after: 1h, to: [person:eve], quorum: 2 }] }]',
    );
    expect(textOf(rules, gone)).toBe('stage leads has nobody left to ask');
  });
});

describe('what the envelope holds of a ladder, to the field', () => {
  const ladder = (rules: string) => {
    const [first] = policyOf(rules).rules;
    if (first?.effect !== 'hold') throw new Error('no hold rule');
    return { rule: first, ladder: ladderOf(first, ROSTER, NOW) };
  };
  test('no field that is not given: what is signed has no undefined in it', () => {
    const tiers = 'escalate: [{ after: 1h, to: [person:finn] }, { after: 2h, to: [person:eve], quorum: 2 }]';
    expect(ladder(staged(`[{ name: s, from: [person:ana], quorum: 1, ${tiers} }]`)).ladder).toStrictEqual({
      stages: [
        {
          name: 's',
          from: ['ana'],
          quorum: 1,
          remind: [],
          escalate: [
            { after: HOUR, to: ['finn'] },
            { after: 2 * HOUR, to: ['eve'], quorum: 2 },
          ],
        },
      ],
      resolve: { people: ['ana', 'eve', 'finn'], quorum: 1 },
      delegates: [],
    });
  });
  test('of a break-glass rule who reviews it, how many and within which time', () => {
    const more = ['breakGlass: { review: { from: [group:security], quorum: 2 }, reviewWithin: 3h }'];
    const glass = holdRule('payments.transfer', '[person:ana]', 1, more).replace('30m', '15m');
    expect(ladder(glass).ladder.review).toStrictEqual({ people: ['eve', 'finn'], quorum: 2, reviewWithin: 3 * HOUR });
  });
  test('what to write where too few are named to resolve', () => {
    const more = ['resolve: { from: [person:eve], quorum: 2 }'];
    const made = ladder(holdRule('payments.transfer', '[group:finance]', 1, more, 'r'));
    expect(unmeetable(made.rule, made.ladder, ROSTER, [], NOW)).toEqual({
      text: 'rule "r" needs 2 to resolve, it names 1',
      write: 'lower quorums, or more people',
    });
  });
});

describe('whose key is of use', () => {
  const withKey = (times: string): Roster =>
    rosterOf(ROSTER_TEXT.replace(`['${keyText('ben')}']`, `[{ key: '${keyText('ben')}'${times === '' ? '' : `, ${times}`} }]`));
  const lacks = (times: string): boolean => withoutKey([person('ben')], withKey(times), NOW, HOUR).length > 0;
  test.each([
    ['', false],
    ['until: 2026-06-01T00:00:00.000Z', true],
    ['until: 2026-06-01T00:00:00.001Z', false],
    ['from: 2026-06-01T01:00:00.000Z', true],
    ['from: 2026-06-01T00:59:59.999Z', false],
    ['from: 2026-05-01T00:00:00.000Z, until: 2026-05-31T23:59:59.999Z', true],
  ])('a key with %s is none within the hour: %s', (times, none) => expect(lacks(times)).toBe(none));

  test('one key of several is enough; whom the roster does not have, has none', () => {
    const two = rosterOf(
      ROSTER_TEXT.replace(`['${keyText('ben')}']`, `[{ key: '${keyText('ben')}', until: 2026-01-01T00:00:00.000Z }, '${passkey('ben')}']`),
    );
    expect(withoutKey([person('ben')], two, NOW, HOUR)).toEqual([]);
    expect(withoutKey([person('ben')], two, NOW, HOUR, 'es256')).toEqual([]);
    expect(withoutKey([person('ben')], two, NOW, HOUR, 'ed25519')).toEqual(['ben']);
    expect(withoutKey([person('ben'), person('gone')], ROSTER, NOW, HOUR)).toEqual(['gone']);
  });
});

describe('what cannot be resolved is no weak spot', () => {
  const policy = policyOf(
    holdRule('payments.transfer', '[group:gone]', 1),
    'stop: { freeze: [person:eve], thaw: { from: [person:finn], quorum: 1 } }\n',
  );
  const [first] = policy.rules;
  if (first?.effect !== 'hold') throw new Error('no hold rule');

  test('a name the roster lacks is an error of its own: the linter tells it, warnings do not', () => {
    expect(() => ladderOf(first, ROSTER, NOW)).toThrow(PolicyError);
    expect(weakSpots(policy, ROSTER, 'policy.yaml', NOW)).toEqual([]);
    expect(lintPolicy(policy, ROSTER, 'policy.yaml', NOW)).toHaveLength(1);
  });

  test('anything else that goes wrong is not swallowed', () => {
    const hostile = new Proxy(ROSTER, {
      get: () => {
        throw new Error('boom');
      },
    });
    expect(() => weakSpots(policy, hostile, 'policy.yaml', NOW)).toThrow('boom');
  });
});
