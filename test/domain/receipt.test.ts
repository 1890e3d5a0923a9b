import { describe, expect, test } from '@jest/globals';
import type { Signed } from '../../src/domain/dsse.js';
import { digestOf } from '../../src/domain/hash.js';
import type { Answer } from '../../src/domain/objects/answer.js';
import { outcomeOf, STATUSES, type Status } from '../../src/domain/outcome.js';
import { endOf, extendReceipt, readAnswer, type Receipt, type Trust } from '../../src/domain/receipt.js';
import { HandLedger, LEDGER, MINUTE, OPENED, seal } from '../helpers/hand-made.js';
import { damaged, request } from '../helpers/messages.js';
import { API, EXECUTOR, signerOf } from '../helpers/signers.js';

const SEALED = seal();
const { id } = SEALED;
const at = OPENED + MINUTE;
const OTHER = request({ idempotencyKey: 'another' }).id;
const TRUST: Trust = { deployment: SEALED.envelope.deployment, keys: [API.key, EXECUTOR.key] };

describe('an answer of the executor', () => {
  const input = { actionId: id, have: 0 };
  const answer: Answer = {
    v: 1,
    deployment: TRUST.deployment,
    ledger: LEDGER,
    epoch: 1,
    activity: 'close',
    actionId: id,
    asked: digestOf(input),
    status: 'awaiting_approval',
    entries: [],
    result: { kind: 'end' },
  };
  const read = (signed: Signed, trust = TRUST): unknown => readAnswer('close', id, input, signed, trust);
  const signed = (changes: Partial<Answer> = {}): Signed => EXECUTOR.sign('answer', { ...answer, ...changes });

  test('is believed as an answer to this question, by one of the keys', () => {
    expect(read(signed())).toEqual({ answer, result: { kind: 'end' } });
    expect(
      readAnswer(
        'lodge',
        null,
        input,
        signed({ activity: 'lodge', actionId: null, result: { kind: 'stands', digest: SEALED.digest } }),
        TRUST,
      ),
    ).toMatchObject({ result: { kind: 'stands', digest: SEALED.digest } });
  });
  test.each<[string, Signed, Trust?]>([
    ['to another activity, with a result that fits both', signed({ activity: 'seal' })],
    ['about another action', signed({ actionId: OTHER })],
    ['about no action', signed({ actionId: null })],
    ['of another deployment', signed({ deployment: 'acme-prod' })],
    ['to another question', signed({ asked: digestOf({ ...input, have: 1 }) })],
    ['with a result of another activity', signed({ result: { kind: 'again' } })],
    ['that is none', EXECUTOR.sign('entry', answer)],
    ['by a key nobody trusts', signerOf('stranger').sign('answer', answer)],
    ['with a signature that is none', damaged(signed())],
    ['while no key is trusted', signed(), { ...TRUST, keys: [] }],
  ])('attack: not one %s', (_name, bad, trust = TRUST) => {
    expect(read(bad, trust)).toBeUndefined();
  });
});

