import { describe, expect, test } from '@jest/globals';
import { CODES } from '../../src/domain/codes.js';
import { digestOfSigned, type Signed } from '../../src/domain/dsse.js';
import { Agreement } from '../../src/domain/evidence/agreement.js';
import { Broken } from '../../src/domain/evidence/broken.js';
import { verifyEvidence } from '../../src/domain/evidence/verify.js';
import { toInstant } from '../../src/domain/instant.js';
import type { Patch } from '../../src/domain/objects/decision.js';
import type { Entry } from '../../src/domain/objects/entry.js';
import { fileOf, OPEN, told } from '../helpers/evidence-file.js';
import { readersRoster } from '../helpers/flips.js';
import { HandLedger, HOUR, MINUTE, OPENED, seal, sealAfter, type EnvelopeChanges } from '../helpers/hand-made.js';
import { approve, ask, delegation, modify, onSeatOf, reject, withdraw, type SealedRevision } from '../helpers/messages.js';
import type { RosterOptions } from '../helpers/rules-fixture.js';
import { keyOfPerson, signerOf } from '../helpers/signers.js';

/** Two of finance; ana may hand over to eva. */
const FIRST = seal({ delegates: ['eva'] });
const { id } = FIRST;
const at = OPENED + MINUTE;
const TO_EVA = delegation('ana', 'eva', { at: OPENED, until: OPENED + 2 * HOUR });
const forAna = { at, forge: onSeatOf('ana', TO_EVA) };

interface Story {
  readonly tell: (ledger: HandLedger) => void;
  readonly revisions?: readonly SealedRevision[];
  readonly decisions?: readonly Signed[];
  readonly roster?: RosterOptions;
}
function file({ tell, revisions = [FIRST], decisions = [] }: Story): Uint8Array {
  const ledger = new HandLedger(id);
  ledger.sealed(FIRST, 'request', OPENED);
  tell(ledger);
  return fileOf({ id, entries: ledger.entries, revisions, decisions });
}
const says = (story: Story): readonly string[] => told(file(story), story.roster);
/** The reader's own roster: this person's keys, with their times. */
const keys = (person: string, ...all: string[]): RosterOptions => ({
  people: { [person]: `{ name: ${person}, keys: [${all.join(', ')}] }` },
});
const key = (person: string, times: { readonly from?: number; readonly until?: number } = {}): string =>
  `{ key: '${keyOfPerson(person).key.text}'${Object.entries(times)
    .map(([name, ms]) => `, ${name}: '${toInstant(ms)}'`)
    .join('')} }`;
const NOT_VALID = 'was not valid then, by this roster';

