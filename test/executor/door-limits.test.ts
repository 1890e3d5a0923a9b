import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';
import { digestOfSigned, type Signed } from '../../src/domain/dsse.js';
import { problemSchema } from '../../src/domain/http.js';
import { openDoor } from '../../src/executor/door/door.js';
import type { Executor } from '../../src/executor/executor.js';
import type { RunningServer } from '../../src/http/serve.js';
import { approve, cancel, damaged, freeze, reject, request } from '../helpers/messages.js';
import { keyOfPerson, signerOf } from '../helpers/signers.js';
import type { World } from '../helpers/world.js';
import { ready } from './ready.js';

let world: World;
let sealed: Awaited<ReturnType<typeof ready>>['sealed'];
let door: RunningServer;
let logged: [string, Readonly<Record<string, unknown>>][];
/** What the door's executor reads its rules by; a test may make it wait, or fail. */
let rules: Executor['rules'];
beforeEach(async () => {
  ({ world, sealed } = await ready());
  logged = [];
  ({ rules } = world.executor);
  const executor: Executor = { ...world.executor, rules: () => rules(), log: (event, detail) => void logged.push([event, detail]) };
  door = await openDoor({ at: '127.0.0.1:0', executor, onStands: () => undefined });
});
afterEach(() => door.close());

interface Heard {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}
/** One request, from an address of this machine's own. */
function ask(method: string, path: string, body = '', from = '127.0.0.1', headers: Record<string, string> = {}): Promise<Heard> {
  const { port } = new URL(door.url);
  return new Promise((done, fail) => {
    const type = body === '' ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) };
    const asked = httpRequest({ host: '127.0.0.1', port, method, path, localAddress: from, headers: { ...type, ...headers } }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => done({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
    });
    asked.on('error', fail).end(body);
  });
}
const send = (signed: Signed, from?: string): Promise<Heard> => ask('POST', '/v1/stops', JSON.stringify(signed), from);
const told = ({ status, text }: Heard): string => {
  const { code, detail } = problemSchema.parse(JSON.parse(text));
  return `${status} ${code}: ${detail}`;
};
const at = (): { readonly at: number } => ({ at: world.clock.ms });
/** Of who is nobody here: refused, but it has cost a turn. */
const garbage = (): Signed => freeze('cleo', { all: true }, { ...at(), by: signerOf('stranger') });

describe('who is told what', () => {
  const NOBODY = '403 signature_invalid: No key of an eligible person made this signature over these bytes.';
  test('who is known hears why; a stranger hears the same whatever he names; each is logged by what was asked and what was said', async () => {
    const other = request();
    for (const [signed, words, log] of [
      [freeze('ana', { all: true }, at()), '403 not_eligible: ana may not freeze', ['freeze', null, 'not_eligible']],
      [
        reject('eva', sealed),
        '403 not_eligible: This person is not among those who may decide this action now.',
        ['reject', sealed.id, 'not_eligible'],
      ],
      [cancel(other.id, at()), '400 request_invalid: this ledger knows no such action', ['cancel', other.id, 'request_invalid']],
      [garbage(), NOBODY, undefined],
      [cancel(sealed.id, { ...at(), by: signerOf('stranger') }), NOBODY, undefined],
      [reject('cleo', sealed, { by: signerOf('stranger') }), NOBODY, ['reject', sealed.id, 'signature_invalid']],
      [damaged(reject('cleo', sealed)), NOBODY, ['reject', sealed.id, 'signature_invalid']],
      [
        approve('ana', sealed),
        '400 request_invalid: this door takes signed rejects, withdrawals, cancels and freezes; everything else goes through the API',
        undefined,
      ],
    ] as const) {
      logged.length = 0;
      expect(told(await send(signed))).toBe(words);
      const [kind, actionId, said] = log ?? [];
      expect(logged).toEqual(log === undefined ? [] : [['door', { kind, actionId, digest: digestOfSigned(signed), said }]]);
    }
    expect(world.kinds(sealed.id)).toEqual(['sealed']);
    logged.length = 0;
    const no = reject('cleo', sealed);
    expect((await send(no)).status).toBe(200);
    expect(logged).toEqual([['door', { kind: 'reject', actionId: sealed.id, digest: digestOfSigned(no), said: 'stands' }]]);
  });
  test('while policy or roster is broken nobody is known, and only a key of the seal is taken', async () => {
    world.rules.break();
    const words =
      '403 roster_stale: policy or roster is invalid here: only a rejection by a key the action was sealed with is taken until it is mended';
    const { status } = JSON.parse((await send(garbage())).text) as { status: number };
    for (const signed of [freeze('cleo', { all: true }, at()), reject('cleo', sealed, { by: signerOf('stranger') })])
      expect(told(await send(signed))).toBe(words.replace('403', String(status)));
    expect((await send(reject('cleo', sealed))).status).toBe(200);
  });
  test('a rejection by a key the present roster has lost stands: the action was sealed with it', async () => {
    world.rules.setRoster({ version: 2, people: { cleo: `{ name: cleo, keys: ['${signerOf('new').key.text}'] }` } });
    expect((await send(reject('cleo', sealed, { by: keyOfPerson('cleo') }))).status).toBe(200);
  });
  test('what fails inside is logged with the number its sender was told, and nothing of it is shown', async () => {
    const cases: [unknown, string][] = [
      [new Error('secret of the inside'), 'secret of the inside'],
      ['secret words', 'secret words'],
    ];
    for (const [thrown, words] of cases) {
      logged.length = 0;
      const error = thrown as Error;
      rules = () => Promise.reject(error);
      const heard = await send(garbage());
      const { requestId, detail, code } = problemSchema.parse(JSON.parse(heard.text));
      expect([heard.status, heard.headers['retry-after'], code, detail]).toEqual([
        500,
        '3',
        'ledger_invalid',
        'The executor failed while answering: this message is not known to be on record. Sent again, it counts once.',
      ]);
      expect(logged).toEqual([['door failed', { requestId, error: words }]]);
    }
  });
});

