import { describe, expect, test } from '@jest/globals';
import type { Signed } from '../../src/domain/dsse.js';
import { approve, damaged, freeze, modify, reject, thaw, type SealedRevision, withdraw } from '../helpers/messages.js';
import type { TestRules } from '../helpers/rules-fixture.js';
import { keyOfPerson, signerOf } from '../helpers/signers.js';
import { changed } from '../helpers/types.js';
import { HOUR, MINUTE, SECOND, World } from '../helpers/world.js';
import { ready, refusal } from './ready.js';

describe('7.9 every counted person eligible now', () => {
  const revoked = (person: string, what: string): Parameters<TestRules['setRoster']>[0] => ({ version: 2, people: { [person]: what } });
  test('6.4 attack 46: first or last voter, key ended, person gone, or out of the group: approver_stale', async () => {
    for (const person of ['ana', 'ben'] as const) {
      const { text } = keyOfPerson(person).key;
      for (const roster of [
        revoked(person, `{ name: x, keys: [{ key: '${text}', until: '2026-06-01T09:10:00.000Z' }] }`),
        revoked(person, `{ name: x, keys: ['${text}'], until: '2026-06-01T09:10:00.000Z' }`),
        revoked(person, `{ name: x, keys: ['${signerOf('new').key.text}'] }`),
        { version: 2, groups: { finance: ['ana', 'ben', 'cleo', 'eva'].filter((each) => each !== person) } },
      ]) {
        const { world, sealed, votes } = await ready();
        world.clock.pass(10 * MINUTE);
        world.rules.setRoster(roster);
        expect(await refusal(world, sealed, votes)).toEqual({ kind: 'ask', code: 'approver_stale', check: 9 });
        // It goes back to awaiting: another person makes it good.
        expect(await world.advance(sealed, [...votes, approve('cleo', sealed)])).toEqual({ kind: 'end' });
      }
    }
  });
  test('a key enrolled after the seal does not vote: the sealed list names the keys', async () => {
    const { world, sealed, votes } = await ready();
    const fresh = signerOf('person:ben:2');
    world.rules.setRoster(revoked('ben', `{ name: ben, keys: ['${keyOfPerson('ben').key.text}', '${fresh.key.text}'] }`));
    expect(await refusal(world, sealed, [...votes.slice(0, 1), approve('ben', sealed, { by: fresh })])).toEqual({
      kind: 'ask',
      code: 'signature_invalid',
      check: 6,
    });
  });
});

describe('7.10 no standing rejection, cancel or freeze in the ledger', () => {
  test('a lodged rejection stands though the caller drops it; a withdrawal lifts it', async () => {
    const { world, sealed, votes } = await ready();
    const no = reject('cleo', sealed);
    expect(await world.lodge(sealed.id, no)).toMatchObject({ kind: 'stands' });
    expect(await refusal(world, sealed, votes)).toEqual({ kind: 'refused', code: 'rejection_standing', check: 10 });
    expect(await world.lodge(sealed.id, withdraw('cleo', sealed, no))).toMatchObject({ kind: 'stands' });
    expect(await world.advance(sealed, votes)).toEqual({ kind: 'end' });
  });
  test('a rejection that only came along is put on record, and stands from then on', async () => {
    const { world, sealed, votes } = await ready();
    expect(await refusal(world, sealed, [...votes, reject('cleo', sealed)])).toEqual({
      kind: 'refused',
      code: 'rejection_standing',
      check: 10,
    });
    expect(world.kinds(sealed.id)).toEqual(['sealed', 'lodged']);
    expect(await refusal(world, sealed, votes)).toEqual({ kind: 'refused', code: 'rejection_standing', check: 10 });
  });
  test('6.11 a rejection wins over an approval of the same person, in any order', async () => {
    const { world, sealed, votes } = await ready();
    expect(await refusal(world, sealed, [reject('ana', sealed), ...votes, approve('cleo', sealed)])).toMatchObject({
      code: 'rejection_standing',
    });
  });
  test('a freeze: waits, until enough distinct people thaw', async () => {
    const { world, sealed, votes } = await ready();
    const { ms: at } = world.clock;
    const stop = freeze('eva', { type: 'payments.transfer' }, { at });
    await world.lodge(null, freeze('cleo', { agent: 'bearer-agent' }, { at }));
    await world.lodge(null, stop);
    expect(await refusal(world, sealed, votes)).toMatchObject({ kind: 'wait', code: 'frozen', text: 'frozen by eva: Something is wrong.' });
    await world.lodge(null, thaw('eva', stop, { at }));
    await world.lodge(null, thaw('eva', stop, { at }));
    expect(await refusal(world, sealed, votes)).toMatchObject({ kind: 'wait', code: 'frozen', text: 'frozen by eva: Something is wrong.' });
    await world.lodge(null, thaw('cleo', stop, { at }));
    expect(await world.advance(sealed, votes)).toEqual({ kind: 'end' });
  });
});

