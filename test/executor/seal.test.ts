import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { canonicalize, type JsonObject } from '../../src/domain/json.js';
import { viewDigestOf } from '../../src/domain/view/v1.js';
import { defineAction } from '../../src/executor/define-action.js';
import { approve, damaged, request } from '../helpers/messages.js';
import { API, EXECUTOR, keyOfPerson, signerOf } from '../helpers/signers.js';
import { bankTypes } from '../helpers/types.js';
import { held, HOUR, MINUTE, World } from '../helpers/world.js';

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
    expect(await world.seal(other.id, other.signed)).toMatchObject({ kind: 'refused', code: 'idempotency_key_reused' });
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
    expect(await world.seal(id, damaged(signed))).toMatchObject({ kind: 'refused', code: 'credential_invalid' });
    await nothingWritten(world);
    held(await world.seal(id, signed));
  });

  test('an agent with a bearer key is vouched for by the API, and the envelope says so', async () => {
    const world = await World.open();
    const sealed = await world.propose({ agent: 'bearer-agent', by: API });
    expect(sealed.envelope.standing).toBe('vouched');
    const own = request({ agent: 'bearer-agent', by: signerOf('agent:bearer-agent') });
    expect(await world.seal(own.id, own.signed)).toMatchObject({ kind: 'refused', code: 'credential_invalid' });
  });

  test('an agent past its end, or with a key past its end, asks nothing', async () => {
    const world = await World.open();
    const gone = "ap-agent: { owner: dana, key: 'KEY', propose: [payments.*], until: '2026-06-01T09:00:00.000Z' }";
    world.rules.setRoster({ agents: [gone.replace('KEY', signerOf('agent:ap-agent').key.text)] });
    const { id, signed } = request();
    expect(await world.seal(id, signed)).toMatchObject({ kind: 'refused', code: 'credential_invalid' });
    await nothingWritten(world);
  });

  test('a request for another deployment, or under another id than its own, is refused', async () => {
    const world = await World.open();
    const foreign = request({ deployment: 'acme-prod' });
    expect(await world.seal(foreign.id, foreign.signed)).toMatchObject({ kind: 'refused', code: 'audience_mismatch' });
    const [one, two] = [request(), request()];
    expect(await world.seal(one.id, two.signed)).toMatchObject({ kind: 'refused', code: 'audience_mismatch' });
    await nothingWritten(world);
  });

  test('onBehalfOf must be somebody of the roster, and is excluded', async () => {
    const world = await World.open();
    const nobody = request({ onBehalfOf: 'zoe' });
    expect(await world.seal(nobody.id, nobody.signed)).toMatchObject({ kind: 'refused', code: 'request_invalid' });
    const sealed = await world.propose({ onBehalfOf: 'ana' });
    expect(sealed.envelope.exclusions).toEqual([
      { person: 'dana', why: 'owner' },
      { person: 'ana', why: 'on_behalf_of' },
    ]);
  });
});

