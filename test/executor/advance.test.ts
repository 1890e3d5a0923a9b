import { describe, expect, test } from '@jest/globals';
import { approve, modify, reject, withdraw, type SealedRevision } from '../helpers/messages.js';
import type { FakeBank } from '../helpers/fake-bank.js';
import { bankTypes, changed } from '../helpers/types.js';
import { keyOfPerson, signerOf } from '../helpers/signers.js';
import { held, HOUR, MINUTE, SECOND, World } from '../helpers/world.js';
import { ready } from './ready.js';

const both = (sealed: SealedRevision) => [approve('ana', sealed), approve('ben', sealed)];

describe('stale, and sealed again (§5)', () => {
  test('target_changed: the approvals are void, the deadline and the offsets stay where they were', async () => {
    const { world, sealed, votes } = await ready();
    world.bank.version = 2;
    world.clock.pass(MINUTE);
    expect(await world.advance(sealed, votes)).toEqual({ kind: 'reseal', code: 'target_changed' });
    expect(world.statuses.get(sealed.id)).toBe('awaiting_approval');
    const second = held(await world.reseal(sealed.id, sealed.digest));
    expect(second.envelope).toMatchObject({
      revision: 2,
      parent: sealed.digest,
      openedAt: sealed.envelope.openedAt,
      approveBy: sealed.envelope.approveBy,
      preview: { precondition: { version: 2 } },
    });
    expect(world.entries(sealed.id).at(-1)).toMatchObject({ kind: 'sealed', cause: 'reseal', revision: 2 });
    expect(await world.advance(second, votes)).toMatchObject({
      kind: 'ask',
      code: 'revision_stale',
      text: 'The action has a newer revision.',
    });
    expect(await world.advance(second, both(second))).toEqual({ kind: 'end' });
  });

  test('7.12 a type that says it has no precondition is not looked at again; one that was sealed is compared, whatever the type says by now', async () => {
    const informs = (bank: FakeBank) => {
      const types = bankTypes(bank);
      const transfer = types.get('payments.transfer');
      if (transfer === undefined) throw new Error('no such type');
      const preview = async () => {
        bank.calls.push('preview');
        return { touches: ['ACME'] };
      };
      return types.set('payments.transfer', changed(transfer, { hasPrecondition: false, preview }));
    };
    const world = await World.open({ types: informs });
    const sealed = await world.propose();
    expect(sealed.envelope.preview.precondition).toBeUndefined();
    world.bank.version = 2;
    expect(await world.advance(sealed, both(sealed))).toEqual({ kind: 'end' });
    expect(world.bank.calls.filter((call) => call === 'preview')).toHaveLength(1);

    const before = await ready();
    const transfer = before.world.types.get('payments.transfer');
    if (transfer === undefined) throw new Error('no such type');
    before.world.types.set('payments.transfer', changed(transfer, { hasPrecondition: false }));
    before.world.bank.version = 2;
    // Its preview still returns one: no seal can be made of it, and nothing runs on the old one.
    expect(await before.world.advance(before.sealed, before.votes)).not.toEqual({ kind: 'end' });
    expect(before.world.bank.callsOf('run')).toEqual([]);
    before.world.types.set('payments.transfer', transfer);
    expect(await before.world.advance(before.sealed, before.votes)).toEqual({ kind: 'reseal', code: 'target_changed' });
  });

  test('sealed again only where it went stale; asked again, the same', async () => {
    const { world, sealed, votes } = await ready();
    expect(await world.reseal(sealed.id, sealed.digest)).toMatchObject({
      kind: 'refused',
      code: 'request_invalid',
      text: 'this revision is not stale',
    });
    world.bank.version = 2;
    await world.advance(sealed, votes);
    const [one, two] = [await world.reseal(sealed.id, sealed.digest), await world.reseal(sealed.id, sealed.digest)];
    expect(held(two).digest).toBe(held(one).digest);
    expect(world.kinds(sealed.id)).toEqual(['sealed', 'stale', 'sealed']);
  });

  test('at most three times: the fourth ends it, denied', async () => {
    const { world, sealed } = await ready();
    let newest = sealed;
    for (let i = 0; i < 3; i++) {
      world.bank.version++;
      expect(await world.advance(newest, both(newest))).toEqual({ kind: 'reseal', code: 'target_changed' });
      newest = held(await world.reseal(sealed.id, newest.digest));
    }
    world.bank.version++;
    expect(await world.advance(newest, both(newest))).toEqual({ kind: 'end' });
    expect(world.outcome(sealed.id)).toMatchObject({
      status: 'denied',
      effect: 'none',
      reason: { code: 'target_changed', text: 'The target changed after the seal. It was sealed again 3 times already.' },
    });
    expect(world.bank.callsOf('run')).toEqual([]);
  });

  test('6.8 a changed policy may shorten the deadline of a new seal, never lengthen it', async () => {
    for (const [approveWithin, hours] of [
      ['30h', 24],
      ['2h', 2],
    ] as const) {
      const { world, sealed, votes } = await ready();
      world.rules.setPolicy({ version: 2, approveWithin, stages: '[{ name: finance, from: [group:finance], quorum: 3 }]' });
      expect(await world.advance(sealed, votes)).toEqual({ kind: 'reseal', code: 'policy_stale' });
      const second = held(await world.reseal(sealed.id, sealed.digest));
      expect(Date.parse(second.envelope.approveBy)).toBe(Date.parse(sealed.envelope.openedAt) + hours * HOUR);
    }
  });

  test('a rejection can be lodged on a stale revision, and a stale action can be closed', async () => {
    const { world, sealed, votes } = await ready();
    world.bank.version = 2;
    await world.advance(sealed, votes);
    expect(await world.lodge(sealed.id, reject('cleo', sealed))).toMatchObject({ kind: 'stands' });
    expect(await world.close(sealed.id, 'rejected')).toEqual({ kind: 'end' });
    expect(await world.reseal(sealed.id, sealed.digest)).toEqual({ kind: 'end' });
  });
});

