import { describe, expect, test } from '@jest/globals';
import type { Signed } from '../../src/domain/dsse.js';
import { toInstant } from '../../src/domain/instant.js';
import { viewV1 } from '../../src/domain/view/v1.js';
import { Authenticator } from '../helpers/authenticator.js';
import { approve, modify, reject, request, type SealedRevision } from '../helpers/messages.js';
import { policyText, rosterText, TestRules, type PolicyOptions, type RosterOptions } from '../helpers/rules-fixture.js';
import { keyOfPerson } from '../helpers/signers.js';
import { changed } from '../helpers/types.js';
import { held, MINUTE, World } from '../helpers/world.js';
import { refusal } from './ready.js';

const DESK = { ana: new Authenticator('ana'), ben: new Authenticator('ben'), cleo: new Authenticator('cleo') } as const;
type Reviewer = keyof typeof DESK;
const keysOf = (person: Reviewer, { cli = true } = {}): string =>
  `{ name: ${person}, keys: [${[DESK[person].key.text, ...(cli ? [keyOfPerson(person).key.text] : [])].map((key) => `'${key}'`).join(', ')}] }`;
/** All three of finance have a passkey and a key for the command line. */
const BOTH: RosterOptions = { people: { ana: keysOf('ana'), ben: keysOf('ben'), cleo: keysOf('cleo') } };

const open = (policy: PolicyOptions = {}, roster: RosterOptions = BOTH): Promise<World> =>
  World.open({ rules: new TestRules(policyText(policy), rosterText(roster)) });
const byWeb = (person: Reviewer, sealed: SealedRevision): Signed => approve(person, sealed, { by: DESK[person] });

describe('independent', () => {
  const ONE = { more: ['independent: 1'] };
  test('attack 73: passkey votes alone do not run it, whatever they say of themselves; one by the command line does', async () => {
    const world = await open(ONE);
    const sealed = await world.propose();
    expect(sealed.envelope.guards.independent).toBe(1);
    const web = [byWeb('ana', sealed), byWeb('ben', sealed), byWeb('cleo', sealed)];
    expect(await refusal(world, sealed, web)).toMatchObject({ kind: 'ask', code: 'quorum_missing', check: 11 });
    const claims = approve('ana', sealed, { by: DESK.ana, forge: { guards: { independent: 'yes' } } });
    expect(await refusal(world, sealed, [claims, ...web.slice(1)])).toMatchObject({ kind: 'ask', code: 'quorum_missing' });
    expect(await world.advance(sealed, [byWeb('ana', sealed), approve('ben', sealed)])).toEqual({ kind: 'end' });
    expect(world.bank.effectsOf(sealed.id)).toEqual(['run']);
  });
  test('6.9 attack 31: a present rule that demands it applies, one that no longer does not', async () => {
    const world = await open();
    const sealed = await world.propose();
    const web = [byWeb('ana', sealed), byWeb('ben', sealed)];
    world.rules.setPolicy({ version: 2, ...ONE });
    expect(await refusal(world, sealed, web)).toEqual({ kind: 'reseal', code: 'policy_stale' });

    const other = await open(ONE);
    const demanded = await other.propose();
    other.rules.setPolicy({ version: 2 });
    expect(await refusal(other, demanded, [byWeb('ana', demanded), byWeb('ben', demanded)])).toMatchObject({ code: 'quorum_missing' });
  });
  test('6.2 nobody who may count has such a key: denied at the seal, and it says so', async () => {
    const passkeys = { ana: keysOf('ana', { cli: false }), ben: keysOf('ben', { cli: false }), cleo: keysOf('cleo', { cli: false }) };
    const world = await open(ONE, { people: passkeys });
    const { id, signed } = request();
    expect(await world.seal(id, signed)).toEqual({ kind: 'end' });
    const { status, reason } = world.outcome(id);
    expect([status, reason.code]).toEqual(['denied', 'quorum_unsatisfiable']);
    expect(reason.text).toContain(
      'rule "vendor payments" needs 1 independent approval, by Ed25519 keys: of those who may count only nobody could give one',
    );
  });
  test('a key of the command line that ended since makes no independent vote', async () => {
    const world = await open(ONE);
    const sealed = await world.propose();
    const votes = [byWeb('ana', sealed), approve('ben', sealed)];
    const ended = `{ name: ben, keys: ['${DESK.ben.key.text}', { key: '${keyOfPerson('ben').key.text}', until: '${toInstant(world.clock.ms)}' }] }`;
    world.rules.setRoster({ ...BOTH, version: 2, people: { ...BOTH.people, ben: ended } });
    expect(await refusal(world, sealed, votes)).toMatchObject({ kind: 'ask', code: 'approver_stale', check: 9 });
  });
});

