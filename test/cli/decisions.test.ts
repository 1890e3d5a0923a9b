import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readPayload, type Signed } from '../../src/domain/dsse.js';
import { decisionSchema, type Decision } from '../../src/domain/objects/decision.js';
import { cancelSchema, resolveSchema } from '../../src/domain/objects/stop.js';
import { requestSchema } from '../../src/domain/objects/request.js';
import { outcomeOf } from '../../src/domain/outcome.js';
import { actionIdOf } from '../../src/domain/ids.js';
import { DEPLOYMENT } from '../helpers/rules-fixture.js';
import { approve, reject } from '../helpers/messages.js';
import { answerTo, FakeAction, FakeApi } from './fake-api.js';
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

const sent = (): Signed => {
  const posted = api.posted.at(-1);
  if (posted === undefined) throw new Error('nothing was sent');
  return posted.signed;
};
const decision = (): Decision => decisionSchema.parse(readPayload('decision', sent()));
const close = (status: 'rejected' | 'cancelled'): void => {
  const reason = { code: status, text: 'closed' } as const;
  action.ledger.append({ kind: 'closed', status, reason }, Date.now());
  action.outcome = outcomeOf(action.id, status, reason);
};

describe('reject', () => {
  test('needs no look before, says what it rejects, and tells the end', async () => {
    api.onPost = (posted, of) => {
      of.decisions.push(posted.signed);
      close('rejected');
      return { status: 200, body: answerTo(posted, of, { fate: { state: 'stands' } }) };
    };
    const { exit, terminal } = await folder.run(['reject', action.id, '--reason', 'paid in October', '--as', 'cleo']);
    expect(exit).toBe(0);
    expect(terminal.lines).toEqual(['rejected effect: none']);
    expect(terminal.errors).toEqual(['rejecting: Pay ACME EUR 4800.00']);
    expect(decision()).toMatchObject({ verdict: 'reject', person: 'cleo', reason: 'paid in October', digest: action.newest.digest });
  });
  test('wants a reason', async () => {
    expect((await folder.run(['reject', action.id])).exit).toBe(2);
    expect((await folder.run(['reject', action.id, '--reason', ''])).exit).toBe(2);
    expect(api.posted).toEqual([]);
  });
});

describe('modify', () => {
  const change = (...changes: string[]) => folder.run(['modify', action.id, ...changes, '--reason', 'typo']);

  test('signs the patch on what was shown, and tells the new revision', async () => {
    await folder.run(['show', action.id]);
    api.onPost = (posted, of) => {
      of.modified('ana', { params: { vendor: 'ACME', cents: 820_000 } });
      return { status: 200, body: answerTo(posted, of) };
    };
    const first = action.newest;
    const { exit, terminal } = await change('/cents=820000');
    expect(exit).toBe(0);
    expect(terminal.lines.slice(0, 2)).toEqual(['revision 2: 0 of 2', '  /cents  480000 → 820000']);
    expect(decision()).toMatchObject({ verdict: 'modify', patch: { '/cents': 820_000 }, digest: first.digest, revision: 1 });
  });
  test('a place that is none is refused here, with the places there are', async () => {
    await folder.run(['show', action.id]);
    const { exit, terminal } = await change('/cent=820000');
    expect(exit).toBe(2);
    expect(terminal.said).toContain('The places are: /cents, /vendor.');
    expect(api.posted).toEqual([]);
  });
  test('changes nothing that was not shown', async () => {
    expect((await change('/cents=820000')).terminal.said).toContain('(nothing_shown)');
  });
});

describe('withdraw', () => {
  test('names the own live vote by its own bytes', async () => {
    const vote = approve('ana', action.newest);
    action.decisions.push(vote, approve('ben', action.newest));
    const { exit, terminal } = await folder.run(['withdraw', action.id, '--reason', 'too fast']);
    expect(exit).toBe(0);
    expect(terminal.text).toBe('approval withdrawn: 1 of 2');
    expect(decision()).toMatchObject({ verdict: 'withdraw', person: 'ana', reason: 'too fast' });
  });
  test('without a vote there is nothing to withdraw; with two it asks which', async () => {
    expect((await folder.run(['withdraw', action.id])).exit).toBe(1);
    const [one, two] = [reject('ana', action.newest), approve('ana', action.newest)];
    action.decisions.push(one, two);
    expect((await folder.run(['withdraw', action.id])).terminal.said).toContain('--decision');
    expect(api.posted).toEqual([]);
  });
});

describe('cancel', () => {
  beforeEach(() => {
    api.onPost = (posted, of) => {
      close('cancelled');
      return { status: 200, body: answerTo(posted, of, { fate: { state: 'stands' } }) };
    };
  });
  const by = (): string => cancelSchema.parse(readPayload('cancel', sent())).by;

  test('by the agent, if its key is here', async () => {
    expect(await folder.run(['cancel', action.id])).toMatchObject({ exit: 0, terminal: { lines: ['cancelled effect: none'] } });
    expect(by()).toBe('agent:ap-agent');
  });
  test('by its owner', async () => {
    await folder.run(['cancel', action.id, '--as', 'dana']);
    expect(by()).toBe('person:dana');
  });
});

test('resolve says what a person found out; a verdict that is none is not sent', async () => {
  const args = ['resolve', action.id, '--step', '2', '--reason', 'asked the bank', '--as', 'eva', '--verdict'];
  expect((await folder.run([...args, 'perhaps'])).exit).toBe(2);
  expect(api.posted).toEqual([]);
  await folder.run([...args, 'did_not']);
  expect(resolveSchema.parse(readPayload('resolve', sent()))).toMatchObject({
    step: 2,
    verdict: 'did_not',
    by: 'eva',
    actionId: action.id,
  });
  expect(api.posted[0]?.path).toBe(`/v1/actions/${action.id}/resolutions`);
});

describe('propose', () => {
  test('signs the request with the agent’s key and tells what is asked', async () => {
    api.onPost = (_posted, of) => ({ status: 201, body: of.resource() });
    const args = ['propose', 'payments.transfer', '/vendor=ACME', '/cents=480000', '--reason', 'Invoice 4711', '--key', 'key 1'];
    const { exit, terminal } = await folder.run(args);
    expect({ exit, lines: terminal.lines }).toEqual({ exit: 0, lines: [`held ${action.id.slice(0, 8)}  0 of 2`] });
    const request = requestSchema.parse(readPayload('request', sent()));
    expect(request).toMatchObject({
      agent: 'ap-agent',
      type: 'payments.transfer',
      params: { vendor: 'ACME', cents: 480_000 },
      idempotencyKey: 'key 1',
    });
    expect(actionIdOf(DEPLOYMENT, request.agent, request.idempotencyKey)).toBe(action.id);
  });
  test('needs a reason and an idempotency key', async () => {
    expect((await folder.run(['propose', 'payments.transfer', '--reason', 'x'])).exit).toBe(2);
    expect((await folder.run(['propose', 'payments.transfer', '--key', 'x'])).exit).toBe(2);
  });
  test('the answer must be that very action', async () => {
    api.onPost = (_posted, of) => ({ status: 201, body: of.resource() });
    const { terminal } = await folder.run(['propose', 'payments.transfer', '/cents=1', '--reason', 'x', '--key', 'another']);
    expect(terminal.said).toContain('(receipt_invalid)');
  });
});
