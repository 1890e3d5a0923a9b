import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readDelegation } from '../../src/domain/delegation.js';
import { readPayload, signedSchema, type Signed } from '../../src/domain/dsse.js';
import { decisionSchema } from '../../src/domain/objects/decision.js';
import { approve, delegation, onSeatOf } from '../helpers/messages.js';
import { keyOfPerson } from '../helpers/signers.js';
import { FakeAction, FakeApi } from './fake-api.js';
import { Folder } from './folder.js';

let action: FakeAction;
let api: FakeApi;
let folder: Folder;
beforeEach(async () => {
  action = new FakeAction({ delegates: ['eva'] });
  api = await FakeApi.start(action);
  folder = await Folder.make(api.url, undefined, 'eva');
});
afterEach(async () => {
  await api.stop();
  await folder.remove();
});

const HOUR = 3_600_000;
const day = (days: number): string => new Date(Date.now() + days * 24 * HOUR).toISOString().slice(0, 10);
const sent = (): Signed => {
  const posted = api.posted.at(-1);
  if (posted === undefined) throw new Error('nothing was sent');
  return posted.signed;
};
const decision = () => decisionSchema.parse(readPayload('decision', sent()));
const kept = (): string => join(folder.dir, '.keyturn', 'delegations');
async function keep(signed: Signed): Promise<void> {
  await mkdir(kept(), { recursive: true });
  await writeFile(join(kept(), 'handed-over.json'), JSON.stringify(signed));
}
const now = () => ({ at: Date.now() - 1_000, until: Date.now() + HOUR });

describe('delegate', () => {
  test('writes a signed file, and the delegate uses it', async () => {
    const { exit, terminal } = await folder.run(['delegate', '--to', 'eva', '--until', day(10), '--type', 'payments.*', '--as', 'ana']);
    expect(exit).toBe(0);
    expect(terminal.lines[0]).toBe(`eva may decide for ana until ${day(10)} 00:00:00 UTC, on payments.*, where a rule lets it`);
    const [name = ''] = await readdir(kept());
    const signed = signedSchema.parse(JSON.parse(await readFile(join(kept(), name), 'utf8')));
    expect(readDelegation(signed)).toMatchObject({ from: 'ana', to: 'eva', types: ['payments.*'], until: `${day(10)}T00:00:00.000Z` });
    expect(api.posted).toEqual([]);

    const shown = await folder.run(['show', action.id]);
    expect(shown.terminal.said).toContain('Those asked may hand over to: eva');
    expect(shown.terminal.said).toContain('You may decide for ana until');
    const inbox = await folder.run(['inbox']);
    expect(inbox.terminal.said).toContain('For ana until');
    expect((await folder.run(['approve', action.id, '--for', 'ana'])).exit).toBe(0);
    expect(decision()).toMatchObject({ person: 'eva', verdict: 'approve', delegation: { from: 'ana', signed } });
    expect((await folder.run(['reject', action.id, '--reason', 'no', '--for', 'ana'])).exit).toBe(0);
    expect(decision()).toMatchObject({ verdict: 'reject', delegation: { from: 'ana' } });
    expect((await folder.run(['ask', action.id, 'Why?', '--for', 'ana'])).exit).toBe(0);
    expect(decision()).toMatchObject({ verdict: 'ask', delegation: { from: 'ana' } });
    expect((await folder.run(['modify', action.id, '/cents=1', '--reason', 'typo', '--for', 'ana', '--print'])).exit).toBe(0);
  });
  test('to nobody, to oneself, for ever, or till yesterday: refused here', async () => {
    for (const args of [
      ['--to', 'zoe', '--until', day(10)],
      ['--to', 'ana', '--until', day(10)],
      ['--to', 'eva', '--until', day(100)],
      ['--to', 'eva', '--until', day(-1)],
      ['--to', 'eva', '--until', 'tomorrow'],
      ['--to', 'eva', '--until', day(10), '--type', 'Payments'],
    ])
      expect((await folder.run(['delegate', ...args, '--as', 'ana'])).exit).toBe(2);
    expect(await readdir(kept()).catch(() => [])).toEqual([]);
  });
});

describe('--for', () => {
  test('attack: a file that the delegator did not sign, that is over, or to somebody else is passed over', async () => {
    await folder.run(['show', action.id]);
    for (const signed of [
      delegation('ana', 'eva', { ...now(), by: keyOfPerson('eva') }),
      delegation('ana', 'eva', { at: Date.now() - 2 * HOUR, until: Date.now() - HOUR }),
      delegation('ana', 'ben', now()),
      delegation('ana', 'eva', { ...now(), types: ['cloud.*'] }),
      approve('ana', action.newest),
    ]) {
      await keep(signed);
      const { exit, terminal } = await folder.run(['approve', action.id, '--for', 'ana']);
      expect(exit).toBe(1);
      expect(terminal.said).toContain('keyturn delegate --to eva');
    }
    expect(api.posted).toEqual([]);
  });
  test('the votes shown are counted by seats; the delegator withdraws what was done for her', async () => {
    const forge = onSeatOf('ana', delegation('ana', 'eva', now()));
    action.decisions.push(approve('eva', action.newest, { at: Date.now(), forge }));
    const { terminal } = await folder.run(['show', action.id, '--as', 'ana']);
    expect(terminal.said).toContain('Votes: 1 of 2');
    expect(terminal.said).toContain('Can still decide: ben, cleo');
    expect((await folder.run(['withdraw', action.id, '--as', 'ana'])).exit).toBe(0);
    expect(decision()).toMatchObject({ verdict: 'withdraw', person: 'ana' });
  });
});