describe('minTime', () => {
  const TEN = { more: ['minTime: 10m'] };
  const both = (sealed: SealedRevision): Signed[] => [approve('ana', sealed), approve('ben', sealed)];

  test('6.7 7.12 nothing starts before the seal + minTime, to the millisecond; it waits until then and runs by itself', async () => {
    const world = await open(TEN);
    const sealed = await world.propose();
    const until = toInstant(world.clock.ms + 10 * MINUTE);
    expect(await refusal(world, sealed, both(sealed))).toMatchObject({
      kind: 'wait',
      code: 'too_early',
      text: 'agreed; nothing starts before 2026-06-01T09:10:00.000Z',
      until,
    });
    world.clock.pass(10 * MINUTE - 1);
    expect(await refusal(world, sealed, both(sealed))).toMatchObject({
      kind: 'wait',
      code: 'too_early',
      text: 'agreed; nothing starts before 2026-06-01T09:10:00.000Z',
      until,
    });
    world.clock.pass(1);
    expect(await world.advance(sealed, both(sealed))).toEqual({ kind: 'end' });
    expect(world.outcome(sealed.id).status).toBe('succeeded');
  });
  test('while it waits a no still counts', async () => {
    const world = await open(TEN);
    const sealed = await world.propose();
    expect(await world.advance(sealed, both(sealed))).toMatchObject({ kind: 'wait' });
    await world.lodge(sealed.id, reject('cleo', sealed));
    world.clock.pass(10 * MINUTE);
    expect(await refusal(world, sealed, both(sealed))).toEqual({ kind: 'refused', code: 'rejection_standing', check: 10 });
  });
  test('it runs from the newest seal: a modify starts it again', async () => {
    const world = await open(TEN);
    const first = await world.propose();
    world.clock.pass(9 * MINUTE);
    const second = held(await world.modify(first.id, modify('cleo', first, { '/cents': 1 }, { at: world.clock.ms })));
    world.clock.pass(9 * MINUTE);
    expect(await refusal(world, second, both(second))).toMatchObject({
      kind: 'wait',
      code: 'too_early',
      text: 'agreed; nothing starts before 2026-06-01T09:19:00.000Z',
    });
    world.clock.pass(MINUTE);
    expect(await world.advance(second, both(second))).toEqual({ kind: 'end' });
  });
  test('6.9 attack 31: the longer of the sealed and the present rule', async () => {
    const world = await open(TEN);
    const sealed = await world.propose();
    const until = (minutes: number): string => toInstant(Date.parse(sealed.envelope.sealedAt) + minutes * MINUTE);
    world.rules.setPolicy({ version: 2 });
    expect(await refusal(world, sealed, both(sealed))).toMatchObject({
      code: 'too_early',
      text: 'agreed; nothing starts before 2026-06-01T09:10:00.000Z',
      until: until(10),
    });
    world.rules.setPolicy({ version: 3, more: ['minTime: 20m'] });
    expect(await refusal(world, sealed, both(sealed))).toMatchObject({
      code: 'too_early',
      text: 'agreed; nothing starts before 2026-06-01T09:20:00.000Z',
      until: until(20),
    });
  });
  test('a floor after the time to start: it expires, and never runs late', async () => {
    const world = await open(TEN);
    const sealed = await world.propose();
    world.rules.setPolicy({ version: 2, executeWithin: '2h', more: ['minTime: 1h'] });
    world.clock.pass(30 * MINUTE);
    expect(await refusal(world, sealed, both(sealed))).toEqual({ kind: 'refused', code: 'execution_late', check: 12 });
  });
  test('7.14 asked again in the transaction that consumes: a clock set back during the preview does not shorten it', async () => {
    const world = await open(TEN);
    const sealed = await world.propose();
    world.clock.pass(10 * MINUTE);
    const type = world.types.get('payments.transfer');
    if (type === undefined) throw new Error('no type');
    const preview: typeof type.preview = (params, context) => {
      world.clock.pass(-MINUTE);
      return type.preview(params, context);
    };
    world.types.set(type.name, changed(type, { preview }));
    expect(await refusal(world, sealed, both(sealed))).toMatchObject({
      kind: 'wait',
      code: 'too_early',
      text: 'agreed; nothing starts before 2026-06-01T09:10:00.000Z',
    });
  });
});

