import { describe, expect, test } from '@jest/globals';
import { admit, readDecision, type KeyRing } from '../../src/domain/admit.js';
import { isStricter, reasonMissing, reviewersOf } from '../../src/domain/break-glass.js';
import { CODES, refuse } from '../../src/domain/codes.js';
import { confirmOf, confirmText, unconfirmed } from '../../src/domain/confirm.js';
import { payloadBytes, type Signed } from '../../src/domain/dsse.js';
import { floorOf } from '../../src/domain/floor.js';
import { sha256 } from '../../src/domain/hash.js';
import { durationText, MAX_DURATION_MS, parseDuration, toInstant } from '../../src/domain/instant.js';
import type { Json, JsonObject } from '../../src/domain/json.js';
import { ringOf, validAt } from '../../src/domain/key-ring.js';
import { personIdSchema } from '../../src/domain/ids.js';
import type { Decision } from '../../src/domain/objects/decision.js';
import { isFull, take } from '../../src/domain/rate.js';
import { HOUR, MINUTE, OPENED, ring, seal, sealAfter, sealedPeople, type EnvelopeChanges } from '../helpers/hand-made.js';
import { approve, ask, damaged, delegation, modify, onSeatOf, reject, withdraw, type SealedRevision } from '../helpers/messages.js';
import { AGENT, keyOfPerson } from '../helpers/signers.js';

const FIRST = seal({ delegates: ['eva'] });
const at = OPENED + MINUTE;
const until = OPENED + HOUR;
const TO_EVA = delegation('ana', 'eva', { at: OPENED, until });
const person = (name: string) => personIdSchema.parse(name);

/** What is answered to a decision, to the word. */
const said = (signed: Signed, now = at, revisions: readonly SealedRevision[] = [FIRST], keys: KeyRing = ring()): string => {
  const admission = admit(signed, revisions, keys, now);
  return admission.ok ? 'admitted' : `${admission.check} ${admission.refusal.code}: ${admission.refusal.text}`;
};
const plain = (check: number, code: keyof typeof CODES): string => `${check} ${code}: ${CODES[code].message}`;

describe('what a decision is refused with', () => {
  test('a refusal without words of its own says those of its code', () => {
    expect(refuse('frozen')).toEqual({ code: 'frozen', text: 'A freeze is in force.' });
    expect(refuse('frozen', 'Since noon.')).toEqual({ code: 'frozen', text: 'Since noon.' });
  });
  test('by its form, its signature, its key and its time', () => {
    const good = approve('ana', FIRST, { at });
    expect(said(good)).toBe('admitted');
    expect(said(TO_EVA)).toBe('6 request_invalid: not a decision: see the schema of decision v1');
    expect(said(good, at, [])).toBe(plain(7, 'revision_stale'));
    for (const bad of [damaged(good), approve('ana', FIRST, { at, by: AGENT }), approve('ana', FIRST, { at, by: keyOfPerson('ben') })])
      expect(said(bad)).toBe(plain(6, 'signature_invalid'));
    const times = ringOf([
      { person: person('ana'), keys: [{ key: keyOfPerson('ana').key.text, from: toInstant(at), until: toInstant(at + 1) }] },
    ]);
    const outOfTime = '6 signature_invalid: the key was not valid when the decision was made, or is not now';
    expect(said(good, at, [FIRST], times)).toBe('admitted');
    expect(said(good, at + 1, [FIRST], times)).toBe(outOfTime);
    expect(said(approve('ana', FIRST, { at: at - 1 }), at, [FIRST], times)).toBe(outOfTime);
    expect(said(approve('ana', FIRST, { at: at + 2 * MINUTE }))).toBe('admitted');
    expect(said(approve('ana', FIRST, { at: at + 2 * MINUTE + 1 }))).toBe(
      '8 decision_late: the decision is dated more than 2 minutes ahead',
    );
    const late = OPENED + 24 * HOUR;
    expect(said(approve('ana', FIRST, { at: late }), late)).toBe(plain(8, 'decision_late'));
    for (const signed of [reject('ana', FIRST, { at: late }), withdraw('ana', FIRST, good, { at: late })])
      expect(said(signed, late)).toBe('admitted');
  });
  test('by what it is bound to', () => {
    const second = sealAfter(FIRST, undefined);
    const both = [FIRST, second];
    for (const signed of [approve('ana', FIRST, { at }), modify('ana', FIRST, { '/cents': 1 }, { at }), ask('ana', FIRST, 'Why?', { at })])
      expect(said(signed, at, both)).toBe(plain(7, 'revision_stale'));
    for (const signed of [reject('ana', FIRST, { at }), withdraw('ana', FIRST, reject('ana', FIRST, { at }), { at })])
      expect(said(signed, at, both)).toBe('admitted');
    expect(said(approve('ana', second, { at, forge: { revision: 1 } }), at, both)).toBe(plain(7, 'revision_stale'));
    expect(said(reject('ana', second, { at }))).toBe(plain(7, 'revision_stale'));
    expect(said(approve('ana', second, { at, forge: { view: 'a'.repeat(64) } }), at, both)).toBe(plain(7, 'view_mismatch'));
    for (const forge of [{ deployment: 'acme-prod' }, { actionId: `act_${'0'.repeat(26)}` }] satisfies JsonObject[] as JsonObject[])
      expect(said(approve('ana', FIRST, { at, forge }))).toBe(plain(7, 'audience_mismatch'));
  });
  test('48 KiB are read, a byte more is not', () => {
    const padded = (bytes: number): Signed => {
      const guards = Object.fromEntries(Array.from({ length: 94 }, (_, i) => [`g${i}`, 'x'.repeat(500)]));
      const short = approve('ana', FIRST, { at, reason: 'x', forge: { guards } });
      return approve('ana', FIRST, { at, reason: 'x'.repeat(1 + bytes - payloadBytes(short).length), forge: { guards } });
    };
    const fits = padded(49_152);
    expect(fits.payload).toHaveLength(65_536);
    expect(said(fits)).toBe('admitted');
    expect(readDecision(padded(49_153))).toBeUndefined();
  });
  test('read once or twice, it is the same object with the same digest', () => {
    const signed = reject('ana', FIRST, { at });
    const read = readDecision(signed);
    expect(read?.digest).toBe(sha256(payloadBytes(signed)));
    expect(readDecision({ ...signed })).toEqual(read);
    expect(readDecision({ ...signed, payloadType: TO_EVA.payloadType })).toBeUndefined();
    for (let i = 0; i < 120; i++) readDecision(reject('ana', FIRST, { at, reason: `No ${i}.` }));
    expect(readDecision(signed)).toEqual(read);
  });
});