describe('the modify that a revision came from', () => {
  const change = modify('ana', FIRST, { '/cents': 1 }, { at });
  const PARAMS = { vendor: 'ACME', cents: 1 };
  const second = (changes: EnvelopeChanges = {}): SealedRevision => sealAfter(FIRST, 'ana', { params: PARAMS, ...changes });
  interface Made {
    readonly newer?: SealedRevision;
    readonly inFile?: (newer: SealedRevision) => readonly SealedRevision[];
    readonly when?: number;
    readonly roster?: RosterOptions;
  }
  const revised = (decisions: readonly Signed[], { newer = second(), inFile, when = at, roster }: Made = {}): readonly string[] =>
    says({
      tell: (ledger) => ledger.sealed(newer, 'modify', when),
      revisions: inFile?.(newer) ?? [FIRST, newer],
      decisions,
      ...(roster === undefined ? {} : { roster }),
    });

  test('is one a revision, each of its own parent', () => {
    const newer = second();
    const third = sealAfter(newer, 'ben', { params: { vendor: 'ACME', cents: 2 } });
    const another = modify('ben', newer, { '/cents': 2 }, { at });
    const decisions = [change, another];
    const tell: Story['tell'] = (ledger) => {
      ledger.sealed(newer, 'modify', at);
      ledger.sealed(third, 'modify', at);
    };
    expect(says({ tell, revisions: [FIRST, newer, third], decisions })).toEqual([OPEN]);
  });
  test('made before the revision, but for two minutes of two clocks', () => {
    expect(revised([change], { when: at - 2 * MINUTE })).toEqual([OPEN]);
    expect(revised([change], { when: at - 2 * MINUTE - 1 })).toEqual(['BROKEN decision: dated after the revision it made']);
  });
  test('cannot be told where it, its parent or the revision itself is not in the file', () => {
    const noModify = 'entry 2: the modify that made revision 2 is not in the file';
    expect(revised([])).toEqual([noModify, OPEN]);
    expect(revised([change], { inFile: (newer) => [newer] })).toEqual([
      'entry 1: the envelope of revision 1 is not in the file',
      noModify,
      OPEN,
    ]);
    expect(revised([], { inFile: () => [FIRST] })).toEqual(['entry 2: the envelope of revision 2 is not in the file', OPEN]);
  });
  test.each<[string, readonly Signed[], Made, string]>([
    [
      'two of them for one revision',
      [change, modify('ben', FIRST, { '/cents': 1 }, { at })],
      {},
      'decision: a revision comes from one modify',
    ],
    [
      'by one who may not',
      [modify('dana', FIRST, { '/cents': 1 }, { at })],
      { newer: sealAfter(FIRST, 'dana', { params: PARAMS }) },
      `decision: self_approval: ${CODES.self_approval.message}`,
    ],
    [
      'by a key that had ended, by the roster',
      [change],
      { roster: keys('ana', key('ana', { until: at })) },
      `decision: the key of ana ${NOT_VALID}`,
    ],
    ['by a key that is nobody’s there', [change], { roster: keys('ana') }, "decision: its key is not ana's in this roster"],
    [
      'of somebody the revision does not name',
      [change],
      { newer: second({ contributors: [] }) },
      'decision: the revision does not name who modified it',
    ],
    [
      'of somebody who could count on it still',
      [change],
      { newer: second({ exclusions: FIRST.envelope.exclusions }) },
      'decision: ana modified the action and could still count on it',
    ],
  ])('attack: %s', (_name, decisions, made, words) => {
    expect(revised(decisions, made)).toEqual([`BROKEN ${words}`]);
  });

  describe('on the seat of another', () => {
    const change = modify('eva', FIRST, { '/cents': 1 }, forAna);
    const both = (changes: EnvelopeChanges = {}): SealedRevision =>
      second({
        contributors: ['eva', 'ana'],
        exclusions: [...FIRST.envelope.exclusions, ...['eva', 'ana'].map((person) => ({ person, why: 'editor' }))],
        ...changes,
      });
    test('both of them are named, and count no more', () => {
      expect(revised([change], { newer: both(), roster: keys('ana', key('ana', { from: OPENED })) })).toEqual([OPEN]);
      for (const contributors of [['eva'], ['ana']])
        expect(revised([change], { newer: both({ contributors }) })).toEqual([
          'BROKEN decision: the revision does not name who modified it',
        ]);
      for (const person of ['eva', 'ana']) {
        const exclusions = both().envelope.exclusions.filter((each) => each.person !== person);
        expect(revised([change], { newer: both({ exclusions }) })).toEqual([
          `BROKEN decision: ${person} modified the action and could still count on it`,
        ]);
      }
    });
    test.each<[string, RosterOptions, string]>([
      ['a key of the delegator that is not in the roster', keys('ana'), "its key is not ana's in this roster"],
      ['one that began after he handed over', keys('ana', key('ana', { from: OPENED + 1 })), `the key of ana ${NOT_VALID}`],
    ])('attack: by %s', (_name, roster, words) => {
      expect(revised([change], { newer: both(), roster })).toEqual([`BROKEN decision, its delegation: ${words}`]);
    });
  });

  test('a patch that was not, or cannot be, applied as it is written is told of', () => {
    const other = 'decision: the parameters of revision 2 are not literally the patched ones';
    expect(revised([change], { newer: second({ params: { vendor: 'ACME', cents: 2 } }) })).toEqual([other, OPEN]);
    const patches: readonly Patch[] = [{ '/nowhere': 1 }, { '/cents': 1, '/nowhere': 1 }, { '/nowhere': 1, '/cents': 1 }];
    for (const patch of patches) expect(revised([modify('ana', FIRST, patch, { at })])).toEqual([other, OPEN]);
    expect(revised([modify('ana', FIRST, { '/cents': 1, '/vendor': 'ACME' }, { at })])).toEqual([OPEN]);
  });
});