describe('what the door is', () => {
  test('one route, and one that says it is there; every answer is for nobody’s cache, and the last on its connection', async () => {
    const alive = await ask('GET', '/healthz');
    expect([alive.status, alive.text]).toEqual([200, '{"status":"ok"}']);
    expect((await ask('HEAD', '/healthz?x=1')).status).toBe(200);
    const nowhere = '404 request_invalid: there is only POST /v1/stops here, and GET /healthz';
    for (const [method, path] of [
      ['GET', '/v1/stops'],
      ['PUT', '/v1/stops'],
      ['POST', '/healthz'],
      ['POST', '/v1/stops/x'],
      ['GET', '/'],
    ] as const)
      expect(told(await ask(method, path))).toBe(nowhere);
    for (const { headers } of [alive, await send(reject('cleo', sealed)), await send(garbage())])
      expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', connection: 'close' });
  });
  test('no address: said in words', async () => {
    const { executor } = world;
    const open = (where: string) => openDoor({ at: where, executor, onStands: () => undefined });
    for (const where of [
      '',
      '7879',
      '127.0.0.1',
      'nowhere:',
      ':1',
      '127.0.0.1:65536',
      '127.0.0.1:123456',
      'x127.0.0.1:1 ',
      ' 127.0.0.1:1',
      '[::1:1',
      '::1:1',
      '[x]:1',
      '[]:1',
      '127.0.0.1:1/',
    ])
      await expect(open(where)).rejects.toThrow(new Error(`"${where}" is no address for the door. Write host:port, as 127.0.0.1:7879.`));
    const taken = new URL(door.url).host;
    const [why, then] = [`listen EADDRINUSE: address already in use ${taken}`, 'Free that address, or name another in KEYTURN_DOOR.'];
    const words = await open(taken).then(
      () => 'opened',
      (error: unknown) => String(error),
    );
    // Node's own error is of another realm than the test's.
    expect(words.replace(': Error: listen', ': listen')).toBe(`Error: The door cannot listen on ${taken}: ${why}. ${then}`);
    await expect(open('192.0.2.1:65535')).rejects.toThrow(/^The door cannot listen on 192\.0\.2\.1:65535: .*EADDRNOTAVAIL/);
    for (const [where, url] of [
      ['[::1]:0', /^http:\/\/\[::1\]:\d+$/],
      ['localhost:0', /^http:\/\/localhost:\d+$/],
    ] as const) {
      const other = await open(where);
      expect(other.url).toMatch(url);
      await other.close();
    }
  });
  test('attack 57: no header of more than 8 KiB', async () => {
    expect((await ask('GET', '/healthz', '', '127.0.0.1', { x: 'a'.repeat(7_000) })).status).toBe(200);
    expect((await ask('GET', '/healthz', '', '127.0.0.1', { x: 'a'.repeat(9_000) })).status).toBe(431);
  });
});

