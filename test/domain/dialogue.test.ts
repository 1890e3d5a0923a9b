import { describe, expect, test } from '@jest/globals';
import { answerRefused, readDialogue } from '../../src/domain/dialogue.js';
import { CODES } from '../../src/domain/codes.js';
import { digestOfSigned, type Signed } from '../../src/domain/dsse.js';
import { agentIdSchema } from '../../src/domain/ids.js';
import { parseRoster, type Roster } from '../../src/domain/roster.js';
import { Dialogue, MAX_QUESTIONS, MAX_REPLIES } from '../../src/domain/review/dialogue.js';
import { Review } from '../../src/domain/review/review.js';
import { MINUTE, OPENED, seal, sealedPeople } from '../helpers/hand-made.js';
import { approve, ask, damaged, reply, withdraw, type ReplyOptions } from '../helpers/messages.js';
import { rosterText, usualAgents, type RosterOptions } from '../helpers/rules-fixture.js';
import { AGENT, API, EXECUTOR, keyOfPerson, signerOf } from '../helpers/signers.js';

const SEALED = seal();
const { id } = SEALED;
const agent = agentIdSchema.parse('ap-agent');
const at = OPENED + MINUTE;
const QUESTION = ask('ana', SEALED, 'Which invoice?', { at });
const answer = (text = 'Number 2291.', options: Partial<ReplyOptions> = {}): Signed => reply(id, QUESTION, text, { at, ...options });

function roster(options: RosterOptions = {}): Roster {
  const read = parseRoster(rosterText(options), 'roster.yaml');
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.roster;
}
const ROSTER = roster();
const read = (replies: readonly Signed[], decisions: readonly Signed[] = [QUESTION], by = ROSTER) =>
  readDialogue({ actionId: id, agent, decisions, replies: replies.map((signed) => ({ signed })) }, by);
/** The one answer that is shown, or what is not shown. */
const shown = (...replies: Signed[]): string => {
  const { questions, forged } = read(replies);
  return questions[0]?.answer?.text ?? `${forged} forged`;
};

