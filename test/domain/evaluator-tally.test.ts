import { describe, expect, test } from '@jest/globals';
import { sha256 } from '../../src/domain/hash.js';
import { utf8 } from '../../src/domain/bytes.js';
import type { Digest, PersonId } from '../../src/domain/ids.js';
import { personIdSchema } from '../../src/domain/ids.js';
import { stageSchema, type Stage } from '../../src/domain/objects/envelope.js';
import { assign, barAt, peopleAt, satisfiable } from '../../src/domain/quorum.js';
import { awaitingAt, eligibleAt, progress, progressByStage, tally, type Ladder, type Tally, type Vote } from '../../src/domain/tally.js';
import { HOUR, MINUTE, OPENED } from '../helpers/hand-made.js';

const digest = (word: string): Digest => sha256(utf8(word));
const people = (...names: string[]): PersonId[] => names.map((name) => personIdSchema.parse(name));
const NEWEST = digest('newest');
const OLDER = digest('older');

const stage = (from: readonly string[], quorum: number, escalate: readonly object[] = []): Stage =>
  stageSchema.parse({ name: 'stage', from, quorum, remind: [], escalate });
const ladder = (stages: readonly Stage[], more: Partial<Ladder> = {}): Ladder => ({
  stages,
  rejections: 1,
  excluded: new Set(),
  openedAt: OPENED,
  approveBy: OPENED + 24 * HOUR,
  executeWithin: 30 * MINUTE,
  independent: 0,
  ...more,
});

const NOTHING = { need: 0, meets: () => true };

let made = 0;
const vote = (person: string, act: Vote['act'], at: number, envelope: Digest): Vote => ({
  digest: digest(`vote ${++made}`),
  person: personIdSchema.parse(person),
  issuedAt: OPENED + at,
  independent: true,
  envelope,
  act,
});
const yes = (person: string, at = 0, envelope = NEWEST): Vote => vote(person, { verdict: 'approve' }, at, envelope);
const no = (person: string, at = 0, envelope = NEWEST): Vote => vote(person, { verdict: 'reject', reason: 'No.' }, at, envelope);
const back = (person: string, what: Vote, at = 0): Vote => vote(person, { verdict: 'withdraw', withdraws: what.digest }, at, NEWEST);

const counted = (result: Tally, votes: readonly Vote[]): string[] | undefined =>
  result.quorum?.counted.map((each) => votes.find((cast) => cast.digest === each)?.person ?? '?').sort();
const who = (rule: Ladder, ...votes: Vote[]): string[] | undefined => counted(tally(rule, NEWEST, votes), votes);

const TWO = ladder([stage(['ana', 'ben', 'cleo'], 2)]);

