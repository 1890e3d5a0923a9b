import { describe, expect, test } from '@jest/globals';
import { fromUtf8 } from '../../src/domain/bytes.js';
import { readDialogue } from '../../src/domain/dialogue.js';
import { digestOfSigned, type Signed } from '../../src/domain/dsse.js';
import { buildEvidence } from '../../src/domain/evidence/build.js';
import { evidenceSchema, type Evidence } from '../../src/domain/evidence/schema.js';
import { digestOf } from '../../src/domain/hash.js';
import { agentIdSchema } from '../../src/domain/ids.js';
import { parseStrict } from '../../src/domain/json.js';
import type { Snapshot } from '../../src/domain/review/snapshot.js';
import { viewV1 } from '../../src/domain/view/v1.js';
import { byDigest } from '../helpers/evidence-file.js';
import { readersRoster } from '../helpers/flips.js';
import { HandLedger, MINUTE, OPENED, seal, sealAfter } from '../helpers/hand-made.js';
import {
  approve,
  ask,
  cancel,
  modify,
  reject,
  reply,
  request,
  resolve,
  review,
  withdraw,
  type SealedRevision,
} from '../helpers/messages.js';
import { EXECUTOR } from '../helpers/signers.js';
import { snapshotOf, type Seen } from '../helpers/snapshots.js';

const FIRST = seal();
const { id } = FIRST;
const at = OPENED + MINUTE;
const votes = byDigest(['ana', 'ben', 'cleo'].map((person) => approve(person, FIRST, { at })));
type Body = Parameters<HandLedger['append']>[0];

const sealed = ({ digest, view, envelope }: SealedRevision, cause: 'request' | 'modify' | 'reseal' = 'request'): Body => ({
  kind: 'sealed',
  digest,
  revision: envelope.revision,
  view,
  cause,
  people: [],
});
function written(...bodies: readonly Body[]): Signed[] {
  const ledger = new HandLedger(id);
  for (const body of bodies) ledger.append(body, at);
  return ledger.entries;
}
const read = (bytes: Uint8Array): Evidence => evidenceSchema.parse(parseStrict(fromUtf8(bytes)));
const built = (seen: Omit<Seen, 'id'>, change: (snapshot: Snapshot) => Snapshot = (same) => same): Evidence =>
  read(buildEvidence(change(snapshotOf({ id, ...seen }))));
const executing = (decisions: readonly Signed[]): Body => ({
  kind: 'executing',
  digest: FIRST.digest,
  decisions: decisions.map(digestOfSigned),
});
const lodged = (object: 'reject' | 'withdraw' | 'cancel' | 'review', signed: Signed | null): Body => ({
  kind: 'lodged',
  object,
  digest: signed === null ? null : digestOfSigned(signed),
  by: 'person:ana',
});

test('everything the workflow says, the proven apart from the claimed', () => {
  const entries = written(sealed(FIRST), executing(votes.slice(0, 2)));
  const refused: Snapshot['refused'] = { total: 3, signatures: 2, last: { code: 'decision_late', text: 'Too late.' } };
  const stop = cancel(id, { at });
  const seen = { entries, revisions: [FIRST], decisions: votes, messages: [stop] };
  const snapshot = { ...snapshotOf({ id, ...seen }), refused, receiptsInvalid: 4 };
  const claimed = {
    status: 'executing',
    decisions: snapshot.decisions,
    otherDecisions: votes.slice(2),
    messages: [{ digest: digestOfSigned(stop), fate: { state: 'stands' } }],
    refused,
    receiptsInvalid: 4,
  };
  const bytes = buildEvidence(snapshot);
  expect(read(bytes)).toEqual({
    v: 1,
    deployment: 'acme-test',
    actionId: id,
    request: null,
    envelopes: [FIRST.signed],
    views: [viewV1(FIRST.envelope)],
    decisions: votes.slice(0, 2),
    messages: [],
    questions: [],
    entries,
    annex: { claimed, sha256: digestOf(claimed) },
  });
  expect(bytes.at(-1)).toBe(0x0a);
});

test('nothing is built of no entry, nor of what is no envelope or no entry', () => {
  expect(() => built({ entries: [], revisions: [FIRST] })).toThrow(
    new RangeError('no entries: the ledger says nothing of this action yet'),
  );
  expect(() => built({ entries: [FIRST.signed], revisions: [] })).toThrow();
  expect(() => built({ entries: written(sealed(FIRST)), revisions: [{ ...FIRST, signed: cancel(id, { at }) }] })).toThrow();
});

