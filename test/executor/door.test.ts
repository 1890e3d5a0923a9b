import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect } from 'node:net';
import { digestOfSigned, signedSchema, type Signed } from '../../src/domain/dsse.js';
import { problemSchema } from '../../src/domain/http.js';
import { utf8 } from '../../src/domain/bytes.js';
import { sha256 } from '../../src/domain/hash.js';
import { canonicalize } from '../../src/domain/json.js';
import { actionIdOf, type ActionId } from '../../src/domain/ids.js';
import { doorInput } from '../../src/domain/objects/answer.js';
import { readAnswer } from '../../src/domain/receipt.js';
import { openDoor } from '../../src/executor/door/door.js';
import type { RunningServer } from '../../src/http/serve.js';
import { approve, cancel, damaged, freeze, modify, reject, request, resolve, thaw, withdraw } from '../helpers/messages.js';
import { DEPLOYMENT } from '../helpers/rules-fixture.js';
import { keyOfPerson, signerOf } from '../helpers/signers.js';
import type { World } from '../helpers/world.js';
import { TRUST } from '../helpers/world.js';
import { ready } from './ready.js';

let world: World;
let sealed: Awaited<ReturnType<typeof ready>>['sealed'];
let votes: readonly Signed[];
let door: RunningServer;
const told: (readonly [ActionId, Signed])[] = [];
beforeEach(async () => {
  ({ world, sealed, votes } = await ready());
  told.length = 0;
  door = await openDoor({ at: '127.0.0.1:0', executor: world.executor, onStands: (...what) => void told.push(what) });
});
afterEach(() => door.close());

const send = (body: string, headers: Record<string, string> = { 'content-type': 'application/json' }): Promise<Response> =>
  fetch(`${door.url}/v1/stops`, { method: 'POST', headers, body });
async function stop(signed: unknown): Promise<string> {
  const response = await send(JSON.stringify(signed));
  if (response.status === 200) return 'stands';
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const { status, code } = problemSchema.parse(await response.json());
  expect(status).toBe(response.status);
  return code;
}