describe('§6.3, §6.8 persons are counted, one seat each', () => {
  test('two of three, and no more than two are ever named (attack case 12)', () => {
    expect(who(TWO)).toBeUndefined();
    expect(who(TWO, yes('ana'))).toBeUndefined();
    expect(who(TWO, yes('ana'), yes('ben'))).toEqual(['ana', 'ben']);
    expect(who(TWO, yes('ana', 1), yes('ben', 2), yes('cleo', 3))).toEqual(['ana', 'ben']);
  });
  test('one person with many keys, messages or copies is one (attack cases 5, 7)', () => {
    const same = yes('ana');
    expect(who(TWO, same, same, same)).toBeUndefined();
    expect(who(TWO, yes('ana', 1), yes('ana', 2), yes('ana', 3))).toBeUndefined();
    expect(who(TWO, yes('ana', 1), yes('ana', 2), yes('ben', 3))).toEqual(['ana', 'ben']);
  });
  test('one person never fills two stages (attack case 8), but takes whichever is free', () => {
    const both = ladder([stage(['ana', 'ben'], 1), stage(['ana'], 1)]);
    expect(who(both, yes('ana'))).toBeUndefined();
    expect(who(both, yes('ana'), yes('ben'))).toEqual(['ana', 'ben']);
    expect(who(both, yes('ben'))).toBeUndefined();
  });
  test('stages order who is asked, not what counts: a later stage may fill first', () => {
    const two = ladder([stage(['ana', 'ben', 'cleo'], 2), stage(['ana', 'dana'], 1)]);
    expect(who(two, yes('ana', 1), yes('ben', 2), yes('cleo', 3))).toEqual(['ana', 'ben', 'cleo']);
    expect(who(two, yes('ana', 1), yes('ben', 2), yes('dana', 3))).toEqual(['ana', 'ben', 'dana']);
  });
  test('people who may not, foreign votes and votes on something else add nothing (attack case 15)', () => {
    expect(who(TWO, yes('ana'), yes('eva'))).toBeUndefined();
    expect(who(TWO, yes('ana'), yes('ben', 0, OLDER))).toBeUndefined();
    expect(who({ ...TWO, excluded: new Set(people('ben')) }, yes('ana'), yes('ben'))).toBeUndefined();
    expect(who(TWO, yes('eva'), yes('ana'), yes('zoe'), yes('ben'), yes('ben', 0, OLDER))).toEqual(['ana', 'ben']);
  });
  test('on the seat of another counts only who may, and nobody where the rule names nobody', () => {
    const forAna: Vote = { ...yes('ana'), by: personIdSchema.parse('eva') };
    expect(who({ ...TWO, delegates: new Set(people('eva')) }, forAna, yes('ben'))).toEqual(['ana', 'ben']);
    expect(who({ ...TWO, delegates: new Set(people('cleo')) }, forAna, yes('ben'))).toBeUndefined();
    expect(who(TWO, forAna, yes('ben'))).toBeUndefined();
  });
  test('nothing said is a tally, too', () => {
    expect(tally(TWO, NEWEST, [])).toStrictEqual({ approvals: [], rejections: [], rejected: false });
    const one = no('cleo');
    expect(tally({ ...TWO, rejections: 2 }, NEWEST, [one])).toStrictEqual({ approvals: [], rejections: [one], rejected: false });
  });
  test('no number is a rule that nobody has to agree to (attack cases 1, 2)', () => {
    expect(assign([], [], () => true, NOTHING)).toBeUndefined();
    expect(assign(['ana'], [0], () => true, NOTHING)).toBeUndefined();
    for (const quorum of [0, -1, 1.5, Number.NaN, '2', 2 ** 53, Number.POSITIVE_INFINITY, null, undefined])
      expect(stageSchema.safeParse({ name: 'stage', from: ['ana'], quorum, remind: [], escalate: [] }).success).toBe(false);
  });
});