const lodge = (ledger: HandLedger, object: 'reject' | 'withdraw', signed: Signed, by: string): void =>
  void ledger.append({ kind: 'lodged', object, digest: digestOfSigned(signed), by }, at);
const votes = ['ana', 'ben'].map((person) => approve(person, FIRST, { at }));
const run = (ledger: HandLedger, decisions: readonly Signed[] = votes, when = at): void =>
  ledger.ran(FIRST, decisions.map(digestOfSigned), when);

describe('rejections on record when it ran', () => {
  const no = reject('cleo', FIRST, { at });
  const more = reject('cleo', FIRST, { at, reason: 'Nor this sum.' });
  const back = withdraw('cleo', FIRST, no, { at });
  const late = withdraw('cleo', FIRST, more, { at });
  const elsewhere = withdraw('cleo', FIRST, approve('cleo', FIRST, { at }), { at });
  const byBen = withdraw('ben', FIRST, no, { at });
  const onSeat = reject('eva', FIRST, forAna);
  const byAna = withdraw('ana', FIRST, onSeat, { at });
  const byEva = withdraw('eva', FIRST, onSeat, { at });
  type Record = readonly [object: 'reject' | 'withdraw', signed: Signed, by: string, inFile: boolean];
  const R = (signed: Signed, by: string, inFile: boolean): Record => ['reject', signed, by, inFile];
  const W = (signed: Signed, by: string, inFile: boolean): Record => ['withdraw', signed, by, inFile];
  const ran = (records: readonly Record[]): readonly string[] =>
    says({
      tell: (ledger) => {
        for (const [object, signed, by] of records) lodge(ledger, object, signed, by);
        run(ledger);
      },
      decisions: [...votes, ...records.flatMap(([, signed, , inFile]) => (inFile ? [signed] : []))],
    });
  const [C, B, E, A] = ['person:cleo', 'person:ben', 'person:eva', 'person:ana'] as const;
  const stood = (records: readonly Record[]): readonly string[] => [`BROKEN entry ${records.length + 2}: executed while a rejection stood`];
  const unseen = (records: readonly Record[]): readonly string[] =>
    records.flatMap(([object, , by, inFile], i) =>
      inFile ? [] : [`entry ${i + 2}: the ${object} by ${by} is not in the file: the executor's word alone`],
    );
  test.each<[string, readonly Record[], typeof stood]>([
    ['a rejection', [R(no, C, true)], stood],
    ['one at the executor’s word', [R(no, C, false)], stood],
    ['one taken back', [R(no, C, true), W(back, C, true)], unseen],
    ['one whose author took something else back', [R(no, C, true), W(elsewhere, C, true)], stood],
    ['one that another took back', [R(no, C, true), W(byBen, B, true)], stood],
    ['one that another took back, at the executor’s word', [R(no, C, true), W(byBen, B, false)], stood],
    ['one taken back, both at the executor’s word', [R(no, C, false), W(back, C, false)], unseen],
    ['one taken back at the executor’s word', [R(no, C, true), W(back, C, false)], unseen],
    ['one that came after a withdrawal nobody can read', [W(back, C, false), R(no, C, false)], stood],
    ['two, of which only the one nobody can read is taken back', [R(no, C, true), R(more, C, false), W(late, C, true)], stood],
    ['one taken back before it came, whatever else was', [W(back, C, true), W(late, C, false), R(no, C, true)], unseen],
    ['one on the seat of another, who took it back', [R(onSeat, E, true), W(byAna, A, false)], unseen],
    ['the same, where its author took it back', [R(onSeat, E, true), W(byEva, E, false)], unseen],
    ['the same, where somebody else did', [R(onSeat, E, true), W(back, C, false)], stood],
    ['of nobody who is a person', [R(no, 'not-person:cleo', false)], unseen],
  ])('%s', (_name, records, expected) => {
    expect(ran(records)).toEqual(expected(records));
  });
});

