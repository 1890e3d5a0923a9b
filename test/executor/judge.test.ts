import { describe, expect, test } from '@jest/globals';
import { CODES } from '../../src/domain/codes.js';
import type { Signed } from '../../src/domain/dsse.js';
import { toInstant } from '../../src/domain/instant.js';
import { canonicalize } from '../../src/domain/json.js';
import { sha256 } from '../../src/domain/hash.js';
import { utf8 } from '../../src/domain/bytes.js';
import { approve, delegation, modify, onSeatOf, reject, withdraw, type SealedRevision } from '../helpers/messages.js';
import { policyText, rosterText, TestRules, type PolicyOptions, type RosterOptions } from '../helpers/rules-fixture.js';
import { AGENT, keyOfPerson, signerOf } from '../helpers/signers.js';
import { HOUR, MINUTE, World } from '../helpers/world.js';
import { ready } from './ready.js';

const open = async (policy: PolicyOptions = {}, roster: RosterOptions = {}) => {
  const world = await World.open({ rules: new TestRules(policyText(policy), rosterText(roster)) });
  const sealed = await world.propose();
  return { world, sealed, votes: [approve('ana', sealed), approve('ben', sealed)] as const };
};
const keys = (person: string, how: string, signer = keyOfPerson(person)): RosterOptions => ({
  version: 2,
  people: { [person]: `{ name: ${person}, keys: [{ key: '${signer.key.text}', ${how} }] }` },
});
const dropped = async (world: World, sealed: SealedRevision, decisions: readonly Signed[]): Promise<unknown> => {
  const answer = await world.advance(sealed, decisions);
  expect(world.bank.callsOf('run')).toEqual([]);
  return answer.kind === 'ask' ? answer.dropped.map(({ code, check, text }) => `${check} ${code}: ${text}`) : answer;
};

describe('7.9 whoever is counted may decide now, with the key of then', () => {
  const STALE = ['9 approver_stale: ben may no longer decide'];
  /** When ben's vote is dated and his key is valid, in ms from the seal; the order comes a minute later. */
  test.each<[string, number, string, number, boolean]>([
    ['from the very moment of the vote on', 1_000, 'from', 1_000, true],
    ['from a millisecond after the vote on', 1_000, 'from', 1_001, false],
    ['from the very moment of the order on, for a vote dated ahead', 90_000, 'from', 60_000, true],
    ['from a millisecond after the order on, for a vote dated ahead', 90_000, 'from', 60_001, false],
    ['until the very moment of the order', 1_000, 'until', 60_000, false],
    ['until a millisecond after the order', 1_000, 'until', 60_001, true],
    ['until the very moment of a vote that is dated ahead', 90_000, 'until', 90_000, false],
    ['until a millisecond after a vote that is dated ahead', 90_000, 'until', 90_001, true],
  ])('6.4 a key valid %s', async (_what, issued, member, moment, counts) => {
    const { world, sealed, votes } = await open();
    const start = world.clock.ms;
    const vote = approve('ben', sealed, { at: start + issued });
    world.clock.pass(MINUTE);
    world.rules.setRoster(keys('ben', `${member}: '${toInstant(start + moment)}'`));
    if (counts) expect(await world.advance(sealed, [votes[0], vote])).toEqual({ kind: 'end' });
    else expect(await dropped(world, sealed, [votes[0], vote])).toEqual(STALE);
  });
  test('a key that is somebody else’s by now', async () => {
    const { world, sealed, votes } = await open();
    world.rules.setRoster({
      version: 2,
      people: {
        ben: `{ name: ben, keys: ['${signerOf('new').key.text}'] }`,
        eva: `{ name: eva, keys: ['${keyOfPerson('ben').key.text}'] }`,
      },
    });
    expect(await dropped(world, sealed, votes)).toEqual(STALE);
  });
  test('who owns the agent by now does not count, whatever owner was sealed', async () => {
    const { world, sealed, votes } = await open();
    world.rules.setRoster({ version: 2, agents: [`ap-agent: { owner: ben, key: '${AGENT.key.text}', propose: [payments.*] }`] });
    expect(await dropped(world, sealed, votes)).toEqual(STALE);
    expect(await world.advance(sealed, [...votes, approve('cleo', sealed)])).toEqual({ kind: 'end' });
  });
  test('an agent that is gone from the roster leaves its owner as he was sealed', async () => {
    const { world, sealed, votes } = await open();
    world.rules.setRoster({
      version: 2,
      agents: ["other-agent: { owner: ben, bearer: 'sha256:" + 'a'.repeat(64) + "', propose: [payments.*] }"],
    });
    expect(await world.advance(sealed, votes)).toEqual({ kind: 'end' });
  });
  test('6.3 a delegate: named for whom, and dropped when he owns the agent by now', async () => {
    const { world, sealed, votes } = await open({ delegates: '[group:finance-leads]' });
    const at = world.clock.ms;
    const forEva = (until: number): Signed =>
      approve('eva', sealed, { forge: onSeatOf('ben', delegation('ben', 'eva', { at: at - HOUR, until: at + until })) });
    const vote = forEva(HOUR);
    world.rules.setRoster({ version: 2, agents: [`ap-agent: { owner: eva, key: '${AGENT.key.text}', propose: [payments.*] }`] });
    expect(await dropped(world, sealed, [votes[0], vote])).toEqual(['9 approver_stale: eva for ben may no longer decide']);
    world.rules.setRoster({ version: 3, agents: [`ap-agent: { owner: ben, key: '${AGENT.key.text}', propose: [payments.*] }`] });
    expect(await dropped(world, sealed, [votes[0], vote])).toEqual(['9 approver_stale: eva for ben may no longer decide']);
    world.rules.setRoster({ version: 4 });
    expect(await world.advance(sealed, [votes[0], vote])).toEqual({ kind: 'end' });
  });
});

