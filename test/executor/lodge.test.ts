import { describe, expect, test } from '@jest/globals';
import { CODES } from '../../src/domain/codes.js';
import { digestOfSigned } from '../../src/domain/dsse.js';
import { actionIdOf } from '../../src/domain/ids.js';
import { approve, cancel, damaged, freeze, modify, reject, thaw, withdraw } from '../helpers/messages.js';
import { DEPLOYMENT } from '../helpers/rules-fixture.js';
import { AGENT, API, keyOfPerson, signerOf } from '../helpers/signers.js';
import { held, MINUTE, World } from '../helpers/world.js';
import { ready } from './ready.js';

describe('reject and withdraw', () => {
  test('on record at once; lodged twice, it stands once', async () => {
    const { world, sealed } = await ready();
    const no = reject('cleo', sealed);
    const stands = { kind: 'stands', digest: digestOfSigned(no) };
    expect(await Promise.all([world.lodge(sealed.id, no), world.lodge(sealed.id, no)])).toEqual([stands, stands]);
    await world.restart();
    expect(await world.lodge(sealed.id, no)).toEqual(stands);
    expect(world.entries(sealed.id).slice(1)).toMatchObject([
      { kind: 'lodged', object: 'reject', digest: digestOfSigned(no), by: 'person:cleo' },
    ]);
  });
  test('a message on record for one action does not stand for another', async () => {
    const { world, sealed } = await ready();
    const other = await world.propose();
    const no = reject('cleo', sealed);
    await world.lodge(sealed.id, no);
    expect(await world.lodge(other.id, no)).toMatchObject({
      kind: 'refused',
      code: 'audience_mismatch',
      text: 'This was made for another deployment, ledger or executor.',
    });
  });
  test('refused, each with its code, and nothing is written', async () => {
    const { world, sealed } = await ready();
    const { ms: now } = world.clock;
    for (const [signed, code, text] of [
      [damaged(reject('cleo', sealed)), 'signature_invalid', CODES.signature_invalid.message],
      [reject('cleo', sealed, { by: keyOfPerson('ana') }), 'signature_invalid', CODES.signature_invalid.message],
      [reject('dana', sealed), 'signature_invalid', CODES.signature_invalid.message],
      [reject('eva', sealed), 'not_eligible', CODES.not_eligible.message],
      [reject('cleo', sealed, { forge: { view: 'f'.repeat(64) } }), 'view_mismatch', CODES.view_mismatch.message],
      [reject('cleo', sealed, { at: now + 3 * MINUTE }), 'decision_late', 'the decision is dated more than 2 minutes ahead'],
      [approve('cleo', sealed), 'request_invalid', 'only a reject or a withdraw is lodged'],
      [modify('cleo', sealed, { '/cents': 1 }), 'request_invalid', 'only a reject or a withdraw is lodged'],
      [{ ...reject('cleo', sealed), payload: 'A' }, 'request_invalid', 'not base64url'],
      [
        { ...reject('cleo', sealed), payloadType: 'application/json' },
        'request_invalid',
        'lodge takes reject, withdraw, cancel, freeze, thaw, resolve and review',
      ],
      [sealed.signed, 'request_invalid', 'lodge takes reject, withdraw, cancel, freeze, thaw, resolve and review'],
    ] as const)
      expect(await world.lodge(sealed.id, signed)).toMatchObject({ kind: 'refused', code, text });
    expect(world.kinds(sealed.id)).toEqual(['sealed']);
  });
  test('unknown, denied, cancelled before its seal, and ended actions answer with a code, never with an error', async () => {
    const { world, sealed, votes } = await ready();
    const no = reject('cleo', sealed);
    const unknown = actionIdOf(DEPLOYMENT, 'ap-agent', 'nothing');
    expect(await world.lodge(unknown, no)).toMatchObject({
      kind: 'refused',
      code: 'request_invalid',
      text: 'this ledger knows no such action',
    });
    await world.close(unknown, 'cancelled');
    expect(await world.lodge(unknown, no)).toMatchObject({ kind: 'refused', code: 'action_ended', text: 'the action is cancelled' });
    await world.advance(sealed, votes);
    expect(await world.lodge(sealed.id, no)).toMatchObject({ kind: 'refused', code: 'action_ended', text: 'the action is succeeded' });
  });
  test('a rejection needs no valid policy or roster: it is on record before anything can run', async () => {
    const { world, sealed, votes } = await ready();
    world.rules.break();
    expect(await world.lodge(sealed.id, reject('cleo', sealed))).toMatchObject({ kind: 'stands' });
    expect(await world.lodge(sealed.id, withdraw('ana', sealed, votes[0] ?? sealed.signed))).toMatchObject({
      kind: 'refused',
      code: 'roster_stale',
      text: 'policy.yaml:1: nonsense',
    });
    world.rules.break('y'.repeat(5_000));
    expect(await world.lodge(sealed.id, withdraw('ana', sealed, votes[0] ?? sealed.signed))).toMatchObject({ text: 'y'.repeat(4_000) });
    world.rules.mend();
    expect(await world.advance(sealed, votes)).toMatchObject({ code: 'rejection_standing', text: 'rejected by cleo' });
  });
  test('a hundred rejections and withdrawals of one person still leave a readable seal', async () => {
    const { world, sealed } = await ready();
    let last = reject('cleo', sealed);
    for (let i = 0; i < 55; i++) {
      last = reject('cleo', sealed);
      await world.lodge(sealed.id, last);
      await world.lodge(sealed.id, withdraw('cleo', sealed, last));
    }
    const stands = reject('ben', sealed);
    await world.lodge(sealed.id, stands);
    const second = held(await world.modify(sealed.id, modify('cleo', sealed, { '/cents': 1 })));
    expect(second.rejections).toHaveLength(100);
    expect(second.rejections[0]).toEqual(stands);
  });
});

