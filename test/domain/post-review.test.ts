import { describe, expect, test } from '@jest/globals';
import { CODES } from '../../src/domain/codes.js';
import { digestOfSigned, type Signed } from '../../src/domain/dsse.js';
import { personIdSchema, type Digest } from '../../src/domain/ids.js';
import { toInstant } from '../../src/domain/instant.js';
import { isOverdue, owedBy, postReviewOf, readReview, reviewersAwaited, type PostReview } from '../../src/domain/post-review.js';
import { extendReceipt, type Receipt } from '../../src/domain/receipt.js';
import { HandLedger, HOUR, OPENED, ring, seal } from '../helpers/hand-made.js';
import { cancel, damaged, review } from '../helpers/messages.js';
import { keyOfPerson } from '../helpers/signers.js';

const SEALED = seal();
const { id } = SEALED;
const at = OPENED + HOUR;
const DUE = toInstant(at + HOUR);
const person = (name: string) => personIdSchema.parse(name);
const people = ['cleo', 'eva'].map(person);
const owed = { people, quorum: 2, due: DUE };
const digest = 'a'.repeat(64) as Digest;

/** The entries of an action that began, by a break-glass rule or not, and of what came after. */
function entries(write: (ledger: HandLedger) => void = () => undefined, postReview: typeof owed | null = owed): Receipt {
  const ledger = new HandLedger(id);
  ledger.sealed(SEALED, 'request', OPENED);
  ledger.append({ kind: 'executing', digest: SEALED.digest, decisions: [], ...(postReview === null ? {} : { postReview }) }, at);
  write(ledger);
  const receipt = extendReceipt([], id, ledger.entries);
  if (receipt === undefined) throw new Error('no receipt');
  return receipt;
}
const ended = (ledger: HandLedger): void =>
  void ledger.append({ kind: 'ended', status: 'succeeded', reason: { code: 'succeeded', text: 'It ran.' } }, at);
const lodged = (ledger: HandLedger, by: string, object: 'review' | 'reject' = 'review'): void =>
  void ledger.append({ kind: 'lodged', object, digest, by }, at);

describe('where a post-review stands, by the entries alone', () => {
  const none = { state: 'none', verdict: null, by: [], due: null };
  test('none where no break-glass rule let it begin', () => {
    expect(postReviewOf([])).toEqual(none);
    expect(postReviewOf(entries(ended, null))).toEqual(none);
    expect(owedBy(entries(ended, null))).toBeUndefined();
    expect(owedBy(entries())).toEqual(owed);
  });
  test('open, with those who signed so far in their order; other messages on record are none', () => {
    expect(postReviewOf(entries())).toEqual({ state: 'open', verdict: null, by: [], due: DUE });
    const some = entries((ledger) => {
      lodged(ledger, 'person:ben', 'reject');
      lodged(ledger, 'person:eva');
      lodged(ledger, 'person:person.x');
    });
    expect(postReviewOf(some)).toEqual({ state: 'open', verdict: null, by: ['eva', 'person.x'], due: DUE });
  });
  test('signed, as the entry says', () => {
    const signed = entries((ledger) => {
      lodged(ledger, 'person:eva');
      ledger.append({ kind: 'reviewed', verdict: 'not_justified', by: people, digests: [digest, digest] }, at);
    });
    expect(postReviewOf(signed)).toEqual({ state: 'signed', verdict: 'not_justified', by: ['cleo', 'eva'], due: DUE });
  });
  test('awaited are, once it has ended, those of its people who have not signed', () => {
    expect(reviewersAwaited(entries())).toEqual([]);
    expect(reviewersAwaited(entries(ended))).toEqual(['cleo', 'eva']);
    expect(reviewersAwaited(entries(ended, null))).toEqual([]);
    const one = entries((ledger) => {
      ended(ledger);
      lodged(ledger, 'person:eva');
    });
    expect(reviewersAwaited(one)).toEqual(['cleo']);
    const all = entries((ledger) => {
      ended(ledger);
      ledger.append({ kind: 'reviewed', verdict: 'justified', by: [person('cleo')], digests: [digest] }, at);
    });
    expect(reviewersAwaited(all)).toEqual([]);
  });
  test('overdue from its very millisecond on, only while open', () => {
    const open: PostReview = { state: 'open', verdict: null, by: [], due: DUE };
    expect([at + HOUR - 1, at + HOUR, at + HOUR + 1].map((now) => isOverdue(open, now))).toEqual([false, true, true]);
    expect(isOverdue({ ...open, state: 'signed' }, at + 2 * HOUR)).toBe(false);
    expect(isOverdue({ ...open, due: null }, at + 2 * HOUR)).toBe(false);
  });
});

describe('one post-review', () => {
  const action = { deployment: SEALED.envelope.deployment, actionId: id, people };
  const read = (signed: Signed, rings = [ring(), ring()], of = action): string => {
    const found = readReview(signed, of, rings, at);
    return found.ok ? 'believed' : `${found.refusal.code}: ${found.refusal.text}`;
  };
  const made = review('eva', id, { at });
  test('by one of its people, whose key stands in every ring', () => {
    expect(readReview(made, action, [ring()], at)).toMatchObject({
      ok: true,
      value: { by: 'eva', verdict: 'justified' },
      digest: digestOfSigned(made),
    });
    for (const rings of [
      [ring(), ring(['ana'])],
      [ring(['ana']), ring()],
    ])
      expect(read(made, rings)).toBe(`signature_invalid: ${CODES.signature_invalid.message}`);
  });
  test('attack: by others, changed, of another action or deployment, or of another kind', () => {
    expect(read(review('ana', id, { at }))).toBe(
      'not_eligible: ana does not review this: who let it run, changed it or owns its agent never does',
    );
    expect(read(review('eva', id, { at, by: keyOfPerson('cleo') }))).toBe(`signature_invalid: ${CODES.signature_invalid.message}`);
    expect(read(damaged(made))).toBe(`signature_invalid: ${CODES.signature_invalid.message}`);
    const elsewhere = `audience_mismatch: ${CODES.audience_mismatch.message}`;
    expect(read(made, [ring()], { ...action, deployment: 'acme-prod' })).toBe(elsewhere);
    expect(read(made, [ring()], { ...action, actionId: seal({ actionId: `act_${'0'.repeat(26)}` }).id })).toBe(elsewhere);
    expect(read(cancel(id, { at }))).toBe('request_invalid: not a review: see the schema of review v1');
  });
});
