import { describe, expect, test } from '@jest/globals';
import { fromUtf8, utf8 } from '../../src/domain/bytes.js';
import { readDialogue } from '../../src/domain/dialogue.js';
import { digestOfSigned, type Signed } from '../../src/domain/dsse.js';
import { buildEvidence } from '../../src/domain/evidence/build.js';
import { evidenceSchema } from '../../src/domain/evidence/schema.js';
import { verifyEvidence } from '../../src/domain/evidence/verify.js';
import { agentIdSchema } from '../../src/domain/ids.js';
import { canonicalize, parseStrict } from '../../src/domain/json.js';
import { readersRoster } from '../helpers/flips.js';
import { fileOf, told as toldOf, OPEN } from '../helpers/evidence-file.js';
import { HandLedger, MINUTE, OPENED, seal, sealAfter } from '../helpers/hand-made.js';
import { approve, ask, damaged, reply, request } from '../helpers/messages.js';
import { AGENT, API, keyOfPerson } from '../helpers/signers.js';
import { snapshotOf } from '../helpers/snapshots.js';

const SEALED = seal();
const { id } = SEALED;
const at = OPENED + MINUTE;
const agent = agentIdSchema.parse('ap-agent');
const ROSTER = readersRoster();
const LAST = 'questions and answers stand by their own signatures: nobody can tell whether one is missing';

const asks = ['Which invoice?', 'And why?', 'And when?'].map((text) => ask('ana', SEALED, text, { at }));
const sorted = asks.toSorted((a, b) => (digestOfSigned(a) < digestOfSigned(b) ? -1 : 1));
const answerTo = (question: Signed, by = AGENT): Signed => reply(id, question, 'Number 2291.', { at, by });

/** The file of an action that ran, with these questions as this roster proves them. */
function file(decisions: readonly Signed[], replies: readonly Signed[], roster = ROSTER): Uint8Array {
  const votes = ['ana', 'ben'].map((person) => approve(person, SEALED, { at }));
  const ledger = new HandLedger(id);
  ledger.sealed(SEALED, 'request', OPENED);
  ledger.ran(SEALED, votes.map(digestOfSigned), at);
  const { questions } = readDialogue({ actionId: id, agent, decisions, replies: replies.map((signed) => ({ signed })) }, roster);
  const seen = { id, entries: ledger.entries, revisions: [SEALED], decisions: [...votes, ...decisions] };
  return buildEvidence(snapshotOf(seen), questions);
}
type Asked = { readonly ask: Signed; readonly answer: Signed | null };
/** The same, with other questions put in by somebody who can do everything but sign. */
function forged(questions: readonly Asked[]): Uint8Array {
  const evidence = evidenceSchema.parse(parseStrict(fromUtf8(file([], []))));
  return utf8(`${canonicalize({ ...evidence, questions })}\n`);
}
const told = (bytes: Uint8Array, roster = ROSTER): readonly string[] => {
  const verdict = verifyEvidence(bytes, roster);
  return verdict.ok ? verdict.warnings : [`BROKEN ${verdict.step}: ${verdict.text}`];
};
const questionsIn = (bytes: Uint8Array): readonly Asked[] => evidenceSchema.parse(parseStrict(fromUtf8(bytes))).questions;

