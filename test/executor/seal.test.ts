import { describe, expect, test } from '@jest/globals';
import { canonicalize } from '../../src/domain/json.js';
import { viewDigestOf } from '../../src/domain/view/v1.js';
import { damaged, request } from '../helpers/messages.js';
import { API, EXECUTOR, keyOfPerson, signerOf } from '../helpers/signers.js';
import { held, HOUR, World } from '../helpers/world.js';

const rows = async (world: World, table: string): Promise<number> =>
  Number((await world.database.transaction((sql) => sql.all(`SELECT count(*) AS n FROM ${table}`)))[0]?.['n']);

describe('what is sealed', () => {
  test('the envelope, its digest, its view and the people asked are written with the seal', async () => {
    const world = await World.open();
    const sealed = await world.propose({ params: { vendor: 'ACME', cents: 1_200 } });
    expect(sealed.envelope).toMatchObject({
      revision: 1,
      parent: null,
      executor: 'bank',
      standing: 'signed',
      agent: 'ap-agent',
      owner: 'dana',
      summary: 'Pay ACME EUR 12.00',
      params: { vendor: 'ACME', cents: 1_200 },
      rule: { name: 'vendor payments' },
      rejections: 1,
      stages: [{ name: 'finance', from: ['ana', 'ben', 'cleo'], quorum: 2 }],
      resolve: { people: ['eva'], quorum: 1 },
    });
    expect(sealed.view).toBe(viewDigestOf(sealed.envelope));
    const [entry] = world.entries(sealed.id);
    expect(entry).toMatchObject({ kind: 'sealed', digest: sealed.digest, view: sealed.view, cause: 'request', revision: 1 });
    expect(entry?.kind === 'sealed' && entry.people.map(({ person }) => person)).toEqual(['ana', 'ben', 'cleo', 'eva']);
    expect(world.statuses.get(sealed.id)).toBe('awaiting_approval');
  });

  test('6.13 the same request again is the same seal, for ever, with no second preview', async () => {
    const world = await World.open();
    const { id, signed } = request({ idempotencyKey: 'one' });
    const first = held(await world.seal(id, signed));
    const previews = world.bank.calls.length;
    world.clock.pass(5 * HOUR);
    await world.restart();
    expect(held(await world.seal(id, signed)).digest).toBe(first.digest);
    expect(world.kinds(id)).toEqual(['sealed']);
    expect(world.bank.calls.length).toBe(previews);
  });

  test('6.13 the same idempotency key with another body is refused, and writes nothing', async () => {
    const world = await World.open();
    const first = await world.propose({ idempotencyKey: 'one' });
    const other = request({ idempotencyKey: 'one', params: { vendor: 'ACME', cents: 820_000 } });
    expect(other.id).toBe(first.id);
    expect(await world.seal(other.id, other.signed)).toMatchObject({
      kind: 'refused',
      code: 'idempotency_key_reused',
      text: 'this idempotency key belongs to another body',
    });
    expect(world.kinds(first.id)).toEqual(['sealed']);
  });

  test('6.13 equal content under another key is a new action whose envelope names the earlier one and its fate', async () => {
    const world = await World.open();
    const first = await world.propose({ params: { vendor: 'ACME', cents: 7 } });
    await world.close(first.id, 'cancelled');
    const second = await world.propose({ params: { vendor: 'ACME', cents: 7 } });
    expect(second.id).not.toBe(first.id);
    expect(second.envelope.earlier).toEqual([
      { actionId: first.id, status: 'cancelled', reason: 'cancelled before it ran', by: 'unsigned' },
    ]);
  });

  test('two seals at once make one seal', async () => {
    const world = await World.open();
    const { id, signed } = request();
    const results = await Promise.all([world.seal(id, signed), world.seal(id, signed), world.seal(id, signed)]);
    expect(results.filter(({ kind }) => kind === 'sealed').length).toBeGreaterThanOrEqual(1);
    expect(results.every(({ kind }) => kind === 'sealed' || kind === 'wait')).toBe(true);
    held(await world.seal(id, signed));
    expect(await rows(world, 'envelope')).toBe(1);
    expect(await rows(world, 'entry')).toBe(1);
  });
});

