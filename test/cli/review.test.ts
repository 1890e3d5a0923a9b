import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readPayload, verifySigned, type Signed } from '../../src/domain/dsse.js';
import { personIdSchema } from '../../src/domain/ids.js';
import { toInstant } from '../../src/domain/instant.js';
import { reviewSchema, type ReviewMessage } from '../../src/domain/objects/review.js';
import { outcomeOf } from '../../src/domain/outcome.js';
import { digestOfSigned } from '../../src/domain/dsse.js';
import { HOUR } from '../helpers/hand-made.js';
import { approve } from '../helpers/messages.js';
import { DEPLOYMENT } from '../helpers/rules-fixture.js';
import { keyOfPerson } from '../helpers/signers.js';
import { answerTo, FakeAction, FakeApi, problem } from './fake-api.js';
import { Folder } from './folder.js';

const people = (...ids: string[]) => ids.map((id) => personIdSchema.parse(id));

/** Let run by ana alone; cleo and eva may review it, one of them must. */
function ranByBreakGlass(quorum: number): FakeAction {
  const action = new FakeAction({
    stages: [{ name: 'finance', from: ['ana'], quorum: 1, remind: [], escalate: [] }],
    breakGlass: { people: people('cleo', 'eva'), quorum, reviewWithin: 72 * HOUR },
  });
  const vote = approve('ana', action.newest, { at: Date.now(), reason: 'Production is down.' });
  action.decisions.push(vote);
  action.ledger.ran(action.newest, [digestOfSigned(vote)], Date.now(), {
    people: people('cleo', 'eva'),
    quorum,
    due: toInstant(Date.now() + 72 * HOUR),
  });
  action.outcome = outcomeOf(action.id, 'succeeded', { code: 'succeeded', text: 'It ran.' });
  return action;
}

let action: FakeAction;
let api: FakeApi;
let folder: Folder;
async function open(quorum = 1): Promise<void> {
  action = ranByBreakGlass(quorum);
  api = await FakeApi.start(action);
  folder = await Folder.make(api.url, { more: 'development: true' }, 'eva');
  // As the executor does it: on record, and with enough of them reviewed.
  api.onPost = (posted, { ledger, messages }) => {
    const { by, verdict } = sent();
    const digest = digestOfSigned(posted.signed);
    ledger.append({ kind: 'lodged', object: 'review', digest, by: `person:${by}` }, Date.now());
    if (quorum === 1) ledger.append({ kind: 'reviewed', by: [by], digests: [digest], verdict }, Date.now());
    messages.push(posted.signed);
    return { status: 200, body: answerTo(posted, action, { fate: { state: 'stands' } }) };
  };
}
beforeEach(() => open());
afterEach(async () => {
  await api.stop();
  await folder.remove();
});

const last = (): Signed => {
  const posted = api.posted.at(-1);
  if (posted === undefined) throw new Error('nothing was sent');
  return posted.signed;
};
const sent = (): ReviewMessage => reviewSchema.parse(readPayload('review', last()));
const review = (...args: string[]) => folder.run(['review', action.id.slice(0, 8), ...args]);
const JUSTIFIED = ['--verdict', 'justified', '--reason', 'the incident of today'];

