import { describe, expect, test } from '@jest/globals';
import { actionIdOf } from '../../src/domain/ids.js';
import { approve, damaged, modify, reject, request } from '../helpers/messages.js';
import { afterRestore } from '../helpers/restored.js';
import { DEPLOYMENT } from '../helpers/rules-fixture.js';
import { held, HOUR, MINUTE, World } from '../helpers/world.js';
import { ready } from './ready.js';

describe('cancelled', () => {
  test('needs no proof, before consumption; nothing runs after it', async () => {
    const { world, sealed, votes } = await ready();
    expect(await world.close(sealed.id, 'cancelled')).toEqual({ kind: 'end' });
    expect(world.outcome(sealed.id)).toMatchObject({
      status: 'cancelled',
      effect: 'none',
      reason: { code: 'cancelled', text: 'cancelled before it ran', by: 'unsigned' },
    });
    expect(await world.advance(sealed, votes)).toEqual({ kind: 'end' });
    expect(await world.modify(sealed.id, modify('cleo', sealed, { '/cents': 1 }))).toMatchObject({
      kind: 'refused',
      code: 'action_ended',
      text: 'the action is no longer under review',
    });
    expect(world.bank.callsOf('run')).toEqual([]);
  });
  test('a stop that comes with the votes: nothing runs', async () => {
    const { world, sealed, votes } = await ready();
    expect(await world.advance(sealed, votes, { stop: true })).toEqual({ kind: 'end' });
    expect(world.outcome(sealed.id).status).toBe('cancelled');
    expect(world.bank.callsOf('run')).toEqual([]);
  });
  test('of an unknown id: a tombstone, which answers later seals for ever', async () => {
    const world = await World.open();
    const { id, signed } = request();
    expect(await world.close(id, 'cancelled')).toEqual({ kind: 'end' });
    await world.restart();
    expect(await world.seal(id, signed)).toEqual({ kind: 'end' });
    expect(world.kinds(id)).toEqual(['closed']);
    expect(world.outcome(id)).toMatchObject({
      status: 'cancelled',
      effect: 'none',
      reason: { code: 'cancelled', text: 'cancelled before it was sealed', by: 'unsigned' },
    });
    expect(world.bank.calls).toEqual([]);
  });
});

describe('expired', () => {
  test("only by this executor's own clock: exactly at approveBy, not before", async () => {
    const { world, sealed, votes } = await ready();
    world.clock.ms = Date.parse(sealed.envelope.approveBy) - 1;
    expect(await world.close(sealed.id, 'expired')).toMatchObject({
      kind: 'refused',
      code: 'request_invalid',
      text: 'it may be approved until 2026-06-02T09:00:00.000Z',
    });
    world.clock.pass(1);
    expect(await world.close(sealed.id, 'expired')).toEqual({ kind: 'end' });
    expect(world.outcome(sealed.id)).toMatchObject({
      status: 'expired',
      effect: 'none',
      retry: 'new_proposal',
      reason: { code: 'expired', text: 'not enough people agreed in time; nothing ran' },
    });
    expect(await world.advance(sealed, votes)).toEqual({ kind: 'end' });
  });
  test('of an unknown id: refused, nothing is written', async () => {
    const world = await World.open();
    const id = actionIdOf(DEPLOYMENT, 'ap-agent', 'nothing');
    for (const reason of ['expired', 'execution_expired', 'rejected'] as const)
      expect(await world.close(id, reason)).toMatchObject({
        kind: 'refused',
        code: 'request_invalid',
        text: 'this ledger knows no such action',
      });
    expect(world.kinds(id)).toEqual([]);
  });
});

describe('execution_expired', () => {
  test('6.7 needs a verified quorum, and its time to be over', async () => {
    const { world, sealed, votes } = await ready();
    expect(await world.close(sealed.id, 'execution_expired', votes)).toMatchObject({
      kind: 'refused',
      code: 'request_invalid',
      text: 'it may still start',
    });
    world.clock.pass(30 * MINUTE);
    expect(await world.close(sealed.id, 'execution_expired', votes.slice(0, 1))).toMatchObject({
      kind: 'refused',
      code: 'quorum_missing',
      text: 'no quorum: it can only expire',
    });
    expect(await world.close(sealed.id, 'execution_expired', [...votes.slice(0, 1), damaged(approve('ben', sealed))])).toMatchObject({
      code: 'quorum_missing',
      text: 'no quorum: it can only expire',
    });
    expect(await world.close(sealed.id, 'execution_expired', votes)).toEqual({ kind: 'end' });
    expect(world.outcome(sealed.id)).toMatchObject({
      status: 'execution_expired',
      effect: 'none',
      reason: { code: 'execution_expired', text: 'it was approved, but did not start in time; nothing ran' },
    });
  });
  test('what advance refuses as late by the present rule can be closed', async () => {
    const { world, sealed, votes } = await ready();
    world.rules.setPolicy({ version: 2, executeWithin: '5m' });
    world.clock.pass(5 * MINUTE);
    expect(await world.advance(sealed, votes)).toMatchObject({ code: 'execution_late', text: 'The time to start is over.' });
    expect(await world.close(sealed.id, 'execution_expired', votes)).toEqual({ kind: 'end' });
  });
});

