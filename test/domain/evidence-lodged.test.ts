import { describe, expect, test } from '@jest/globals';
import { fromUtf8 } from '../../src/domain/bytes.js';
import { digestOfSigned, type Signed } from '../../src/domain/dsse.js';
import { Broken } from '../../src/domain/evidence/broken.js';
import { buildEvidence } from '../../src/domain/evidence/build.js';
import { evidenceSchema } from '../../src/domain/evidence/schema.js';
import { verifyEvidence } from '../../src/domain/evidence/verify.js';
import type { Digest } from '../../src/domain/ids.js';
import { toInstant } from '../../src/domain/instant.js';
import { parseStrict } from '../../src/domain/json.js';
import { readersRoster } from '../helpers/flips.js';
import { HandLedger, HOUR, MINUTE, OPENED, seal } from '../helpers/hand-made.js';
import { approve, damaged, reject, withdraw } from '../helpers/messages.js';
import type { RosterOptions } from '../helpers/rules-fixture.js';
import { EXECUTOR, keyOfPerson } from '../helpers/signers.js';
import { snapshotOf } from '../helpers/snapshots.js';

const SEALED = seal();
const { id } = SEALED;
const at = OPENED + MINUTE;
const no = reject('ana', SEALED, { at });
const back = withdraw('ana', SEALED, no, { at });
type Tell = (ledger: HandLedger) => void;

const lodge = (ledger: HandLedger, object: 'reject' | 'withdraw', digest: Digest | null, by = 'person:ana'): void =>
  void ledger.append({ kind: 'lodged', object, digest, by } as never, at);
const close: Tell = (ledger) =>
  void ledger.append({ kind: 'closed', status: 'rejected', reason: { code: 'rejected', text: 'rejected by ana' } } as never, at);

function file(tell: Tell, decisions: readonly Signed[]): Uint8Array {
  const ledger = new HandLedger(id);
  ledger.sealed(SEALED, 'request', OPENED);
  tell(ledger);
  return buildEvidence(snapshotOf({ id, entries: ledger.entries, revisions: [SEALED], decisions }));
}
/** The warnings of a file that holds, or where it breaks. */
function told(tell: Tell, decisions: readonly Signed[] = [no, back], roster: RosterOptions = {}): readonly string[] {
  const verdict = verifyEvidence(file(tell, decisions), readersRoster(roster));
  return verdict.ok ? verdict.warnings : [`BROKEN ${verdict.step}: ${verdict.text}`.replace(/decision \d/, 'decision')];
}
/** Both approve, and it runs. */
const votes = ['ana', 'ben'].map((person) => approve(person, SEALED, { at }));
const run: Tell = (ledger) => ledger.ran(SEALED, votes.map(digestOfSigned), at + 1);

describe('rejections and withdrawals on record', () => {
  test('a rejection that stands closes it; without its bytes it is the word of the executor alone', () => {
    const rejected: Tell = (ledger) => {
      lodge(ledger, 'reject', digestOfSigned(no));
      close(ledger);
    };
    expect(told(rejected)).toEqual([]);
    expect(told(rejected, [])).toEqual(["entry 2: the reject by person:ana is not in the file: the executor's word alone"]);
    expect(told(close)).toEqual(['entry 2: closed as rejected, but the file holds fewer standing rejections than the sealed rule asks']);
    const withdrawn: Tell = (ledger) => {
      lodge(ledger, 'reject', digestOfSigned(no));
      lodge(ledger, 'withdraw', digestOfSigned(back));
      close(ledger);
    };
    expect(told(withdrawn)).toEqual([
      'entry 4: closed as rejected, but the file holds fewer standing rejections than the sealed rule asks',
    ]);
  });
  test.each<[string, Tell, readonly Signed[], string]>([
    ['no digest', (ledger) => lodge(ledger, 'reject', null), [no], 'entry 2: lodged outside the review'],
    ['no digest of a withdrawal', (ledger) => lodge(ledger, 'withdraw', null), [no], 'entry 2: lodged outside the review'],
    [
      'another author',
      (ledger) => lodge(ledger, 'reject', digestOfSigned(no), 'person:ben'),
      [no],
      'entry 2: names another kind of decision, or another author',
    ],
    [
      'another kind',
      (ledger) => lodge(ledger, 'withdraw', digestOfSigned(no)),
      [no],
      'entry 2: names another kind of decision, or another author',
    ],
    [
      'an approval lodged as a rejection',
      (ledger) => lodge(ledger, 'reject', digestOfSigned(votes[0] ?? no)),
      votes,
      'entry 2: names another kind of decision, or another author',
    ],
    [
      'a signature that is none',
      (ledger) => lodge(ledger, 'reject', digestOfSigned(no)),
      [damaged(no)],
      'decision: signature_invalid: No key of an eligible person made this signature over these bytes.',
    ],
  ])('attack: %s', (_name, tell, decisions, words) => {
    expect(told(tell, decisions)).toEqual([`BROKEN ${words}`]);
  });
  test('a rejection is taken by the sealed keys, whatever became of them; a withdrawal by the roster as it was then', () => {
    const key = keyOfPerson('ana').key.text;
    const until = (ms: number): RosterOptions => ({
      people: { ana: `{ name: ana, keys: [{ key: '${key}', until: '${toInstant(ms)}' }] }` },
    });
    const rejected: Tell = (ledger) => lodge(ledger, 'reject', digestOfSigned(no));
    const withdrawn: Tell = (ledger) => {
      rejected(ledger);
      lodge(ledger, 'withdraw', digestOfSigned(back));
    };
    const open = ['the file holds no end: the action may have moved on since'];
    expect(told(rejected, [no], until(at))).toEqual(open);
    expect(told(withdrawn, [no, back], until(at + 1))).toEqual(open);
    expect(told(withdrawn, [no, back], until(at))[0]).toMatch(/^BROKEN decision: /);
  });
  test('attack 13: a rejection on record stands against a run, until its own author takes it back', () => {
    const all = [...votes, no, back];
    const against: Tell = (ledger) => {
      lodge(ledger, 'reject', digestOfSigned(no));
      run(ledger);
    };
    expect(told(against, all)[0]).toMatch(/^BROKEN entry 3: /);
    const freed: Tell = (ledger) => {
      lodge(ledger, 'reject', digestOfSigned(no));
      lodge(ledger, 'withdraw', digestOfSigned(back));
      run(ledger);
    };
    expect(told(freed, all)).toEqual([]);
    const byAnother = withdraw('ben', SEALED, no, { at });
    const notHis: Tell = (ledger) => {
      lodge(ledger, 'reject', digestOfSigned(no));
      lodge(ledger, 'withdraw', digestOfSigned(byAnother), 'person:ben');
      run(ledger);
    };
    expect(told(notHis, [...all, byAnother])[0]).toMatch(/^BROKEN entry 4: /);
  });
});

