import { describe, expect, test } from '@jest/globals';
import { CODES } from '../../src/domain/codes.js';
import { digestOfSigned, type Signed } from '../../src/domain/dsse.js';
import { Broken } from '../../src/domain/evidence/broken.js';
import { checkMessage } from '../../src/domain/evidence/messages.js';
import { toInstant } from '../../src/domain/instant.js';
import { fileOf, OPEN, told as toldOf } from '../helpers/evidence-file.js';
import { readersRoster } from '../helpers/flips.js';
import { HandLedger, HOUR, MINUTE, OPENED, seal } from '../helpers/hand-made.js';
import { approve, cancel, damaged, request, resolve, type SealedRevision } from '../helpers/messages.js';
import type { RosterOptions } from '../helpers/rules-fixture.js';
import { AGENT, keyOfPerson, signerOf } from '../helpers/signers.js';

const FIRST = seal();
const { id } = FIRST;
const at = OPENED + MINUTE;

interface File {
  readonly tell: (ledger: HandLedger) => void;
  readonly revision?: SealedRevision;
  readonly revisions?: readonly SealedRevision[];
  readonly decisions?: readonly Signed[];
  readonly messages?: readonly Signed[];
  readonly roster?: RosterOptions;
}
/** The warnings of a file that holds, or where it breaks. */
function told({ tell, revision = FIRST, revisions = [revision], decisions = [], messages = [], roster }: File): readonly string[] {
  const ledger = new HandLedger(id);
  ledger.sealed(revision, 'request', OPENED);
  tell(ledger);
  return toldOf(fileOf({ id, entries: ledger.entries, revisions, decisions, messages }), roster);
}

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
    const other = cancel(request({}).id, { at });
    expect(told({ tell: cancelled(other), messages: [other] })).toEqual([
      `BROKEN message 1: audience_mismatch: ${CODES.audience_mismatch.message}`,
    ]);
    const finding = resolve('eva', id, 1, 'happened', { at });
    expect(told({ tell: cancelled(finding), messages: [finding] })).toEqual([
      'BROKEN message 1: request_invalid: not a cancel: see the schema of cancel v1',
    ]);
  });
  test('attack: by a key that had ended when it was lodged', () => {
    const until = (ms: number): RosterOptions => ({
      agents: [`ap-agent: { owner: dana, key: { key: '${AGENT.key.text}', until: '${toInstant(ms)}' }, propose: [payments.*] }`],
    });
    expect(told({ tell: cancelled(stop), messages: [stop], roster: until(at + 1) })).toEqual([]);
    expect(told({ tell: cancelled(stop), messages: [stop], roster: until(at) })).toEqual([
      `BROKEN message 1: credential_invalid: ${CODES.credential_invalid.message}`,
    ]);
  });
  test('attack: of an envelope that is not in the file', () => {
    expect(told({ tell: cancelled(stop), revisions: [], messages: [stop] })).toEqual([
      'BROKEN message 1: the envelope it cancels is not in the file',
    ]);
  });
  test('a cancel of the run that nobody signed is told of', () => {
    const votes = ['ana', 'ben'].map((person) => approve(person, FIRST, { at }));
    const tell: File['tell'] = (ledger) => {
      ledger.append({ kind: 'executing', digest: FIRST.digest, decisions: votes.map(digestOfSigned) }, at);
      ledger.append({ kind: 'step_started', step: 1, attempt: 1, key: `${id}/run/run/1` }, at);
      ledger.append({ kind: 'lodged', object: 'cancel', digest: null, by: 'unsigned' }, at);
    };
    expect(told({ tell, decisions: votes })).toEqual([
      "entry 4: the cancel by unsigned is not in the file: the executor's word alone",
      OPEN,
    ]);
  });
});