describe('what comes along with an order', () => {
  test('is on record once, however often it comes, and stands at once', async () => {
    const { world, sealed, votes } = await ready();
    const no = reject('cleo', sealed);
    for (let i = 0; i < 2; i++)
      expect(await world.advance(sealed, [no, ...votes, no])).toMatchObject({ code: 'rejection_standing', text: 'rejected by cleo' });
    expect(world.kinds(sealed.id)).toEqual(['sealed', 'lodged']);
    const back = withdraw('cleo', sealed, no);
    for (let i = 0; i < 2; i++) expect(await world.advance(sealed, [back, back])).toMatchObject({ kind: 'ask', dropped: [] });
    expect(world.kinds(sealed.id)).toEqual(['sealed', 'lodged', 'lodged']);
    expect(await world.advance(sealed, votes)).toEqual({ kind: 'end' });
  });
  test('while policy or roster is broken a rejection is on record, a withdrawal is not', async () => {
    const { world, sealed, votes } = await ready();
    const no = reject('cleo', sealed);
    await world.lodge(sealed.id, no);
    world.rules.break();
    expect(await world.advance(sealed, [withdraw('cleo', sealed, no), reject('ben', sealed, { at: world.clock.ms + 1 })])).toMatchObject({
      code: 'roster_stale',
    });
    await world.report(sealed.id);
    expect(world.entries(sealed.id).slice(1)).toMatchObject([
      { object: 'reject', by: 'person:cleo' },
      { object: 'reject', by: 'person:ben' },
    ]);
    world.rules.mend();
    expect(await world.advance(sealed, votes)).toMatchObject({ code: 'rejection_standing', text: 'rejected by cleo, ben' });
  });
  test('a stranger’s "no" about what has ended learns nothing of its end', async () => {
    const { world, sealed, votes } = await ready();
    await world.advance(sealed, votes);
    for (const forged of [damaged(reject('cleo', sealed)), damaged(withdraw('cleo', sealed, votes[0] ?? sealed.signed))])
      expect(await world.lodge(sealed.id, forged)).toMatchObject({ kind: 'refused', code: 'signature_invalid' });
  });
});

