import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOfSigned, signedSchema } from '../../src/domain/dsse.js';
import { digestOf } from '../../src/domain/hash.js';
import { doorInput } from '../../src/domain/objects/answer.js';
import { openDoor } from '../../src/executor/door/door.js';
import type { RunningServer } from '../../src/http/serve.js';
import { LEDGER } from '../helpers/hand-made.js';
import { DEPLOYMENT } from '../helpers/rules-fixture.js';
import { API } from '../helpers/signers.js';
import type { SealedRevision } from '../helpers/messages.js';
import { World } from '../helpers/world.js';
import { FakeAction, FakeApi, problem } from './fake-api.js';
import { Folder, type Told } from './folder.js';

const NOWHERE = 'http://127.0.0.1:1';
let world: World;
let sealed: SealedRevision;
let door: RunningServer;
let folder: Folder;
beforeEach(async () => {
  world = await World.open();
  world.clock.ms = Date.now();
  sealed = await world.propose();
  door = await openDoor({ at: '127.0.0.1:0', executor: world.executor, onStands: () => undefined });
  folder = await Folder.make(NOWHERE, { more: 'development: true' }, 'cleo');
  await doorIs(door.url);
});
afterEach(async () => {
  await door.close();
  await folder.remove();
});

/** The folder's roster names this address as the door of the bank's executor. */
async function doorIs(url: string): Promise<void> {
  const file = join(folder.dir, 'roster.yaml');
  const text = (await readFile(file, 'utf8')).replace(/, door: '[^']*'/, '');
  await writeFile(file, text.replace(/(bank: \{ runs: .*?\]), keys/, `$1, door: '${url}', keys`));
}
const shown = (): Promise<void> =>
  writeFile(
    join(folder.dir, '.keyturn', 'shown.json'),
    JSON.stringify({ [sealed.id]: { digest: sealed.digest, view: sealed.view, revision: 1 } }),
  );
const entries = async () => {
  await world.report(sealed.id);
  return world.entries(sealed.id);
};

describe('with API and Temporal down, by the executor’s own door', () => {
  test('freeze: believed by the signature of the executor; a door that is away, too, is an error', async () => {
    const frozen = await folder.run(['freeze', '--all', '--reason', 'odd invoices']);
    expect([frozen.exit, frozen.terminal.text]).toEqual([0, expect.stringContaining('bank: frozen (by its own door)')]);
    await door.close();
    const again = await folder.run(['freeze', '--all', '--reason', 'odd invoices']);
    expect(again.exit).toBe(1);
    expect(again.terminal.said).toMatch(/bank: NOT REACHED: api_unreachable.*its door: .*nobody listens there/s);
  });

  test('reject what was shown in this folder, by a short id; the executor has it on record', async () => {
    await shown();
    const { exit, terminal } = await folder.run(['reject', sealed.id.slice(0, 9), '--reason', 'paid in October']);
    expect([exit, terminal.text]).toEqual([0, expect.stringContaining('rejected: executor bank has it on record and signed that')]);
    expect(terminal.said).toContain('going to the executors');
    expect(await entries()).toMatchObject([{}, { kind: 'lodged', object: 'reject', by: 'person:cleo' }]);
    const [, lodged] = await entries();
    const digest = lodged?.kind === 'lodged' ? (lodged.digest ?? '') : '';
    expect((await folder.run(['withdraw', sealed.id, '--reason', 'x'])).exit).toBe(2);
    expect((await folder.run(['withdraw', sealed.id, '--decision', digest])).exit).toBe(0);
    expect((await entries()).at(-1)).toMatchObject({ object: 'withdraw' });
  });

  test('what was never shown here cannot be rejected so, and the way out is named', async () => {
    const { exit, terminal } = await folder.run(['reject', sealed.id, '--reason', 'x']);
    expect([exit, terminal.said]).toEqual([1, expect.stringContaining('keyturn freeze')]);
    expect((await folder.run(['reject', 'act_zz', '--reason', 'x'])).exit).toBe(2);
  });

  test('cancel by the agent; refused by the door with its code', async () => {
    const done = await folder.run(['cancel', sealed.id]);
    expect([done.exit, done.terminal.text]).toEqual([0, expect.stringContaining('(cancelled)')]);
    const late = await folder.run(['--json', 'cancel', sealed.id]);
    expect([late.exit, late.terminal.said]).toEqual([1, expect.stringContaining('"code":"action_ended"')]);
  });
});