describe('§6.5, §6.11 a rejection not withdrawn wins', () => {
  test('at once, after a partial quorum and after a full one (attack case 13)', () => {
    expect(tally(TWO, NEWEST, [no('cleo')]).rejected).toBe(true);
    expect(tally(TWO, NEWEST, [yes('ana'), no('cleo')]).rejected).toBe(true);
    expect(tally(TWO, NEWEST, [yes('ana'), yes('ben'), no('cleo', HOUR)])).toMatchObject({ rejected: true });
  });
  test('over an approval of the same person, whichever came first', () => {
    for (const [a, b] of [
      [1, 2],
      [2, 1],
    ] as const)
      expect(who(TWO, yes('ana', a), no('ana', b), yes('ben'))).toBeUndefined();
  });
  test('on any revision: it carries over, approvals never do (attack case 33)', () => {
    expect(tally(TWO, NEWEST, [no('ana', 0, OLDER)]).rejected).toBe(true);
    expect(who(TWO, yes('ana', 0, OLDER), yes('ben', 0, OLDER))).toBeUndefined();
  });
  test('until its author withdraws it; nobody else can', () => {
    const rejection = no('ana');
    expect(tally(TWO, NEWEST, [rejection, back('ana', rejection)]).rejected).toBe(false);
    expect(tally(TWO, NEWEST, [rejection, back('ben', rejection)]).rejected).toBe(true);
    expect(who(TWO, rejection, back('ana', rejection), yes('ana'), yes('ben'))).toEqual(['ana', 'ben']);
    expect(tally(TWO, NEWEST, [rejection, no('ana', 5), back('ana', rejection)]).rejected).toBe(true);
  });
  test('as many people as the rule asks, not as many messages', () => {
    const two = { ...TWO, rejections: 2 };
    expect(tally(two, NEWEST, [no('ana'), no('ana', 1), no('ana', 2)])).toMatchObject({ rejected: false, rejections: { length: 1 } });
    expect(tally(two, NEWEST, [no('ana'), no('ben')]).rejected).toBe(true);
    expect(who(two, no('cleo'), yes('ana'), yes('ben'))).toEqual(['ana', 'ben']);
  });
  test('a withdrawal leaves no vote; a withdrawn withdrawal changes nothing; a fresh approval counts again', () => {
    const approval = yes('ana');
    const taken = back('ana', approval);
    expect(who(TWO, approval, taken, yes('ben'))).toBeUndefined();
    expect(who(TWO, approval, taken, back('ana', taken), yes('ben'))).toBeUndefined();
    expect(who(TWO, approval, taken, yes('ana', 9), yes('ben'))).toEqual(['ana', 'ben']);
    expect(who(TWO, approval, back('ben', approval), yes('ben'))).toEqual(['ana', 'ben']);
  });
});

describe('§6.7 clocks', () => {
  test('a vote counts before approveBy, to the millisecond (attack case 60)', () => {
    expect(who(TWO, yes('ana'), yes('ben', 24 * HOUR - 1))).toEqual(['ana', 'ben']);
    expect(who(TWO, yes('ana'), yes('ben', 24 * HOUR))).toBeUndefined();
  });
  test('execution starts before the newest counted vote + executeWithin; votes not counted move nothing', () => {
    const votes = [yes('ana', MINUTE), yes('ben', HOUR), yes('cleo', 2 * HOUR)];
    expect(tally(TWO, NEWEST, votes).quorum).toMatchObject({ at: OPENED + HOUR, executeBy: OPENED + HOUR + 30 * MINUTE });
  });
  test('arrival order changes nothing', () => {
    const votes = [yes('cleo', 3), yes('ana', 1), no('eva', 2), yes('ben', 2)];
    expect(tally(TWO, NEWEST, [...votes].reverse())).toEqual(tally(TWO, NEWEST, votes));
  });
});

describe('§6.8 escalation', () => {
  const raised = ladder([stage(['ana', 'ben', 'cleo'], 1, [{ after: 8 * HOUR, to: ['eva'], quorum: 2 }])]);
  const circle = stage(['ana'], 1, [
    { after: HOUR, to: ['ben'] },
    { after: 2 * HOUR, to: ['cleo'], quorum: 3 },
    { after: 3 * HOUR, to: ['eva'], quorum: 2 },
  ]);

  test("a tier's person counts from the offset on", () => {
    expect(who(raised, yes('eva', 8 * HOUR - 1))).toBeUndefined();
    expect(who(raised, yes('eva', 8 * HOUR), yes('ana', 9 * HOUR))).toEqual(['ana', 'eva']);
  });
  test('a raised bar holds from its offset; what was met before stays met', () => {
    expect(who(raised, yes('ana', 8 * HOUR - 1))).toEqual(['ana']);
    expect(who(raised, yes('ana', 8 * HOUR))).toBeUndefined();
    expect(who(raised, yes('ana', 1), yes('ben', 9 * HOUR))).toEqual(['ana']);
  });
  test('tiers add people and never lower a bar', () => {
    expect([0, HOUR - 1, HOUR, 2 * HOUR, 3 * HOUR].map((t) => barAt(circle, t))).toEqual([1, 1, 1, 3, 3]);
    expect([0, HOUR, 2 * HOUR, 3 * HOUR].map((t) => [...peopleAt(circle, t)])).toEqual([
      ['ana'],
      ['ana', 'ben'],
      ['ana', 'ben', 'cleo'],
      ['ana', 'ben', 'cleo', 'eva'],
    ]);
  });
});

