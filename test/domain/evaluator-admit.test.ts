import { describe, expect, test } from '@jest/globals';
import { admit, isIndependent, readDecision, ringOf, voteOf, type Admission, type KeyRing } from '../../src/domain/admit.js';
import type { Signed } from '../../src/domain/dsse.js';
import { toInstant } from '../../src/domain/instant.js';
import { personIdSchema } from '../../src/domain/ids.js';
import type { JsonObject } from '../../src/domain/json.js';
import { sealedPeopleSchema } from '../../src/domain/objects/entry.js';
import { Authenticator } from '../helpers/authenticator.js';
import { HOUR, MINUTE, OPENED, ring, seal, sealAfter, sealedPeople } from '../helpers/hand-made.js';
import { approve, ask, damaged, modify, reject, request, withdraw, type SealedRevision } from '../helpers/messages.js';
import { AGENT, API, EXECUTOR, keyOfPerson, signerOf } from '../helpers/signers.js';

const STAGES = [{ name: 'finance', from: ['ana', 'ben', 'cleo'], quorum: 2, remind: [], escalate: [{ after: 8 * HOUR, to: ['eva'] }] }];
const FIRST = seal({ stages: STAGES });
const RING = ring();

const judge = (signed: Signed, revisions: readonly SealedRevision[] = [FIRST], now = OPENED, keys: KeyRing = RING): Admission =>
  admit(signed, revisions, keys, now);
/** `ok`, or the check that failed and its code. */
const verdict = (...args: Parameters<typeof judge>): string => {
  const admission = judge(...args);
  return admission.ok ? 'ok' : `${admission.check} ${admission.refusal.code}`;
};

describe('§6.4 the author is eligible at the seal', () => {
  test.each(['ana', 'ben', 'cleo'])('%s, who is asked, may approve, reject and modify', (person) => {
    for (const signed of [approve(person, FIRST), reject(person, FIRST), modify(person, FIRST, { '/cents': 1 })])
      expect(verdict(signed)).toBe('ok');
  });
  test('others may not, whatever they sign', () => {
    expect(verdict(reject('eva', FIRST))).toBe('8 not_eligible');
    expect(verdict(modify('eva', FIRST, { '/cents': 1 }))).toBe('8 not_eligible');
    expect(verdict(approve('zoe', FIRST))).toBe('6 signature_invalid');
  });
  test("a tier's person from its offset on, to the millisecond (§6.8)", () => {
    const at = OPENED + 8 * HOUR;
    expect(verdict(approve('eva', FIRST, { at: at - 1 }), [FIRST], at)).toBe('8 not_eligible');
    expect(verdict(approve('eva', FIRST, { at }), [FIRST], at)).toBe('ok');
  });
  test('the offsets run from the first seal, whenever this revision was sealed', () => {
    const second = sealAfter(FIRST, undefined, { sealedAt: toInstant(OPENED + 7 * HOUR) });
    expect(verdict(approve('eva', second, { at: OPENED + 8 * HOUR }), [FIRST, second], OPENED + 8 * HOUR)).toBe('ok');
  });
});

describe('§6.3 never counted', () => {
  const second = sealAfter(FIRST, 'ana');
  const revisions = [FIRST, second];
  test('the owner and the person acted for, whatever group they are in (attack cases 17 to 19)', () => {
    const all = seal({
      stages: [{ ...STAGES[0], from: ['ana', 'ben', 'cleo', 'dana'] }],
      exclusions: [
        { person: 'dana', why: 'owner' },
        { person: 'ben', why: 'on_behalf_of' },
      ],
    });
    for (const person of ['dana', 'ben']) {
      expect(verdict(approve(person, all), [all])).toBe('8 self_approval');
      expect(verdict(modify(person, all, { '/cents': 1 }), [all])).toBe('8 self_approval');
    }
  });
  test('who modified this or an earlier revision: never again an approval, but still a no, or another change (attack case 20)', () => {
    const third = sealAfter(second, 'ben');
    expect(verdict(approve('ana', second), revisions)).toBe('8 editor_excluded');
    expect(verdict(approve('ana', third), [...revisions, third])).toBe('8 editor_excluded');
    expect(verdict(reject('ana', second), revisions)).toBe('ok');
    expect(verdict(modify('ana', second, { '/cents': 1 }), revisions)).toBe('ok');
  });
  test('agents, services and models: no key of theirs is a person’s (attack cases 16, 21, 22)', () => {
    for (const by of [AGENT, API, EXECUTOR, signerOf('model')]) expect(verdict(approve('ana', FIRST, { by }))).toBe('6 signature_invalid');
  });
});

