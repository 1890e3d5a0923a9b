import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOfSigned, readPayload } from '../../src/domain/dsse.js';
import { canonicalize } from '../../src/domain/json.js';
import { parseRoster } from '../../src/domain/roster.js';
import { evidenceSchema } from '../../src/domain/evidence/schema.js';
import { verifyEvidence } from '../../src/domain/evidence/verify.js';
import { utf8 } from '../../src/domain/bytes.js';
import { actionEventsSchema, actionSchema, messageAnswerSchema } from '../../src/domain/http.js';
import { replySchema } from '../../src/domain/objects/reply.js';
import { approve, ask, damaged, reply, request } from '../helpers/messages.js';
import { metadataOf } from '../helpers/operator.js';
import { keyOfPerson } from '../helpers/signers.js';
import { BEARER, Desk, refusalOf, sealedOf, type Answer } from './desk.js';

const at = () => ({ at: Date.now() });
const fateOf = (answer: Answer) => messageAnswerSchema.parse(answer.body).fate;

describe('ask and answer, on a real Temporal server', () => {
  let desk: Desk;
  beforeAll(async () => {
    desk = await Desk.open();
  });
  afterAll(() => desk.stop());
  const answers = (id: string): string => `/v1/actions/${id}/answers`;

  test('a reviewer asks, the waiting agent is woken, answers, and people decide; the evidence holds both', async () => {
    const sealed = await desk.held();
    const { id } = sealed;
    const waiting = desk.get('agent', `/v1/actions/${id}?wait=50`);
    const question = ask('ana', sealed, 'Which invoice?', at());
    const asked = await desk.decide(question);
    expect([asked.status, fateOf(asked)]).toEqual([200, { state: 'taken' }]);
    const digest = digestOfSigned(question);
    expect(actionSchema.parse((await waiting).body).openQuestions).toEqual([{ digest, person: 'ana', question: 'Which invoice?' }]);
    const { currentDetails } = await metadataOf(desk.rig.client.workflow.getHandle(id));
    expect(currentDetails).toContain('- 1 question to the agent open');
    const before = await desk.action(id);
    expect([before.progress, before.awaiting, before.deadline]).toEqual([
      { have: 0, need: 2 },
      ['ana', 'ben', 'cleo'],
      sealed.envelope.approveBy,
    ]);

    const own = reply(id, question, 'Number 2291.', at());
    const answered = await desk.post(answers(id), own);
    expect([answered.status, fateOf(answered)]).toEqual([200, { state: 'taken' }]);
    expect(fateOf(await desk.post(answers(id), own))).toEqual({ state: 'taken' });
    // The same words again, after a crash maybe: the same answer.
    expect(messageAnswerSchema.parse((await desk.post(answers(id), reply(id, question, 'Number 2291.', at()))).body).digest).toBe(
      digestOfSigned(own),
    );
    expect(refusalOf(await desk.post(answers(id), reply(id, question, 'Another.', at())))).toBe('409 question_answered');
    expect(fateOf(await desk.get('ben', `/v1/actions/${id}/decisions/${digestOfSigned(own)}`))).toEqual({ state: 'taken' });
    const after = await desk.action(id);
    expect(after.openQuestions).toEqual([]);
    expect(after.questions).toMatchObject([
      {
        digest,
        person: 'ana',
        revision: 1,
        question: 'Which invoice?',
        answer: { agent: 'ap-agent', text: 'Number 2291.', standing: 'signed' },
      },
    ]);
    const told = desk.rig.notices.filter((line) => line.includes(id.slice(0, 8)) || line.includes(id)).map((line) => line.split(/ +/)[1]);
    expect(told).toContain('answered');

    await desk.decide(approve('ana', sealed, at()));
    await desk.decide(approve('ben', sealed, at()));
    const ended = await desk.when(id, ({ outcome }) => outcome.final);
    expect(ended.outcome.status).toBe('succeeded');
    expect(ended.questions).toHaveLength(1);
    const { events } = actionEventsSchema.parse((await desk.get('ana', `/v1/actions/${id}/events`)).body);
    expect(events.filter(({ kind }) => kind === 'ask' || kind === 'answer')).toMatchObject([
      { kind: 'ask', by: 'person:ana', text: 'Which invoice?', fate: { state: 'taken' } },
      { kind: 'answer', by: 'agent:ap-agent', text: 'Number 2291.' },
    ]);
    expect(refusalOf(await desk.decide(ask('cleo', sealed, 'Too late?', at())))).toBe('409 action_ended');

    const file = evidenceSchema.parse((await desk.get('ana', `/v1/actions/${id}/evidence`)).body);
    const roster = parseRoster(await readFile(join(desk.rig.dir, 'roster.yaml'), 'utf8'), 'roster.yaml');
    if (!roster.ok) throw new Error('no roster');
    const verify = (evidence: unknown) => verifyEvidence(utf8(`${canonicalize(evidence)}\n`), roster.roster);
    expect(file.questions).toEqual([{ ask: question, answer: own }]);
    expect(verify(file)).toMatchObject({ ok: true, warnings: [expect.stringContaining('whether one is missing')] });
    const pair = (answer: unknown, by: unknown = question) => verify({ ...file, questions: [{ ask: by, answer }] });
    const late = reply(id, question, 'Forged.', { ...at(), by: keyOfPerson('ana') });
    expect(pair(late)).toMatchObject({ ok: false, step: 'question 1' });
    expect(pair(damaged(own))).toMatchObject({ ok: false, step: 'question 1' });
    expect(pair(own, ask('ana', sealed, 'Another?', at()))).toMatchObject({ ok: false, step: 'question 1' });
    expect(pair(null, damaged(question))).toMatchObject({ ok: false, step: 'question 1' });
    expect(pair(null, approve('ana', sealed, at()))).toMatchObject({ ok: false, step: 'question 1' });
    expect(verify({ ...file, questions: [...file.questions, ...file.questions] })).toMatchObject({ ok: false, step: 'question 2' });
  });

  test('attack: an answer that whoever writes to the namespace puts in is shown by nobody, and the true one still is', async () => {
    const sealed = await desk.held();
    const question = ask('ben', sealed, 'Whose account?', at());
    await desk.decide(question);
    const handle = desk.rig.client.workflow.getHandle(sealed.id);
    const forged = reply(sealed.id, question, 'ACME, confirmed by phone.', { ...at(), by: keyOfPerson('eva') });
    expect(await desk.rig.decide(handle, forged, 'answer')).toBe('taken');
    await handle.signal('answer', damaged(reply(sealed.id, question, 'Unsigned.', at())));
    await handle.signal('answer', { text: 'not even signed' });
    const { openQuestions, questions } = await desk.action(sealed.id);
    expect(openQuestions).toHaveLength(1);
    expect(questions[0]?.answer).toBeNull();
    expect((await desk.post(answers(sealed.id), reply(sealed.id, question, 'The one on file.', at()))).status).toBe(200);
    expect((await desk.action(sealed.id)).questions[0]?.answer?.text).toBe('The one on file.');
    // What was put in does not spoil the evidence either.
    const file = evidenceSchema.parse((await desk.get('ana', `/v1/actions/${sealed.id}/evidence`)).body);
    const kept = file.questions.flatMap(({ answer }) => (answer === null ? [] : [replySchema.parse(readPayload('reply', answer)).text]));
    expect(kept).toEqual(['The one on file.']);
  });

  test('attack: only the agent answers, only about its own, only what it was asked', async () => {
    const sealed = await desk.held();
    const question = ask('ana', sealed, 'Why?', at());
    await desk.decide(question);
    const send = async (signed: unknown, headers = {}) => refusalOf(await desk.post(answers(sealed.id), signed, headers));
    expect(await send(reply(sealed.id, question, 'Yes.', { ...at(), by: keyOfPerson('ana') }))).toBe('401 credential_invalid');
    expect(await send({ question: digestOfSigned(question), text: 'Yes.' }, BEARER)).toBe('404 request_invalid');
    expect(await send(reply(sealed.id, ask('ana', sealed, 'Never asked.', at()), 'Yes.', at()))).toBe('400 request_invalid');
    expect(await send(damaged(reply(sealed.id, question, 'Yes.', at())))).toBe('401 credential_invalid');
    expect(await send(reply(request().id, question, 'Yes.', at()))).toBe('409 audience_mismatch');
    expect(await send({ question: digestOfSigned(question), text: 'Yes.' })).toBe('400 request_invalid');
    const { id } = request();
    expect(refusalOf(await desk.post(answers(id), reply(id, question, 'Yes.', at())))).toBe('404 request_invalid');
    // Whoever only names the agent's key learns nothing of what there is.
    expect(refusalOf(await desk.post(answers(id), damaged(reply(id, question, 'Yes.', at()))))).toBe('401 credential_invalid');
    expect((await desk.action(sealed.id)).openQuestions).toHaveLength(1);
  });

  test('an agent with a bearer key answers in plain JSON; the API vouches, and says so', async () => {
    const proposal = request({ agent: 'bearer-agent' });
    const body: unknown = readPayload('request', proposal.signed);
    const sealed = sealedOf(actionSchema.parse((await desk.post('/v1/actions', body, BEARER)).body));
    const question = ask('ana', sealed, 'Why?', at());
    await desk.decide(question);
    const plain = { question: digestOfSigned(question), text: 'It is due.' };
    const first = await desk.post(answers(sealed.id), plain, BEARER);
    const again = await desk.post(answers(sealed.id), plain, BEARER);
    expect([first.status, again.status]).toEqual([200, 200]);
    expect(messageAnswerSchema.parse(again.body).digest).toBe(messageAnswerSchema.parse(first.body).digest);
    expect(refusalOf(await desk.post(answers(sealed.id), { ...plain, text: 'Another.' }, BEARER))).toBe('409 question_answered');
    expect(refusalOf(await desk.post(answers(sealed.id), { text: 'It is due.' }, BEARER))).toBe('400 request_invalid');
    expect((await desk.action(sealed.id)).questions[0]?.answer).toMatchObject({ text: 'It is due.', standing: 'vouched' });
  });

  test('an answer while no worker lives is recorded, and taken once one does', async () => {
    const sealed = await desk.held();
    const question = ask('ana', sealed, 'Why?', at());
    await desk.decide(question);
    await desk.rig.stopWorker();
    const own = reply(sealed.id, question, 'It is due.', at());
    expect((await desk.post(answers(sealed.id), own)).status).toBe(202);
    await desk.rig.startWorker();
    const { openQuestions } = await desk.when(sealed.id, ({ questions }) => questions[0]?.answer !== null && questions.length > 0);
    expect(openQuestions).toEqual([]);
  });
});