describe("the executor's own door", () => {
  test('takes reject, withdraw, cancel and freeze, and answers with what the executor signed for this very message', async () => {
    const no = reject('cleo', sealed);
    const at = world.clock.ms;
    for (const [signed, actionId] of [
      [no, sealed.id],
      [withdraw('cleo', sealed, no), sealed.id],
      [freeze('cleo', { all: true }, { at }), null],
      [cancel(sealed.id, { at }), sealed.id],
    ] as const) {
      const response = await send(JSON.stringify(signed));
      expect(response.status).toBe(200);
      const answer = signedSchema.parse(await response.json());
      const read = readAnswer('lodge', actionId, doorInput(actionId, signed), answer, TRUST);
      expect(read?.result).toEqual({ kind: 'stands', digest: digestOfSigned(signed) });
      expect(read?.answer.entries).toEqual([]);
      expect(readAnswer('lodge', actionId, doorInput(actionId, votes[0] ?? signed), answer, TRUST)).toBeUndefined();
    }
    expect(world.kinds(sealed.id)).toEqual(['sealed']);
    await world.report(sealed.id);
    expect(world.outcome(sealed.id)).toMatchObject({ status: 'cancelled', reason: { by: 'agent:ap-agent' } });
    expect(told.map(([id]) => id)).toEqual([sealed.id, sealed.id, sealed.id]);
    expect(await world.advance(sealed, [...votes])).toEqual({ kind: 'end' });
    expect(world.bank.callsOf('run')).toEqual([]);
  });

  test('thaw, resolve, approve, modify and a request are not on it: it never lets anything go on', async () => {
    const at = world.clock.ms;
    const stopped = freeze('cleo', { all: true }, { at });
    await stop(stopped);
    for (const signed of [
      thaw('cleo', stopped, { at }),
      resolve('eva', sealed.id, 1, 'happened', { at }),
      approve('ana', sealed),
      modify('ana', sealed, { '/cents': 1 }),
      request().signed,
      sealed.signed,
    ])
      expect(await stop(signed)).toBe('request_invalid');
    expect(await world.advance(sealed, [...votes])).toMatchObject({
      kind: 'wait',
      code: 'frozen',
      text: 'frozen by cleo: Something is wrong.',
    });
  });

  test('a stranger learns nothing: known and unknown actions answer alike; nothing is written', async () => {
    const nowhere = { ...sealed, id: actionIdOf(DEPLOYMENT, 'ap-agent', 'nothing') };
    const stranger = { by: signerOf('stranger'), at: world.clock.ms };
    const forged = (of: typeof sealed) => reject('cleo', { ...of, envelope: { ...of.envelope, actionId: of.id } }, stranger);
    const texts = await Promise.all([forged(sealed), forged(nowhere)].map(async (signed) => problemOf(signed)));
    expect(texts[0]).toEqual(texts[1]);
    expect(texts[0]).toMatchObject({ status: 403, code: 'signature_invalid' });
    for (const signed of [cancel(sealed.id, stranger), freeze('cleo', { all: true }, stranger), damaged(reject('cleo', sealed))])
      expect(await stop(signed)).toBe('signature_invalid');
    await world.report(sealed.id);
    expect(world.kinds(sealed.id)).toEqual(['sealed']);
    expect(told).toEqual([]);
  });

  test('a cancel of an action this ledger does not know is refused: nobody can tell whose it would be', async () => {
    const { id, signed } = request();
    expect(await stop(cancel(id, { at: world.clock.ms }))).toBe('request_invalid');
    expect(await world.seal(id, signed)).toMatchObject({ kind: 'sealed' });
  });

  test('a rejection by a key the action was sealed with stands though policy and roster are broken; a freeze waits for them', async () => {
    world.rules.break();
    expect(await stop(freeze('cleo', { all: true }, { at: world.clock.ms }))).toBe('roster_stale');
    expect(await stop(reject('cleo', sealed, { by: signerOf('stranger') }))).toBe('roster_stale');
    expect(await stop(reject('cleo', sealed))).toBe('stands');
    world.rules.mend();
    expect(await world.advance(sealed, [...votes])).toMatchObject({ code: 'rejection_standing', text: 'rejected by cleo' });
  });

  test('who may not is refused with a code; the same again stands once', async () => {
    const at = world.clock.ms;
    expect(await stop(freeze('ana', { all: true }, { at }))).toBe('not_eligible');
    expect(await stop(cancel(sealed.id, { at, by: keyOfPerson('ana') }, 'person:ana'))).toBe('credential_invalid');
    const no = reject('ben', sealed);
    expect([await stop(no), await stop(no)]).toEqual(['stands', 'stands']);
    await world.report(sealed.id);
    expect(world.kinds(sealed.id)).toEqual(['sealed', 'lodged']);
  });

  test('strict bodies of at most 64 KiB, one route, no word of the inside', async () => {
    const no = JSON.stringify(reject('cleo', sealed));
    for (const [body, headers, code] of [
      ['{', undefined, 'request_invalid'],
      ['[]', undefined, 'request_invalid'],
      [no.replace('{', '{"payload":"A",'), undefined, 'request_invalid'],
      [no, { 'content-type': 'text/plain' }, 'request_invalid'],
      [no, { 'content-type': 'application/json', 'content-encoding': 'gzip' }, 'request_invalid'],
      [' '.repeat(65_537), undefined, 'request_too_large'],
    ] as const) {
      const response = await send(body, headers);
      expect(problemSchema.parse(await response.json()).code).toBe(code);
    }
    for (const [method, path] of [
      ['GET', '/v1/stops'],
      ['DELETE', '/v1/freezes/x'],
      ['POST', '/v1/actions'],
      ['GET', '/metrics'],
    ] as const)
      expect((await fetch(door.url + path, { method })).status).toBe(404);
    expect(await (await fetch(`${door.url}/healthz`)).json()).toEqual({ status: 'ok' });
  });

  test('attack 57: a flood from one address is refused with 429 and writes nothing; later a freeze lands', async () => {
    const garbage = JSON.stringify(freeze('cleo', { all: true }, { at: world.clock.ms, by: signerOf('stranger') }));
    const statuses = await Promise.all(Array.from({ length: 100 }, async () => (await send(garbage).catch(() => undefined))?.status));
    expect(statuses).toContain(429);
    expect(statuses.filter((status) => status === 403).length).toBeLessThanOrEqual(25);
    await expectInTheEnd(async () => (await stop(freeze('cleo', { all: true }, { at: world.clock.ms }))) === 'stands');
  });

  test('whoever opens connections and says nothing, or speaks slowly, is cut off, and keeps nobody out', async () => {
    const { port } = new URL(door.url);
    const held = Array.from({ length: 40 }, () => connect(Number(port), '127.0.0.1').resume());
    const gone = held.map((socket) =>
      once(
        socket.on('error', () => undefined),
        'close',
      ),
    );
    await Promise.race(gone);
    held[0]?.write('POST /v1/stops HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\ncontent-type: application/json\r\n\r\n{');
    await Promise.all(gone);
    expect(await stop(freeze('cleo', { all: true }, { at: world.clock.ms }))).toBe('stands');
  });

  test('a door that cannot be opened says why', async () => {
    const taken = new URL(door.url).host;
    await expect(openDoor({ at: taken, executor: world.executor, onStands: () => undefined })).rejects.toThrow(
      /cannot listen on .*KEYTURN_DOOR/,
    );
    for (const at of ['7879', 'nowhere:', '127.0.0.1:99999', 'http://127.0.0.1:1'])
      await expect(openDoor({ at, executor: world.executor, onStands: () => undefined })).rejects.toThrow('is no address for the door');
  });

  test('a ledger that fails: a problem, nothing is called on record, and nothing of it is shown', async () => {
    const broken = { ...world.executor, rules: () => Promise.reject(new Error('secret of the inside')) };
    const other = await openDoor({ at: '127.0.0.1:0', executor: broken, onStands: () => undefined });
    const response = await fetch(`${other.url}/v1/stops`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(reject('cleo', sealed)),
    });
    const text = await response.text();
    expect([response.status, text.includes('secret'), text.includes('ledger_invalid')]).toEqual([500, false, true]);
    await other.close();
  });
});

