import { describe, expect, test } from '@jest/globals';
import { digestOfSigned, type Signed } from '../../src/domain/dsse.js';
import { toInstant } from '../../src/domain/instant.js';
import { MAX_REFUSED_SIGNALS, Review } from '../../src/domain/review/review.js';
import { Authenticator } from '../helpers/authenticator.js';
import { HOUR, MINUTE, OPENED, seal, sealAfter, sealedPeople, type EnvelopeChanges } from '../helpers/hand-made.js';
import { approve, damaged, modify, reject, request, withdraw, type SealedRevision } from '../helpers/messages.js';

const STAGES = [
  { name: 'finance', from: ['ana', 'ben', 'cleo'], quorum: 2, remind: [HOUR, 4 * HOUR], escalate: [{ after: 8 * HOUR, to: ['eva'] }] },
];
const FIRST = seal({ stages: STAGES });

const open = (
  review: Review,
  { signed: envelope, digest, view }: SealedRevision,
  rejections: readonly Signed[] = [],
  now = OPENED,
): boolean => review.open({ envelope, digest, view, rejections }, sealedPeople(), now);
function opened(changes: EnvelopeChanges = { stages: STAGES }): { review: Review; revision: SealedRevision } {
  const revision = seal(changes);
  const review = new Review(revision.id);
  open(review, revision);
  return { review, revision };
}
const fate = (review: Review, signed: Signed, now = OPENED): string => {
  const found = review.receive(signed, now).fate;
  return found.state === 'refused' ? found.code : found.state;
};
const fateNow = (review: Review, signed: Signed): string | undefined => {
  const found = review.fateOf(digestOfSigned(signed));
  return found?.state === 'refused' ? found.code : found?.state;
};
const votes = (review: Review): string[] =>
  review
    .count()
    .approvals.map(({ person }) => person as string)
    .sort();

describe('a seal', () => {
  test('opens the review; another action, another view or no envelope does not', () => {
    const review = new Review(FIRST.id);
    expect(open(review, { ...FIRST, view: 'a'.repeat(64) as SealedRevision['view'] })).toBe(false);
    expect(open(review, { ...FIRST, signed: request({}).signed })).toBe(false);
    expect(open(new Review(request({}).id), FIRST)).toBe(false);
    expect(review.newest).toBeUndefined();
    expect(open(review, FIRST)).toBe(true);
    expect(review.newest?.digest).toBe(FIRST.digest);
    expect(review.envelopes).toEqual([FIRST.signed]);
  });
  test('the same again changes nothing: neither revisions nor votes', () => {
    const { review, revision } = opened();
    const yes = approve('ana', revision);
    review.receive(yes, OPENED);
    open(review, revision, [], OPENED + HOUR);
    expect(review.envelopes.length).toBe(1);
    expect([votes(review), fateNow(review, yes)]).toEqual([['ana'], 'counted']);
  });
  test('§6.5 a new revision voids approvals; rejections that stand carry over', () => {
    const { review, revision } = opened({ stages: STAGES, rejections: 2 });
    const [yes, no] = [approve('ana', revision), reject('ben', revision)];
    for (const signed of [yes, no]) review.receive(signed, OPENED);
    review.stands(digestOfSigned(no));
    open(review, sealAfter(revision, 'cleo'));
    expect([votes(review), fateNow(review, yes), fateNow(review, no)]).toEqual([[], 'revision_stale', 'stands']);
    expect(review.count().rejections.map(({ person }) => person)).toEqual(['ben']);
    expect(fate(review, approve('ana', revision))).toBe('revision_stale');
  });
  test('after a restart it brings the rejections and withdrawals of the ledger, verified', () => {
    const { review, revision } = opened();
    const [no, other] = [reject('ben', revision), reject('cleo', revision)];
    open(review, revision, [no, other, withdraw('cleo', revision, other), damaged(reject('ana', revision))]);
    expect(review.count()).toMatchObject({ rejected: true, rejections: [{ person: 'ben' }] });
    expect(fateNow(review, no)).toBe('stands');
  });
});