describe('execution_expired, by the rule of now', () => {
  test.each([
    ['denies it', { deny: ['payments.transfer'] }],
    ['asks for more people', { stages: '[{ name: finance, from: [group:finance], quorum: 3 }]' }],
    ['gives it more time', { executeWithin: '5h' }],
  ])('that %s: by the sealed time alone, to the millisecond', async (_what, change) => {
    const { world, sealed, votes } = await ready();
    world.rules.setPolicy({ version: 2, ...change });
    world.clock.pass(30 * MINUTE - 1);
    expect(await world.close(sealed.id, 'execution_expired', votes)).toMatchObject({ code: 'request_invalid', text: 'it may still start' });
    world.clock.pass(1);
    expect(await world.close(sealed.id, 'execution_expired', votes)).toEqual({ kind: 'end' });
  });
});

test('while policy or roster is broken nobody can tell who agreed or rejected; its time, and a cancel, need neither', async () => {
  const { world, sealed, votes } = await ready();
  await world.lodge(sealed.id, reject('cleo', sealed));
  world.rules.break();
  for (const reason of ['rejected', 'execution_expired'] as const)
    expect(await world.close(sealed.id, reason, votes)).toMatchObject({
      kind: 'refused',
      code: 'roster_stale',
      text: 'policy.yaml:1: nonsense',
    });
  world.clock.ms = Date.parse(sealed.envelope.approveBy);
  expect(await world.close(sealed.id, 'expired')).toEqual({ kind: 'end' });
  const other = await ready();
  other.world.rules.break();
  expect(await other.world.close(other.sealed.id, 'cancelled')).toEqual({ kind: 'end' });
});

test('of an action a restored ledger does not know: "nothing ran" would be a guess', async () => {
  const { world } = await afterRestore((await ready()).world);
  for (const reason of ['cancelled', 'expired', 'rejected', 'execution_expired'] as const)
    expect(await world.close(actionIdOf(DEPLOYMENT, 'ap-agent', 'nothing'), reason)).toMatchObject({
      kind: 'refused',
      code: 'audience_mismatch',
      text: 'this ledger was restored and knows no such action',
      check: 2,
    });
});

describe('rejected', () => {
  test('by two: what each said, and who they are', async () => {
    const { world, sealed } = await ready();
    world.rules.setPolicy({ version: 2, rejections: 2 });
    await world.lodge(sealed.id, reject('cleo', sealed, { reason: 'Paid in October.' }));
    await world.lodge(sealed.id, reject('ben', sealed, { reason: 'Wrong vendor.', at: world.clock.ms + 1 }));
    expect(await world.close(sealed.id, 'rejected')).toEqual({ kind: 'end' });
    expect(world.outcome(sealed.id).reason).toEqual({
      code: 'rejected',
      text: 'Paid in October.; Wrong vendor.',
      by: 'person:cleo, person:ben',
    });
  });
  test('needs the quorum of rejections; one that comes along is put on record first', async () => {
    const { world, sealed } = await ready();
    expect(await world.close(sealed.id, 'rejected')).toMatchObject({
      kind: 'refused',
      code: 'request_invalid',
      text: 'no quorum of rejections is lodged',
    });
    expect(await world.close(sealed.id, 'rejected', [damaged(reject('cleo', sealed))])).toMatchObject({ kind: 'refused' });
    expect(await world.close(sealed.id, 'rejected', [reject('cleo', sealed)])).toEqual({ kind: 'end' });
    expect(world.kinds(sealed.id)).toEqual(['sealed', 'lodged', 'closed']);
    expect(world.outcome(sealed.id)).toMatchObject({
      status: 'rejected',
      effect: 'none',
      retry: 'never',
      reason: { text: 'Not this vendor.', by: 'person:cleo' },
    });
  });
  test('6.5 a rejection of an earlier revision ends a later one', async () => {
    const { world, sealed } = await ready();
    await world.lodge(sealed.id, reject('cleo', sealed));
    const second = held(await world.modify(sealed.id, modify('cleo', sealed, { '/cents': 1 })));
    expect(await world.close(second.id, 'rejected')).toEqual({ kind: 'end' });
  });
  test('a reason that is cut in the middle of a character still ends it, and shows in later proposals', async () => {
    const { world, sealed } = await ready();
    const reason = '\u{1f4b8}'.repeat(999).padStart(1_999, 'x');
    await world.lodge(sealed.id, reject('cleo', sealed, { reason }));
    await world.lodge(sealed.id, reject('ben', sealed, { reason }));
    expect(await world.close(sealed.id, 'rejected')).toEqual({ kind: 'end' });
    expect(world.outcome(sealed.id).reason.text).toHaveLength(2_000);
    const next = await world.propose();
    expect(next.envelope.earlier[0]?.reason).toHaveLength(1_000);
  });
});

test('after consumption nothing closes it: the ledger decides which came first', async () => {
  const { world, sealed, votes } = await ready();
  world.bank.plan({ run: ['hangs'] });
  const running = world.advance(sealed, votes);
  while (!world.bank.isHanging) await new Promise((resume) => setTimeout(resume, 5));
  world.clock.pass(48 * HOUR);
  for (const reason of ['cancelled', 'expired', 'execution_expired', 'rejected'] as const)
    expect(await world.close(sealed.id, reason, votes)).toMatchObject({
      kind: 'refused',
      code: 'already_executed',
      text: 'execution has begun',
    });
  world.bank.release();
  await running;
  expect(await world.close(sealed.id, 'cancelled')).toEqual({ kind: 'end' });
  expect(world.outcome(sealed.id).status).toBe('succeeded');
});
