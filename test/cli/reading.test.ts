import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Api } from '../../src/cli/http.js';
import { resolveId } from '../../src/cli/ids.js';
import { outcomeOf } from '../../src/domain/outcome.js';
import { FakeAction, FakeApi, problem } from './fake-api.js';
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

const close = (status: 'cancelled'): void => {
  const reason = { code: status, text: 'closed' } as const;
  action.ledger.append({ kind: 'closed', status, reason }, Date.now());
  action.outcome = outcomeOf(action.id, status, reason);
};

describe('get and wait exit by the outcome', () => {
  test.each([
    ['awaiting_approval', 6],
    ['outcome_unknown', 5],
    ['compensation_failed', 5],
  ] as const)('%s: %d', async (status, exit) => {
    action.outcome = outcomeOf(action.id, status, { code: status, text: 'x' });
    expect((await folder.run(['get', action.id])).exit).toBe(exit);
  });
  test('succeeded: 0, and an end with no effect: 3', async () => {
    close('cancelled');
    expect((await folder.run(['wait', action.id])).exit).toBe(3);
    const done = new FakeAction();
    done.ran();
    api.actions.splice(0, 1, done);
    const { exit, terminal } = await folder.run(['wait', action.id, '--json']);
    expect(exit).toBe(0);
    expect(JSON.parse(terminal.text)).toMatchObject({ status: 'succeeded', effect: 'done', final: true, proof: 'proved' });
  });
  test('undone: 4', async () => {
    const reason = { code: 'failed', text: 'settle: account_closed' } as const;
    action.ledger.append({ kind: 'ended', status: 'compensated', reason }, Date.now());
    action.outcome = outcomeOf(action.id, 'compensated', reason);
    expect((await folder.run(['get', action.id])).exit).toBe(4);
  });
  test('wait gives up after its time: 6; a duration that is none: 2', async () => {
    expect((await folder.run(['wait', action.id, '--timeout', '200ms'])).exit).toBe(6);
    expect((await folder.run(['wait', action.id, '--timeout', 'soon'])).exit).toBe(2);
  });
  test('a run terminated in Temporal needs a person', async () => {
    action.claims = { running: false };
    const { exit, terminal } = await folder.run(['wait', action.id]);
    expect(exit).toBe(5);
    expect(terminal.text).toContain('terminated');
  });
});

describe('ids take a unique prefix', () => {
  test('with or without act_; none and several are told apart', async () => {
    expect((await folder.run(['get', action.id.slice(4, 9)])).exit).toBe(6);
    expect((await folder.run(['get', 'act_zzzz'])).terminal.said).toContain('(no_such_action)');
    expect((await folder.run(['get', 'act_u'])).exit).toBe(2);
    const other = new FakeAction({ actionId: `${action.id.slice(0, 10)}${'0'.repeat(20)}` });
    api.actions.push(other);
    const { exit, terminal } = await folder.run(['get', action.id.slice(0, 8)]);
    expect(exit).toBe(1);
    expect(terminal.said).toContain('(ambiguous_id)');
    expect(terminal.said).toContain(other.id);
    expect((await folder.run(['get', action.id.slice(0, 14)])).exit).toBe(6);
  });
  test('more actions than can be looked through: no prefix is taken for unique', async () => {
    const line = action.line();
    const none = async (): Promise<never> => {
      throw new Error('not asked');
    };
    const endless: Api = {
      url: '',
      get: async (_path, schema) => schema.parse({ actions: [line], next: 'more' }),
      bytes: none,
      post: none,
    };
    await expect(resolveId(endless, action.id.slice(0, 8))).rejects.toThrow(/no prefix/);
    expect(await resolveId(endless, action.id)).toBe(action.id);
  });
  test('an action that is not there: the API’s own words', async () => {
    api.actions.length = 0;
    expect((await folder.run(['get', action.id])).terminal.said).toContain('(request_invalid)');
  });
});

test('inbox lists with the shortest ids that differ, and says so when nothing is there', async () => {
  api.actions.push(new FakeAction({ actionId: `${action.id.slice(0, 10)}${'0'.repeat(20)}` }));
  const { terminal } = await folder.run(['inbox']);
  expect(terminal.text).toContain(`  ${action.id.slice(0, 12)}  `);
  expect(terminal.text).toContain('payments.transfer by ap-agent, risk low');
  api.actions.length = 0;
  expect((await folder.run(['inbox'])).terminal.lines).toEqual(['Nothing needs ana.']);
});

test('no API: one sentence, how to start it, exit 1', async () => {
  await api.stop();
  const { exit, terminal } = await folder.run(['inbox']);
  expect(exit).toBe(1);
  expect(terminal.said).toContain('(api_unreachable)');
  expect(terminal.said).toContain('keyturn dev');
});

test('an answer that is none, and one of another program', async () => {
  await folder.run(['show', action.id]);
  api.onPost = () => ({ status: 200, body: { hello: 'world' } });
  expect((await folder.run(['approve', action.id])).terminal.said).toContain('(api_answer_invalid)');
  api.onPost = () => ({ status: 502, body: 'bad gateway' });
  expect((await folder.run(['approve', action.id])).terminal.said).toContain('(api_answer_invalid)');
  api.onPost = () => problem('rate_limited');
  expect((await folder.run(['approve', action.id])).terminal.said).toContain('(rate_limited)');
});