describe('arriving decisions', () => {
  test('an approval counts at once; a no, a withdrawal and a modify wait for the ledger', () => {
    const { review, revision } = opened();
    const yes = approve('ana', revision);
    expect(fate(review, yes)).toBe('counted');
    const [no, change, back] = [reject('ben', revision), modify('cleo', revision, { '/cents': 1 }), withdraw('ana', revision, yes)];
    expect([fate(review, no), fate(review, change), fate(review, back)]).toEqual(['waiting', 'waiting', 'waiting']);
    expect(review.nextToLodge()).toEqual({ digest: digestOfSigned(no), signed: no });
    expect(review.nextModify()).toEqual({ digest: digestOfSigned(change), signed: change });
    review.stands(digestOfSigned(no));
    expect(review.nextToLodge()?.signed).toBe(back);
    review.stands(digestOfSigned(back));
    expect(review.nextToLodge()).toBeUndefined();
    expect([votes(review), review.count().rejected]).toEqual([[], true]);
  });
  test('a repeat is answered with its fate, also when it can no longer be taken', () => {
    const { review, revision } = opened();
    const yes = approve('ana', revision);
    expect([fate(review, yes), fate(review, yes), fate(review, yes, OPENED + 48 * HOUR)]).toEqual(['counted', 'counted', 'counted']);
    expect(review.examine(yes, OPENED + 48 * HOUR)).toBeUndefined();
    expect([review.signedDecisions().length, review.refusedTotal]).toEqual([1, 0]);
  });
  test('§6.3 seat_taken: one live approval a person; a rejection is always taken; a withdrawal frees the seat', () => {
    const { review, revision } = opened();
    const yes = approve('ana', revision);
    review.receive(yes, OPENED);
    expect(fate(review, approve('ana', revision))).toBe('seat_taken');
    expect(fate(review, reject('ana', revision))).toBe('waiting');
    const back = withdraw('ana', revision, yes);
    review.receive(back, OPENED);
    review.stands(digestOfSigned(back));
    expect(fate(review, approve('ana', revision))).toBe('counted');
  });
  test('a withdrawal names a live vote of its author', () => {
    const { review, revision } = opened();
    const yes = approve('ana', revision);
    review.receive(yes, OPENED);
    expect(fate(review, withdraw('ben', revision, yes))).toBe('request_invalid');
    expect(fate(review, withdraw('ana', revision, approve('ana', revision)))).toBe('request_invalid');
  });
  test('refusals are counted, shown, and change nothing', () => {
    const { review, revision } = opened();
    expect(fate(review, damaged(approve('ana', revision)))).toBe('signature_invalid');
    expect(fate(review, approve('eva', revision))).toBe('not_eligible');
    expect(fate(review, request({}).signed)).toBe('request_invalid');
    expect(fate(review, approve('ana', revision, { forge: { actionId: request({}).id } }))).toBe('audience_mismatch');
    expect(fate(review, { ...approve('ana', revision), payload: 'A'.repeat(1_400_001) })).toBe('request_too_large');
    expect(review).toMatchObject({ refusedTotal: 5, refusedSignatures: 1, lastRefusal: { code: 'request_too_large' } });
    expect(review.signedDecisions()).toEqual([]);
    expect(fate(review, approve('ana', revision))).toBe('counted');
  });
  test('examine changes nothing', () => {
    const { review, revision } = opened();
    expect(review.examine(damaged(approve('ana', revision)), OPENED)?.code).toBe('signature_invalid');
    expect(review.examine(approve('ana', revision), OPENED)).toBeUndefined();
    expect([review.refusedTotal, review.signedDecisions().length, votes(review)]).toEqual([0, 0, []]);
  });
  test('what a signature was once said of is said of those bytes alone', () => {
    const ana = new Authenticator('ana');
    const { review, revision } = opened();
    review.open(
      { envelope: revision.signed, digest: revision.digest, view: revision.view, rejections: [] },
      sealedPeople(['ben'], {}).concat(sealedPeople(['ana'], { ana: [ana.key.text] })),
      OPENED,
    );
    const { deployment, actionId, sealedAt: issuedAt } = revision.envelope;
    const good = ana.sign('decision', {
      v: 1,
      deployment,
      actionId,
      digest: revision.digest,
      revision: 1,
      view: revision.view,
      person: 'ana',
      keyId: ana.key.id,
      nonce: 'a'.repeat(32),
      issuedAt,
      verdict: 'approve',
    });
    const [signature] = good.signatures;
    if (signature?.passkey === undefined) throw new Error('no assertion');
    const bad = { ...good, signatures: [{ ...signature, passkey: { ...signature.passkey, clientDataJSON: 'e30' } }] };
    expect(review.examine(bad, OPENED)?.code).toBe('signature_invalid');
    expect(review.examine(good, OPENED)).toBeUndefined();
    expect(review.examine(bad, OPENED)?.code).toBe('signature_invalid');
  });
});