describe('decisions and messages', () => {
  const no = reject('cleo', FIRST, { at });
  const back = withdraw('cleo', FIRST, no, { at });
  const digests = ({ decisions, messages, annex }: Evidence): unknown => ({
    decisions: decisions.map(digestOfSigned),
    messages: messages.map(digestOfSigned),
    claimed: annex.claimed.otherDecisions.map(digestOfSigned),
  });
  const sorted = (...all: Signed[]): string[] => byDigest(all).map(digestOfSigned);

  test('each once, in the order of digests, whatever came twice or in another order', () => {
    const all = [...votes, no, back];
    for (const order of [all, all.toReversed(), [...all, ...all]]) {
      const evidence = built({
        entries: written(sealed(FIRST), lodged('reject', no), lodged('withdraw', back), executing(votes.slice(0, 2))),
        revisions: [FIRST],
        decisions: order,
      });
      expect(digests(evidence)).toEqual({
        decisions: sorted(...votes.slice(0, 2), no, back),
        messages: [],
        claimed: sorted(...votes.slice(2)),
      });
    }
  });
  test('messages that an entry names: cancels, findings, reviews; no others, and none where none are known', () => {
    const findings = ['cleo', 'eva'].map((person) => resolve(person, id, 1, 'happened', { at }));
    const reviews = ['ana', 'eva'].map((person) => review(person, id, { at }));
    const stop = cancel(id, { at });
    const others = [resolve('ana', id, 1, 'did_not', { at }), cancel(id, { at })];
    const people = FIRST.envelope.resolve.people;
    const entries = written(
      sealed(FIRST),
      lodged('cancel', stop),
      lodged('cancel', null),
      { kind: 'resolved', step: 1, verdict: 'happened', by: people, digests: findings.map(digestOfSigned) },
      ...reviews.map((signed) => lodged('review', signed)),
    );
    const messages = [...findings, ...reviews, stop];
    const named = { decisions: [], messages: sorted(...messages), claimed: [] };
    for (const order of [messages, messages.toReversed()])
      expect(digests(built({ entries, revisions: [FIRST], messages: [...order, ...others, ...order] }))).toEqual(named);
    const without = (snapshot: Snapshot): Snapshot => {
      const older = { ...snapshot };
      delete older.signedMessages;
      return older;
    };
    expect(digests(built({ entries, revisions: [FIRST], messages }, without))).toEqual({ decisions: [], messages: [], claimed: [] });
  });
  test('what is no decision at all stays a claim', () => {
    const stop = cancel(id, { at });
    expect(digests(built({ entries: written(sealed(FIRST)), revisions: [FIRST], decisions: [stop, no] }))).toEqual({
      decisions: [],
      messages: [],
      claimed: sorted(stop, no),
    });
  });
  test('of a run that was reset: what was done under an envelope it does not know is only claimed', () => {
    const second = sealAfter(FIRST, undefined);
    const later = reject('ana', second, { at });
    const early = reject('ben', FIRST, { at });
    const entries = written(
      sealed(FIRST),
      lodged('reject', no),
      sealed(second, 'reseal'),
      lodged('reject', later),
      lodged('reject', early),
    );
    const decisions = [no, later, early];
    expect(digests(built({ entries, revisions: [second], decisions }))).toEqual({
      decisions: sorted(later),
      messages: [],
      claimed: sorted(no, early),
    });
    const all = built({ entries, revisions: [FIRST, second], decisions });
    expect(digests(all)).toEqual({ decisions: sorted(...decisions), messages: [], claimed: [] });
    expect(all.envelopes).toEqual([FIRST.signed, second.signed]);
    expect(all.views).toEqual([viewV1(FIRST.envelope), viewV1(second.envelope)]);
    expect(built({ entries, revisions: [second, FIRST], decisions }).envelopes).toEqual([FIRST.signed, second.signed]);
    expect(built({ entries: written(sealed(FIRST)), revisions: [FIRST, second] }).envelopes).toEqual([FIRST.signed]);
  });
});

