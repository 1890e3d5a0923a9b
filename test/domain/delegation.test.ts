import { describe, expect, test } from '@jest/globals';
import { admit, readDecision, ringOf, voteOf, type KeyRing } from '../../src/domain/admit.js';
import { scopeRefused } from '../../src/domain/delegation.js';
import type { Signed } from '../../src/domain/dsse.js';
import { toInstant } from '../../src/domain/instant.js';
import type { JsonObject } from '../../src/domain/json.js';
import { sealedPeopleSchema } from '../../src/domain/objects/entry.js';
import { Review } from '../../src/domain/review/review.js';
import { ladderOf, tally, type Tally } from '../../src/domain/tally.js';
import { HOUR, MINUTE, OPENED, ring, seal, sealAfter, sealedPeople } from '../helpers/hand-made.js';
import { approve, ask, damaged, delegation, modify, onSeatOf, reject, withdraw, type SealedRevision } from '../helpers/messages.js';
import { AGENT, keyOfPerson } from '../helpers/signers.js';

const STAGES = [{ name: 'finance', from: ['ana', 'ben', 'cleo'], quorum: 2, remind: [], escalate: [] }];
/** Those of finance may hand over to ben and eva. */
const FIRST = seal({ stages: STAGES, delegates: ['ben', 'eva'] });
const at = OPENED + MINUTE;
const until = OPENED + 2 * HOUR;
const TO_EVA = delegation('ana', 'eva', { at: OPENED, until });

interface Case {
  readonly from?: string;
  readonly by?: string;
  readonly signed?: Signed;
  readonly at?: number;
  readonly sealed?: SealedRevision;
}
const vote = ({ from = 'ana', by = 'eva', signed = TO_EVA, at: made = at, sealed = FIRST }: Case = {}, more: JsonObject = {}): Signed =>
  approve(by, sealed, { at: made, forge: { ...onSeatOf(from, signed), ...more } });
const verdict = (signed: Signed, now = at, revisions: readonly SealedRevision[] = [FIRST], keys: KeyRing = ring()): string => {
  const admission = admit(signed, revisions, keys, now);
  return admission.ok ? 'ok' : `${admission.check} ${admission.refusal.code}`;
};

describe('6.3 a delegation: who, by whose key, when', () => {
  test('who is handed over to decides on the seat of who is asked', () => {
    const signed = vote();
    expect(verdict(signed)).toBe('ok');
    const admission = admit(signed, [FIRST], ring(), at);
    if (!admission.ok) throw new Error('refused');
    expect(voteOf(admission.digest, admission.decision, true)).toMatchObject({ person: 'ana', by: 'eva' });
    const forge = onSeatOf('ana', TO_EVA);
    expect(verdict(reject('eva', FIRST, { at, forge }))).toBe('ok');
    expect(verdict(modify('eva', FIRST, { '/cents': 1 }, { at, forge }))).toBe('ok');
    expect(verdict(ask('eva', FIRST, 'Why?', { at, forge }))).toBe('ok');
  });
  test('attack: a delegation that the delegator did not sign', () => {
    const forged = (by: Parameters<typeof delegation>[2]['by']) => vote({ signed: delegation('ana', 'eva', { at: OPENED, until, by }) });
    for (const by of [keyOfPerson('eva'), keyOfPerson('ben'), AGENT]) expect(verdict(forged(by))).toBe('6 delegation_invalid');
    expect(verdict(vote({ signed: damaged(TO_EVA) }))).toBe('6 delegation_invalid');
    expect(verdict(vote({ signed: approve('ana', FIRST, { at }) }))).toBe('6 delegation_invalid');
    expect(verdict(vote({ signed: { ...TO_EVA, payloadType: 'application/vnd.keyturn.decision.v1+json' } }))).toBe('6 delegation_invalid');
  });
  test('asked alone, a delegation that is none covers nothing', () => {
    const read = readDecision(vote({ signed: approve('ana', FIRST, { at }) }));
    expect(read && scopeRefused(read.decision, FIRST.envelope)).toMatchObject({
      code: 'delegation_invalid',
      text: 'the delegation does not cover payments.transfer',
    });
  });
  test("attack: somebody else's delegation, or for somebody else's seat", () => {
    expect(verdict(vote({ by: 'ben' }))).toBe('6 delegation_invalid');
    expect(verdict(vote({ from: 'cleo' }))).toBe('6 delegation_invalid');
    expect(verdict(vote({ signed: delegation('ana', 'eva', { at: OPENED, until, forge: { deployment: 'acme-prod' } }) }))).toBe(
      '6 delegation_invalid',
    );
    // The decision itself is still signed by who makes it.
    expect(verdict(approve('eva', FIRST, { at, by: keyOfPerson('ben'), forge: onSeatOf('ana', TO_EVA) }))).toBe('6 signature_invalid');
  });
  test('attack: before it begins, after it is over, or dated back into it', () => {
    expect(verdict(vote({ at: OPENED - 1 }), OPENED)).toBe('6 delegation_invalid');
    expect(verdict(vote({ at: until - 1 }), until - 1)).toBe('ok');
    expect(verdict(vote({ at: until }), until)).toBe('6 delegation_invalid');
    expect(verdict(vote({ at: until }), until - 1)).toBe('6 delegation_invalid');
    expect(verdict(vote({ at: until - 1 }), until)).toBe('6 delegation_invalid');
  });
  test('the delegator’s key is valid when he signed and now', () => {
    const key = (from: number, end: number) => ({ key: keyOfPerson('ana').key.text, from: toInstant(from), until: toInstant(end) });
    const keys = (from: number, end: number) =>
      ringOf([...sealedPeople(['ben', 'eva']), ...sealedPeopleSchema.parse([{ person: 'ana', keys: [key(from, end)] }])]);
    expect(verdict(vote(), at, [FIRST], keys(OPENED, at + 1))).toBe('ok');
    expect(verdict(vote(), at, [FIRST], keys(OPENED, at))).toBe('6 delegation_invalid');
    expect(verdict(vote(), at, [FIRST], keys(OPENED + 1, until))).toBe('6 delegation_invalid');
  });
  test.each<[string, JsonObject]>([
    ['to oneself', { to: 'ana' }],
    ['without an end', { until: toInstant(OPENED) }],
    ['for more than 90 days', { until: toInstant(OPENED + 90 * 24 * HOUR + 1) }],
    ['for no type at all', { types: [] }],
    ['with a field nobody knows', { onward: true }],
  ])('not a delegation: %s', (_name, forge) => {
    const to = forge['to'] === undefined ? 'eva' : 'ana';
    expect(verdict(vote({ by: to, signed: delegation('ana', to, { at: OPENED, until, forge }) }))).toBe('6 delegation_invalid');
  });
});