describe('what stands in the file beside the entries', () => {
  const [one, two] = votes;
  if (one === undefined || two === undefined) throw new Error('no votes');
  const withSig = (signed: Signed, sig: string): Signed => ({ ...signed, signatures: signed.signatures.map((each) => ({ ...each, sig })) });
  const withKey = (signed: Signed, by: string): Signed => ({
    ...signed,
    signatures: signed.signatures.map((each) => ({ ...each, keyid: keyOfPerson(by).key.id })),
  });
  test('attack: signatures that are no bytes, or by another key than the decision names', () => {
    for (const sig of ['A', ''])
      expect(told(run, [one, withSig(two, sig)])).toEqual(['BROKEN decision: its signature is not unpadded base64url']);
    expect(told(run, [one, withKey(two, 'cleo')])).toEqual(['BROKEN decision: signed with another key than it names']);
  });
  test('a resolve, a review and a cancel are messages, never decisions; each is named by an entry', () => {
    const named: Tell = (ledger) => {
      run(ledger);
      ledger.append({ kind: 'lodged', object: 'cancel', digest: digestOfSigned(no), by: 'agent:ap-agent' } as never, at + 2);
    };
    expect(told(named, [...votes, no])[0]).toMatch(/^BROKEN (decision: no entry of the executor names it|entry 6: )/);
  });
});

describe('what of the file is proven and what only claimed', () => {
  test('decisions that an entry names are proven; all others are claimed, each once', () => {
    const late = approve('cleo', SEALED, { at: at + 2 });
    const { decisions, annex } = evidenceSchema.parse(parseStrict(fromUtf8(file(run, [...votes, late, late, no]))));
    expect(decisions.map(digestOfSigned)).toEqual(votes.map(digestOfSigned).sort());
    expect(annex.claimed.otherDecisions.map(digestOfSigned)).toEqual([late, no].map(digestOfSigned).sort());
  });
  test('nothing can be built of no entry', () => {
    expect(() => buildEvidence(snapshotOf({ id, entries: [], revisions: [SEALED] }))).toThrow(
      new RangeError('no entries: the ledger says nothing of this action yet'),
    );
  });
  test('what breaks says where, and what', () => {
    expect(new Broken('entry 5', 'of another action')).toMatchObject({
      name: 'Broken',
      message: 'entry 5: of another action',
      step: 'entry 5',
      text: 'of another action',
    });
  });
});

describe('who wrote the entries', () => {
  test('attack: an earlier epoch after a later one, or a key whose time was over', () => {
    const earlier: Tell = (ledger) => {
      ledger.append({ kind: 'executing', digest: SEALED.digest, decisions: votes.map(digestOfSigned) }, at, { epoch: 2 });
      ledger.append({ kind: 'step_started', step: 1, attempt: 1, key: `${id}/run/run/1` }, at);
    };
    expect(told(earlier, votes)).toEqual(['BROKEN entry 3: of an earlier epoch than the entry before']);
    const over: RosterOptions = { executorKeys: `{ key: '${EXECUTOR.key.text}', until: '${toInstant(at)}' }` };
    expect(told(run, votes, over)).toEqual(['BROKEN entry 2: the key of executor bank was not valid then']);
    const later: RosterOptions = { executorKeys: `{ key: '${EXECUTOR.key.text}', until: '${toInstant(at + HOUR)}' }` };
    expect(told(run, votes, later)).toEqual([]);
  });
});