describe('what was lodged', () => {
  const no = reject('ana', FIRST, { at });
  const rejected = (signed: Signed, by = 'person:ana', roster?: RosterOptions): readonly string[] =>
    says({ tell: (ledger) => lodge(ledger, 'reject', signed, by), decisions: [signed], ...(roster === undefined ? {} : { roster }) });

  test('attack: judged where the envelope then under review is not in the file', () => {
    const hidden = sealAfter(FIRST, undefined);
    const tell: Story['tell'] = (ledger) => {
      ledger.append({ kind: 'stale', digest: FIRST.digest, code: 'policy_stale' }, at);
      ledger.sealed(hidden, 'reseal', at);
      lodge(ledger, 'reject', no, 'person:ana');
    };
    expect(says({ tell, decisions: [no] })).toEqual(['BROKEN decision: the envelope under review when it was taken is not in the file']);
  });
  test('a withdrawal by a key enrolled after the seal holds, a rejection by it does not', () => {
    const newer = signerOf('person:ana:2');
    const roster = keys('ana', key('ana'), `'${newer.key.text}'`);
    const back = withdraw('ana', FIRST, no, { at, by: newer });
    const tell: Story['tell'] = (ledger) => {
      lodge(ledger, 'reject', no, 'person:ana');
      lodge(ledger, 'withdraw', back, 'person:ana');
    };
    expect(says({ tell, decisions: [no, back], roster })).toEqual([OPEN]);
    expect(rejected(reject('ana', FIRST, { at, by: newer }), 'person:ana', roster)).toEqual([
      `BROKEN decision: signature_invalid: ${CODES.signature_invalid.message}`,
    ]);
  });
  test('a rejection is by the sealed keys, whatever their time in the roster; but they are its author’s there, too', () => {
    expect(rejected(no, 'person:ana', keys('ana', key('ana', { from: at + 1 })))).toEqual([OPEN]);
    expect(rejected(no, 'person:ana', keys('ana'))).toEqual(["BROKEN decision: its key is not ana's in this roster"]);
  });
  test('so is one on the seat of another, who handed over by a key of his', () => {
    const onSeat = reject('eva', FIRST, forAna);
    expect(rejected(onSeat, 'person:eva', keys('ana', key('ana', { from: OPENED })))).toEqual([OPEN]);
    expect(rejected(onSeat, 'person:eva', keys('ana'))).toEqual(["BROKEN decision, its delegation: its key is not ana's in this roster"]);
    expect(rejected(onSeat, 'person:eva', keys('ana', key('ana', { from: OPENED + 1 })))).toEqual([
      `BROKEN decision, its delegation: the key of ana ${NOT_VALID}`,
    ]);
  });
  test('closed as rejected is told of where the file cannot tell; closed otherwise is no matter of rejections', () => {
    const close =
      (status: 'rejected' | 'execution_expired'): Story['tell'] =>
      (ledger) =>
        void ledger.append({ kind: 'closed', status, reason: { code: status, text: '' } }, at);
    const fewer = 'entry 2: closed as rejected, but the file holds fewer standing rejections than the sealed rule asks';
    expect(says({ tell: close('rejected') })).toEqual([fewer]);
    expect(says({ tell: close('rejected'), revisions: [] })).toEqual(['entry 1: the envelope of revision 1 is not in the file', fewer]);
    expect(says({ tell: close('execution_expired') })).toEqual([]);
  });
});