describe('while something is being settled', () => {
  test('decisions wait, and are judged after it as what they then are', () => {
    const { review, revision } = opened();
    const change = modify('cleo', revision, { '/cents': 1 });
    review.receive(change, OPENED);
    review.beginSettling();
    const second = sealAfter(revision, 'cleo');
    const [old, fresh, no] = [approve('ana', revision), approve('ana', second), reject('ben', revision)];
    expect([fate(review, old), fate(review, fresh), fate(review, no)]).toEqual(['waiting', 'waiting', 'waiting']);
    expect(review.nextToLodge()).toBeUndefined();
    open(review, second);
    review.modified(digestOfSigned(change));
    expect([old, fresh, no, change].map((signed) => fateNow(review, signed))).toEqual(['revision_stale', 'counted', 'waiting', 'counted']);
    expect(review.nextToLodge()?.signed).toBe(no);
  });
  test('a refused modify leaves revision and votes as they were (§6.6)', () => {
    const { review, revision } = opened();
    review.receive(approve('ana', revision), OPENED);
    const change = modify('cleo', revision, { '/vendor': 'EVIL' });
    review.receive(change, OPENED);
    review.beginSettling();
    const late = approve('ben', revision);
    expect(fate(review, late)).toBe('waiting');
    review.refuse(digestOfSigned(change), 'params_invalid', 'not editable');
    review.settled(OPENED);
    expect([fateNow(review, change), fateNow(review, late), votes(review)]).toEqual(['params_invalid', 'counted', ['ana', 'ben']]);
    expect(review.nextModify()).toBeUndefined();
  });
  test('before the first seal everything waits; two approvals of one person then take one seat', () => {
    const review = new Review(FIRST.id);
    const [one, two] = [approve('ana', FIRST), approve('ana', FIRST)];
    expect([fate(review, one), fate(review, two)]).toEqual(['waiting', 'waiting']);
    open(review, FIRST);
    expect([fateNow(review, one), fateNow(review, two)]).toEqual(['counted', 'seat_taken']);
  });
  test('a forged copy that came first takes neither the place nor the digest of the genuine one', () => {
    const review = new Review(FIRST.id);
    const genuine = approve('ana', FIRST);
    expect(fate(review, damaged(genuine))).toBe('waiting');
    open(review, FIRST);
    expect([review.refusedSignatures, fate(review, genuine)]).toEqual([1, 'counted']);
  });
});

describe('floods (attack cases 15, 57, 77)', () => {
  test('three hundred decisions are kept, no more; a repeat still gets its fate', () => {
    const { review, revision } = opened();
    const noes = Array.from({ length: 300 }, () => reject('ben', revision));
    for (const no of noes) review.receive(no, OPENED);
    expect(fate(review, approve('ana', revision))).toBe('rate_limited');
    expect(noes.map((no) => fate(review, no))).toEqual(Array(300).fill('waiting'));
    expect(review.signedDecisions().length).toBe(300);
  });
  test('forged ones that came before the seal leave room for the genuine', () => {
    const review = new Review(FIRST.id);
    for (let i = 0; i < 300; i++) review.receive(damaged(approve('ana', FIRST)), OPENED);
    expect(fate(review, approve('ana', FIRST))).toBe('rate_limited');
    open(review, FIRST);
    expect(review.refusedSignatures).toBeGreaterThanOrEqual(MAX_REFUSED_SIGNALS);
    expect([fate(review, approve('ana', FIRST)), fate(review, reject('ben', FIRST))]).toEqual(['counted', 'waiting']);
  });
});