test('no door in the roster: the error says so', async () => {
  const none = await Folder.make(NOWHERE, { more: 'development: true' }, 'cleo');
  for (const args of [
    ['freeze', '--all'],
    ['reject', sealed.id],
  ]) {
    const { exit, terminal } = await none.run([...args, '--reason', 'x']);
    expect([exit, terminal.said]).toEqual([1, expect.stringContaining('(door:)')]);
  }
  await none.remove();
});

describe('with an API that cannot, or does not say the truth', () => {
  let api: FakeApi;
  beforeEach(async () => {
    api = await FakeApi.start(new FakeAction());
  });
  afterEach(() => api.stop());
  const run = (args: readonly string[]): Promise<Told> => folder.run(['--url', api.url, ...args]);

  test('Temporal away, or only recorded: the door has it on record', async () => {
    await shown();
    api.onPost = () => problem('temporal_unavailable');
    const freeze = await run(['freeze', '--all', '--reason', 'x']);
    expect([freeze.exit, freeze.terminal.text]).toEqual([0, expect.stringContaining('by its own door')]);
    const reject = await run(['reject', sealed.id, '--reason', 'x', '--door']);
    expect(reject.exit).toBe(0);
    expect(api.posted.map(({ path }) => path)).toEqual(['/v1/freezes']);
  });

  test('an API that hides a freeze does not keep it from the door', async () => {
    api.onPost = ({ signed }) => ({ status: 202, body: { digest: digestOfSigned(signed), executors: [] } });
    expect((await run(['freeze', '--all', '--reason', 'x'])).exit).toBe(0);
    await door.close();
    const { exit, terminal } = await run(['freeze', '--all', '--reason', 'x']);
    expect([exit, terminal.text]).toEqual([6, expect.stringContaining('not on record yet')]);
  });
});

describe('attack: somebody else answers at the door', () => {
  let server: Server;
  const serve = async (answer: (signed: ReturnType<typeof signedSchema.parse>) => unknown): Promise<void> => {
    server = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk) => (text += String(chunk)));
      request.on('end', () => response.end(JSON.stringify(answer(signedSchema.parse(JSON.parse(text))))));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    await doorIs(`http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`);
  };
  afterEach(() => void server.close());

  test('an answer the executor did not sign for this very message counts as none', async () => {
    await serve((signed) =>
      API.sign('answer', {
        v: 1,
        deployment: DEPLOYMENT,
        ledger: LEDGER,
        epoch: 1,
        activity: 'lodge',
        actionId: null,
        asked: digestOf(doorInput(null, signed)),
        status: null,
        entries: [],
        result: { kind: 'stands', digest: digestOfSigned(signed) },
      }),
    );
    const { exit, terminal } = await folder.run(['freeze', '--all', '--reason', 'x']);
    expect([exit, terminal.said]).toEqual([1, expect.stringContaining('no answer that this executor signed')]);
  });
});

test('doctor looks at each door', async () => {
  const env = { TEMPORAL_ADDRESS: '127.0.0.1:1' };
  expect((await folder.run(['doctor'], undefined, env)).terminal.text).toContain(`door of bank: ${door.url} answers`);
  await door.close();
  expect((await folder.run(['doctor'], undefined, env)).terminal.text).toContain('KEYTURN_DOOR=127.0.0.1:');
});
