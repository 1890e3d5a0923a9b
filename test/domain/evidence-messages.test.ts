import { describe, expect, test } from '@jest/globals';
import { CODES } from '../../src/domain/codes.js';
import { digestOfSigned, type Signed } from '../../src/domain/dsse.js';
import { buildEvidence } from '../../src/domain/evidence/build.js';
import { verifyEvidence } from '../../src/domain/evidence/verify.js';
import { readersRoster } from '../helpers/flips.js';
import { HandLedger, HOUR, MINUTE, OPENED, seal, sealAfter, type EnvelopeChanges } from '../helpers/hand-made.js';
import { approve, cancel, damaged, modify, resolve, type SealedRevision } from '../helpers/messages.js';
import { keyOfPerson } from '../helpers/signers.js';
import { snapshotOf } from '../helpers/snapshots.js';

const FIRST = seal();
const { id } = FIRST;
const at = OPENED + MINUTE;
const OPEN = 'the file holds no end: the action may have moved on since';

interface File {
  readonly tell: (ledger: HandLedger) => void;
  readonly revisions?: readonly SealedRevision[];
  readonly decisions?: readonly Signed[];
  readonly messages?: readonly Signed[];
}
/** The warnings of a file that holds, or where it breaks. */
function told({ tell, revisions = [FIRST], decisions = [], messages = [] }: File): readonly string[] {
  const ledger = new HandLedger(id);
  ledger.sealed(FIRST, 'request', OPENED);
  tell(ledger);
  const verdict = verifyEvidence(
    buildEvidence(snapshotOf({ id, entries: ledger.entries, revisions, decisions, messages })),
    readersRoster(),
  );
  return verdict.ok ? verdict.warnings : [`BROKEN ${verdict.step}: ${verdict.text}`];
}

describe('the modify that a revision came from', () => {
  const change = modify('ana', FIRST, { '/cents': 1 }, { at });
  const second = (changes: EnvelopeChanges = {}): SealedRevision =>
    sealAfter(FIRST, 'ana', { params: { vendor: 'ACME', cents: 1 }, ...changes });
  const revised = (decisions: readonly Signed[], changes: EnvelopeChanges = {}, when = at): readonly string[] => {
    const newer = second(changes);
    return told({ tell: (ledger) => ledger.sealed(newer, 'modify', when), revisions: [FIRST, newer], decisions });
  };
  test('is looked for, and is one', () => {
    expect(revised([change])).toEqual([OPEN]);
    expect(revised([])).toEqual(['entry 2: the modify that made revision 2 is not in the file', OPEN]);
  });
  test('made before the revision, but for two minutes of two clocks', () => {
    expect(revised([change], {}, at - 2 * MINUTE)[0]).not.toMatch(/dated after/);
    expect(revised([change], {}, at - 2 * MINUTE - 1)).toEqual(['BROKEN decision 1: dated after the revision it made']);
  });
  test('parameters that are not literally the patched ones are told of', () => {
    expect(revised([change], { params: { vendor: 'ACME', cents: 2 } })).toEqual([
      'decision 1: the parameters of revision 2 are not literally the patched ones',
      OPEN,
    ]);
  });
});

describe('a cancel on record', () => {
  const stop = cancel(id, { at });
  const cancelled =
    (signed: Signed, by = 'agent:ap-agent'): File['tell'] =>
    (ledger) => {
      ledger.append({ kind: 'lodged', object: 'cancel', digest: digestOfSigned(signed), by } as never, at);
      ledger.append({ kind: 'closed', status: 'cancelled', reason: { code: 'cancelled', text: 'No longer wanted.', by } } as never, at);
    };
  test('holds by its own signature, or by the word of the executor', () => {
    expect(told({ tell: cancelled(stop), messages: [stop] })).toEqual([]);
    expect(told({ tell: cancelled(stop) })).toEqual([
      "entry 2: the cancel by agent:ap-agent is not in the file: the executor's word alone",
    ]);
    const byOwner = cancel(id, { at, by: keyOfPerson('dana') }, 'person:dana');
    expect(told({ tell: cancelled(byOwner, 'person:dana'), messages: [byOwner] })).toEqual([]);
  });
  test('attack: by another than on record, or by nobody who may', () => {
    expect(told({ tell: cancelled(stop, 'person:dana'), messages: [stop] })).toEqual([
      'BROKEN entry 2: names another author than the cancel it lodged',
    ]);
    const bad = damaged(stop);
    expect(told({ tell: cancelled(bad), messages: [bad] })).toEqual([
      'BROKEN message 1: credential_invalid: only the agent or its owner cancels',
    ]);
  });
});

describe('what people found out about a step', () => {
  const votes = ['ana', 'ben'].map((person) => approve(person, FIRST, { at }));
  const finding = resolve('eva', id, 1, 'happened', { at: at + HOUR });
  const found =
    (digests: readonly Signed[], by: readonly string[] = ['eva'], verdict = 'happened', when = at + HOUR): File['tell'] =>
    (ledger) => {
      ledger.append({ kind: 'executing', digest: FIRST.digest, decisions: votes.map(digestOfSigned) }, at);
      ledger.append({ kind: 'step_started', step: 1, attempt: 1, key: `${id}/run/run/1` }, at);
      ledger.append({ kind: 'step_unknown', step: 1, attempt: 1, code: 'no_probe' }, at);
      ledger.append({ kind: 'resolved', step: 1, verdict, by: [...by], digests: digests.map(digestOfSigned) } as never, when);
      ledger.append({ kind: 'ended', status: 'succeeded', reason: { code: 'succeeded', text: 'It ran.' } }, when);
    };
  const file = (tell: File['tell'], messages: readonly Signed[]): readonly string[] => told({ tell, decisions: votes, messages });
  test('holds by their own signatures, or by the word of the executor', () => {
    expect(file(found([finding]), [finding])).toEqual([]);
    expect(file(found([finding]), [])).toEqual([
      `entry 5: the finding ${digestOfSigned(finding).slice(0, 12)} is not in the file: the executor's word alone`,
    ]);
  });
  test.each<[string, () => readonly string[], string]>([
    [
      'a signature that is none',
      () => file(found([damaged(finding)]), [damaged(finding)]),
      `message 1: signature_invalid: ${CODES.signature_invalid.message}`,
    ],
    [
      'of a later time than its entry',
      () => file(found([finding], ['eva'], 'happened', at + HOUR - 2 * MINUTE - 1), [finding]),
      'message 1: dated after the entry that counts it',
    ],
    [
      'of something else',
      () => {
        const other = resolve('eva', id, 1, 'did_not', { at: at + HOUR });
        return file(found([other]), [other]);
      },
      'message 1: says something else than entry 5',
    ],
    [
      'of another step',
      () => {
        const other = resolve('eva', id, 2, 'happened', { at: at + HOUR });
        return file(found([other]), [other]);
      },
      'message 1: says something else than entry 5',
    ],
    [
      'no finding at all',
      () => {
        const other = cancel(id, { at });
        return file(found([other]), [other]);
      },
      'message 1: not a resolve: see the schema of resolve v1',
    ],
  ])('attack: %s', (_name, answer, words) => {
    expect(answer()).toEqual([`BROKEN ${words}`]);
  });
});
