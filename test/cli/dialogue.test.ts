import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { digestOfSigned, readPayload, type Signed } from '../../src/domain/dsse.js';
import { decisionSchema } from '../../src/domain/objects/decision.js';
import { replySchema } from '../../src/domain/objects/reply.js';
import { ask, damaged, reply } from '../helpers/messages.js';
import { keyOfPerson } from '../helpers/signers.js';
import { FakeAction, FakeApi } from './fake-api.js';
import { Folder } from './folder.js';

let action: FakeAction;
let api: FakeApi;
let folder: Folder;
beforeEach(async () => {
  action = new FakeAction();
  api = await FakeApi.start(action);
  folder = await Folder.make(api.url);
});
afterEach(async () => {
  await api.stop();
  await folder.remove();
});

const at = () => ({ at: Date.now() });
const sent = (): Signed => {
  const posted = api.posted.at(-1);
  if (posted === undefined) throw new Error('nothing was sent');
  return posted.signed;
};
/** What the API says came in as answers: it may say anything. */
function claim(question: Signed, ...replies: Signed[]): void {
  const said = replies.map((signed) => ({ digest: digestOfSigned(signed), question: digestOfSigned(question), signed }));
  action.decisions.push(question);
  action.claims = { ...action.claims, replies: said };
}

describe('ask', () => {
  test('signs a question on what is sealed; needs no look before', async () => {
    const { exit, terminal } = await folder.run(['ask', action.id, 'Which invoice?', '--as', 'cleo']);
    expect(exit).toBe(0);
    expect(terminal.lines[0]).toBe('asked: no vote, and no clock stops for it');
    expect(decisionSchema.parse(readPayload('decision', sent()))).toMatchObject({
      verdict: 'ask',
      question: 'Which invoice?',
      person: 'cleo',
      digest: action.newest.digest,
      view: action.newest.view,
    });
  });
  test('an empty question is none', async () => {
    expect((await folder.run(['ask', action.id, ''])).exit).toBe(2);
    expect(api.posted).toEqual([]);
  });
});

describe('answer', () => {
  test('signs an answer to the one question that is open', async () => {
    const question = ask('ana', action.newest, 'Which invoice?', at());
    claim(question);
    const { exit, terminal } = await folder.run(['answer', action.id, 'Number 2291.']);
    expect(exit).toBe(0);
    expect(terminal.lines).toEqual(['answered: the reviewers are told']);
    expect(api.posted.at(-1)?.path).toBe(`/v1/actions/${action.id}/answers`);
    const { agent, text, question: to } = replySchema.parse(readPayload('reply', sent()));
    expect({ agent, text, to }).toEqual({ agent: 'ap-agent', text: 'Number 2291.', to: digestOfSigned(question) });
  });
  test('several are open: it wants to know which; none is: it says so', async () => {
    expect((await folder.run(['answer', action.id, 'Yes.'])).terminal.said).toContain('no such question');
    const [first, second] = [ask('ana', action.newest, 'Which?', at()), ask('ben', action.newest, 'Why?', at())];
    claim(first);
    claim(second);
    const { exit, terminal } = await folder.run(['answer', action.id, 'Yes.']);
    expect(exit).toBe(1);
    expect(terminal.said).toContain('ben: Why?');
    expect(api.posted).toEqual([]);
    expect((await folder.run(['answer', action.id, 'Yes.', '--question', digestOfSigned(second).slice(0, 12)])).exit).toBe(0);
    expect(replySchema.parse(readPayload('reply', sent())).question).toBe(digestOfSigned(second));
  });
  test('wait ends with a question, and says how to answer', async () => {
    claim(ask('ana', action.newest, 'Which invoice?', at()));
    const { exit, terminal } = await folder.run(['wait', action.id, '--as-agent', 'ap-agent']);
    expect(exit).toBe(6);
    expect(terminal.said).toContain('ana asks: Which invoice?');
    expect(terminal.said).toContain(`keyturn answer ${action.id.slice(0, 8)}`);
  });
});

describe('show', () => {
  const card = async (): Promise<string> => (await folder.run(['show', action.id])).terminal.said;

  test('question and answer stand in marked boxes, every line of them', async () => {
    const question = ask('ben', action.newest, 'Which invoice?\nAnd when is it due?', at());
    claim(question, reply(action.id, question, 'Number 2291.\nVotes: 2 of 2', at()));
    const text = await card();
    for (const line of ['│ Which invoice?', '│ And when is it due?', '│ Number 2291.', '│ Votes: 2 of 2']) expect(text).toContain(line);
    expect(text).toMatch(/┌─ ben asks about revision 1/);
    expect(text).toMatch(/┌─ ap-agent answers, signed, unchecked/);
  });
  test("attack: control characters and a terminal's tricks in an answer are made visible", async () => {
    const question = ask('ben', action.newest, 'Which?', at());
    claim(question, reply(action.id, question, '\u001b[2J\u202eevil', at()));
    const text = await card();
    expect(text).not.toContain('\u001b[2J');
    expect(text).not.toContain('\u202e');
    expect(text).toContain('evil');
  });
  test("attack: a hostile API's answer that the agent did not sign is not shown; that there was one is", async () => {
    const question = ask('ben', action.newest, 'Which?', at());
    const forged = reply(action.id, question, 'ACME, confirmed by phone.', { ...at(), by: keyOfPerson('eva') });
    claim(question, forged, damaged(reply(action.id, question, 'Unsigned.', at())));
    action.claims = {
      ...action.claims,
      questions: [
        {
          digest: digestOfSigned(question),
          person: action.newest.envelope.owner,
          revision: 1,
          question: 'Which?',
          askedAt: action.newest.envelope.sealedAt,
          answer: null,
        },
      ],
    };
    const text = await card();
    expect(text).not.toContain('confirmed by phone');
    expect(text).not.toContain('Unsigned.');
    expect(text).toContain('2 claimed to be an answer');
    expect(text).toContain('no answer yet');
  });
  test('attack: a question that nobody signed is not shown as one', async () => {
    claim(damaged(ask('ben', action.newest, 'Send it twice, please?', at())));
    expect(await card()).not.toContain('Send it twice');
  });
});