describe('review: what a person says of what ran by a break-glass rule', () => {
  test('signs verdict and reason for this very action with the own key, sends it to its own endpoint, and tells where it stands', async () => {
    const { exit, terminal } = await review(...JUSTIFIED);
    expect([exit, terminal.text]).toEqual([0, expect.stringMatching(/reviewed.*eva.*justified/)]);
    expect(api.posted.map(({ path }) => path)).toEqual([`/v1/actions/${action.id}/reviews`]);
    expect(sent()).toMatchObject({
      deployment: DEPLOYMENT,
      actionId: action.id,
      by: 'eva',
      verdict: 'justified',
      reason: 'the incident of today',
    });
    expect(verifySigned('review', last(), keyOfPerson('eva').key)).toBe(true);
    expect(verifySigned('decision', last(), keyOfPerson('eva').key)).toBe(false);
    expect(api.unsigned).toEqual([]);
  });

  test('not justified is a verdict like the other; somebody else signs with --as', async () => {
    const { exit, terminal } = await review('--as', 'cleo', '--verdict', 'not_justified', '--reason', 'it could have waited');
    expect(exit).toBe(0);
    expect(terminal.text).toContain('not_justified');
    expect(sent()).toMatchObject({ by: 'cleo', verdict: 'not_justified' });
  });

  test('one of two: on record, and it says that more are owed', async () => {
    await api.stop();
    await folder.remove();
    await open(2);
    const { exit, terminal } = await review(...JUSTIFIED);
    expect(exit).toBe(0);
    expect(terminal.text).toContain('1 of 2 reviewed it, waits for cleo');
  });

  test('--json tells the post-review as the entries have it', async () => {
    const { terminal } = await folder.run(['--json', 'review', action.id, ...JUSTIFIED]);
    expect(JSON.parse(terminal.text)).toMatchObject({
      id: action.id,
      fate: 'stands',
      postReview: { state: 'signed', verdict: 'justified', by: ['eva'] },
    });
  });

  test('no reason, an empty one, no verdict, or another word for it: a usage error, and nothing is sent', async () => {
    for (const args of [
      ['--verdict', 'justified'],
      ['--verdict', 'justified', '--reason', ''],
      ['--reason', 'x'],
      ['--verdict', 'fine', '--reason', 'x'],
      ['--verdict', 'JUSTIFIED', '--reason', 'x'],
    ])
      expect([args, (await review(...args)).exit]).toEqual([args, 2]);
    expect(api.posted).toEqual([]);
  });

  test('--print signs, writes the object and sends nothing', async () => {
    const { exit, terminal } = await review(...JUSTIFIED, '--print');
    expect(exit).toBe(0);
    const signed = JSON.parse(terminal.text) as Signed;
    expect(verifySigned('review', signed, keyOfPerson('eva').key)).toBe(true);
    expect(api.posted).toEqual([]);
  });

  test('who let it run is refused by the API, with the code and in plain words', async () => {
    api.onPost = () => problem('not_eligible', 403, 'ana does not review this\u001b[2J');
    const { exit, terminal } = await review('--as', 'ana', ...JUSTIFIED);
    expect(exit).toBe(1);
    expect(terminal.said).toContain('(not_eligible)');
    expect(terminal.said).toContain('does not review this‹U+001B›[2J');
  });

  test('only recorded, while no worker or executor answers: said so, and exits as what still waits', async () => {
    api.onPost = (posted, of) => ({ status: 202, body: answerTo(posted, of, { judged: false, fate: { state: 'waiting' } }) });
    const { exit, terminal } = await review(...JUSTIFIED);
    expect(exit).toBe(6);
    expect(terminal.text).toContain('recorded, not yet judged');
  });

  test('an API that says it is reviewed, where no entry of the executor does: the entries are believed', async () => {
    api.onPost = (posted, of) => {
      of.claims = { postReview: { state: 'signed', verdict: 'justified', by: people('eva'), due: null } };
      return { status: 200, body: answerTo(posted, of, { fate: { state: 'stands' } }) };
    };
    expect((await review(...JUSTIFIED)).terminal.text).toContain('0 of 1 reviewed it, waits for cleo, eva');
    const { terminal } = await folder.run(['--json', 'review', action.id, ...JUSTIFIED]);
    expect(JSON.parse(terminal.text)).toMatchObject({ postReview: { state: 'open', by: [] } });
    const read = await folder.run(['--json', 'get', action.id]);
    expect(JSON.parse(read.terminal.text)).toMatchObject({ status: 'succeeded', postReview: { state: 'open', by: [] } });
  });
});