describe('7.11 quorum', () => {
  test('no votes, one vote: asks, and names the first dropped one', async () => {
    const { world, sealed, votes } = await ready();
    expect(await refusal(world, sealed, [])).toEqual({ kind: 'ask', code: 'quorum_missing', check: 11 });
    const result = await world.advance(sealed, [approve('eva', sealed), damaged(approve('ben', sealed)), ...votes.slice(0, 1)]);
    expect(result).toMatchObject({
      kind: 'ask',
      code: 'not_eligible',
      text: 'This person is not among those who may decide this action now.',
      check: 8,
      dropped: [
        { code: 'not_eligible', check: 8 },
        { code: 'signature_invalid', check: 6 },
      ],
    });
  });
  test('6.8 attack 8: one person fills one stage only', async () => {
    const stages = '[{ name: first, from: [group:finance], quorum: 1 }, { name: second, from: [person:ana, person:eva], quorum: 1 }]';
    const world = await World.open();
    world.rules.setPolicy({ stages });
    const sealed = await world.propose();
    expect(await refusal(world, sealed, [approve('ana', sealed)])).toEqual({ kind: 'ask', code: 'quorum_missing', check: 11 });
    expect(await world.advance(sealed, [approve('ana', sealed), approve('ben', sealed)])).toEqual({ kind: 'end' });
  });
  test('6.8 who is added by an escalation counts from its offset on', async () => {
    const world = await World.open();
    world.rules.setPolicy({
      stages: '[{ name: finance, from: [group:finance], quorum: 2, escalate: [{ after: 8h, to: [group:finance-leads] }] }]',
    });
    const sealed = await world.propose();
    const opened = world.clock.ms;
    world.clock.pass(8 * HOUR);
    const one = approve('ana', sealed, { at: world.clock.ms });
    expect(await refusal(world, sealed, [one, approve('eva', sealed, { at: opened + 8 * HOUR - 1 })])).toEqual({
      kind: 'ask',
      code: 'not_eligible',
      check: 8,
    });
    expect(await world.advance(sealed, [one, approve('eva', sealed, { at: opened + 8 * HOUR })])).toEqual({ kind: 'end' });
  });
});

describe('7.12 clocks and target', () => {
  test('6.7 attack 61: execution starts before the newest counted vote + executeWithin, exclusive', async () => {
    const { world, sealed, votes } = await ready();
    world.clock.pass(30 * MINUTE);
    expect(await refusal(world, sealed, votes)).toEqual({ kind: 'refused', code: 'execution_late', check: 12 });
    const { world: other, sealed: again, votes: both } = await ready();
    other.clock.pass(30 * MINUTE - 1);
    expect(await other.advance(again, both)).toEqual({ kind: 'end' });
  });
  test('the present rule may shorten the time to start, not lengthen it', async () => {
    const { world, sealed, votes } = await ready();
    world.rules.setPolicy({ version: 2, executeWithin: '5m' });
    world.clock.pass(5 * MINUTE);
    expect(await refusal(world, sealed, votes)).toEqual({ kind: 'refused', code: 'execution_late', check: 12 });
    world.rules.setPolicy({ version: 3, executeWithin: '5h' });
    world.clock.pass(25 * MINUTE);
    expect(await refusal(world, sealed, votes)).toEqual({ kind: 'refused', code: 'execution_late', check: 12 });
  });
  test('attack 34: a target that is no longer as it was shown is sealed again', async () => {
    const { world, sealed, votes } = await ready();
    world.bank.version++;
    expect(await refusal(world, sealed, votes)).toEqual({ kind: 'reseal', code: 'target_changed' });
  });
  test('a preview that fails now: waits', async () => {
    const { world, sealed, votes } = await ready();
    world.bank.previewFails = new Error('bank is down');
    expect(await refusal(world, sealed, votes)).toMatchObject({
      kind: 'wait',
      code: 'preview_failed',
      text: 'the preview of payments.transfer failed: bank is down',
    });
  });
});