describe('6.3 a delegation: what the rule lets through', () => {
  test('attack: a rule that says nothing of it lets nobody hand over; one that does, to those alone', () => {
    const silent = seal({ stages: STAGES });
    expect(verdict(vote({ sealed: silent }), at, [silent])).toBe('8 delegation_invalid');
    expect(verdict(vote({ by: 'dana', signed: delegation('ana', 'dana', { at: OPENED, until }) }))).toBe('8 delegation_invalid');
  });
  test('attack: who is not asked has nothing to hand over; so nobody hands on what was handed to him', () => {
    // Ana to eva, and eva on to ben: eva is no one this action asks.
    expect(verdict(vote({ from: 'eva', by: 'ben', signed: delegation('eva', 'ben', { at: OPENED, until }) }))).toBe('8 not_eligible');
    expect(verdict(vote({ from: 'ana', by: 'ben', signed: TO_EVA }))).toBe('6 delegation_invalid');
    // In his own name a delegate is nobody here.
    expect(verdict(approve('eva', FIRST, { at }))).toBe('8 not_eligible');
  });
  test('attack: an owner, the person acted for or an editor gets round the exclusion by nobody', () => {
    const exclusions = [
      { person: 'ana', why: 'owner' },
      { person: 'eva', why: 'on_behalf_of' },
    ];
    const byExcluded = seal({ stages: STAGES, delegates: ['ben', 'eva'], exclusions });
    const forAna = vote({ by: 'ben', signed: delegation('ana', 'ben', { at: OPENED, until }), sealed: byExcluded });
    expect(verdict(forAna, at, [byExcluded])).toBe('8 self_approval');
    const forCleo = { from: 'cleo', by: 'eva', signed: delegation('cleo', 'eva', { at: OPENED, until }), sealed: byExcluded };
    expect(verdict(vote(forCleo), at, [byExcluded])).toBe('8 self_approval');
    for (const editor of ['ana', 'eva']) {
      const second = sealAfter(FIRST, editor);
      expect(verdict(vote({ sealed: second }), at, [FIRST, second])).toBe('8 editor_excluded');
      expect(verdict(reject('eva', second, { at, forge: onSeatOf('ana', TO_EVA) }), at, [FIRST, second])).toBe('ok');
    }
  });
  test('only the types it names', () => {
    const of = (...types: string[]) => verdict(vote({ signed: delegation('ana', 'eva', { at: OPENED, until, types }) }));
    expect([of('payments.transfer'), of('cloud.*', 'payments.*')]).toEqual(['ok', 'ok']);
    expect([of('payments.batch'), of('cloud.*')]).toEqual(['8 delegation_invalid', '8 delegation_invalid']);
  });
  test('attack: a delegate takes back what the delegator said', () => {
    const own = reject('ana', FIRST, { at });
    expect(verdict(withdraw('eva', FIRST, own, { at, forge: onSeatOf('ana', TO_EVA) }))).toBe('8 delegation_invalid');
    const result = counted(own, withdraw('eva', FIRST, own, { at }));
    expect(result.rejected).toBe(true);
  });
});