describe('questions and answers as a roster proves them', () => {
  test('a question with its answer; the first answer of the agent stands', () => {
    const { questions, forged } = read([answer(), answer('Another.')]);
    expect(forged).toBe(0);
    expect(questions).toMatchObject([
      { person: 'ana', revision: 1, question: 'Which invoice?', answer: { agent: 'ap-agent', text: 'Number 2291.', standing: 'signed' } },
    ]);
    expect(read([]).questions).toMatchObject([{ answer: null }]);
  });
  test('oldest question first, however they arrive', () => {
    const [later, last] = [ask('ben', SEALED, 'And why?', { at: at + 1 }), ask('cleo', SEALED, 'And when?', { at: at + 2 })];
    for (const decisions of [
      [QUESTION, later, last],
      [last, later, QUESTION],
      [later, last, QUESTION],
      [last, QUESTION, later],
    ])
      expect(read([], decisions).questions.map(({ person }) => person)).toEqual(['ana', 'ben', 'cleo']);
  });
  test('what is no question asks nothing', () => {
    expect(read([answer()], [answer(), approve('ana', SEALED), { ...QUESTION, payload: 'A' }])).toEqual({ questions: [], forged: 1 });
  });
  test('of two questions of the same moment the lower digest comes first, however they arrive', () => {
    const both = [QUESTION, ask('ben', SEALED, 'And why?', { at }), ask('cleo', SEALED, 'And when?', { at })];
    const sorted = both.map(digestOfSigned).sort();
    for (const decisions of [both, both.toReversed()]) expect(read([], decisions).questions.map(({ digest }) => digest)).toEqual(sorted);
    const earlier = Array.from({ length: 6 }, (_, i) => ask('dana', SEALED, `Who? ${i}`, { at: at - 6 + i }));
    expect(read([], [...both, ...earlier.toReversed()]).questions.map(({ digest }) => digest)).toEqual([
      ...earlier.map(digestOfSigned),
      ...sorted,
    ]);
  });
  test("attack: an answer that is not the agent's own is no answer, whoever puts it in", () => {
    for (const by of [keyOfPerson('ana'), API, EXECUTOR, signerOf('agent:other')])
      expect(shown(answer('Trust me.', { by }))).toBe('1 forged');
    expect(shown(damaged(answer()))).toBe('1 forged');
    expect(shown({ ...answer(), payloadType: 'application/vnd.keyturn.cancel.v1+json' })).toBe('1 forged');
    expect(shown(answer('Trust me.', { forge: { agent: 'bearer-agent' } }))).toBe('1 forged');
    // Nor does it keep the agent's own out.
    expect(shown(damaged(answer()), answer('Trust me.', { by: API }), answer())).toBe('Number 2291.');
  });
  test('attack: another agent, or another person, says it was the one', () => {
    const other = signerOf('agent:other');
    const two = roster({ agents: [...usualAgents(), `other: { owner: ana, key: '${other.key.text}', propose: [payments.*] }`] });
    expect(read([answer('Trust me.', { by: other })], [QUESTION], two).forged).toBe(1);
    expect(read([answer('Trust me.', { by: other, forge: { agent: 'other' } })], [QUESTION], two).forged).toBe(1);
    expect(answerRefused(answer('Trust me.', { by: other }), { actionId: id, agent }, two, at)?.code).toBe('credential_invalid');
    const ben = keyOfPerson('ben');
    expect(read([], [ask('ana', SEALED, 'Which?', { at, by: ben, forge: { keyId: ben.key.id } })]).questions).toEqual([]);
  });
  test('attack: an answer kept for another action, deployment or question', () => {
    expect(shown(reply(seal({ nonce: 'e'.repeat(32) }).id, ask('ana', SEALED, 'Else?', { at }), 'Yes.', { at }))).toBe('1 forged');
    expect(shown(answer('Yes.', { forge: { actionId: 'act_00000000000000000000000000' } }))).toBe('1 forged');
    expect(shown(answer('Yes.', { forge: { deployment: 'acme-prod' } }))).toBe('1 forged');
    expect(shown(answer('Yes.', { at: at - 3 * MINUTE }))).toBe('1 forged');
    expect(shown(answer('Yes.', { at: at - 2 * MINUTE }))).toBe('Yes.');
  });
  test("attack: a question that no person's key asked is not shown as one", () => {
    for (const decisions of [
      [ask('ana', SEALED, 'Which?', { at, by: AGENT })],
      [damaged(QUESTION)],
      [ask('ana', SEALED, 'Which?', { at, forge: { keyId: keyOfPerson('ben').key.id } })],
      [ask('ana', SEALED, 'Which?', { at, forge: { deployment: 'acme-prod' } })],
      [approve('ana', SEALED, { at })],
    ])
      expect(read([], decisions).questions).toEqual([]);
  });
  test('a key counts that was valid when it was said', () => {
    const ended = `ap-agent: { owner: dana, key: { key: '${AGENT.key.text}', until: '2026-01-31T09:01:00.000Z' }, propose: [payments.*] }`;
    const now = roster({ agents: [ended] });
    expect(read([answer('Late.', { at })], [QUESTION], now).questions[0]?.answer).toBeNull();
    expect(read([answer('In time.', { at: at - 1 })], [QUESTION], now).questions[0]?.answer?.text).toBe('In time.');
  });
  test('the API vouches for agents with a bearer key alone', () => {
    const bearer = agentIdSchema.parse('bearer-agent');
    const vouched = answer('Number 2291.', { by: API, forge: { agent: 'bearer-agent' } });
    const said = { actionId: id, agent: bearer, decisions: [QUESTION], replies: [{ signed: vouched }] };
    expect(readDialogue(said, ROSTER).questions[0]?.answer).toMatchObject({ agent: 'bearer-agent', standing: 'vouched' });
    expect(answerRefused(vouched, { actionId: id, agent: bearer }, ROSTER, at)).toBeUndefined();
    expect(answerRefused(answer('Yes.', { by: API }), { actionId: id, agent }, ROSTER, at)?.code).toBe('credential_invalid');
  });
  test('at the door the key must be valid now too, and the answer not dated ahead', () => {
    const refusal = (signed: Signed, by = ROSTER, now = at): string | undefined => {
      const refused = answerRefused(signed, { actionId: id, agent }, by, now);
      return refused && `${refused.code}: ${refused.text}`;
    };
    const plain = (code: keyof typeof CODES): string => `${code}: ${CODES[code].message}`;
    const none = 'request_invalid: not an answer: see the schema of reply v1';
    expect(refusal(answer())).toBeUndefined();
    const gone = `ap-agent: { owner: dana, key: '${AGENT.key.text}', propose: [payments.*], until: '2026-01-31T09:02:00.000Z' }`;
    expect(refusal(answer(), roster({ agents: [gone] }))).toBeUndefined();
    expect(refusal(answer(), roster({ agents: [gone] }), at + MINUTE)).toBe(plain('credential_invalid'));
    expect(refusal(answer('Yes.', { at: at + 2 * MINUTE }))).toBeUndefined();
    expect(refusal(answer('Yes.', { at: at + 2 * MINUTE + 1 }))).toBe('request_invalid: the answer is dated more than 2 minutes ahead');
    expect(refusal(approve('ana', SEALED))).toBe(none);
    expect(refusal(answer('Yes.', { forge: { deployment: 'acme-prod' } }))).toBe(
      'audience_mismatch: this was signed for another deployment or action',
    );
    expect(refusal(answer('Yes.', { by: signerOf('nobody') }))).toBe(plain('credential_invalid'));
    expect(refusal(answer('Yes.', { by: API }))).toBe('credential_invalid: only the agent that asked for the action answers');
    expect(refusal(answer('x'.repeat(2_001)))).toBe(none);
  });
  test('at the door the API vouches no longer for an agent whose time is over, nor ever for one the roster does not know', () => {
    const end = at + MINUTE;
    const bearer = `bearer-agent: { owner: dana, bearer: 'sha256:${'a'.repeat(64)}', propose: [payments.*], until: '${new Date(end).toISOString()}' }`;
    const known = roster({ agents: [...usualAgents().slice(0, 1), bearer] });
    const door = (name: string, now: number): string | undefined => {
      const vouched = answer('Number 2291.', { by: API, forge: { agent: name } });
      return answerRefused(vouched, { actionId: id, agent: agentIdSchema.parse(name) }, known, now)?.text;
    };
    expect([end - 1, end, end + 1].map((now) => door('bearer-agent', now))).toEqual([
      undefined,
      CODES.credential_invalid.message,
      CODES.credential_invalid.message,
    ]);
    expect(door('nobody', at)).toBe('only the agent that asked for the action answers');
  });
});