describe('what a decision on another seat is refused with', () => {
  const vote = (signed: Signed, by = 'eva', from = 'ana', made = at): Signed =>
    approve(by, FIRST, { at: made, forge: onSeatOf(from, signed) });
  const made = (forge: JsonObject = {}): Signed => delegation('ana', 'eva', { at: OPENED, until, forge });
  test.each<[string, () => string]>([
    ['admitted', () => said(vote(TO_EVA))],
    ['6 delegation_invalid: not a delegation: see the schema of delegation v1', () => said(vote(approve('ana', FIRST, { at })))],
    ['6 delegation_invalid: the delegation is of another deployment', () => said(vote(made({ deployment: 'acme-prod' })))],
    ['6 delegation_invalid: the delegation is from ana to eva, not from ana to ben', () => said(vote(TO_EVA, 'ben'))],
    ['6 delegation_invalid: the delegation is from ana to eva, not from cleo to eva', () => said(vote(TO_EVA, 'eva', 'cleo'))],
    ['6 delegation_invalid: no key of ana, valid when it was signed and now, made this delegation', () => said(vote(damaged(TO_EVA)))],
    [
      '6 delegation_invalid: the decision was not made while the delegation was in force',
      () => said(vote(TO_EVA, 'eva', 'ana', OPENED - 1), at),
    ],
    [
      '6 delegation_invalid: the decision was not made while the delegation was in force',
      () => said(vote(TO_EVA, 'eva', 'ana', until), until),
    ],
    ['6 delegation_invalid: the delegation is over', () => said(vote(TO_EVA, 'eva', 'ana', until - 1), until)],
    [
      "8 delegation_invalid: a withdrawal is made in one's own name",
      () => said(withdraw('eva', FIRST, reject('ana', FIRST, { at }), { at, forge: onSeatOf('ana', TO_EVA) })),
    ],
    [
      '8 delegation_invalid: the rule lets nobody hand over to ben',
      () => said(vote(delegation('ana', 'ben', { at: OPENED, until }), 'ben')),
    ],
    ['8 delegation_invalid: the delegation does not cover payments.transfer', () => said(vote(made({ types: ['cloud.*'] })))],
    ['admitted', () => said(vote(TO_EVA, 'eva', 'ana', OPENED), at)],
  ])('%s', (words, answer) => {
    expect(answer()).toBe(words);
  });
});