describe('7.14 consumed in one transaction, which asks state, 10 and the clocks again', () => {
  /** A world in which something happens while the preview of check 12 is made. */
  async function during(
    what: (world: World, sealed: SealedRevision) => Promise<unknown>,
  ): Promise<{ world: World; sealed: SealedRevision; votes: readonly Signed[] }> {
    const state = await ready();
    const type = state.world.types.get('payments.transfer');
    if (type === undefined) throw new Error('no type');
    const { preview } = type;
    state.world.types.set(
      type.name,
      changed(type, {
        preview: async (params, context) => {
          await what(state.world, state.sealed);
          return preview(params, context);
        },
      }),
    );
    return state;
  }
  test('a rejection, a freeze, a cancel or a modify that came during the preview stops it', async () => {
    const cases = [
      [
        (world: World, sealed: SealedRevision) => world.lodge(sealed.id, reject('cleo', sealed)),
        { kind: 'refused', code: 'rejection_standing', check: 10 },
      ],
      [(world: World) => world.lodge(null, freeze('cleo', { all: true }, { at: world.clock.ms })), { kind: 'wait', code: 'frozen' }],
      [(world: World, sealed: SealedRevision) => world.close(sealed.id, 'cancelled'), { kind: 'wait', code: 'busy' }],
      [(world: World) => Promise.resolve(world.clock.pass(31 * MINUTE)), { kind: 'refused', code: 'execution_late', check: 12 }],
    ] as const;
    for (const [what, expected] of cases) {
      const { world, sealed, votes } = await during(what);
      expect(await refusal(world, sealed, votes)).toMatchObject(expected);
    }
    const { world, sealed, votes } = await ready();
    const type = world.types.get('payments.transfer');
    if (type === undefined) throw new Error('no type');
    let first = true;
    world.types.set(
      type.name,
      changed(type, {
        preview: async (params, context) => {
          if (first) {
            first = false;
            await world.modify(sealed.id, modify('cleo', sealed, { '/cents': 1 }));
          }
          return type.preview(params, context);
        },
      }),
    );
    await refusal(world, sealed, votes);
    expect(world.entries(sealed.id).at(-1)).toMatchObject({ kind: 'sealed', revision: 2 });
  });
  test('attack 12: twenty orders at once consume once', async () => {
    const { world, sealed, votes } = await ready();
    world.bank.plan({ run: ['hangs'] });
    const orders = Array.from({ length: 20 }, () => world.advance(sealed, votes));
    while (!world.bank.isHanging) await new Promise((resume) => setTimeout(resume, 5));
    for (let i = 0; i < 5; i++)
      expect(await world.advance(sealed, votes)).toMatchObject({ kind: 'wait', code: 'busy', text: 'a step is under way' });
    world.bank.release();
    const results = await Promise.all(orders);
    expect(results.filter(({ kind }) => kind === 'end')).toHaveLength(1);
    expect(world.bank.callsOf('run')).toHaveLength(1);
    expect(world.bank.callsOf('probe')).toEqual([]);
    expect(await world.advance(sealed, votes)).toEqual({ kind: 'end' });
  });
});

describe('7.15 the credential, and then the act', () => {
  test('it is fetched only now, once an act', async () => {
    const { world, sealed, votes } = await ready();
    await world.advance(sealed, votes.slice(0, 1));
    expect(world.bank.calls).not.toContain('credentials');
    await world.advance(sealed, votes);
    expect(world.bank.calls.slice(-2)).toEqual(['credentials', `run ${sealed.id}/run/run/1`]);
  });
  test('without a credential nothing was sent: the step did not start, and is tried again under the next key', async () => {
    const { world, sealed, votes } = await ready();
    world.bank.credentialsFail = new Error('vault is sealed');
    expect(await world.advance(sealed, votes)).toMatchObject({
      kind: 'wait',
      code: 'busy',
      text: 'step 1 did not start: credentials_unavailable',
    });
    expect(world.entries(sealed.id).at(-1)).toMatchObject({ kind: 'step_not_started', code: 'credentials_unavailable' });
    world.bank.credentialsFail = undefined;
    world.clock.pass(SECOND);
    expect(await world.advance(sealed, votes)).toEqual({ kind: 'end' });
    expect(world.bank.callsOf('run')).toEqual([`${sealed.id}/run/run/2`]);
  });
});
