import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readPayload, verifySigned, type Signed } from '../../src/domain/dsse.js';
import { decisionSchema, type Decision } from '../../src/domain/objects/decision.js';
import { envelope } from '../helpers/hand-made.js';
import { keyOfPerson } from '../helpers/signers.js';
import { answerTo, FakeAction, FakeApi, problem } from './fake-api.js';
import { FakeTerminal } from './fake-terminal.js';
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

const decisionIn = (signed: Signed | undefined): Decision =>
  decisionSchema.parse(signed === undefined ? undefined : readPayload('decision', signed));
const prefix = (): string => action.id.slice(0, 8);

describe('approve signs exactly what was shown last in this folder', () => {
  test('show, then two people approve, without a question; the last vote waits for the end', async () => {
    expect((await folder.run(['show', prefix()])).exit).toBe(0);
    const first = await folder.run(['approve', prefix(), '--as', 'ana']);
    expect(first).toMatchObject({ exit: 0, terminal: { lines: ['1 of 2, waiting for ben, cleo'] } });
    api.onPost = (posted, of) => {
      of.decisions.push(posted.signed);
      of.ran();
      return { status: 200, body: answerTo(posted, of) };
    };
    const last = await folder.run(['approve', prefix(), '--as', 'ben']);
    expect(last).toMatchObject({ exit: 0, terminal: { lines: ['2 of 2: succeeded effect: done'] } });

    const [signed] = api.posted.map((posted) => posted.signed);
    expect(decisionIn(signed)).toMatchObject({
      verdict: 'approve',
      person: 'ana',
      digest: action.newest.digest,
      view: action.newest.view,
      revision: 1,
    });
    expect(signed !== undefined && verifySigned('decision', signed, keyOfPerson('ana').key)).toBe(true);
    expect(api.unsigned).toEqual([]);
  });

  test('nothing shown and nobody at the terminal: refused, and it says how', async () => {
    const { exit, terminal } = await folder.run(['approve', prefix()]);
    expect(exit).toBe(1);
    expect(terminal.said).toContain('(nothing_shown)');
    expect(terminal.said).toContain(`keyturn show ${prefix()}`);
    expect(api.posted).toEqual([]);
  });

  test('moved since: prints old → new, signs nothing, and does so again until it is shown again', async () => {
    await folder.run(['show', prefix()]);
    action.modified('cleo', { params: { vendor: 'ACME', cents: 48_000_000 }, summary: 'Pay ACME EUR 480000.00' });
    for (let i = 0; i < 2; i++) {
      const { exit, terminal } = await folder.run(['approve', prefix()]);
      expect(exit).toBe(1);
      expect(terminal.errors.join('\n')).toContain('/cents  480000 → 48000000');
      expect(terminal.said).toContain('also changed: the sentence');
      expect(terminal.said).toContain('from revision 1 to 2');
      expect(terminal.said).toContain('(revision_stale)');
    }
    expect(api.posted).toEqual([]);
    await folder.run(['show', prefix()]);
    expect((await folder.run(['approve', prefix()])).exit).toBe(0);
    expect(decisionIn(api.posted[0]?.signed)).toMatchObject({ revision: 2, digest: action.newest.digest });
  });

  test('--digest names what was seen elsewhere; a shorter or other one signs nothing', async () => {
    const { digest } = action.newest;
    expect((await folder.run(['approve', prefix(), '--digest', digest.slice(0, 11)])).exit).toBe(2);
    expect((await folder.run(['approve', prefix(), '--digest', `${digest.slice(0, 12).split('').reverse().join('')}`])).exit).toBe(1);
    expect(api.posted).toEqual([]);
    expect((await folder.run(['approve', prefix(), '--digest', digest.slice(0, 12)])).exit).toBe(0);
    expect(api.posted).toHaveLength(1);
  });

  test('at a terminal it shows the action and asks; anything but y signs nothing', async () => {
    const no = new FakeTerminal(true, ['']);
    expect((await folder.run(['approve', prefix()], no)).exit).toBe(1);
    expect(no.said).toContain('(not_confirmed)');
    expect(no.text).toContain('Pay ACME EUR 4800.00');
    expect(api.posted).toEqual([]);
    await writeFile(join(folder.dir, '.keyturn', 'shown.json'), '{}');
    const yes = new FakeTerminal(true, ['y']);
    expect((await folder.run(['approve', prefix()], yes)).exit).toBe(0);
    expect(yes.asked).toHaveLength(1);
    expect(api.posted).toHaveLength(1);
  });

  test('a damaged memory shows nothing', async () => {
    await folder.run(['show', prefix()]);
    await writeFile(join(folder.dir, '.keyturn', 'shown.json'), '{"act_');
    expect((await folder.run(['approve', prefix()])).terminal.said).toContain('(nothing_shown)');
  });

  test('no worker lives: what was shown before can be approved, is recorded, and that is said plainly', async () => {
    await folder.run(['show', prefix()]);
    action.goStale();
    api.onPost = (posted, of) => ({ status: 202, body: answerTo(posted, of, { judged: false, fate: { state: 'waiting' } }) });
    const { exit, terminal } = await folder.run(['approve', prefix()]);
    expect(exit).toBe(6);
    expect(terminal.text).toContain('recorded, not yet judged');
    expect(decisionIn(api.posted[0]?.signed)).toMatchObject({ digest: action.newest.digest, view: action.newest.view });
  });

  test('no worker lives and nothing was shown: nothing is signed', async () => {
    action.goStale();
    expect((await folder.run(['approve', prefix(), '--digest', action.newest.digest.slice(0, 12)])).terminal.said).toContain(
      '(temporal_unavailable)',
    );
    expect(api.posted).toEqual([]);
  });

  test('--print writes the signed message and sends nothing', async () => {
    await folder.run(['show', prefix()]);
    const { exit, terminal } = await folder.run(['approve', prefix(), '--print']);
    expect(exit).toBe(0);
    expect(decisionIn(JSON.parse(terminal.text) as Signed)).toMatchObject({ verdict: 'approve', person: 'ana' });
    expect(api.posted).toEqual([]);
  });

  test('a refusal keeps its code and remedy; the words of the API are made inert', async () => {
    await folder.run(['show', prefix()]);
    api.onPost = () => problem('seat_taken', 409, 'gone\u001b[2J\u202e evil');
    const { exit, terminal } = await folder.run(['approve', prefix()]);
    expect(exit).toBe(1);
    expect(terminal.said).toContain('(seat_taken)');
    expect(terminal.said).toContain('‹U+001B›[2J‹U+202E› evil');
  });
});