describe('confirmField', () => {
  const CENTS = { more: ['confirmField: /cents'] };
  const saying = (value: string) => ({ forge: { guards: { confirmField: value } } });
  const both = (sealed: SealedRevision, value: string): Signed[] => [
    approve('ana', sealed, saying(value)),
    approve('ben', sealed, saying(value)),
  ];

  test('7.8 an approval that does not repeat the value, or repeats another, is dropped; one that does counts', async () => {
    const world = await open(CENTS);
    const sealed = await world.propose();
    expect(sealed.envelope.guards.confirmField).toBe('/cents');
    const silent = [approve('ana', sealed), approve('ben', sealed, saying('480000'))];
    expect(await refusal(world, sealed, silent)).toEqual({ kind: 'ask', code: 'guard_unmet', check: 8 });
    expect(await refusal(world, sealed, both(sealed, '4800'))).toEqual({ kind: 'ask', code: 'guard_unmet', check: 8 });
    expect(await world.advance(sealed, both(sealed, '480000'))).toEqual({ kind: 'end' });
    expect(world.bank.effectsOf(sealed.id)).toEqual(['run']);
  });
  test('6.9 attack 31: a present rule that asks for it makes it stale; one that no longer asks does not help', async () => {
    const world = await open();
    const sealed = await world.propose();
    world.rules.setPolicy({ version: 2, ...CENTS });
    expect(await refusal(world, sealed, [approve('ana', sealed), approve('ben', sealed)])).toEqual({
      kind: 'reseal',
      code: 'policy_stale',
    });

    const other = await open(CENTS);
    const asked = await other.propose();
    other.rules.setPolicy({ version: 2 });
    expect(await refusal(other, asked, [approve('ana', asked), approve('ben', asked)])).toMatchObject({ code: 'guard_unmet' });
  });
  test.each(['/iban', '/cents/0', '/vendor/x', '/toString'])('%s names no parameter: denied at the seal', async (field) => {
    const world = await open({ more: [`confirmField: ${field}`] });
    const { id, signed } = request();
    await world.seal(id, signed);
    expect(world.outcome(id)).toMatchObject({ status: 'denied', reason: { code: 'policy_error' } });
    expect(world.outcome(id).reason.text).toContain(`confirmField ${field} names nothing`);
  });
});

test('minView is sealed and shown, and the executor does not enforce it', async () => {
  const world = await open({ more: ['minView: 20s'] });
  const sealed = await world.propose();
  expect(sealed.envelope.guards.minView).toBe(20_000);
  expect(viewV1(sealed.envelope).guards).toEqual(['read for 20s before an approval (a quality guard of the API, not of the executor)']);
  expect(await world.advance(sealed, [approve('ana', sealed), approve('ben', sealed)])).toEqual({ kind: 'end' });
});