describe('what is among the decisions and is none that counts', () => {
  test('a modify says neither yes nor no', async () => {
    const { world, sealed, votes } = await ready();
    const change = modify('cleo', sealed, { '/cents': 1 });
    expect(await world.advance(sealed, [change])).toEqual({
      kind: 'ask',
      code: 'quorum_missing',
      text: CODES.quorum_missing.message,
      check: 11,
      dropped: [],
    });
    expect(await world.advance(sealed, [change, ...votes])).toEqual({ kind: 'end' });
  });
  test('attack: a withdrawal the ledger did not take has no effect by coming along', async () => {
    const { world, sealed, votes } = await ready();
    const no = reject('cleo', sealed);
    await world.lodge(sealed.id, no);
    await world.database.transaction(async (sql) => {
      for (let i = 0; i < 100; i++)
        await sql.run(
          "INSERT INTO lodged (digest, action_id, object, by_whom, signed, at) VALUES (?, ?, 'withdraw', 'person:cleo', ?, ?)",
          sha256(utf8(`withdraw ${i}`)),
          sealed.id,
          canonicalize(votes[0]),
          world.clock.ms,
        );
    });
    expect(await world.advance(sealed, [...votes, withdraw('cleo', sealed, no)])).toMatchObject({
      kind: 'refused',
      code: 'rejection_standing',
      text: 'rejected by cleo',
    });
    const { world: other, sealed: again, votes: both } = await ready();
    const back = withdraw('ana', again, both[0] ?? no);
    other.rules.setRoster(keys('ana', "from: '2026-05-01T00:00:00.000Z'", signerOf('new')));
    // By a key the roster has lost: neither recorded nor counted, and said so.
    expect(await dropped(other, again, [back])).toEqual(['9 approver_stale: ana may no longer decide']);
  });
  test('each is dropped with the check it failed, the digest it has, and in the order it came', async () => {
    const { world, sealed } = await ready();
    const unreadable = { ...approve('ben', sealed), payload: 'A' };
    const answer = await world.advance(sealed, [unreadable, approve('eva', sealed)]);
    expect(answer).toMatchObject({
      code: 'request_invalid',
      check: 6,
      dropped: [
        { digest: null, code: 'request_invalid', check: 6 },
        { digest: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown, code: 'not_eligible', check: 8 },
      ],
    });
  });
});

describe('without a quorum by the sealed rule people are told what stands in its way', () => {
  test('a policy that denies it, or asks for a longer review afterwards, by now', async () => {
    const { world, sealed, votes } = await ready();
    world.rules.setPolicy({ version: 2, deny: ['payments.transfer'] });
    expect(await world.advance(sealed, votes.slice(0, 1))).toEqual({
      kind: 'ask',
      code: 'policy_stale',
      text: CODES.policy_stale.message,
      check: 5,
      dropped: [],
    });
  });
  test('a type that is gone', async () => {
    const { world, sealed, votes } = await ready();
    world.types.delete('payments.transfer');
    expect(await world.advance(sealed, votes.slice(0, 1))).toEqual({
      kind: 'ask',
      code: 'type_changed',
      text: CODES.type_changed.message,
      check: 3,
      dropped: [],
    });
    expect(await world.advance(sealed, votes)).toEqual({ kind: 'reseal', code: 'type_changed' });
  });
});

describe('7.10 what stands against it comes first', () => {
  test('a rejection, though the policy denies it by now', async () => {
    const { world, sealed, votes } = await ready();
    await world.lodge(sealed.id, reject('cleo', sealed));
    world.rules.setPolicy({ version: 2, deny: ['payments.transfer'] });
    expect(await world.advance(sealed, votes)).toMatchObject({ kind: 'refused', code: 'rejection_standing', text: 'rejected by cleo' });
  });
  test('by fewer people than were asked for at the seal, if the present rule asks for fewer', async () => {
    const { world, sealed, votes } = await open({ rejections: 2 });
    await world.lodge(sealed.id, reject('cleo', sealed));
    world.rules.setPolicy({ version: 2, rejections: 1 });
    expect(await world.advance(sealed, votes)).toMatchObject({ code: 'rejection_standing', text: 'rejected by cleo' });
  });
  test('a cancel that a row names though the action still waits', async () => {
    const { world, sealed, votes } = await ready();
    await world.database.transaction((sql) => sql.run("UPDATE action SET stop = 'agent:ap-agent'"));
    expect(await world.advance(sealed, votes)).toEqual({ kind: 'refused', code: 'closed', text: 'cancelled by agent:ap-agent', check: 10 });
  });
});

test('7.13 a rule without a budget charges nothing', async () => {
  const { world, sealed, votes } = await ready();
  expect(await world.advance(sealed, votes)).toEqual({ kind: 'end' });
  expect(await world.database.transaction((sql) => sql.all('SELECT * FROM charge'))).toEqual([]);
});