describe('a guard asks for a value in the own words of who approves', () => {
  const decision = (signed: Signed): Decision => {
    const read = readDecision(signed);
    if (read === undefined) throw new Error('no decision');
    return read.decision;
  };
  const yes = (guards?: JsonObject): Decision => decision(approve('ana', FIRST, { at, forge: guards === undefined ? {} : { guards } }));
  test('a text as it is, anything else as canonical JSON; 500 characters, no more', () => {
    const params: Json = { vendor: 'ACME', cents: 480_000, to: { b: 1, a: [true, null] }, long: 'x'.repeat(500), longer: 'x'.repeat(501) };
    expect(['/vendor', '/cents', '/to', '/none'].map((field) => confirmText(params, field))).toEqual([
      'ACME',
      '480000',
      '{"a":[true,null],"b":1}',
      undefined,
    ]);
    expect(confirmText(params, '/long')).toHaveLength(500);
    expect(confirmText(params, '/longer')).toBeUndefined();
    expect(confirmOf({ confirmField: null }, params)).toBeNull();
    expect(confirmOf({ confirmField: '/cents' }, params)).toEqual({ field: '/cents', text: '480000' });
  });
  test('left out, wrong, right; only an approval is asked', () => {
    const confirm = { field: '/cents', text: '480000' };
    const left = { code: 'guard_unmet', text: 'the approval does not repeat the value of /cents' };
    expect(unconfirmed(yes(), confirm)).toEqual(left);
    expect(unconfirmed(yes({ other: '480000' }), confirm)).toEqual(left);
    expect(unconfirmed(yes({ confirmField: '48000' }), confirm)).toEqual({
      code: 'guard_unmet',
      text: 'the approval repeats another value than that of /cents',
    });
    expect(unconfirmed(yes({ confirmField: '480000' }), confirm)).toBeUndefined();
    expect(unconfirmed(yes(), null)).toBeUndefined();
    expect(unconfirmed(yes(), { field: '/none', text: undefined })).toEqual({
      ...left,
      text: 'the approval does not repeat the value of /none',
    });
    for (const other of [reject('ana', FIRST, { at }), ask('ana', FIRST, 'Why?', { at })])
      expect(unconfirmed(decision(other), confirm)).toBeUndefined();
  });
  test('break-glass asks for a reason that is one', () => {
    const breakGlass = { people: [person('cleo'), person('eva')], quorum: 1, reviewWithin: HOUR };
    const { envelope } = seal({ breakGlass });
    const missing = { code: 'guard_unmet', text: 'a break-glass action is approved with a reason: say why it cannot wait' };
    for (const reason of [undefined, ' ', '\n\t']) {
      const signed = approve('ana', FIRST, { at, ...(reason === undefined ? {} : { reason }) });
      expect(reasonMissing(envelope, decision(signed))).toEqual(missing);
      expect(reasonMissing(FIRST.envelope, decision(signed))).toBeUndefined();
    }
    expect(reasonMissing(envelope, decision(approve('ana', FIRST, { at, reason: ' It burns. ' })))).toBeUndefined();
    expect(reasonMissing(envelope, decision(ask('ana', FIRST, 'Why?', { at })))).toBeUndefined();
  });
  test('a present rule is stricter by any demand more, not by the same', () => {
    const sealed = { people: [person('eva')], quorum: 2, reviewWithin: HOUR };
    expect(isStricter(undefined, sealed)).toBe(false);
    expect(isStricter(sealed, undefined)).toBe(true);
    expect(isStricter(sealed, sealed)).toBe(false);
    expect(isStricter({ ...sealed, quorum: 3 }, sealed)).toBe(true);
    expect(isStricter({ ...sealed, quorum: 1 }, sealed)).toBe(false);
    expect(isStricter({ ...sealed, reviewWithin: HOUR - 1 }, sealed)).toBe(true);
    expect(isStricter({ ...sealed, reviewWithin: HOUR + 1 }, sealed)).toBe(false);
  });
  test('nobody reviews what he asked for, owns, changed, let run, or is acted for', () => {
    const people = ['ana', 'ben', 'cleo', 'dana', 'eva', 'fay', 'gus'].map(person);
    const { envelope } = seal({ owner: 'dana', onBehalfOf: 'cleo', contributors: ['ben'] } satisfies EnvelopeChanges);
    expect(reviewersOf(envelope, { people, quorum: 1, reviewWithin: HOUR }, [person('ana')], person('fay'))).toEqual(['eva', 'gus']);
  });
});