describe('what the executor says', () => {
  test('decisions it dropped are dropped here too, so that it is not asked in a loop', () => {
    const { review, revision } = opened();
    const [yes, other] = [approve('ana', revision), approve('ben', revision)];
    for (const signed of [yes, other]) review.receive(signed, OPENED);
    expect(review.evidence()).toEqual([yes, other]);
    const dropped = [{ digest: digestOfSigned(yes), code: 'approver_stale' as const, check: 9, text: 'ana may no longer decide' }];
    expect(review.drop(dropped)).toBe(true);
    expect([fateNow(review, yes), votes(review)]).toEqual(['approver_stale', ['ben']]);
    expect(review.evidence()).toEqual([other]);
    expect(review.drop(dropped)).toBe(false);
    expect(review.drop([{ digest: null, code: 'request_invalid', check: 6, text: '' }])).toBe(false);
    expect(review.drop([{ digest: digestOfSigned(approve('cleo', revision)), code: 'approver_stale', check: 9, text: '' }])).toBe(false);
  });
  test('a no it refused to lodge does not stand', () => {
    const { review, revision } = opened();
    const no = reject('ben', revision);
    review.receive(no, OPENED);
    review.refuse(digestOfSigned(no), 'decision_late', 'execution began before');
    expect([fateNow(review, no), review.count().rejected, review.nextToLodge()]).toEqual(['decision_late', false, undefined]);
  });
  test('at the end whatever waited was too late, and what comes after is told so (attack case 14)', () => {
    const { review, revision } = opened();
    const [yes, no] = [approve('ana', revision), reject('ben', revision)];
    for (const signed of [yes, no]) review.receive(signed, OPENED);
    review.end();
    expect([fateNow(review, yes), fateNow(review, no)]).toEqual(['counted', 'decision_late']);
    expect([fate(review, approve('cleo', revision)), fate(review, yes)]).toEqual(['action_ended', 'counted']);
    expect(votes(review)).toEqual(['ana']);
  });
});

describe('clocks', () => {
  const at = (review: Review): (string | number)[] => {
    const ring = review.nextRing();
    return ring === undefined ? [] : [ring.kind, ring.at - OPENED];
  };
  test('ring in their order; what passed before the seal rings no more; expiry always does', () => {
    const { review, revision } = opened();
    const rings: unknown[] = [];
    for (let i = 0; i < 5; i++) {
      rings.push(at(review));
      review.rang();
    }
    expect(rings).toEqual([['remind', HOUR], ['remind', 4 * HOUR], ['escalate', 8 * HOUR], ['expire', 24 * HOUR], []]);
    open(review, sealAfter(revision, undefined), [], OPENED + 5 * HOUR);
    expect(at(review)).toEqual(['escalate', 8 * HOUR]);
    open(review, revision, [], OPENED + 48 * HOUR);
    expect(at(review)).toEqual(['expire', 24 * HOUR]);
  });
  test('a reminder after expiry, as a shortened revision may have one, does not silence expiry', () => {
    const { review, revision } = opened();
    const shorter = sealAfter(revision, undefined, { approveBy: toInstant(OPENED + 2 * HOUR) });
    open(review, shorter, [], OPENED + 9 * HOUR);
    expect(at(review)).toEqual(['expire', 2 * HOUR]);
  });
  test('the deadline is to agree before enough did, to start after it', () => {
    const { review, revision } = opened();
    expect(new Review(FIRST.id).deadline()).toBeNull();
    expect(review.deadline()).toBe(revision.envelope.approveBy);
    review.receive(approve('ana', revision), OPENED);
    review.receive(approve('ben', revision, { at: OPENED + HOUR }), OPENED + HOUR);
    expect(review.deadline()).toBe(toInstant(OPENED + HOUR + 30 * MINUTE));
  });
});

test('what surfaces show of it', () => {
  const { review, revision } = opened();
  expect([review.awaiting(OPENED), review.awaiting(OPENED + 8 * HOUR)]).toEqual([
    ['ana', 'ben', 'cleo'],
    ['ana', 'ben', 'cleo', 'eva'],
  ]);
  review.receive(approve('ana', revision), OPENED);
  const no = reject('ben', revision, { reason: 'Not this vendor.' });
  review.receive(no, OPENED);
  expect([review.awaiting(OPENED), review.progress()]).toEqual([['ben', 'cleo'], { have: 1, need: 2 }]);
  expect(review.decisions()).toMatchObject([
    { person: 'ana', verdict: 'approve', reason: null, fate: { state: 'counted' } },
    { person: 'ben', verdict: 'reject', reason: 'Not this vendor.', fate: { state: 'waiting' } },
  ]);
});
