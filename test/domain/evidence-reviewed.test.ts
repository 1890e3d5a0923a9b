import { describe, expect, test } from '@jest/globals';
import { digestOfSigned, type Signed } from '../../src/domain/dsse.js';
import { buildEvidence } from '../../src/domain/evidence/build.js';
import { verifyEvidence } from '../../src/domain/evidence/verify.js';
import type { Digest } from '../../src/domain/ids.js';
import { toInstant } from '../../src/domain/instant.js';
import { readersRoster } from '../helpers/flips.js';
import { HandLedger, HOUR, MINUTE, OPENED, seal, type EnvelopeChanges } from '../helpers/hand-made.js';
import { approve, damaged, review, type SealedRevision } from '../helpers/messages.js';
import { keyOfPerson } from '../helpers/signers.js';
import { snapshotOf } from '../helpers/snapshots.js';

const AT = OPENED + MINUTE;
const BREAK_GLASS = { people: ['ben', 'cleo', 'eva'], quorum: 1, reviewWithin: HOUR };
const STAGES = [{ name: 'finance', from: ['ana', 'ben'], quorum: 1, remind: [], escalate: [] }];
const OWED = { people: ['ben', 'cleo', 'eva'], quorum: 1, due: toInstant(AT + HOUR) };
/** `breakGlass: undefined`: an action like any other. */
const sealedSo = (changes: EnvelopeChanges = {}): SealedRevision =>
  seal(
    Object.fromEntries(Object.entries({ stages: STAGES, breakGlass: BREAK_GLASS, ...changes }).filter(([, value]) => value !== undefined)),
  );

interface Case {
  readonly changes?: EnvelopeChanges;
  readonly owed?: object | null;
  /** What is on record of its review, after it ran. */
  readonly tell?: (ledger: HandLedger, sealed: SealedRevision) => void;
  /** What of it is in the file. */
  readonly messages?: (sealed: SealedRevision) => Signed[];
}
const said = new Map<string, Signed>();
/** One and the same review whenever it is asked for. */
function by(person: string, sealed: SealedRevision, verdict: 'justified' | 'not_justified' = 'justified'): Signed {
  const name = `${person} ${verdict} ${sealed.id}`;
  const signed = said.get(name) ?? review(person, sealed.id, { at: AT + MINUTE, verdict });
  said.set(name, signed);
  return signed;
}
const lodge = (ledger: HandLedger, signed: Signed, author: string): void =>
  void ledger.append({ kind: 'lodged', object: 'review', digest: digestOfSigned(signed), by: `person:${author}` } as never, AT + MINUTE);
const settle = (ledger: HandLedger, people: string[], signed: Signed[], verdict = 'justified'): void =>
  void ledger.append({ kind: 'reviewed', verdict, by: people, digests: signed.map(digestOfSigned) } as never, AT + MINUTE);

/** What a reader is told of an action that ana let run: its warnings, or where the file breaks. */
function told({ changes = {}, owed = OWED, tell = () => undefined, messages = () => [] }: Case = {}): string {
  const sealed = sealedSo(changes);
  const vote = approve('ana', sealed, { at: AT, reason: 'Production is down.' });
  const ledger = new HandLedger(sealed.id);
  ledger.sealed(sealed, 'request', OPENED);
  const decisions: Digest[] = [digestOfSigned(vote)];
  ledger.append({ kind: 'executing', digest: sealed.digest, decisions, ...(owed === null ? {} : { postReview: owed }) } as never, AT);
  ledger.append({ kind: 'step_started', step: 1, attempt: 1, key: `${sealed.id}/run/run/1` }, AT);
  ledger.append({ kind: 'step_done', step: 1, attempt: 1, result: null }, AT);
  ledger.append({ kind: 'ended', status: 'succeeded', reason: { code: 'succeeded', text: 'It ran.' } }, AT);
  tell(ledger, sealed);
  const seen = { id: sealed.id, entries: ledger.entries, revisions: [sealed], decisions: [vote], messages: messages(sealed) };
  const verdict = verifyEvidence(buildEvidence(snapshotOf(seen)), readersRoster());
  return verdict.ok ? verdict.warnings.join('\n') : `BROKEN ${verdict.step}: ${verdict.text}`;
}
/** On record and in the file. */
const filed = (...people: string[]): Pick<Case, 'tell' | 'messages'> => ({
  tell: (ledger, sealed) => {
    for (const person of people) lodge(ledger, by(person, sealed), person);
    settle(
      ledger,
      people,
      people.map((person) => by(person, sealed)),
    );
  },
  messages: (sealed) => people.map((person) => by(person, sealed)),
});