describe('6.5 rejections carry over', () => {
  test('attack 33: a new revision does not shed a rejection; its author can withdraw it', async () => {
    const { world, sealed } = await ready();
    const no = reject('cleo', sealed);
    await world.lodge(sealed.id, no);
    const second = held(await world.modify(sealed.id, modify('cleo', sealed, { '/cents': 1 })));
    expect(second.rejections).toEqual([no]);
    expect(await world.advance(second, both(second))).toMatchObject({
      kind: 'refused',
      code: 'rejection_standing',
      text: 'rejected by cleo',
    });
    await world.lodge(sealed.id, withdraw('cleo', second, no));
    expect(await world.advance(second, both(second))).toEqual({ kind: 'end' });
  });

  test('a rejection stands though its author is asked no more on the new revision, and he can still take it back', async () => {
    const { world, sealed } = await ready();
    const no = reject('cleo', sealed);
    world.rules.setPolicy({
      rejections: 1,
      version: 2,
      stages: '[{ name: finance, from: [person:ana, person:ben, person:eva], quorum: 3 }]',
    });
    expect(await world.advance(sealed, both(sealed))).toEqual({ kind: 'reseal', code: 'policy_stale' });
    await world.lodge(sealed.id, no);
    const second = held(await world.reseal(sealed.id, sealed.digest));
    const three = [...both(second), approve('eva', second)];
    expect(second.envelope.stages[0]?.from).toEqual(['ana', 'ben', 'eva']);
    expect(await world.advance(second, three)).toMatchObject({ kind: 'refused', code: 'rejection_standing', text: 'rejected by cleo' });
    expect(await world.lodge(sealed.id, withdraw('cleo', second, no))).toMatchObject({ kind: 'stands' });
    expect(await world.advance(second, three)).toEqual({ kind: 'end' });
  });

  test('a rejection stands though its key has ended since', async () => {
    const { world, sealed, votes } = await ready();
    await world.lodge(sealed.id, reject('cleo', sealed));
    world.rules.setRoster({
      version: 2,
      people: { cleo: `{ name: cleo, keys: ['${keyOfPerson('cleo').key.text}'], until: '2026-06-01T09:05:00.000Z' }` },
    });
    world.clock.pass(10 * MINUTE);
    expect(await world.advance(sealed, votes)).toMatchObject({ kind: 'refused', code: 'rejection_standing', text: 'rejected by cleo' });
  });

  test('a rejection stands though the sealed time of its key is over', async () => {
    const world = await World.open();
    world.rules.setRoster({
      people: { cleo: `{ name: cleo, keys: [{ key: '${keyOfPerson('cleo').key.text}', until: '2026-06-01T09:05:00.000Z' }] }` },
    });
    const sealed = await world.propose();
    await world.lodge(sealed.id, reject('cleo', sealed));
    world.clock.pass(10 * MINUTE);
    expect(await world.advance(sealed, both(sealed))).toMatchObject({
      kind: 'refused',
      code: 'rejection_standing',
      text: 'rejected by cleo',
    });
  });

  test('rejections below the rule’s number do not stop it; two do', async () => {
    const world = await World.open();
    world.rules.setPolicy({ rejections: 2, stages: '[{ name: finance, from: [group:finance, group:finance-leads], quorum: 2 }]' });
    const sealed = await world.propose();
    await world.lodge(sealed.id, reject('cleo', sealed));
    await world.lodge(sealed.id, reject('cleo', sealed));
    const other = await world.propose();
    expect(await world.advance(sealed, both(sealed))).toEqual({ kind: 'end' });
    await world.lodge(other.id, reject('cleo', other));
    world.clock.pass(SECOND);
    await world.lodge(other.id, reject('eva', other, { at: world.clock.now() }));
    expect(await world.advance(other, both(other))).toMatchObject({ code: 'rejection_standing', text: 'rejected by cleo, eva' });
  });
});