/** What these decisions amount to, as everybody counts them. */
function counted(...decisions: Signed[]): Tally {
  const votes = decisions.flatMap((signed) => {
    const admission = admit(signed, [FIRST], ring(), at + MINUTE);
    if (!admission.ok) throw new Error(admission.refusal.text);
    return voteOf(admission.digest, admission.decision, true) ?? [];
  });
  return tally(ladderOf(FIRST.envelope), FIRST.digest, votes);
}
const who = ({ approvals }: Tally): string[] =>
  approvals.map(({ person, by }) => (by === undefined ? person : `${person} by ${by}`)).sort();

describe('6.3 delegator and delegate share one seat', () => {
  const toBen = (from: string) => delegation(from, 'ben', { at: OPENED, until });
  const benFor = (from: string, made = at) => vote({ from, by: 'ben', signed: toBen(from), at: made });

  test('one is one, two distinct ones are two', () => {
    expect(who(counted(vote()))).toEqual(['ana by eva']);
    expect(counted(vote()).quorum).toBeUndefined();
    expect(counted(vote(), approve('cleo', FIRST, { at })).quorum?.counted).toHaveLength(2);
  });
  test('attack: both vote, each in his own name and one for the other', () => {
    for (const all of [
      [approve('ana', FIRST, { at }), benFor('ana')],
      [approve('ben', FIRST, { at }), benFor('ana')],
      [approve('ana', FIRST, { at }), approve('ben', FIRST, { at }), benFor('ana')],
      [vote(), approve('ana', FIRST, { at })],
    ]) {
      expect(counted(...all).approvals).toHaveLength(1);
      expect(counted(...all).quorum).toBeUndefined();
    }
  });
  test('attack: one delegate of two people is one human, and one seat', () => {
    expect(counted(benFor('ana'), benFor('cleo')).quorum).toBeUndefined();
    const evaFor = (from: string) => vote({ from, signed: delegation(from, 'eva', { at: OPENED, until }) });
    expect(counted(evaFor('ana'), evaFor('ben'), evaFor('cleo')).approvals).toHaveLength(1);
  });
  test('a "no" by either wins, and counts as the delegator’s', () => {
    const forge = onSeatOf('ana', TO_EVA);
    const no = reject('eva', FIRST, { at, forge });
    expect(counted(no).rejections.map(({ person, by }) => [person, by])).toEqual([['ana', 'eva']]);
    expect(counted(approve('ana', FIRST, { at }), no)).toMatchObject({ approvals: [], rejected: true });
    expect(counted(vote(), reject('ana', FIRST, { at }))).toMatchObject({ approvals: [], rejected: true });
  });
  test('the delegator takes back what was done for him, and so does the delegate', () => {
    const yes = vote();
    expect(counted(yes, withdraw('ana', FIRST, yes, { at })).approvals).toEqual([]);
    expect(counted(yes, withdraw('eva', FIRST, yes, { at })).approvals).toEqual([]);
    expect(counted(yes, withdraw('ben', FIRST, yes, { at })).approvals).toHaveLength(1);
  });
  test('attack: a delegate of two who said no does not make one "no" of theirs', () => {
    const evaFor = (from: string) => vote({ from, signed: delegation(from, 'eva', { at: OPENED, until }) });
    const noes = [reject('ana', FIRST, { at }), reject('cleo', FIRST, { at })];
    expect(counted(...noes, evaFor('ana'), evaFor('cleo')).rejections).toHaveLength(2);
    const forge = (from: string) => ({ at, forge: onSeatOf(from, delegation(from, 'eva', { at: OPENED, until })) });
    expect(counted(reject('eva', FIRST, forge('ana')), reject('eva', FIRST, forge('cleo'))).rejections).toHaveLength(1);
  });
  test('the review refuses the second vote on a seat, from whichever side it comes', () => {
    const opened = (): Review => {
      const review = new Review(FIRST.id);
      const { signed: envelope, digest, view } = FIRST;
      if (!review.open({ envelope, digest, view, rejections: [] }, sealedPeople(), OPENED)) throw new Error('no seal');
      return review;
    };
    const state = (review: Review, signed: Signed) => {
      const { fate } = review.receive(signed, at);
      return fate.state === 'refused' ? fate.code : fate.state;
    };
    const review = opened();
    expect(state(review, benFor('ana'))).toBe('counted');
    expect(review.decisions()).toMatchObject([{ person: 'ben', for: 'ana' }]);
    expect(review.awaiting(at)).toEqual(['cleo']);
    expect(state(review, approve('ana', FIRST, { at }))).toBe('seat_taken');
    expect(state(review, approve('ben', FIRST, { at }))).toBe('seat_taken');
    expect(state(review, benFor('cleo'))).toBe('seat_taken');
    expect(state(review, approve('cleo', FIRST, { at }))).toBe('counted');
    expect(review.count().quorum?.counted).toHaveLength(2);
    const other = opened();
    expect(state(other, approve('ana', FIRST, { at }))).toBe('counted');
    expect(state(other, vote())).toBe('seat_taken');
  });
});