describe('cancel', () => {
  test('before consumption it is the end, in the same transaction', async () => {
    const { world, sealed, votes } = await ready();
    expect(await world.lodge(sealed.id, cancel(sealed.id, { at: world.clock.ms }))).toMatchObject({ kind: 'stands' });
    expect(world.kinds(sealed.id)).toEqual(['sealed', 'lodged', 'closed']);
    expect(world.outcome(sealed.id)).toMatchObject({ status: 'cancelled', effect: 'none', reason: { by: 'agent:ap-agent' } });
    expect(await world.advance(sealed, votes)).toEqual({ kind: 'end' });
    expect(world.bank.callsOf('run')).toEqual([]);
  });
  test('by the agent, its owner, or the API for a bearer agent; by nobody else', async () => {
    const world = await World.open();
    const { ms: at } = world.clock;
    const own = await world.propose();
    for (const [by, who] of [
      [signerOf('nobody'), 'agent:ap-agent'],
      [API, 'agent:ap-agent'],
      [keyOfPerson('ana'), 'person:ana'],
      [keyOfPerson('ana'), 'person:dana'],
      [AGENT, 'person:dana'],
    ] as const)
      expect(await world.lodge(own.id, cancel(own.id, { at, by }, who))).toMatchObject({ kind: 'refused', code: 'credential_invalid' });
    const other = await world.propose();
    expect(await world.lodge(other.id, cancel(own.id, { at }))).toMatchObject({
      kind: 'refused',
      code: 'audience_mismatch',
      text: 'This was made for another deployment, ledger or executor.',
    });
    expect(await world.lodge(own.id, cancel(own.id, { at, by: keyOfPerson('dana') }, 'person:dana'))).toMatchObject({ kind: 'stands' });
    const vouched = await world.propose({ agent: 'bearer-agent', by: API });
    expect(await world.lodge(vouched.id, cancel(vouched.id, { at }))).toMatchObject({
      kind: 'refused',
      code: 'credential_invalid',
      text: 'only the agent or its owner cancels',
    });
    expect(await world.lodge(vouched.id, cancel(vouched.id, { at, by: API }, 'agent:bearer-agent'))).toMatchObject({ kind: 'stands' });
  });
  test('after the end: action_ended', async () => {
    const { world, sealed, votes } = await ready();
    await world.advance(sealed, votes);
    expect(await world.lodge(sealed.id, cancel(sealed.id, { at: world.clock.ms }))).toMatchObject({
      kind: 'refused',
      code: 'action_ended',
      text: 'the action is succeeded',
    });
  });
});

describe('freeze and thaw', () => {
  test('by the people the policy names, of no action, once', async () => {
    const world = await World.open();
    const { ms: at } = world.clock;
    const all = { all: true };
    const { id } = await world.propose();
    for (const [signed, code, text] of [
      [freeze('ana', all, { at }), 'not_eligible', 'ana may not freeze'],
      [freeze('cleo', all, { at, by: keyOfPerson('ana') }), 'signature_invalid', CODES.signature_invalid.message],
      [freeze('cleo', all, { at: at + 3 * MINUTE }), 'signature_invalid', CODES.signature_invalid.message],
      [damaged(freeze('cleo', all, { at })), 'signature_invalid', CODES.signature_invalid.message],
      [freeze('cleo', { everything: true }, { at }), 'request_invalid', 'not a freeze: see the schema of freeze v1'],
    ] as const)
      expect(await world.lodge(null, signed)).toMatchObject({ kind: 'refused', code, text });
    const stop = freeze('cleo', all, { at });
    expect(await world.lodge(id, stop)).toMatchObject({
      kind: 'refused',
      code: 'request_invalid',
      text: 'a freeze or thaw belongs to no action',
    });
    expect(await world.lodge(null, stop)).toMatchObject({ kind: 'stands' });
    expect(await world.lodge(null, stop)).toMatchObject({ kind: 'stands' });
    expect(await world.lodge(null, thaw('ana', stop, { at }))).toMatchObject({
      kind: 'refused',
      code: 'not_eligible',
      text: 'ana may not thaw',
    });
  });
  test('who left the group has not thawed; a policy that names nobody thaws nothing', async () => {
    const { world, sealed, votes } = await ready();
    const { ms: at } = world.clock;
    const stop = freeze('cleo', { all: true }, { at });
    await world.lodge(null, stop);
    await world.lodge(null, thaw('cleo', stop, { at }));
    world.rules.setRoster({ version: 2, groups: { security: ['dana', 'eva'] } });
    await world.lodge(null, thaw('eva', stop, { at }));
    expect(await world.advance(sealed, votes)).toMatchObject({ kind: 'wait', code: 'frozen', text: 'frozen by cleo: Something is wrong.' });
    world.rules.setPolicy({ version: 2, stop: '{ freeze: [group:security] }' });
    expect(await world.advance(sealed, votes)).toMatchObject({ kind: 'wait', code: 'frozen', text: 'frozen by cleo: Something is wrong.' });
    world.rules.setPolicy({ version: 3 });
    await world.lodge(null, thaw('dana', stop, { at }));
    expect(await world.advance(sealed, votes)).toEqual({ kind: 'end' });
  });
});
