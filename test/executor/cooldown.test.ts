import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { toInstant } from '../../src/domain/instant.js';
import { defineAction } from '../../src/executor/define-action.js';
import { approve, cancel, modify, reject, request, type Proposal, type SealedRevision } from '../helpers/messages.js';
import { AGENT, signerOf } from '../helpers/signers.js';
import { bankTypes } from '../helpers/types.js';
import { HOUR, SECOND, World } from '../helpers/world.js';

const COOLED = { more: ['cooldown: 24h'] } as const;
const OTHER = signerOf('other agent');
/** Two agents of dana's, and one of ben's. */
const AGENTS = [
  `ap-agent: { owner: dana, key: '${AGENT.key.text}', propose: [payments.*] }`,
  `second-agent: { owner: dana, key: '${OTHER.key.text}', propose: [payments.*] }`,
  `foreign-agent: { owner: eva, key: '${signerOf('foreign').key.text}', propose: [payments.*] }`,
];

async function opened(): Promise<World> {
  const world = await World.open();
  world.rules.setPolicy(COOLED);
  world.rules.setRoster({ agents: AGENTS });
  return world;
}

async function rejected(world: World, proposal: Proposal = {}): Promise<SealedRevision> {
  const sealed = await world.propose(proposal);
  const no = reject('cleo', sealed, { at: world.clock.now(), reason: 'paid in October' });
  expect(await world.lodge(sealed.id, no)).toMatchObject({ kind: 'stands' });
  expect(await world.close(sealed.id, 'rejected')).toEqual({ kind: 'end' });
  return sealed;
}

async function deniedNow(world: World, proposal: Proposal = {}): Promise<string> {
  const { id, signed } = request(proposal);
  expect(await world.seal(id, signed)).toEqual({ kind: 'end' });
  const { status, reason } = world.outcome(id);
  expect({ status, code: reason.code }).toEqual({ status: 'denied', code: 'rule_denies' });
  return reason.text;
}

describe('6.13 a cooldown: equal content that people rejected is refused for a while', () => {
  test('it says who rejected it, why, and from when it may be proposed again; then it may', async () => {
    const world = await opened();
    await rejected(world);
    const at = world.clock.now();
    world.clock.pass(24 * HOUR - 1);
    expect(await deniedNow(world)).toBe(
      `rule "vendor payments": equal content was rejected by person:cleo at ${toInstant(at)}: paid in October; it may be proposed again from ${toInstant(at + 24 * HOUR)}`,
    );
    // Other content is not touched by it.
    await world.propose({ params: { vendor: 'ACME', cents: 480_001 } });
    world.clock.pass(1);
    const again = await world.propose();
    expect(again.envelope.guards.cooldown).toBe(24 * HOUR);
    expect(again.envelope.earlier.some(({ status }) => status === 'rejected')).toBe(true);
  });
  test('a denial by the cooldown lengthens nothing, and a rule without one refuses nothing', async () => {
    const world = await opened();
    await rejected(world);
    world.clock.pass(23 * HOUR);
    await deniedNow(world);
    world.clock.pass(HOUR);
    await world.propose();
    const without = await World.open();
    await rejected(without);
    await without.propose();
  });
  test('only a rejection by people starts it: what was cancelled or expired may be proposed at once', async () => {
    const world = await opened();
    const first = await world.propose();
    expect(await world.lodge(first.id, cancel(first.id, { at: world.clock.now() }))).toMatchObject({ kind: 'stands' });
    const second = await world.propose();
    world.clock.pass(24 * HOUR);
    expect(await world.close(second.id, 'expired')).toEqual({ kind: 'end' });
    await world.propose();
  });
  test("attack: a second agent of the same owner proposes it; another owner's agent is not held to it", async () => {
    const world = await opened();
    await rejected(world);
    expect(await deniedNow(world, { agent: 'second-agent', by: OTHER })).toContain(
      'rule "vendor payments": equal content was rejected by person:cleo at 2026-06-01T09:00:00.000Z: paid in October; it may be proposed again from 2026-06-02T09:00:00.000Z',
    );
    await world.propose({ agent: 'foreign-agent', by: signerOf('foreign') });
  });
  test('attack: six later proposals do not push the rejection out of sight', async () => {
    const world = await opened();
    await rejected(world);
    for (let i = 0; i < 7; i++) {
      world.clock.pass(SECOND);
      await deniedNow(world);
    }
  });
  test('attack: proposed twice at once, one rejected: the other is sealed again and denied, whatever was agreed', async () => {
    const world = await opened();
    const waiting = await world.propose();
    await rejected(world);
    const votes = [approve('ana', waiting), approve('ben', waiting)];
    expect(await world.advance(waiting, votes)).toEqual({ kind: 'reseal', code: 'policy_stale' });
    expect(await world.reseal(waiting.id, waiting.digest)).toEqual({ kind: 'end' });
    expect(world.outcome(waiting.id)).toMatchObject({
      status: 'denied',
      effect: 'none',
      reason: {
        code: 'rule_denies',
        text: 'rule "vendor payments": equal content was rejected by person:cleo at 2026-06-01T09:00:00.000Z: paid in October; it may be proposed again from 2026-06-02T09:00:00.000Z',
      },
    });
    expect(world.bank.done.size).toBe(0);
  });
  test('a rule relaxed meanwhile frees nothing that was sealed under it', async () => {
    const world = await opened();
    const waiting = await world.propose();
    await rejected(world);
    world.rules.setPolicy({ version: 2 });
    expect(await world.advance(waiting, [approve('ana', waiting), approve('ben', waiting)])).toMatchObject({ kind: 'reseal' });
    expect(await world.reseal(waiting.id, waiting.digest)).toEqual({ kind: 'end' });
    expect(world.outcome(waiting.id)).toMatchObject({ status: 'denied' });
  });
  test('attack: a modify into what was rejected is refused and changes nothing', async () => {
    const world = await opened();
    await rejected(world);
    const other = await world.propose({ params: { vendor: 'ACME', cents: 1 } });
    const answer = await world.modify(other.id, modify('ana', other, { '/cents': 480_000 }));
    expect(answer).toMatchObject({
      kind: 'refused',
      code: 'rule_denies',
      text: 'rule "vendor payments": equal content was rejected by person:cleo at 2026-06-01T09:00:00.000Z: paid in October; it may be proposed again from 2026-06-02T09:00:00.000Z',
    });
    expect(world.kinds(other.id)).toEqual(['sealed']);
  });
  test('content is what the schema reads: a default written out makes no other content; a letter that matters to nobody does', async () => {
    const world = await World.open({
      types: (bank) => {
        const types = bankTypes(bank);
        const schema = z.strictObject({ vendor: z.string().trim(), cents: z.int(), currency: z.string().default('EUR') });
        const type = defineAction({
          name: 'payments.transfer',
          params: schema,
          summarize: ({ vendor }) => `Pay ${vendor}`,
          preview: () => ({}),
          run: () => null,
          undo: 'impossible',
        });
        return types.set(type.name, type);
      },
    });
    world.rules.setPolicy(COOLED);
    await rejected(world, { params: { vendor: 'ACME', cents: 1 } });
    await deniedNow(world, { params: { vendor: ' ACME ', cents: 1, currency: 'EUR' } });
    await world.propose({ params: { vendor: 'ACME.', cents: 1 } });
  });
});
