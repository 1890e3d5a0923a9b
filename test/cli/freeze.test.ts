import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { digestOfSigned, readPayload, type Signer } from '../../src/domain/dsse.js';
import { digestOf } from '../../src/domain/hash.js';
import { lodgeStopInput } from '../../src/domain/objects/answer.js';
import { LEDGER } from '../helpers/hand-made.js';
import { DEPLOYMENT } from '../helpers/rules-fixture.js';
import { API, EXECUTOR } from '../helpers/signers.js';
import { FakeAction, FakeApi, type Posted } from './fake-api.js';
import { Folder } from './folder.js';

let api: FakeApi;
let folder: Folder;
beforeEach(async () => {
  api = await FakeApi.start(new FakeAction());
  folder = await Folder.make(api.url, { more: 'development: true' }, 'cleo');
});
afterEach(async () => {
  await api.stop();
  await folder.remove();
});

/** What an executor signs of a stop it has on record. */
const stands = (by: Signer, { signed }: Posted, about = signed) => ({
  digest: digestOfSigned(signed),
  executors: [
    {
      executor: 'bank',
      state: 'stands',
      answer: by.sign('answer', {
        v: 1,
        deployment: DEPLOYMENT,
        ledger: LEDGER,
        epoch: 1,
        activity: 'lodge',
        actionId: null,
        asked: digestOf(lodgeStopInput(about)),
        status: null,
        entries: [],
        result: { kind: 'stands', digest: digestOfSigned(about) },
      }),
    },
  ],
});

test('freeze: signed by me, for one scope; believed only by the signature of the executor', async () => {
  api.onPost = (posted) => ({ status: 200, body: stands(EXECUTOR, posted) });
  const { exit, terminal } = await folder.run(['freeze', '--type', 'payments.transfer', '--reason', 'odd invoices']);
  expect(exit).toBe(0);
  const [posted] = api.posted;
  if (posted === undefined) throw new Error('nothing was sent');
  expect(posted.path).toBe('/v1/freezes');
  expect(readPayload('freeze', posted.signed)).toMatchObject({ by: 'cleo', scope: { type: 'payments.transfer' }, reason: 'odd invoices' });
  expect(terminal.said).toContain('bank: frozen');
  expect(terminal.said).toContain(`keyturn thaw ${digestOfSigned(posted.signed)}`);
});

test('an API that only says so is not believed', async () => {
  api.onPost = (posted) => ({ status: 200, body: stands(API, posted) });
  expect((await folder.run(['freeze', '--all', '--reason', 'x'])).terminal.said).toContain('(receipt_invalid)');
  const first = api.posted[0];
  api.onPost = (posted) => ({ status: 200, body: { ...stands(EXECUTOR, posted, first?.signed) } });
  const { exit, terminal } = await folder.run(['freeze', '--all', '--reason', 'x']);
  expect(exit).toBe(1);
  expect(terminal.said).toContain('(receipt_invalid)');
  api.onPost = (posted) => ({ status: 200, body: { digest: digestOfSigned(posted.signed), executors: [] } });
  const nobody = await folder.run(['freeze', '--all', '--reason', 'x']);
  expect(nobody.exit).toBe(6);
  expect(nobody.terminal.said).toContain('not on record yet');
});

test('thaw names the freeze by its digest', async () => {
  api.onPost = (posted) => ({ status: 200, body: stands(EXECUTOR, posted) });
  const digest = 'a'.repeat(64);
  expect((await folder.run(['thaw', digest, '--reason', 'it was nothing'])).exit).toBe(0);
  expect(api.posted[0]?.path).toBe(`/v1/freezes/${digest}`);
  expect(api.posted[0] && readPayload('thaw', api.posted[0].signed)).toMatchObject({ by: 'cleo', freeze: digest });
});

test('one scope, and a digest that is one; nothing is sent otherwise', async () => {
  for (const args of [['freeze'], ['freeze', '--all', '--agent', 'ap-agent'], ['freeze', '--type', 'NO TYPE'], ['thaw', 'abc']])
    expect((await folder.run([...args, '--reason', 'x'])).exit).toBe(2);
  expect(api.posted).toEqual([]);
});