describe('a receipt', () => {
  const entries = (write: (ledger: HandLedger) => void, of: string = id): Signed[] => {
    const ledger = new HandLedger(of);
    ledger.sealed(SEALED, 'request', OPENED);
    write(ledger);
    return ledger.entries;
  };
  const stale = (ledger: HandLedger): void => void ledger.append({ kind: 'stale', digest: SEALED.digest, code: 'policy_stale' }, at);
  const [first = SEALED.signed, second = SEALED.signed] = entries(stale);
  const numbers = (receipt: Receipt | undefined): number[] | undefined => receipt?.map(({ entry }) => entry.seq);

  test('grows by what follows it, and only by that', () => {
    expect(numbers(extendReceipt([], id, [first, second], TRUST))).toEqual([1, 2]);
    const one = extendReceipt([], id, [first], TRUST) ?? [];
    expect(numbers(extendReceipt(one, id, [second], TRUST))).toEqual([1, 2]);
    expect(numbers(one)).toEqual([1]);
    expect(extendReceipt([], id, [second])).toBeUndefined();
    expect(extendReceipt(one, id, [first])).toBeUndefined();
    expect(extendReceipt([], id, [SEALED.signed])).toBeUndefined();
    expect(extendReceipt([], OTHER, [first])).toBeUndefined();
    expect(extendReceipt([], id, entries(stale, OTHER))).toBeUndefined();
  });
  test('attack: by others, or of another deployment: with keys to trust nothing of it is believed', () => {
    expect(extendReceipt([], id, [first, damaged(second)])).toHaveLength(2);
    expect(extendReceipt([], id, [first, damaged(second)], TRUST)).toBeUndefined();
    expect(extendReceipt([], id, [first], { ...TRUST, deployment: 'acme-prod' })).toBeUndefined();
    expect(extendReceipt([], id, [first], { ...TRUST, keys: [API.key] })).toBeUndefined();
  });

  const reason = { code: 'failed', text: 'It did not.' } as const;
  const proven = (write: (ledger: HandLedger) => void): unknown => endOf(id, extendReceipt([], id, entries(write)) ?? []);
  const done = (ledger: HandLedger, result: number): void => void ledger.append({ kind: 'step_done', step: 1, attempt: 1, result }, at);
  const ended =
    (status: 'succeeded' | 'failed', results: readonly number[] = []) =>
    (ledger: HandLedger): void => {
      for (const result of results) done(ledger, result);
      ledger.append({ kind: 'ended', status, reason }, at);
    };
  test('proves an end once one is in it, whatever comes after; the result is that of the last step, of a success alone', () => {
    expect(endOf(id, [])).toBeUndefined();
    expect(proven(stale)).toBeUndefined();
    expect(proven((ledger) => done(ledger, 1))).toBeUndefined();
    const closed = (ledger: HandLedger): void => void ledger.append({ kind: 'closed', status: 'expired', reason }, at);
    expect(proven(closed)).toStrictEqual(outcomeOf(id, 'expired', reason));
    const denied = (ledger: HandLedger): void =>
      void ledger.append({ kind: 'denied', request: SEALED.digest, status: 'denied', reason }, at);
    expect(proven(denied)).toStrictEqual(outcomeOf(id, 'denied', reason));
    expect(proven(ended('succeeded', [1, 2]))).toStrictEqual(outcomeOf(id, 'succeeded', reason, { result: 2 }));
    expect(proven(ended('succeeded'))).toStrictEqual(outcomeOf(id, 'succeeded', reason));
    expect(proven(ended('failed', [1]))).toStrictEqual(outcomeOf(id, 'failed', reason));
    const reviewed = (ledger: HandLedger): void => {
      ended('succeeded', [1])(ledger);
      ledger.append({ kind: 'lodged', object: 'review', digest: SEALED.digest, by: 'person:eva' }, at);
    };
    expect(proven(reviewed)).toStrictEqual(outcomeOf(id, 'succeeded', reason, { result: 1 }));
  });
});

test('what a status means for who asked: what took effect, whether it is over, and whether to propose it anew', () => {
  const means = (Object.keys(STATUSES) as Status[]).map((status) => {
    const { effect, final, retry } = outcomeOf(id, status, { code: 'failed', text: '' });
    return `${status}: ${effect}${final ? ', final' : ''}, ${retry}`;
  });
  expect(means).toEqual([
    'evaluating: none, never',
    'awaiting_approval: none, never',
    'approved: none, never',
    'executing: in_progress, never',
    'compensating: in_progress, never',
    'outcome_unknown: unknown, never',
    'compensation_failed: partial, never',
    'denied: none, final, never',
    'rejected: none, final, never',
    'expired: none, final, new_proposal',
    'execution_expired: none, final, new_proposal',
    'cancelled: none, final, new_proposal',
    'failed: none, final, new_proposal',
    'succeeded: done, final, never',
    'compensated: undone, final, new_proposal',
  ]);
  const reason = { code: 'denied', text: '' } as const;
  expect(outcomeOf(id, 'denied', reason, { retry: 'same' })).toStrictEqual({
    id,
    status: 'denied',
    effect: 'none',
    final: true,
    reason,
    retry: 'same',
  });
  expect(outcomeOf(id, 'succeeded', reason, { result: null })).toHaveProperty('result', null);
});