describe('questions and answers in a file of evidence', () => {
  test('stand in the order of their digests, each with its answer or none; the file says what cannot be told', () => {
    for (const decisions of [asks, asks.toReversed()]) {
      const bytes = file(decisions, [answerTo(asks[0] ?? SEALED.signed)]);
      expect(questionsIn(bytes).map((each) => digestOfSigned(each.ask))).toEqual(sorted.map(digestOfSigned));
      expect(questionsIn(bytes).map(({ answer }) => answer !== null)).toEqual(sorted.map((each) => each === asks[0]));
      expect(told(bytes)).toEqual([LAST]);
    }
    expect(told(file([], []))).toEqual([]);
    expect(questionsIn(file([], []))).toEqual([]);
  });
  test('an answer the API vouches for is told apart', () => {
    const { id: actionId, signed } = request({ idempotencyKey: 'key 1', agent: 'bearer-agent', by: API });
    const vouched = seal({ actionId, agent: 'bearer-agent', standing: 'vouched', request: signed });
    const question = ask('ana', vouched, 'Which invoice?', { at });
    const answer = reply(actionId, question, 'Number 2291.', { at, by: API, forge: { agent: 'bearer-agent' } });
    const ledger = new HandLedger(actionId);
    ledger.sealed(vouched, 'request', OPENED);
    const more = { questions: [{ ask: question, answer }] };
    expect(toldOf(fileOf({ id: actionId, entries: ledger.entries, revisions: [vouched], more }))).toEqual([
      'the request is vouched for by the API, not signed by bearer-agent',
      'question 1: its answer is vouched for by the API, not signed by bearer-agent',
      LAST,
      OPEN,
    ]);
  });
  test('attack: an answer in a file without the envelope that names the agent', () => {
    const ledger = new HandLedger(id);
    ledger.sealed(SEALED, 'request', OPENED);
    const bare = (questions: Asked[]): readonly string[] => toldOf(fileOf({ id, entries: ledger.entries, more: { questions } }));
    const [question = SEALED.signed] = asks;
    const missing = 'entry 1: the envelope of revision 1 is not in the file';
    expect(bare([{ ask: question, answer: null }])).toEqual([missing, LAST, OPEN]);
    expect(bare([{ ask: question, answer: answerTo(question) }])).toEqual([
      'BROKEN question 1: the envelope it is about is not in the file',
    ]);
  });
  test('a question about a later revision names that one', () => {
    const newer = sealAfter(SEALED, undefined);
    const ledger = new HandLedger(id);
    ledger.sealed(SEALED, 'request', OPENED);
    ledger.append({ kind: 'stale', digest: SEALED.digest, code: 'policy_stale' }, at);
    ledger.sealed(newer, 'reseal', at);
    const about = (revision: number): readonly string[] =>
      toldOf(
        fileOf({
          id,
          entries: ledger.entries,
          revisions: [SEALED, newer],
          more: { questions: [{ ask: ask('ana', newer, 'Which?', { at, forge: { revision } }), answer: null }] },
        }),
      );
    expect(about(2)).toEqual([LAST, OPEN]);
    expect(about(1)).toEqual(['BROKEN question 1: names another revision than it asks about']);
  });
  test('attack: forged, doubled, moved, or of another action', () => {
    const [one, two] = sorted;
    if (one === undefined || two === undefined) throw new Error('no questions');
    const open = (...all: Signed[]): readonly Asked[] => all.map((each) => ({ ask: each, answer: null }));
    const nobody = 'no person of this roster asked it, by a key valid then, on this action';
    expect(told(forged(open(one, two)))).toEqual([LAST]);
    expect(told(forged(open(one, one)))).toEqual(['BROKEN question 2: not in the order of digests, or there twice']);
    expect(told(forged(open(two, one)))).toEqual(['BROKEN question 2: not in the order of digests, or there twice']);
    for (const bad of [
      damaged(one),
      ask('ana', SEALED, 'Which?', { at, by: keyOfPerson('ben') }),
      ask('ana', seal({ actionId: `act_${'0'.repeat(26)}` }), 'Which?', { at }),
      approve('ana', SEALED, { at }),
    ])
      expect(told(forged(open(bad)))).toEqual([`BROKEN question 1: ${nobody}`]);
    expect(told(forged(open({ ...one, payload: 'A' })))).toEqual(['BROKEN question 1: its payload is not unpadded base64url']);
    expect(told(forged(open(ask('ana', SEALED, 'Which?', { at, forge: { revision: 2 } }))))).toEqual([
      'BROKEN question 1: names another revision than it asks about',
    ]);
    const unknown = sealAfter(SEALED, 'ben');
    expect(told(forged(open(ask('ana', unknown, 'Which?', { at }))))).toEqual([LAST]);
  });
  test("attack: an answer that is not the agent's, or to another question", () => {
    const [one, two] = sorted;
    if (one === undefined || two === undefined) throw new Error('no questions');
    const answered = (answer: Signed): readonly string[] => told(forged([{ ask: one, answer }]));
    expect(answered(answerTo(one))).toEqual([LAST]);
    const refused = ["BROKEN question 1: its answer is not the agent's, by a key valid then, to this question"];
    for (const bad of [answerTo(two), damaged(answerTo(one)), answerTo(one, API), answerTo(one, keyOfPerson('ana')), one])
      expect(answered(bad)).toEqual(refused);
  });
});