describe('what people found out about a step', () => {
  /** Two of these three find out. */
  const ASKED = seal({ resolve: { people: ['ben', 'cleo', 'eva'], quorum: 1 } });
  const votes = ['ana', 'ben'].map((person) => approve(person, ASKED, { at }));
  const finding = resolve('eva', id, 1, 'happened', { at: at + HOUR });
  const found =
    (digests: readonly Signed[], by: readonly string[] = ['eva'], verdict = 'happened', when = at + HOUR): File['tell'] =>
    (ledger) => {
      ledger.append({ kind: 'executing', digest: ASKED.digest, decisions: votes.map(digestOfSigned) }, at);
      ledger.append({ kind: 'step_started', step: 1, attempt: 1, key: `${id}/run/run/1` }, at);
      ledger.append({ kind: 'step_unknown', step: 1, attempt: 1, code: 'no_probe' }, at);
      ledger.append({ kind: 'resolved', step: 1, verdict, by: [...by], digests: digests.map(digestOfSigned) } as never, when);
      ledger.append({ kind: 'ended', status: 'succeeded', reason: { code: 'succeeded', text: 'It ran.' } }, when);
    };
  const file = (tell: File['tell'], messages: readonly Signed[], roster?: RosterOptions): readonly string[] =>
    told({ tell, revision: ASKED, decisions: votes, messages, ...(roster === undefined ? {} : { roster }) });
  const alone = (signed: Signed): string =>
    `entry 5: the finding ${digestOfSigned(signed).slice(0, 12)} is not in the file: the executor's word alone`;
  const also = resolve('cleo', id, 1, 'happened', { at: at + HOUR });
  test('holds by their own signatures, or by the word of the executor', () => {
    expect(file(found([finding]), [finding])).toEqual([]);
    expect(file(found([finding]), [])).toEqual([alone(finding)]);
    expect(file(found([finding, also], ['cleo', 'eva']), [finding, also])).toEqual([]);
    expect(file(found([finding, also], ['cleo', 'eva']), [finding])).toEqual([alone(also)]);
    expect(file(found([finding], ['eva'], 'happened', at + HOUR - 2 * MINUTE), [finding])).toEqual([]);
  });
  test('attack: in the name of people who signed nothing', () => {
    expect(file(found([finding], ['cleo', 'eva']), [finding])).toEqual(['BROKEN entry 5: cleo signed no such finding']);
    expect(file(found([finding], ['ben', 'cleo', 'eva']), [finding])).toEqual(['BROKEN entry 5: ben, cleo signed no such finding']);
    expect(file(found([finding], ['cleo']), [finding])).toEqual(['BROKEN message 1: says something else than entry 5']);
  });
  test('attack 46: by a key that is in one of the two rings only, the sealed one or the roster', () => {
    const signature = `BROKEN message 1: signature_invalid: ${CODES.signature_invalid.message}`;
    const newer = signerOf('person:eva:2');
    const byNewer = resolve('eva', id, 1, 'happened', { at: at + HOUR, by: newer });
    const keys = (...all: string[]): RosterOptions => ({ people: { eva: `{ name: eva, keys: [${all.join(', ')}] }` } });
    const text = keyOfPerson('eva').key.text;
    expect(file(found([byNewer]), [byNewer], keys(`'${text}'`, `'${newer.key.text}'`))).toEqual([signature]);
    expect(file(found([finding]), [finding], keys(`'${newer.key.text}'`))).toEqual([signature]);
    const begins = (ms: number): RosterOptions => keys(`{ key: '${text}', from: '${toInstant(ms)}' }`);
    const ends = (ms: number): RosterOptions => keys(`{ key: '${text}', until: '${toInstant(ms)}' }`);
    for (const roster of [begins(at + HOUR), ends(at + HOUR + 1)]) expect(file(found([finding]), [finding], roster)).toEqual([]);
    for (const roster of [begins(at + HOUR + 1), ends(at + HOUR)]) expect(file(found([finding]), [finding], roster)).toEqual([signature]);
  });
  test('asked alone, of an envelope that is not in the file, it takes nothing', () => {
    const entry = {
      kind: 'resolved',
      step: 1,
      verdict: 'happened',
      by: ['eva'],
      digests: [digestOfSigned(finding)],
      at: toInstant(at + HOUR),
    };
    const link = { entry, step: 'entry 5', digest: FIRST.digest, signed: FIRST.signed, executor: 'bank', key: AGENT.key } as never;
    const messages = new Map([[digestOfSigned(finding), { signed: finding, step: 'message 1' }]]);
    const reader = { messages, roster: readersRoster(), sealed: { seal: undefined, ring: new Map() }, warn: () => undefined };
    expect(() => checkMessage(link, reader)).toThrow(new Broken('message 1', 'the envelope it resolves is not in the file'));
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
      'of another action',
      () => {
        const other = resolve('eva', request({}).id, 1, 'happened', { at: at + HOUR });
        return file(found([other]), [other]);
      },
      `message 1: audience_mismatch: ${CODES.audience_mismatch.message}`,
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