describe('attack 57: how much one address, and all together, may ask', () => {
  const addresses = (count: number): string[] => Array.from({ length: count }, (_, i) => `127.0.0.${i + 1}`);
  const codes = async (sent: readonly Promise<Heard>[]): Promise<number[]> => (await Promise.all(sent)).map(({ status }) => status);
  const count = (all: readonly number[], status: number): number => all.filter((each) => each === status).length;

  const NOW = performance.now.bind(performance);
  /** The door's clock stands still until the test moves it, in ms. */
  let passed = 0;
  beforeEach(() => {
    const began = NOW();
    passed = 0;
    performance.now = () => began + passed;
  });
  afterEach(() => {
    performance.now = NOW;
  });
  test('twenty at once from one address, then one a second; another address is not held to it', async () => {
    const all = await Promise.all(Array.from({ length: 25 }, () => send(garbage())));
    const codes = all.map(({ status }) => status);
    expect([count(codes, 403), count(codes, 429)]).toEqual([20, 5]);
    const refused = await send(garbage());
    expect([told(refused), refused.headers['retry-after']]).toEqual(['429 rate_limited: Too many messages; this one was not judged.', '1']);
    expect((await send(garbage(), '127.0.0.2')).status).toBe(403);
    passed = 999;
    expect((await send(garbage())).status).toBe(429);
    passed = 1_000;
    expect([(await send(garbage())).status, (await send(garbage())).status]).toEqual([403, 429]);
  });
  test('a hundred from all together, then twenty a second', async () => {
    const all: number[] = [];
    for (const from of addresses(6)) all.push(...(await codes(Array.from({ length: 18 }, () => send(garbage(), from)))));
    expect([count(all, 403), count(all, 429)]).toEqual([100, 8]);
    passed = 1_000;
    const more = await codes(addresses(3).flatMap((from) => Array.from({ length: 7 }, () => send(garbage(), from.replace('0.0', '0.9')))));
    expect([count(more, 403), count(more, 429)]).toEqual([20, 1]);
  });
  test('twenty under way at once; as many again once they are answered', async () => {
    for (let round = 0; round < 2; round++) {
      let release = (): void => undefined;
      let waiting = 0;
      const released = new Promise<void>((done) => (release = done));
      const read = world.executor.rules;
      rules = async () => {
        waiting++;
        await released;
        return read();
      };
      const from = addresses(4).map((each) => each.replace('0.0', `0.${round + 1}`));
      const held = from.slice(0, 2).flatMap((each) => Array.from({ length: 10 }, () => send(garbage(), each)));
      while (waiting < 20) await new Promise((later) => setTimeout(later, 1));
      const late = await send(garbage(), from[2]);
      expect([late.status, late.headers['retry-after']]).toEqual([429, '1']);
      release();
      expect(await codes(held)).toEqual(Array<number>(20).fill(403));
    }
  });
  test('twenty connections of one address, two hundred in all: the next is cut off', async () => {
    const { port } = new URL(door.url);
    const sockets: Socket[] = [];
    const open = async (from: string): Promise<boolean> => {
      const socket = connect({ host: '127.0.0.1', port: Number(port), localAddress: from }).on('error', () => undefined);
      sockets.push(socket);
      await once(socket, 'connect');
      const cut = once(socket.resume(), 'close').then(() => false);
      return Promise.race([cut, new Promise<boolean>((stays) => setTimeout(() => stays(true), 20))]);
    };
    const many = (from: string, of: number) => Promise.all(Array.from({ length: of }, () => open(from)));
    expect(await many('127.0.0.1', 20)).toEqual(Array<boolean>(20).fill(true));
    expect(await open('127.0.0.1')).toBe(false);
    for (const from of addresses(10).slice(1)) expect(await many(from, 20)).toEqual(Array<boolean>(20).fill(true));
    expect(await open('127.0.0.11')).toBe(false);
    for (const socket of sockets) socket.destroy();
  });
});