describe('what is denied', () => {
  const deniedWith = async (world: World, proposal: Parameters<typeof request>[0], code: string): Promise<void> => {
    const { id, signed } = request(proposal);
    expect(await world.seal(id, signed)).toEqual({ kind: 'end' });
    expect(world.kinds(id)).toEqual(['denied']);
    expect(world.outcome(id)).toMatchObject({ status: 'denied', effect: 'none', reason: { code } });
    // Again: the same, and nothing more is written.
    expect(await world.seal(id, signed)).toEqual({ kind: 'end' });
    expect(world.kinds(id)).toEqual(['denied']);
  };

  test('6.1 a deny rule wins wherever it stands, and the target is never touched', async () => {
    const world = await World.open();
    world.rules.setPolicy({ deny: ['payments.transfer'] });
    await deniedWith(world, {}, 'rule_denies');
    expect(world.bank.calls).toEqual([]);
  });
  test('6.1 no rule: denied', async () => {
    const world = await World.open();
    world.rules.setPolicy({ type: 'payments.batch' });
    await deniedWith(world, {}, 'rule_missing');
  });
  test('6.1 a type this executor does not run, or does not run any more by the roster: denied', async () => {
    const world = await World.open();
    await deniedWith(world, { type: 'payments.refund' }, 'type_unknown');
    world.rules.setRoster({ runs: ['payments.batch'] });
    await deniedWith(world, {}, 'type_unknown');
  });
  test('parameters that do not fit: denied before the preview', async () => {
    const world = await World.open();
    const wrong: JsonObject[] = [
      { vendor: 'ACME' },
      { vendor: 'ACME', cents: 1.5 },
      { vendor: 'ACME', cents: '5' },
      { vendor: 'ACME', cents: 5, extra: 1 },
    ];
    for (const params of wrong) await deniedWith(world, { params }, 'params_invalid');
    expect(world.bank.calls).toEqual([]);
  });
  test('6.2 a quorum nobody can meet: denied, and it says who is missing', async () => {
    const world = await World.open();
    world.rules.setRoster({ groups: { finance: ['ana', 'dana'] } });
    await deniedWith(world, {}, 'quorum_unsatisfiable');
  });
  test('a preview that fails for 15 minutes: wait, then denied', async () => {
    const world = await World.open();
    const { id, signed } = request();
    world.bank.previewFails = new Error('bank is down');
    expect(await world.seal(id, signed)).toMatchObject({ kind: 'wait', code: 'preview_failed' });
    world.clock.pass(15 * MINUTE - 1);
    expect(await world.seal(id, signed)).toMatchObject({ kind: 'wait', code: 'preview_failed' });
    world.clock.pass(1);
    expect(await world.seal(id, signed)).toEqual({ kind: 'end' });
    expect(world.outcome(id)).toMatchObject({ status: 'denied', reason: { code: 'preview_failed' } });
  });
  test('a preview that works in between starts the 15 minutes again', async () => {
    const world = await World.open();
    const sealed = await world.propose();
    const votes = [approve('ana', sealed), approve('ben', sealed)];
    world.bank.previewFails = new Error('bank is down');
    expect(await world.advance(sealed, votes)).toMatchObject({ kind: 'wait', code: 'preview_failed' });
    world.clock.pass(10 * MINUTE);
    world.bank.previewFails = undefined;
    world.bank.version++;
    expect(await world.advance(sealed, votes)).toMatchObject({ kind: 'reseal', code: 'target_changed' });
    world.bank.previewFails = new Error('bank is down');
    world.clock.pass(10 * MINUTE);
    expect(await world.reseal(sealed.id, sealed.digest)).toMatchObject({ kind: 'wait', code: 'preview_failed' });
  });
  test('a preview over 256 KiB: denied', async () => {
    const world = await World.open({ types: (bank) => new Map([...bankTypes(bank), ['payments.blind', large]]) });
    await deniedWith(world, { type: 'payments.blind', params: {} }, 'preview_too_large');
  });
  const large = defineAction({
    name: 'payments.blind',
    params: z.strictObject({}),
    undo: 'impossible',
    run: () => null,
    preview: () => ({ touches: Array.from({ length: 100 }, () => 'x'.repeat(3_000)) }),
  });

  test('half a character in the words of a type, or a preview nested too deep, is denied and never wedges the seal', async () => {
    const deep = (depth: number): never => (depth === 0 ? 1 : [deep(depth - 1)]) as never;
    const odd = (text: string, depth: number) =>
      defineAction({
        name: 'payments.blind',
        params: z.strictObject({}),
        undo: 'impossible',
        run: () => null,
        summarize: () => text,
        preview: () => ({ precondition: deep(depth) }),
      });
    for (const [type, code] of [
      [odd('\ud83d', 1), 'policy_error'],
      [odd('fine', 63), 'policy_error'],
      [odd('fine', 70), 'preview_failed'],
    ] as const) {
      const world = await World.open({ types: () => new Map([['payments.blind', type]]) });
      await deniedWith(world, { type: 'payments.blind', params: {} }, code);
    }
  });
});

test('a roster or policy that is invalid: wait, nothing is written', async () => {
  const world = await World.open();
  world.rules.break(`${'x'.repeat(5_000)}\ud83d`);
  const { id, signed } = request();
  expect(await world.seal(id, signed)).toMatchObject({ kind: 'wait', code: 'roster_stale' });
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
    expect(await world.seal(id, { ...signed, payload })).toMatchObject({ kind: 'refused', code: 'request_invalid' });
  expect(await rows(world, 'action')).toBe(0);
});