describe('who signs', () => {
  test('--as needs a development roster', async () => {
    const strict = await Folder.make(api.url, {});
    const { exit, terminal } = await strict.run(['show', prefix(), '--as', 'ben']);
    await strict.remove();
    expect(exit).toBe(2);
    expect(terminal.said).toContain('development roster');
  });

  test('a key that is not that very person’s in the roster signs nothing', async () => {
    const keys = join(folder.dir, '.keyturn', 'keys');
    await writeFile(join(keys, 'ana.key'), await readFile(join(keys, 'ben.key')));
    const { exit, terminal } = await folder.run(['show', prefix()]);
    expect(exit).toBe(1);
    expect(terminal.said).toContain('not a key of ana');
  });

  test('somebody unknown, and nobody at all, are usage errors that name the people', async () => {
    expect((await folder.run(['show', prefix(), '--as', '../ana'])).exit).toBe(2);
    await writeFile(join(folder.dir, '.keyturn', 'config.json'), JSON.stringify({ url: api.url }));
    const { exit, terminal } = await folder.run(['show', prefix()]);
    expect(exit).toBe(2);
    expect(terminal.said).toContain('ana, ben, cleo, dana, eva');
  });
});

describe('a rule that has a value repeated', () => {
  const guarded = async (confirmField = '/cents'): Promise<void> => {
    await api.stop();
    action = new FakeAction({ guards: { ...envelope().guards, development: true, confirmField } });
    api = await FakeApi.start(action);
    await folder.remove();
    folder = await Folder.make(api.url);
    await folder.run(['show', prefix()]);
  };
  test('without a terminal: --confirm, never filled in by itself; another value signs nothing', async () => {
    await guarded();
    for (const args of [[], ['--confirm', '1'], ['--confirm', '480000 ']]) {
      const { exit, terminal } = await folder.run(['approve', prefix(), '--as', 'ana', ...args]);
      expect(exit).toBe(1);
      expect(terminal.said).toContain('(guard_unmet)');
    }
    expect(api.posted).toEqual([]);
    expect((await folder.run(['approve', prefix(), '--as', 'ana', '--confirm', '480000'])).exit).toBe(0);
    expect(decisionIn(api.posted[0]?.signed).guards).toEqual({ confirmField: '480000' });
  });

  test('at a terminal it asks, and only the value as it is shown is a vote: typed wrong, left empty or answered with y is none', async () => {
    await guarded();
    for (const typed of ['48000', '', 'y', '480 000', '"480000"']) {
      const { exit, terminal } = await folder.run(['approve', prefix(), '--as', 'ana'], new FakeTerminal(true, [typed]));
      expect([typed, exit]).toEqual([typed, 1]);
      expect(terminal.asked).toEqual(['Type the value of /cents to confirm: ']);
      // It says what is asked for, never what would be right.
      expect(terminal.asked.join() + terminal.said).not.toContain('480000');
      expect(terminal.said).toContain('(guard_unmet)');
    }
    expect(api.posted).toEqual([]);
    const right = await folder.run(['approve', prefix(), '--as', 'ana'], new FakeTerminal(true, [' 480000 ']));
    expect(right.exit).toBe(0);
    expect(decisionIn(api.posted[0]?.signed)).toMatchObject({ verdict: 'approve', guards: { confirmField: '480000' } });
  });

  test('what stands in --confirm is not asked for again; for a program (--json) nothing is asked at all', async () => {
    await guarded();
    const program = await folder.run(['--json', 'approve', prefix(), '--as', 'ana'], new FakeTerminal(true, ['480000']));
    expect([program.exit, program.terminal.asked]).toEqual([1, []]);
    expect(program.terminal.said).toContain('guard_unmet');
    expect(api.posted).toEqual([]);
    const given = await folder.run(['approve', prefix(), '--as', 'ana', '--confirm', '480000'], new FakeTerminal(true, ['wrong']));
    expect([given.exit, given.terminal.asked]).toEqual([0, []]);
  });

  test('not shown before: the action is shown and agreed to first, then the value is asked for', async () => {
    await guarded();
    await writeFile(join(folder.dir, '.keyturn', 'shown.json'), '{}');
    const { exit, terminal } = await folder.run(['approve', prefix(), '--as', 'ana'], new FakeTerminal(true, ['y', '480000']));
    expect(exit).toBe(0);
    expect(terminal.asked).toHaveLength(2);
    expect(terminal.asked[1]).toContain('/cents');
  });

  test('a text is typed without its quotes', async () => {
    await guarded('/vendor');
    expect((await folder.run(['approve', prefix()], new FakeTerminal(true, ['"ACME"']))).exit).toBe(1);
    expect((await folder.run(['approve', prefix()], new FakeTerminal(true, ['acme']))).exit).toBe(1);
    expect((await folder.run(['approve', prefix()], new FakeTerminal(true, ['ACME']))).exit).toBe(0);
    expect(api.posted.map(({ signed }) => decisionIn(signed).guards)).toEqual([{ confirmField: 'ACME' }]);
  });
});