describe('§6.2 satisfiable', () => {
  const out = (...names: string[]): Set<PersonId> => new Set(people(...names));
  test('1 ≤ quorum ≤ |eligible − excluded| (attack case 11)', () => {
    expect(satisfiable([stage(['ana', 'ben'], 2)], out(), NOTHING)).toBe(true);
    expect(satisfiable([stage(['ana', 'ben'], 3)], out(), NOTHING)).toBe(false);
    expect(satisfiable([stage(['ana', 'ben'], 2)], out('ben'), NOTHING)).toBe(false);
    expect(satisfiable([stage(['ana', 'ana'], 2)], out(), NOTHING)).toBe(false);
    expect(satisfiable([stage([], 1)], out(), NOTHING)).toBe(false);
    expect(satisfiable([], out(), NOTHING)).toBe(false);
  });
  test('by distinct people across all stages, tiers included, the highest bar included', () => {
    expect(satisfiable([stage(['ana', 'ben'], 1), stage(['ana'], 1)], out(), NOTHING)).toBe(true);
    expect(satisfiable([stage(['ana', 'ben'], 2), stage(['ana'], 1)], out(), NOTHING)).toBe(false);
    expect(satisfiable([stage(['ana'], 2, [{ after: HOUR, to: ['ben'] }])], out(), NOTHING)).toBe(true);
    expect(satisfiable([stage(['ana', 'ben'], 1, [{ after: HOUR, to: ['ben'], quorum: 3 }])], out(), NOTHING)).toBe(false);
  });
});

describe('§2 independent votes', () => {
  const byWeb = (person: string, at = 0): Vote => ({ ...yes(person, at), independent: false });
  const one = { ...TWO, independent: 1 };
  test('attack 73: two passkeys are no agreement where one vote must be independent; one by the command line makes it', () => {
    expect(who(one, byWeb('ana'), byWeb('ben'))).toBeUndefined();
    expect(who(one, byWeb('ana'), yes('ben'))).toEqual(['ana', 'ben']);
    expect(who({ ...TWO, independent: 2 }, byWeb('ana'), yes('ben'))).toBeUndefined();
    expect(who(TWO, byWeb('ana'), byWeb('ben'))).toEqual(['ana', 'ben']);
  });
  test('the independent one is counted, also where two came before: and the time to start runs from it', () => {
    const votes = [byWeb('ana', 1), byWeb('ben', 2), yes('cleo', 3)];
    expect(who(one, ...votes)).toContain('cleo');
    expect(tally(one, NEWEST, votes).quorum).toMatchObject({ at: OPENED + 3, executeBy: OPENED + 3 + 30 * MINUTE });
  });
  test('a seat of the right stage only: an independent vote that fits no place left does not count', () => {
    const two = ladder([stage(['ana', 'ben'], 1), stage(['cleo'], 1)], { independent: 2 });
    expect(who(two, yes('ana'), yes('ben'), byWeb('cleo'))).toBeUndefined();
    expect(who({ ...two, independent: 1 }, byWeb('ana', 1), byWeb('cleo', 2), yes('ben', 3))).toEqual(['ben', 'cleo']);
  });
  test('who voted by passkey first takes the vote back to give an independent one', () => {
    const first = byWeb('ana', 1);
    expect(who(one, first, yes('ana', 2), byWeb('ben', 3))).toBeUndefined();
    expect(who(one, first, back('ana', first, 2), yes('ana', 2), byWeb('ben', 3))).toEqual(['ana', 'ben']);
  });
  test('satisfiable: so many of them hold such a key, at the lowest bar too', () => {
    const able = (...names: string[]) => ({ need: 2, meets: (person: PersonId) => names.includes(person) });
    expect(satisfiable(TWO.stages, new Set(), able('ana', 'ben'))).toBe(true);
    expect(satisfiable(TWO.stages, new Set(), able('ana', 'zoe'))).toBe(false);
    expect(satisfiable(TWO.stages, new Set(people('ana')), able('ana', 'ben'))).toBe(false);
    const raised = [stage(['ana', 'ben'], 1, [{ after: HOUR, to: ['ben'], quorum: 2 }]), stage(['cleo'], 1)];
    expect(satisfiable(raised, new Set(), able('ana', 'ben'))).toBe(false);
    expect(satisfiable(raised, new Set(), able('ana', 'cleo'))).toBe(true);
  });
  test('progress keeps a place free for it', () => {
    const at = (...votes: Vote[]): object => progress(one, tally(one, NEWEST, votes));
    expect(at(byWeb('ana'))).toEqual({ have: 1, need: 2 });
    expect(at(byWeb('ana'), byWeb('ben'))).toEqual({ have: 1, need: 2 });
    expect(at(byWeb('ana'), yes('ben'))).toEqual({ have: 2, need: 2 });
  });
});