describe('the modify that a revision came from', () => {
  const change = modify('ana', FIRST, { '/cents': 1 }, { at });
  const second = sealAfter(FIRST, 'ana', { params: { vendor: 'ACME', cents: 1 } });
  const again = modify('ben', second, { '/cents': 2 }, { at });
  const third = sealAfter(second, 'ben', { params: { vendor: 'ACME', cents: 2 } });
  const proven = ({ decisions }: Evidence): string[] => decisions.map(digestOfSigned);
  const revised = (
    decisions: readonly Signed[],
    more: Partial<Omit<Seen, 'id'>> = {},
    change?: (snapshot: Snapshot) => Snapshot,
  ): string[] =>
    proven(built({ entries: written(sealed(FIRST), sealed(second, 'modify')), revisions: [FIRST, second], decisions, ...more }, change));
  const refused =
    (bad: Signed) =>
    (snapshot: Snapshot): Snapshot => ({
      ...snapshot,
      decisions: snapshot.decisions.map((each) =>
        each.digest === digestOfSigned(bad) ? { ...each, fate: { state: 'refused', code: 'decision_late', text: '' } } : each,
      ),
    });

  test('is proven; what else was said of its parent is claimed', () => {
    expect(revised([change])).toEqual([digestOfSigned(change)]);
    expect(revised([])).toEqual([]);
    expect(revised([...votes, change])).toEqual([digestOfSigned(change)]);
    expect(revised([again])).toEqual([]);
  });
  test('each revision has its own', () => {
    const entries = written(sealed(FIRST), sealed(second, 'modify'), sealed(third, 'modify'));
    for (const decisions of [
      [change, again],
      [again, change],
    ])
      expect(revised(decisions, { entries, revisions: [FIRST, second, third] })).toEqual(byDigest(decisions).map(digestOfSigned));
  });
  test('one that was refused made nothing', () => {
    const other = modify('ben', FIRST, { '/cents': 3 }, { at });
    expect(revised([other, change], {}, refused(other))).toEqual([digestOfSigned(change)]);
    expect(revised([other], {}, refused(other))).toEqual([]);
  });
  test('a revision sealed anew came from none, and one without its parent cannot be told', () => {
    expect(revised([change], { entries: written(sealed(FIRST), sealed(second, 'reseal')) })).toEqual([]);
    expect(revised([change], { revisions: [second] })).toEqual([]);
    expect(revised([change], { revisions: [FIRST] })).toEqual([]);
  });
  test('one that the workflow tells of, and whose bytes it lacks, is not in the file', () => {
    expect(revised([change], {}, (snapshot) => ({ ...snapshot, signedDecisions: [] }))).toEqual([]);
  });
});

test('questions stand in the order of digests with their answers, and in no other place', () => {
  const asks = ['Which?', 'Why?', 'When?'].map((text) => ask('ana', FIRST, text, { at }));
  const [answered = FIRST.signed] = asks;
  const answer = reply(id, answered, 'Number 2291.', { at });
  const forged = ask('ben', FIRST, 'Forged?', { at, by: EXECUTOR });
  const { questions } = readDialogue(
    { actionId: id, agent: agentIdSchema.parse('ap-agent'), decisions: asks, replies: [{ signed: answer }] },
    readersRoster(),
  );
  for (const order of [questions, questions.toReversed()]) {
    const evidence = read(
      buildEvidence(snapshotOf({ id, entries: written(sealed(FIRST)), revisions: [FIRST], decisions: [...asks, forged, ...votes] }), order),
    );
    expect(evidence.questions).toEqual(byDigest(asks).map((each) => ({ ask: each, answer: each === answered ? answer : null })));
    expect(evidence.annex.claimed.otherDecisions).toEqual(byDigest([forged, ...votes]));
    expect(evidence.decisions).toEqual([]);
  }
});

test('the request stands in the file of an action denied before any seal, if it is the one denied', () => {
  const { signed } = request({ idempotencyKey: 'key 1' });
  const denied: Body = { kind: 'denied', request: digestOfSigned(signed), status: 'denied', reason: { code: 'rule_denies', text: '' } };
  const asked = (said: unknown, body: Body = denied): Evidence['request'] =>
    built({ entries: written(body), revisions: [], request: said }).request;
  expect(asked(signed)).toEqual(signed);
  expect(asked(request({ idempotencyKey: 'key 2' }).signed)).toBeNull();
  for (const none of ['', 1, {}, { ...signed, more: 1 }]) expect(asked(none)).toBeNull();
  expect(asked(signed, sealed(FIRST))).toBeNull();
});