describe('6.10 the post-review in a file of evidence', () => {
  test('not reviewed: the file says so, and who may, and until when', () => {
    expect(told({ owed: { ...OWED, people: ['cleo', 'eva'] } })).toBe(
      'break-glass, and NOT REVIEWED in this file: 0 of 1 signed; cleo, eva may, due 2026-01-31T10:01:00.000Z',
    );
    expect(told({ changes: { breakGlass: undefined }, owed: null })).toBe('');
    const one: Case = { tell: (ledger, sealed) => lodge(ledger, by('eva', sealed), 'eva'), messages: (sealed) => [by('eva', sealed)] };
    const two = { changes: { breakGlass: { ...BREAK_GLASS, quorum: 2 } }, owed: { ...OWED, quorum: 2 } };
    expect(told({ ...one, ...two })).toBe(
      'break-glass, and NOT REVIEWED in this file: 1 of 2 signed; ben, cleo, eva may, due 2026-01-31T10:01:00.000Z',
    );
  });
  test('reviewed: by whom, and what they said', () => {
    expect(told(filed('eva'))).toBe('break-glass; reviewed by eva: justified');
    expect(told(filed('eva', 'cleo'))).toBe('break-glass; reviewed by eva, cleo: justified');
    expect(
      told({
        tell: (ledger, sealed) => {
          lodge(ledger, by('eva', sealed), 'eva');
          lodge(ledger, by('cleo', sealed, 'not_justified'), 'cleo');
          settle(ledger, ['eva', 'cleo'], [by('eva', sealed), by('cleo', sealed, 'not_justified')], 'not_justified');
        },
        messages: (sealed) => [by('eva', sealed), by('cleo', sealed, 'not_justified')],
      }),
    ).toBe('break-glass; reviewed by eva, cleo: not_justified');
  });
  test("a review that is not in the file is the executor's word alone", () => {
    const { tell } = filed('eva');
    if (tell === undefined) throw new Error('nothing to tell');
    expect(told({ tell })).toBe(
      "entry 6: the review by person:eva is not in the file: the executor's word alone\nbreak-glass; reviewed by eva: justified",
    );
  });

  test.each<[string, Case, string]>([
    ['break-glass that owes none', { owed: null }, 'entry 2: owes a post-review exactly if it was sealed as break-glass'],
    [
      'one owed that was not sealed',
      { changes: { breakGlass: undefined } },
      'entry 2: owes a post-review exactly if it was sealed as break-glass',
    ],
    [
      'who let it run',
      { owed: { ...OWED, people: ['ana', 'eva'] }, changes: { breakGlass: { ...BREAK_GLASS, people: ['ana', 'eva'] } } },
      'entry 2: names somebody to review it who may not',
    ],
    ['nobody of the sealed ones', { owed: { ...OWED, people: ['dana'] } }, 'entry 2: names somebody to review it who may not'],
    [
      'the owner',
      { owed: { ...OWED, people: ['dana', 'eva'] }, changes: { breakGlass: { ...BREAK_GLASS, people: ['dana', 'eva'] } } },
      'entry 2: names somebody to review it who may not',
    ],
    ['another number', { owed: { ...OWED, quorum: 2 } }, 'entry 2: owes another post-review than was sealed'],
    ['another time', { owed: { ...OWED, due: toInstant(AT + HOUR + 1) } }, 'entry 2: owes another post-review than was sealed'],
    ['a review where none is owed', { changes: { breakGlass: undefined }, owed: null, ...filed('eva') }, 'entry 6: no post-review is owed'],
    [
      'settled where none is owed',
      { changes: { breakGlass: undefined }, owed: null, tell: (ledger, sealed) => settle(ledger, ['eva'], [by('eva', sealed)]) },
      'entry 6: no post-review is owed',
    ],
    [
      'twice by one person',
      {
        tell: (ledger, sealed) => {
          lodge(ledger, by('eva', sealed), 'eva');
          lodge(ledger, by('eva', sealed, 'not_justified'), 'eva');
        },
      },
      'entry 7: person:eva reviewed it before',
    ],
    [
      'by another author than on record',
      { tell: (ledger, sealed) => lodge(ledger, by('eva', sealed), 'cleo'), messages: (sealed) => [by('eva', sealed)] },
      'entry 6: names another author than the review it lodged',
    ],
    [
      'settled twice',
      {
        ...filed('eva'),
        tell: (ledger, sealed) => {
          lodge(ledger, by('eva', sealed), 'eva');
          settle(ledger, ['eva'], [by('eva', sealed)]);
          settle(ledger, ['eva'], [by('eva', sealed)]);
        },
      },
      'entry 8: its post-review was on record before it',
    ],
    [
      'by too few',
      { ...filed('eva'), changes: { breakGlass: { ...BREAK_GLASS, quorum: 2 } }, owed: { ...OWED, quorum: 2 } },
      'entry 7: not by enough distinct people',
    ],
    [
      'by one person twice',
      {
        ...filed('eva'),
        changes: { breakGlass: { ...BREAK_GLASS, quorum: 2 } },
        owed: { ...OWED, quorum: 2 },
        tell: (ledger, sealed) => {
          lodge(ledger, by('eva', sealed), 'eva');
          settle(ledger, ['eva', 'eva'], [by('eva', sealed), by('eva', sealed)]);
        },
      },
      'entry 7: not by enough distinct people',
    ],
    [
      'more people than reviews',
      {
        ...filed('eva'),
        tell: (ledger, sealed) => {
          lodge(ledger, by('eva', sealed), 'eva');
          settle(ledger, ['eva', 'cleo'], [by('eva', sealed)]);
        },
      },
      'entry 7: not by enough distinct people',
    ],
    [
      'a review nobody lodged',
      { tell: (ledger, sealed) => settle(ledger, ['eva'], [by('eva', sealed)]) },
      'entry 6: counts a review that is not on record',
    ],
    [
      'a review of somebody else',
      {
        ...filed('eva'),
        tell: (ledger, sealed) => {
          lodge(ledger, by('eva', sealed), 'eva');
          settle(ledger, ['cleo'], [by('eva', sealed)]);
        },
      },
      'entry 7: counts a review that is not on record',
    ],
    [
      'other words than theirs',
      {
        ...filed('eva'),
        tell: (ledger, sealed) => {
          lodge(ledger, by('eva', sealed), 'eva');
          settle(ledger, ['eva'], [by('eva', sealed)], 'not_justified');
        },
      },
      'entry 7: says something else than its reviews',
    ],
    [
      'better words than theirs',
      {
        messages: (sealed) => [by('eva', sealed), by('cleo', sealed, 'not_justified')],
        tell: (ledger, sealed) => {
          lodge(ledger, by('eva', sealed), 'eva');
          lodge(ledger, by('cleo', sealed, 'not_justified'), 'cleo');
          settle(ledger, ['eva', 'cleo'], [by('eva', sealed), by('cleo', sealed, 'not_justified')]);
        },
      },
      'entry 8: says something else than its reviews',
    ],
  ])('attack: %s', (_name, story, words) => {
    expect(told(story)).toBe(`BROKEN ${words}`);
  });
  test('attack: signed by another, or by one whom it does not name', () => {
    const forged = (make: (sealed: SealedRevision) => Signed, owed: object = OWED): string => {
      let made: Signed | undefined;
      const once = (sealed: SealedRevision): Signed => (made ??= make(sealed));
      return told({ owed, tell: (ledger, sealed) => lodge(ledger, once(sealed), 'eva'), messages: (sealed) => [once(sealed)] });
    };
    expect(forged((sealed) => damaged(by('eva', sealed)))).toBe(
      'BROKEN message 1: signature_invalid: No key of an eligible person made this signature over these bytes.',
    );
    expect(forged((sealed) => review('eva', sealed.id, { at: AT + MINUTE, by: keyOfPerson('cleo') }))).toBe(
      'BROKEN message 1: signature_invalid: No key of an eligible person made this signature over these bytes.',
    );
    expect(forged((sealed) => by('eva', sealed), { ...OWED, people: ['cleo'] })).toBe(
      'BROKEN message 1: not_eligible: eva does not review this: who let it run, changed it or owns its agent never does',
    );
  });
});