describe('check 6: signature and key', () => {
  test('another signature, another key, another author (attack cases 15, 25, 39)', () => {
    expect(verdict(damaged(approve('ana', FIRST)))).toBe('6 signature_invalid');
    expect(verdict(approve('ana', FIRST, { by: keyOfPerson('ben') }))).toBe('6 signature_invalid');
    expect(verdict(approve('ana', FIRST, { forge: { person: 'ben' } }))).toBe('6 signature_invalid');
    expect(verdict(approve('ana', FIRST, { forge: { keyId: keyOfPerson('ben').key.id } }))).toBe('6 signature_invalid');
  });
  test('a key is valid from its beginning to before its end: when the decision was made, and now (attack case 46)', () => {
    const [from, until] = [OPENED + MINUTE, OPENED + HOUR];
    const key = { key: keyOfPerson('ana').key.text, from: toInstant(from), until: toInstant(until) };
    const keys = ringOf(sealedPeopleSchema.parse([{ person: 'ana', keys: [key] }]));
    const at = (made: number, now: number): string => verdict(approve('ana', FIRST, { at: made }), [FIRST], now, keys);
    expect([at(from, from), at(until - 1, until - 1)]).toEqual(['ok', 'ok']);
    expect([at(from - 1, from), at(from, from - 1), at(until, until), at(until - 1, until)]).toEqual(Array(4).fill('6 signature_invalid'));
  });
  test('one key for two people is no ring; two keys for one person are (attack cases 6, 7)', () => {
    const ben = sealedPeople(['ben'], { ben: [keyOfPerson('ana').key.text] });
    expect(() => ringOf([...sealedPeople(['ana']), ...ben])).toThrow(RangeError);
    expect(ringOf(sealedPeople(['ana'], { ana: [keyOfPerson('ana:2').key.text] })).size).toBe(2);
  });
  test('a question: by who may decide, on the newest revision, in time; an editor may still ask', () => {
    const second = sealAfter(FIRST, 'ana');
    const late = OPENED + 24 * HOUR;
    expect(verdict(ask('ana', FIRST))).toBe('ok');
    expect(verdict(ask('ana', second), [FIRST, second])).toBe('ok');
    expect(verdict(ask('ana', FIRST), [FIRST, second])).toBe('7 revision_stale');
    expect(verdict(ask('eva', FIRST))).toBe('8 not_eligible');
    expect(verdict(ask('dana', FIRST))).toBe('8 self_approval');
    expect(verdict(ask('ana', FIRST, 'Why?', { at: late }), [FIRST], late)).toBe('8 decision_late');
    expect(verdict(ask('ana', FIRST, 'Why?', { by: AGENT }))).toBe('6 signature_invalid');
    expect(verdict(ask('ana', FIRST, 'x'.repeat(2_001)))).toBe('6 request_invalid');
    const read = readDecision(ask('ana', FIRST));
    if (read === undefined) throw new Error('unreadable');
    expect(voteOf(read.digest, read.decision, true)).toBeUndefined();
  });
  test.each<[string, JsonObject]>([
    ['a threshold of its own', { quorum: 0 }],
    ['another version', { v: 2 }],
    ['a verdict nobody knows', { verdict: 'approve_always' }],
    ['a revision as text', { revision: '1' }],
    ['a revision of zero', { revision: 0 }],
    ['a time in another spelling', { issuedAt: '2026-01-31T10:00:00.000+01:00' }],
    ['a day that is none', { issuedAt: '2026-02-30T10:00:00.000Z' }],
    ['a person’s display name', { person: 'Ana Lima' }],
  ])('not a decision: %s', (_name, forge) => {
    expect(judge(approve('ana', FIRST, { forge }))).toMatchObject({
      ok: false,
      digest: undefined,
      check: 6,
      refusal: { code: 'request_invalid' },
    });
  });
});

describe('check 7: what it binds', () => {
  test('this deployment, action, digest, revision and view (attack cases 26, 27, 32, 35, 73)', () => {
    const bound = (forge: JsonObject): string => verdict(approve('ana', FIRST, { forge }));
    expect(bound({ deployment: 'acme-prod' })).toBe('7 audience_mismatch');
    expect(bound({ actionId: request({}).id })).toBe('7 audience_mismatch');
    expect(bound({ digest: 'a'.repeat(64) })).toBe('7 revision_stale');
    expect(bound({ revision: 2 })).toBe('7 revision_stale');
    expect(bound({ view: 'a'.repeat(64) })).toBe('7 view_mismatch');
  });
  test('an identical second action has another envelope: an approval of the first is none of it (attack case 35)', () => {
    const twin = seal({ stages: STAGES, nonce: 'e'.repeat(32) });
    expect(verdict(approve('ana', FIRST), [twin])).toBe('7 revision_stale');
  });
  test('§6.5 approvals and modifies of the newest only, rejections and withdrawals of any', () => {
    const second = sealAfter(FIRST, undefined);
    const earlier = approve('ana', FIRST);
    const revisions = [FIRST, second];
    expect(verdict(earlier, revisions)).toBe('7 revision_stale');
    expect(verdict(modify('ana', FIRST, { '/cents': 1 }), revisions)).toBe('7 revision_stale');
    expect(verdict(reject('ana', FIRST), revisions)).toBe('ok');
    expect(verdict(withdraw('ana', FIRST, earlier), revisions)).toBe('ok');
    expect(verdict(withdraw('ana', second, earlier), revisions)).toBe('ok');
    expect(verdict(reject('ana', second), [FIRST])).toBe('7 revision_stale');
    expect(verdict(reject('ana', FIRST, { forge: { view: second.view } }), revisions)).toBe(
      FIRST.view === second.view ? 'ok' : '7 view_mismatch',
    );
  });
  test('of nothing sealed', () => {
    expect(verdict(approve('ana', FIRST), [])).toBe('7 revision_stale');
  });
});