describe('who asks (§4)', () => {
  const nothingWritten = async (world: World): Promise<void> => {
    for (const table of ['action', 'envelope', 'entry']) expect(await rows(world, table)).toBe(0);
  };

  test.each([
    ['a key of nobody', request({ by: signerOf('nobody') })],
    ['a reviewer for the agent', request({ by: keyOfPerson('ana') })],
    ['the owner for the agent', request({ by: keyOfPerson('dana') })],
    ['the executor for the agent', request({ by: EXECUTOR })],
    ['the API for an agent with its own key', request({ by: API })],
    ['an agent nobody knows', request({ agent: 'ghost', by: API })],
    ['a type the agent may not propose', request({ type: 'secrets.rotate' })],
  ])('credential_invalid writes nothing and leaves the idempotency key free: %s', async (_what, { id, signed }) => {
    const world = await World.open();
    expect(await world.seal(id, signed)).toMatchObject({ kind: 'refused', code: 'credential_invalid' });
    await nothingWritten(world);
  });

  test('a damaged signature writes nothing; the honest request still goes', async () => {
    const world = await World.open();
    const { id, signed } = request();
    expect(await world.seal(id, damaged(signed))).toMatchObject({
      kind: 'refused',
      code: 'credential_invalid',
      text: 'No valid credential of a known agent, person or API stands behind this.',
    });
    await nothingWritten(world);
    held(await world.seal(id, signed));
  });

  test('an agent with a bearer key is vouched for by the API, and the envelope says so', async () => {
    const world = await World.open();
    const sealed = await world.propose({ agent: 'bearer-agent', by: API });
    expect(sealed.envelope.standing).toBe('vouched');
    const own = request({ agent: 'bearer-agent', by: signerOf('agent:bearer-agent') });
    expect(await world.seal(own.id, own.signed)).toMatchObject({
      kind: 'refused',
      code: 'credential_invalid',
      text: 'No valid credential of a known agent, person or API stands behind this.',
    });
  });

  test('an agent past its end, or with a key past its end, asks nothing', async () => {
    const world = await World.open();
    const gone = "ap-agent: { owner: dana, key: 'KEY', propose: [payments.*], until: '2026-06-01T09:00:00.000Z' }";
    world.rules.setRoster({ agents: [gone.replace('KEY', signerOf('agent:ap-agent').key.text)] });
    const { id, signed } = request();
    expect(await world.seal(id, signed)).toMatchObject({
      kind: 'refused',
      code: 'credential_invalid',
      text: 'No valid credential of a known agent, person or API stands behind this.',
    });
    await nothingWritten(world);
  });

  test('a request for another deployment, or under another id than its own, is refused', async () => {
    const world = await World.open();
    const foreign = request({ deployment: 'acme-prod' });
    expect(await world.seal(foreign.id, foreign.signed)).toMatchObject({
      kind: 'refused',
      code: 'audience_mismatch',
      text: 'the request is for acme-prod',
    });
    const [one, two] = [request(), request()];
    expect(await world.seal(one.id, two.signed)).toMatchObject({
      kind: 'refused',
      code: 'audience_mismatch',
      text: 'the action id does not follow from the request',
    });
    await nothingWritten(world);
  });

  test('onBehalfOf must be somebody of the roster, and is excluded', async () => {
    const world = await World.open();
    const nobody = request({ onBehalfOf: 'zoe' });
    expect(await world.seal(nobody.id, nobody.signed)).toMatchObject({
      kind: 'refused',
      code: 'request_invalid',
      text: 'onBehalfOf: nobody called zoe in the roster',
    });
    const sealed = await world.propose({ onBehalfOf: 'ana' });
    expect(sealed.envelope.exclusions).toEqual([
      { person: 'dana', why: 'owner' },
      { person: 'ana', why: 'on_behalf_of' },
    ]);
  });
});

test('a roster or policy that is invalid: wait, nothing is written', async () => {
  const world = await World.open();
  world.rules.break(`${'x'.repeat(5_000)}\ud83d`);
  const { id, signed } = request();
  expect(await world.seal(id, signed)).toMatchObject({ kind: 'wait', code: 'roster_stale', text: 'x'.repeat(4_000) });
  expect(await rows(world, 'action')).toBe(0);
  world.rules.mend();
  held(await world.seal(id, signed));
});

test('input that is none is answered, signed, and names no action', async () => {
  const world = await World.open();
  const { seal } = await import('../../src/executor/seal.js');
  for (const input of [
    undefined,
    null,
    7,
    {},
    { actionId: 'x', have: 0, request: {} },
    { actionId: request().id, have: -1, reseal: 'zz' },
  ]) {
    const answer = JSON.parse(Buffer.from((await seal(world.executor, input)).payload, 'base64url').toString()) as unknown;
    expect(answer).toMatchObject({ actionId: null, status: null, result: { kind: 'refused', code: 'request_invalid', check: 1 } });
  }
  const { id, signed } = request();
  // What the schema takes as base64url is refused by name; anything else is no input.
  for (const payload of ['A', '', 'e30', Buffer.from(canonicalize({ v: 1 })).toString('base64url')])
    expect(await world.seal(id, { ...signed, payload })).toMatchObject({
      kind: 'refused',
      code: 'request_invalid',
      text: 'not a request: see the schema of request v1',
    });
  expect(await rows(world, 'action')).toBe(0);
});