describe('times, keys and rates', () => {
  test('a floor: the longer of both minimum times after the seal', () => {
    const { envelope } = seal({ guards: { ...FIRST.envelope.guards, minTime: HOUR } });
    expect(floorOf(envelope)).toBe(OPENED + HOUR);
    expect(floorOf(envelope, HOUR - 1)).toBe(OPENED + HOUR);
    expect(floorOf(envelope, HOUR + 1)).toBe(OPENED + HOUR + 1);
    expect(floorOf(FIRST.envelope)).toBe(OPENED);
  });
  test('durations, both ways', () => {
    const texts = ['1ms', '999ms', '1s', '90s', '30m', '8h', '7d', '90d'];
    expect(texts.map(parseDuration)).toEqual([1, 999, 1_000, 90_000, 1_800_000, 28_800_000, 604_800_000, MAX_DURATION_MS]);
    expect(texts.map((text) => durationText(parseDuration(text) ?? 0))).toEqual(texts);
    for (const none of ['', '0s', '01s', '1', 's', '1 s', '1y', '-1s', '1.5h', '91d', ' 1s', '1s ', '1sx', 'x1s', '1000000000ms'])
      expect(parseDuration(none)).toBeUndefined();
    expect([0, 1_500, 60_000, 61_000, 86_400_000, 90_000_000].map(durationText)).toEqual(['0ms', '1500ms', '1m', '61s', '1d', '25h']);
  });
  test('a ring names its keys by their ids, with their times; nothing unusable, nothing twice', () => {
    const key = keyOfPerson('ana').key;
    const of = (keys: readonly { key: string; from?: string; until?: string }[], name = 'ana') => ({ person: person(name), keys }) as never;
    const made = ringOf([of([{ key: key.text, from: toInstant(1), until: toInstant(2) }])]);
    expect([...made].map(([id, { person: holder, from, until: end }]) => [id, holder, from, end])).toEqual([[key.id, 'ana', 1, 2]]);
    expect(made.get(key.id)?.key()?.text).toBe(key.text);
    expect(Object.keys([...ring(['ana']).values()][0] ?? {}).sort()).toEqual(['key', 'person']);
    expect(() => ringOf([of([{ key: 'ed25519:AAAA' }])])).toThrow(new RangeError('unusable key of ana'));
    expect(() => ringOf([of([{ key: key.text }]), of([{ key: key.text }], 'ben')])).toThrow(
      new RangeError(`one key for two people: ${key.id}`),
    );
    expect(ringOf(sealedPeople(['ana', 'ben'])).size).toBe(2);
  });
  test('valid from, inclusive, until, exclusive', () => {
    expect([0, 1, 2, 3].map((ms) => validAt({ from: 1, until: 3 }, ms))).toEqual([false, true, true, false]);
    expect([0, 1].map((ms) => validAt({ from: 1 }, ms))).toEqual([false, true]);
    expect([2, 3].map((ms) => validAt({ until: 3 }, ms))).toEqual([true, false]);
    expect(validAt({}, 0)).toBe(true);
  });
  test('a bucket', () => {
    const rate = { perMinute: 6, burst: 2 };
    expect(take(undefined, rate, 5)).toEqual({ ok: true, bucket: { left: 1, at: 5 } });
    expect(take({ left: 1, at: 5 }, rate, 5)).toEqual({ ok: true, bucket: { left: 0, at: 5 } });
    expect(take({ left: 0, at: 5 }, rate, 5)).toEqual({ ok: false, waitMs: 10_000 });
    expect(take({ left: 0, at: 5 }, rate, 5_005)).toEqual({ ok: false, waitMs: 5_000 });
    expect(take({ left: 0, at: 0 }, rate, 9_999)).toEqual({ ok: false, waitMs: 1 });
    expect(take({ left: 0, at: 0 }, rate, 10_000)).toEqual({ ok: true, bucket: { left: 0, at: 10_000 } });
    expect(take({ left: 1, at: 0 }, rate, 60_000)).toEqual({ ok: true, bucket: { left: 1, at: 60_000 } });
    expect(take({ left: 1, at: 9 }, rate, 0)).toEqual({ ok: true, bucket: { left: 0, at: 0 } });
    expect(take({ left: 0, at: 0 }, { perMinute: 0, burst: 1 }, 0)).toEqual({ ok: false, waitMs: MINUTE });
    expect([9_999, 10_000].map((now) => isFull({ left: 1, at: 0 }, rate, now))).toEqual([false, true]);
  });
});