describe('attack 57: what one key may put on record is bounded', () => {
  test('sixty freezes in an hour, each person for itself; a thaw and the next hour are not touched', async () => {
    const say = () => world.lodge(null, freeze('cleo', { type: 'payments.blind' }, { at: world.clock.ms }));
    for (let i = 0; i < 60; i++) expect(await say()).toMatchObject({ kind: 'stands' });
    expect(await say()).toMatchObject({
      kind: 'refused',
      code: 'rate_limited',
      text: 'person:cleo has put 60 on record as "freeze" within the hour, and 60 is the most',
    });
    const other = freeze('eva', { all: true }, { at: world.clock.ms });
    expect(await world.lodge(null, other)).toMatchObject({ kind: 'stands' });
    for (let i = 0; i < 60; i++)
      expect(await world.lodge(null, thaw('cleo', other, { at: world.clock.ms }))).toMatchObject({ kind: 'stands' });
    expect(await world.lodge(null, thaw('cleo', other, { at: world.clock.ms }))).toMatchObject({
      code: 'rate_limited',
      text: 'person:cleo has put 60 on record as "thaw" within the hour, and 60 is the most',
    });
    world.clock.pass(60 * 60_000 - 1);
    expect(await say()).toMatchObject({ kind: 'refused', code: 'rate_limited' });
    world.clock.pass(1);
    expect(await say()).toMatchObject({ kind: 'stands' });
    expect(await world.lodge(null, thaw('cleo', other, { at: world.clock.ms }))).toMatchObject({ kind: 'stands' });
  });

  test('a hundred withdrawals, then no more; a rejection still stands', async () => {
    const no = reject('cleo', sealed);
    await world.lodge(sealed.id, no);
    await onRecord('withdraw', 99);
    expect(await world.lodge(sealed.id, withdraw('cleo', sealed, no))).toMatchObject({ kind: 'stands' });
    const last = reject('cleo', sealed);
    expect(await world.lodge(sealed.id, last)).toMatchObject({ kind: 'stands' });
    expect(await world.lodge(sealed.id, withdraw('cleo', sealed, last))).toMatchObject({
      code: 'rate_limited',
      text: 'person:cleo has 100 on record as "withdraw" of this action, and 100 is the most',
    });
    expect(await world.advance(sealed, [...votes])).toMatchObject({ code: 'rejection_standing', text: 'rejected by cleo' });
    await onRecord('reject', 197);
    expect(await world.lodge(sealed.id, reject('cleo', sealed))).toMatchObject({ kind: 'stands' });
    expect(await world.lodge(sealed.id, reject('cleo', sealed))).toMatchObject({
      code: 'rate_limited',
      text: 'person:cleo has 200 on record as "reject" of this action, and 200 is the most',
    });
    expect(await world.lodge(sealed.id, reject('ben', sealed))).toMatchObject({ kind: 'stands' });
  });

  /** So many more rows of cleo's, as if she had sent them before. */
  async function onRecord(object: 'reject' | 'withdraw', count: number): Promise<void> {
    const signed = canonicalize(votes[0]);
    await world.database.transaction(async (sql) => {
      for (let i = 0; i < count; i++)
        await sql.run(
          'INSERT INTO lodged (digest, action_id, object, by_whom, signed, at) VALUES (?, ?, ?, ?, ?, ?)',
          sha256(utf8(`${object} ${i}`)),
          sealed.id,
          object,
          'person:cleo',
          signed,
          world.clock.ms,
        );
    });
  }

  test('twenty cancels of what is under way', async () => {
    const pair = await world.propose({ type: 'payments.batch' });
    await world.advance(pair, [approve('ana', pair), approve('ben', pair)]);
    for (let i = 0; i < 20; i++)
      expect(await world.lodge(pair.id, cancel(pair.id, { at: world.clock.ms }))).toMatchObject({ kind: 'stands' });
    expect(await world.lodge(pair.id, cancel(pair.id, { at: world.clock.ms }))).toMatchObject({
      code: 'rate_limited',
      text: 'agent:ap-agent has 20 on record as "cancel" of this action, and 20 is the most',
    });
  });
});

async function problemOf(signed: Signed): Promise<unknown> {
  const { requestId, ...problem } = (await (await send(JSON.stringify(signed))).json()) as Record<string, unknown>;
  expect(requestId).toEqual(expect.any(String));
  return problem;
}

async function expectInTheEnd(so: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (await so()) return;
    await new Promise((done) => setTimeout(done, 200));
  }
  throw new Error('in vain');
}