describe('what people are shown', () => {
  test('who may still decide, and who is waited for', () => {
    const rule = ladder([stage(['ana', 'ben', 'cleo'], 2, [{ after: HOUR, to: ['eva'] }])], { excluded: new Set(people('cleo')) });
    expect(eligibleAt(rule, OPENED)).toEqual(['ana', 'ben']);
    expect(eligibleAt(rule, OPENED + HOUR)).toEqual(['ana', 'ben', 'eva']);
    const result = tally(rule, NEWEST, [yes('ana'), no('eva')]);
    expect(awaitingAt(rule, result, OPENED + HOUR)).toEqual(['ben']);
  });
  test('progress counts places that are filled, not approvals', () => {
    const rule = ladder([stage(['ana', 'ben'], 1), stage(['cleo'], 1)]);
    const at = (...votes: Vote[]): object => progress(rule, tally(rule, NEWEST, votes));
    expect(at()).toEqual({ have: 0, need: 2 });
    expect(at(yes('ana'), yes('ben'))).toEqual({ have: 1, need: 2 });
    expect(at(yes('ana'), yes('ben'), yes('cleo'))).toEqual({ have: 2, need: 2 });
  });
  test('the same, stage by stage, with the bars of then', () => {
    const rule = ladder([
      { ...stage(['ana', 'ben'], 1, [{ after: HOUR, to: ['eva'], quorum: 2 }]), name: 'finance' },
      { ...stage(['cleo'], 1), name: 'security' },
    ]);
    const shown = (now: number, ...votes: Vote[]): string[] =>
      progressByStage(rule, tally(rule, NEWEST, votes), now).map(({ name, have, need }) => `${name} ${have}/${need}`);
    expect(shown(OPENED)).toEqual(['finance 0/1', 'security 0/1']);
    expect(shown(OPENED, yes('cleo'))).toEqual(['finance 0/1', 'security 1/1']);
    expect(shown(OPENED, yes('ana'), yes('ben'))).toEqual(['finance 1/1', 'security 0/1']);
    expect(shown(OPENED + HOUR, yes('ana'), yes('ben'))).toEqual(['finance 2/2', 'security 0/1']);
  });
  test('progress knows a raised bar', () => {
    const rule = ladder([stage(['ana', 'ben', 'cleo'], 2, [{ after: HOUR, to: ['eva'], quorum: 3 }])]);
    const one = tally(rule, NEWEST, [yes('ana')]);
    expect(progress(rule, one)).toEqual({ have: 1, need: 2 });
    expect(progress(rule, one, OPENED + HOUR)).toEqual({ have: 1, need: 3 });
    expect(progress(rule, tally(rule, NEWEST, [yes('ana'), yes('ben')]), OPENED + HOUR)).toEqual({ have: 2, need: 2 });
  });
});