describe('§6.7 in time', () => {
  const approveBy = OPENED + 24 * HOUR;
  const late = approveBy + HOUR;
  test('before approveBy, by its own time; exactly at it is expired (attack case 60)', () => {
    expect(verdict(approve('ana', FIRST, { at: approveBy - 1 }), [FIRST], late)).toBe('ok');
    expect(verdict(approve('ana', FIRST, { at: approveBy }), [FIRST], late)).toBe('8 decision_late');
    expect(verdict(modify('ana', FIRST, { '/cents': 1 }, { at: approveBy }), [FIRST], late)).toBe('8 decision_late');
  });
  test('a no is taken as long as the ledger has not closed the action', () => {
    const yes = approve('ana', FIRST);
    expect(verdict(reject('ana', FIRST, { at: late }), [FIRST], late)).toBe('ok');
    expect(verdict(withdraw('ana', FIRST, yes, { at: late }), [FIRST], late)).toBe('ok');
  });
  test('not over two minutes ahead of the clock that judges it', () => {
    const ahead = (ms: number): string => verdict(approve('ana', FIRST, { at: OPENED + ms }), [FIRST], OPENED);
    expect(ahead(2 * MINUTE)).toBe('ok');
    expect(ahead(2 * MINUTE + 1)).toBe('8 decision_late');
    expect(verdict(reject('ana', FIRST, { at: OPENED + 2 * MINUTE + 1 }), [FIRST], OPENED)).toBe('8 decision_late');
  });
  test('dated before the seal: only its own vote is back-dated (SECURITY.md), and nobody was asked then', () => {
    expect(verdict(approve('eva', FIRST, { at: OPENED - HOUR }), [FIRST], OPENED + 9 * HOUR)).toBe('8 not_eligible');
  });
});

describe('§2 independent is a word on the key', () => {
  test('attack 73: by the ring alone: an unknown key, or a passkey under another id, is none, whatever the decision says', () => {
    const passkey = new Authenticator('ana');
    const keys = ringOf(sealedPeople(['ana'], { ana: [passkey.key.text] }));
    const read = readDecision(approve('ana', FIRST))?.decision;
    const byWeb = passkey.sign('decision', { ...read, keyId: passkey.key.id });
    expect(verdict(byWeb, [FIRST], OPENED, keys)).toBe('ok');
    expect(isIndependent(byWeb, keys)).toBe(false);
    expect(isIndependent(approve('ana', FIRST), keys)).toBe(true);
    expect(isIndependent(approve('ana', FIRST, { by: keyOfPerson('zoe') }), keys)).toBe(false);
  });
});

describe('the vote a decision is', () => {
  test.each([
    [approve('ana', FIRST), { verdict: 'approve' }],
    [reject('ana', FIRST, { reason: 'No.' }), { verdict: 'reject', reason: 'No.' }],
  ])('%#', (signed, act) => {
    const read = readDecision(signed);
    expect(read && voteOf(read.digest, read.decision, true)).toEqual({
      digest: read?.digest,
      person: 'ana',
      issuedAt: OPENED,
      independent: true,
      envelope: FIRST.digest,
      act,
    });
  });
  test('a withdrawal names what it takes back; a modify is no vote: it makes a revision', () => {
    const yes = approve('ana', FIRST);
    const taken = readDecision(withdraw('ana', FIRST, yes));
    expect(taken && voteOf(taken.digest, taken.decision, true)?.act).toEqual({ verdict: 'withdraw', withdraws: readDecision(yes)?.digest });
    const changed = readDecision(modify('ana', FIRST, { '/cents': 1 }));
    expect(changed && voteOf(changed.digest, changed.decision, true)).toBeUndefined();
  });
});

test('a sealed key whose point is none signs nothing, and is nobody’s command line', () => {
  const unusable: KeyRing = new Map([[keyOfPerson('ana').key.id, { person: personIdSchema.parse('ana'), key: () => undefined }]]);
  const signed = approve('ana', FIRST);
  expect(verdict(signed, [FIRST], OPENED, unusable)).toBe('6 signature_invalid');
  expect(isIndependent(signed, unusable)).toBe(false);
  expect(isIndependent(signed, new Map())).toBe(false);
});