describe('6.11 withdraw', () => {
  test('a withdrawn approval leaves no vote, whether or not the caller brings the withdrawal again', async () => {
    const { world, sealed, votes } = await ready();
    const [one] = votes;
    if (one === undefined) throw new Error('no vote');
    await world.lodge(sealed.id, withdraw('ana', sealed, one));
    expect(await world.advance(sealed, votes)).toMatchObject({
      kind: 'ask',
      code: 'quorum_missing',
      text: 'The valid decisions do not meet the rule.',
    });
    expect(await world.advance(sealed, [...votes, approve('ana', sealed)])).toEqual({ kind: 'end' });
  });
  test('nobody withdraws the vote of another', async () => {
    const { world, sealed, votes } = await ready();
    const no = reject('cleo', sealed);
    await world.lodge(sealed.id, no);
    await world.lodge(sealed.id, withdraw('ana', sealed, no));
    expect(await world.advance(sealed, votes)).toMatchObject({ code: 'rejection_standing', text: 'rejected by cleo' });
  });
  test('a key lost since the seal takes no rejection back', async () => {
    const { world, sealed, votes } = await ready();
    const no = reject('cleo', sealed);
    await world.lodge(sealed.id, no);
    world.rules.setRoster({ version: 2, people: { cleo: `{ name: cleo, keys: ['${signerOf('new').key.text}'] }` } });
    const back = withdraw('cleo', sealed, no);
    expect(await world.lodge(sealed.id, back)).toMatchObject({
      kind: 'refused',
      code: 'signature_invalid',
      text: 'No key of an eligible person made this signature over these bytes.',
    });
    expect(await world.advance(sealed, [...votes, back])).toMatchObject({ code: 'rejection_standing', text: 'rejected by cleo' });
    // The new key can: it is his.
    expect(await world.lodge(sealed.id, withdraw('cleo', sealed, no, { by: signerOf('new') }))).toMatchObject({ kind: 'stands' });
  });
  test('a withdrawal after execution began is decision_late; after the end, action_ended', async () => {
    const { world, sealed, votes } = await ready();
    const [one] = votes;
    if (one === undefined) throw new Error('no vote');
    world.bank.plan({ run: ['hangs'] });
    const running = world.advance(sealed, votes);
    while (!world.bank.isHanging) await new Promise((resume) => setTimeout(resume, 5));
    const back = withdraw('ana', sealed, one);
    expect(await world.lodge(sealed.id, back)).toMatchObject({
      kind: 'refused',
      code: 'decision_late',
      text: 'execution began before this reached the executor',
    });
    world.bank.release();
    await running;
    expect(await world.lodge(sealed.id, back)).toMatchObject({ kind: 'refused', code: 'action_ended', text: 'the action is succeeded' });
  });
});

test('report says what is due, and changes nothing', async () => {
  const { world, sealed, votes } = await ready();
  expect(await world.report(sealed.id)).toMatchObject({ kind: 'report', envelope: sealed.signed, due: 'review' });
  await world.advance(sealed, votes);
  expect(await world.report(sealed.id)).toMatchObject({ due: 'nothing' });
});
