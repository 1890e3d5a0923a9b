import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { digestOfSigned, readPayload } from '../../src/domain/dsse.js';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HandLedger, seal } from '../helpers/hand-made.js';
import { approve } from '../helpers/messages.js';
import { API, EXECUTOR, keyOfPerson } from '../helpers/signers.js';
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

const prefix = (): string => action.id.slice(0, 8);

/** A hostile API shows nothing that could be signed. */
const refused = async (code: string): Promise<void> => {
  const { exit, terminal } = await folder.run(['show', prefix()]);
  expect(exit).toBe(1);
  expect(terminal.said).toContain(`(${code})`);
  expect((await folder.run(['approve', prefix()])).exit).toBe(1);
  expect(api.posted).toEqual([]);
};

test('an envelope no executor of the roster sealed', async () => {
  const { envelope } = action.newest;
  action.claims = { envelopes: [API.sign('envelope', { ...envelope, summary: 'Pay nobody anything' })] };
  await refused('receipt_invalid');
});

test('an older revision in place of the newest', async () => {
  const [first] = action.revisions;
  action.modified('cleo', { params: { vendor: 'ACME', cents: 1 } });
  action.claims = { envelopes: first === undefined ? [] : [first.signed] };
  await refused('receipt_invalid');
});

test('an envelope without the entry that names it, and entries with a gap', async () => {
  action.claims = { entries: [] };
  await refused('receipt_invalid');
  action.modified('cleo', { params: { vendor: 'ACME', cents: 1 } });
  action.claims = { entries: action.ledger.entries.slice(1) };
  await refused('receipt_invalid');
});

test('the receipt without a revision: enough for an end that it proves, and for nothing that could be decided', async () => {
  const none = { envelopes: [], digest: null, view: null, revision: 0, stale: true };
  action.claims = none;
  await refused('receipt_invalid');
  action.ran();
  action.claims = { ...none, running: false };
  const { exit, terminal } = await folder.run(['get', prefix()]);
  expect(exit).toBe(0);
  expect(terminal.said).toContain('succeeded');
});

test("another action's envelope", async () => {
  const other = seal({ actionId: `act_${'0'.repeat(26)}` });
  action.claims = { envelopes: [other.signed] };
  await refused('receipt_invalid');
});

test('another action than was asked for', async () => {
  action.claims = { id: `act_${'0'.repeat(26)}` as FakeAction['id'] };
  await refused('receipt_invalid');
});

test('an end that no entry proves is not taken for one', async () => {
  const ended = new FakeAction();
  ended.ran();
  action.claims = { outcome: { ...ended.outcome, id: action.id } };
  const { exit, terminal } = await folder.run(['get', prefix()]);
  expect(exit).toBe(6);
  expect(terminal.said).toContain('no entry of the executor proves');
});

test('an invented vote does not count: the tally is made here, from signatures', async () => {
  const forged = approve('ben', action.newest, { by: keyOfPerson('cleo') });
  action.decisions.push(forged);
  const { terminal } = await folder.run(['show', prefix()]);
  expect(terminal.text).toContain('Votes: 0 of 2');
  action.decisions.splice(0, 1, approve('ben', action.newest));
  expect((await folder.run(['show', prefix()])).terminal.text).toContain('Votes: 1 of 2');
});

test('two decisions of one digest are one', async () => {
  const vote = approve('ben', action.newest);
  action.decisions.push(vote, vote);
  expect(digestOfSigned(vote)).toBe(digestOfSigned(action.decisions[1] ?? vote));
  expect((await folder.run(['show', prefix()])).terminal.text).toContain('Votes: 1 of 2');
});

test('entries that another key signed', async () => {
  const entries = action.ledger.entries.map((entry) => API.sign('entry', readPayload('entry', entry)));
  action.claims = { entries };
  await refused('receipt_invalid');
});

test('bytes this build renders other than the executor sealed', async () => {
  const [first] = action.ledger.entries;
  const sealed = first === undefined ? undefined : readPayload('entry', first);
  action.claims = { entries: [EXECUTOR.sign('entry', { ...(sealed as object), view: '0'.repeat(64) })] };
  await refused('view_mismatch');
});

test('an executor’s key that was not valid at the seal', async () => {
  const text = await readFile(join(folder.dir, 'roster.yaml'), 'utf8');
  const key = `{ key: '${EXECUTOR.key.text}', until: 2026-01-31T09:30:00.000Z }`;
  await writeFile(join(folder.dir, 'roster.yaml'), text.replace(`keys: ['${EXECUTOR.key.text}'] }`, `keys: [${key}] }`));
  await refused('receipt_invalid');
});

test("another action's envelope, even if an entry of this one named it", async () => {
  const other = seal({ actionId: `act_${'0'.repeat(26)}` });
  const ledger = new HandLedger(action.id);
  ledger.sealed(other, 'request', Date.now());
  action.claims = { envelopes: [other.signed], entries: ledger.entries };
  await refused('receipt_invalid');
});