describe('what let it run', () => {
  const [one, two] = votes;
  if (one === undefined || two === undefined) throw new Error('no votes');
  test('attack 39: counted, though it approves nothing', () => {
    const others: readonly [string, Signed][] = [
      ['reject', reject('ben', FIRST, { at })],
      ['modify', modify('ben', FIRST, { '/cents': 1 }, { at })],
      ['ask', ask('ben', FIRST, 'Why?', { at })],
      ['withdraw', withdraw('ben', FIRST, one, { at })],
    ];
    for (const [verdict, signed] of others)
      expect(says({ tell: (ledger) => run(ledger, [one, signed]), decisions: [one, signed] })).toEqual([
        `BROKEN decision: counted, but it says ${verdict}`,
      ]);
  });
  test('in whatever order they came and are named, each once', () => {
    for (const first of [0, 1]) {
      const again = [approve('ana', FIRST, { at: at + first }), approve('ben', FIRST, { at: at + 1 - first })];
      for (const order of [again, again.toReversed()])
        expect(says({ tell: (ledger) => run(ledger, order, at + 1), decisions: again })).toEqual([]);
    }
    expect(says({ tell: (ledger) => run(ledger, [one, two, two]), decisions: votes })).toEqual([
      'BROKEN entry 2: names decisions that do not count',
    ]);
  });
  test('who counted, and who signed for whom, is in the verdict', () => {
    const onSeat = approve('eva', FIRST, forAna);
    const verdict = verifyEvidence(file({ tell: (ledger) => run(ledger, [onSeat, two]), decisions: [onSeat, two] }), readersRoster());
    expect(verdict.ok && verdict.counted).toStrictEqual([
      { person: 'ana', by: 'eva', digest: digestOfSigned(onSeat) },
      { person: 'ben', digest: digestOfSigned(two) },
    ]);
    const open = verifyEvidence(file({ tell: () => undefined }), readersRoster());
    expect(open.ok && open.counted).toStrictEqual([]);
  });
  test.each<[string, RosterOptions, readonly string[]]>([
    ['a key of then and now', keys('ana', key('ana', { from: OPENED, until: at + 1 })), []],
    ['one that had ended when it ran', keys('ana', key('ana', { until: at })), [`the key of ana ${NOT_VALID}`]],
    ['one that began after he handed over', keys('ana', key('ana', { from: OPENED + 1 })), [`the key of ana ${NOT_VALID}`]],
    ['one that is nobody’s in the roster', keys('ana'), ["its key is not ana's in this roster"]],
  ])('on the seat of another, who handed over by %s', (_name, roster, words) => {
    const decisions = [approve('eva', FIRST, forAna), two];
    expect(says({ tell: (ledger) => run(ledger, decisions), decisions, roster })).toEqual(
      words.map((each) => `BROKEN decision, its delegation: ${each}`),
    );
  });
  test('attack: on the seat of another, by a delegation that is none', () => {
    const decisions = [approve('eva', FIRST, { at, forge: onSeatOf('ana', one) }), two];
    expect(says({ tell: (ledger) => run(ledger, decisions), decisions })).toEqual([
      'BROKEN decision: its delegation is none: see the schema of delegation v1',
    ]);
  });
});

test('asked alone, before anything else looked at the entries, it takes nothing for granted', () => {
  expect(new Agreement(new Map(), new Map(), readersRoster(), () => undefined).counted).toEqual([]);
  const tell = (entry: object): unknown => {
    const agreement = new Agreement(new Map(), new Map(), readersRoster(), () => undefined);
    try {
      return agreement.tell({
        entry: entry as Entry,
        step: 'entry 1',
        digest: FIRST.digest,
        signed: FIRST.signed,
        executor: 'bank',
        key: keyOfPerson('ana').key,
      });
    } catch (error) {
      return error;
    }
  };
  expect(tell({ kind: 'executing', decisions: [], at: toInstant(at) })).toEqual(
    new Broken('entry 1', 'the envelope that was executed is not in the file'),
  );
  for (const object of ['reject', 'withdraw'])
    expect(tell({ kind: 'lodged', object, digest: null, by: 'person:ana' })).toEqual(new Broken('entry 1', `a ${object} without a digest`));
});