describe('what the workflow takes', () => {
  const opened = (): Review => {
    const review = new Review(id);
    const { signed: envelope, digest, view } = SEALED;
    if (!review.open({ envelope, digest, view, rejections: [] }, sealedPeople(), OPENED)) throw new Error('no seal');
    return review;
  };
  test('6.7 a question is no vote, takes no seat, moves no deadline; a repeat keeps its fate', () => {
    const review = opened();
    const before = { awaiting: review.awaiting(at), deadline: review.deadline(), ring: review.nextRing() };
    expect(review.receive(QUESTION, at).fate).toEqual({ state: 'taken' });
    expect(review.receive(QUESTION, at + 1).fate).toEqual({ state: 'taken' });
    expect([...review.questions()]).toEqual([digestOfSigned(QUESTION)]);
    expect(review.progress(at)).toEqual({ have: 0, need: 2 });
    expect({ awaiting: review.awaiting(at), deadline: review.deadline(), ring: review.nextRing() }).toEqual(before);
    expect(review.evidence()).toEqual([]);
    expect(review.receive(approve('ana', SEALED, { at }), at).fate).toEqual({ state: 'counted' });
    // There is no vote of hers in it to take back.
    expect(review.receive(withdraw('ana', SEALED, QUESTION, { at }), at).fate).toMatchObject({
      code: 'request_invalid',
      text: 'there is no such vote of yours to withdraw',
    });
  });
  test('attack: questions without end', () => {
    const review = opened();
    for (let i = 0; i < MAX_QUESTIONS; i++)
      expect(review.receive(ask('ana', SEALED, `${i}?`, { at }), at).fate).toEqual({ state: 'taken' });
    expect(review.receive(ask('ben', SEALED, 'Why?', { at }), at).fate).toMatchObject({
      state: 'refused',
      code: 'rate_limited',
      text: 'an action takes 20 questions; decide, or reject it',
    });
    expect(review.receive(approve('ben', SEALED, { at }), at).fate).toEqual({ state: 'counted' });
  });
  test('an answer: to a question it holds, of the agent it is about; forged ones do not keep the true one out', () => {
    const dialogue = new Dialogue();
    const asked = { actionId: id, agent, questions: new Set([digestOfSigned(QUESTION)]) };
    const code = (signed: Signed, of = asked) => dialogue.examine(signed, of)?.code;
    expect(code(answer())).toBeUndefined();
    expect(code(answer(), { ...asked, questions: new Set() })).toBe('request_invalid');
    expect(code(answer('Yes.', { forge: { agent: 'bearer-agent' } }))).toBe('audience_mismatch');
    expect(code(answer('Yes.', { forge: { actionId: 'act_00000000000000000000000000' } }))).toBe('audience_mismatch');
    expect(code(approve('ana', SEALED))).toBe('request_invalid');
    const forged = Array.from({ length: MAX_REPLIES - 1 }, (_, i) => answer(`${i}`, { by: keyOfPerson('ben') }));
    for (const signed of forged) dialogue.take(signed);
    const own = answer();
    expect(code(own)).toBeUndefined();
    dialogue.take(own);
    dialogue.take(own);
    expect(code(answer('One more.'))).toBe('rate_limited');
    expect(code(own)).toBeUndefined();
    expect(dialogue.fateOf(digestOfSigned(own))).toEqual({ state: 'taken' });
    expect(read(dialogue.replies().map(({ signed }) => signed)).questions[0]?.answer?.text).toBe('Number 2291.');
    const told = Array.from({ length: MAX_REPLIES + 1 }, () => dialogue.nextToTell());
    expect(told).toEqual([...Array<string>(MAX_REPLIES).fill(digestOfSigned(QUESTION)), undefined]);
  });
});
