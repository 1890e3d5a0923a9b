import { describe, expect, test } from '@jest/globals';
import type { Signed } from '../../src/domain/dsse.js';
import type { Executor } from '../../src/executor/executor.js';
import { actionIdOf } from '../../src/domain/ids.js';
import { approve, ask, damaged, modify, type SealedRevision, thaw } from '../helpers/messages.js';
import { afterRestore } from '../helpers/restored.js';
import { DEPLOYMENT, rosterText, TestRules } from '../helpers/rules-fixture.js';
import { AGENT, API, EXECUTOR, keyOfPerson, signerOf } from '../helpers/signers.js';
import { changed } from '../helpers/types.js';
import { held, MINUTE, World } from '../helpers/world.js';
import { ready, refusal } from './ready.js';

test('7.0 two votes in time run it, once, with the decisions on record', async () => {
  const { world, sealed, votes } = await ready();
  expect(await world.advance(sealed, votes)).toEqual({ kind: 'end' });
  expect(world.kinds(sealed.id)).toEqual(['sealed', 'executing', 'step_started', 'step_done', 'ended']);
  expect(world.outcome(sealed.id)).toMatchObject({ status: 'succeeded', effect: 'done' });
  expect(world.bank.effectsOf(sealed.id)).toEqual(['run']);
  for (let i = 0; i < 3; i++) expect(await world.advance(sealed, votes)).toEqual({ kind: 'end' });
  expect(world.bank.callsOf('run')).toHaveLength(1);
});

test('7.0 a question among the decisions is no vote, and is not dropped either', async () => {
  const { world, sealed, votes } = await ready();
  const [first] = votes;
  if (first === undefined) throw new Error('no vote');
  expect(await world.advance(sealed, [first, ask('ben', sealed)])).toMatchObject({
    kind: 'ask',
    code: 'quorum_missing',
    text: 'The valid decisions do not meet the rule.',
    dropped: [],
  });
  expect(await world.advance(sealed, [ask('eva', sealed), ...votes, ask('ana', sealed)])).toEqual({ kind: 'end' });
  expect(world.bank.effectsOf(sealed.id)).toEqual(['run']);
});

describe('7.1 parse, size', () => {
  test('input that is none', async () => {
    const { advance } = await import('../../src/executor/advance.js');
    const { world, sealed, votes } = await ready();
    const many = Array.from({ length: 301 }, () => votes[0]);
    for (const input of [
      null,
      { actionId: sealed.id },
      { actionId: sealed.id, have: 0, digest: sealed.digest, decisions: many },
      { actionId: sealed.id, have: 0, digest: sealed.digest, decisions: votes, params: { cents: 820_000 } },
    ]) {
      const answer = JSON.parse(Buffer.from((await advance(world.executor, input)).payload, 'base64url').toString()) as unknown;
      expect(answer).toMatchObject({ actionId: null, result: { kind: 'refused', code: 'request_invalid', check: 1 } });
    }
    expect(world.bank.callsOf('run')).toEqual([]);
  });
});

describe('7.2 audience, ledger id, epoch', () => {
  test('what was sealed before a restore never runs, is not modified and not sealed again', async () => {
    const { world, sealed, votes } = await ready();
    const { world: restored } = await afterRestore(world);
    // Not even if its row says that it still waits.
    await restored.database.transaction((sql) => sql.run("UPDATE action SET state = 'awaiting', status = 'awaiting_approval'"));
    expect(await refusal(restored, sealed, votes)).toEqual({ kind: 'refused', code: 'audience_mismatch', check: 2 });
    expect(await restored.modify(sealed.id, modify('ana', sealed, { '/cents': 1 }))).toMatchObject({
      kind: 'refused',
      code: 'audience_mismatch',
      text: 'this was sealed in another ledger, epoch or executor',
    });
  });
  test('what another executor sealed, or one of another ledger or deployment, does not run here', async () => {
    const { advance } = await import('../../src/executor/advance.js');
    const { world, sealed, votes } = await ready();
    const { executor } = world;
    const inLedger = (change: Partial<Executor['ledger']['identity']>): Executor => ({
      ...executor,
      ledger: Object.create(executor.ledger, { identity: { value: { ...executor.ledger.identity, ...change } } }) as Executor['ledger'],
    });
    const input = { actionId: sealed.id, have: 0, digest: sealed.digest, decisions: votes };
    const strangers: readonly Executor[] = [
      { ...executor, name: 'other-bank' },
      inLedger({ ledger: 'b'.repeat(32) }),
      inLedger({ deployment: 'acme-other' }),
      inLedger({ epoch: executor.ledger.identity.epoch + 1 }),
    ];
    for (const stranger of strangers) {
      const answer = JSON.parse(Buffer.from((await advance(stranger, input)).payload, 'base64url').toString()) as unknown;
      expect(answer).toMatchObject({ result: { kind: 'refused', code: 'audience_mismatch', check: 2 } });
    }
    expect(world.bank.callsOf('run')).toEqual([]);
    expect(await world.advance(sealed, votes)).toEqual({ kind: 'end' });
  });
  test('a step that was still to come at a restore does not start, whatever the rows say', async () => {
    const world = await World.open();
    const sealed = await world.propose({ type: 'payments.batch' });
    expect(await world.advance(sealed, [approve('ana', sealed), approve('ben', sealed)])).toEqual({ kind: 'again' });
    const { world: restored, restored: by } = await afterRestore(world);
    for (const person of ['cleo', 'eva']) await restored.lodge(null, thaw(person, by.freeze, { at: restored.clock.ms }));
    await restored.database.transaction(async (sql) => {
      await sql.run("UPDATE action SET state = 'executing', status = 'executing'");
      await sql.run('DELETE FROM step WHERE n = 2');
    });
    expect(await restored.advance(sealed)).toMatchObject({
      kind: 'refused',
      code: 'audience_mismatch',
      text: 'this was sealed in another ledger, epoch or executor',
      check: 2,
    });
    expect(restored.bank.effectsOf(sealed.id)).toEqual(['reserve']);
  });
});

describe('7.3 an envelope of its own ledger, the newest revision', () => {
  test('an action this ledger never sealed', async () => {
    const { world, sealed } = await ready();
    const id = actionIdOf(DEPLOYMENT, 'ap-agent', 'never sealed');
    expect(await world.advance({ id, digest: sealed.digest })).toMatchObject({
      kind: 'refused',
      code: 'revision_stale',
      text: 'this ledger has sealed no such action',
      check: 3,
    });
  });
  test('attack 32: an earlier revision with all its votes', async () => {
    const { world, sealed, votes } = await ready();
    held(await world.modify(sealed.id, modify('cleo', sealed, { '/cents': 1 })));
    expect(await world.advance(sealed, votes)).toEqual({
      kind: 'refused',
      code: 'revision_stale',
      text: 'not the newest revision of this action',
      check: 3,
    });
    expect(world.bank.callsOf('run')).toEqual([]);
  });
  test('attack 29: a type whose version, schema or undo plan changed is sealed again', async () => {
    for (const change of [
      { version: '2' },
      { schemaDigest: 'a'.repeat(64) as never },
      { plans: [{ step: 'run', plan: { undo: 'impossible' as const } }] },
    ]) {
      const { world, sealed, votes } = await ready();
      const type = world.types.get('payments.transfer');
      if (type !== undefined) world.types.set(type.name, changed(type, change));
      expect(await world.advance(sealed, votes)).toEqual({ kind: 'reseal', code: 'type_changed' });
      expect(world.bank.callsOf('run')).toEqual([]);
      expect(await world.advance(sealed, votes)).toEqual({ kind: 'reseal', code: 'type_changed' });
    }
  });
  test('without a quorum a moved type is only asked about', async () => {
    const { world, sealed, votes } = await ready();
    const type = world.types.get('payments.transfer');
    if (type !== undefined) world.types.set(type.name, changed(type, { version: '2' }));
    expect(await refusal(world, sealed, votes.slice(0, 1))).toEqual({ kind: 'ask', code: 'type_changed', check: 3 });
  });
});

test('7.4 policy or roster invalid: nothing runs until they are mended', async () => {
  const { world, sealed, votes } = await ready();
  world.rules.break();
  expect(await refusal(world, sealed, votes)).toMatchObject({ kind: 'wait', code: 'roster_stale', text: 'policy.yaml:1: nonsense' });
  world.rules.mend();
  expect(await world.advance(sealed, votes)).toEqual({ kind: 'end' });
});

describe('7.5 own policy', () => {
  test('6.10 attack 67: an approval never overrides a deny', async () => {
    const { world, sealed, votes } = await ready();
    world.rules.setPolicy({ version: 2, deny: ['payments.transfer'] });
    expect(await refusal(world, sealed, votes)).toEqual({ kind: 'reseal', code: 'policy_stale' });
    expect(await world.reseal(sealed.id, sealed.digest)).toEqual({ kind: 'end' });
    expect(world.outcome(sealed.id)).toMatchObject({
      status: 'denied',
      effect: 'none',
      reason: { code: 'rule_denies', text: 'rule "never payments.transfer": Never.' },
    });
  });
  test('6.9 a condition that came since, on the parameters people agreed to, is asked at execution', async () => {
    const { world, sealed, votes } = await ready();
    world.rules.setPolicy({ version: 2, denyWhen: 'action.params.cents >= 1' });
    expect(await refusal(world, sealed, votes)).toEqual({ kind: 'reseal', code: 'policy_stale' });
    expect(await world.reseal(sealed.id, sealed.digest)).toEqual({ kind: 'end' });
    expect(world.outcome(sealed.id)).toMatchObject({
      status: 'denied',
      effect: 'none',
      reason: { code: 'rule_denies', text: 'rule "never so": Never so.' },
    });
    const other = await ready();
    other.world.rules.setPolicy({ version: 2, when: 'action.params.nosuch == 1' });
    expect(await refusal(other.world, other.sealed, other.votes)).toMatchObject({ code: 'policy_stale' });
  });
  test('6.9 attack 31: a stricter policy applies, a relaxed one does not', async () => {
    const { world, sealed, votes } = await ready();
    world.rules.setPolicy({ version: 2, stages: '[{ name: finance, from: [group:finance], quorum: 1 }]' });
    expect(await refusal(world, sealed, votes.slice(0, 1))).toEqual({ kind: 'ask', code: 'quorum_missing', check: 11 });
    world.rules.setPolicy({ version: 3, stages: '[{ name: finance, from: [group:finance], quorum: 3 }]' });
    expect(await refusal(world, sealed, votes)).toEqual({ kind: 'reseal', code: 'policy_stale' });
  });
});

describe('7.6 each decision: type, signature, key', () => {
  const cases: readonly [string, (sealed: SealedRevision) => Signed, string][] = [
    ['a damaged signature', (sealed) => damaged(approve('ben', sealed)), 'signature_invalid'],
    [
      "attack 39: an approval under another person's name",
      (sealed) => approve('ben', sealed, { by: keyOfPerson('cleo') }),
      'signature_invalid',
    ],
    ['a key of nobody', (sealed) => approve('ben', sealed, { by: signerOf('stranger') }), 'signature_invalid'],
    ["attack 21: the agent's key", (sealed) => approve('ben', sealed, { by: AGENT }), 'signature_invalid'],
    ["attack 16: the API's or the executor's key", (sealed) => approve('ben', sealed, { by: API }), 'signature_invalid'],
    ['the executor itself', (sealed) => approve('ben', sealed, { by: EXECUTOR }), 'signature_invalid'],
    ['a member nobody knows', (sealed) => approve('ben', sealed, { forge: { weight: 2 } }), 'request_invalid'],
    ['a delegation', (sealed) => approve('ben', sealed, { forge: { delegation: { from: 'cleo', signed: '' } } }), 'request_invalid'],
    [
      'attack 40: another payload type',
      (sealed) => ({ ...approve('ben', sealed), payloadType: 'application/vnd.keyturn.request.v1+json' }),
      'request_invalid',
    ],
    ['no payload at all', (sealed) => ({ ...approve('ben', sealed), payload: 'A' }), 'request_invalid'],
  ];
  test.each(cases)('%s', async (_what, vote, code) => {
    const { world, sealed, votes } = await ready();
    expect(await refusal(world, sealed, [...votes.slice(0, 1), vote(sealed)])).toEqual({ kind: 'ask', code, check: 6 });
    // Attack 15: garbage neither helps nor harms.
    expect(await world.advance(sealed, [vote(sealed), ...votes, vote(sealed)])).toEqual({ kind: 'end' });
  });

  test('attack 5, 7: one vote repeated, or a second key of the same person, is one seat', async () => {
    const roster = { people: { ana: `{ name: ana, keys: ['${keyOfPerson('ana').key.text}', '${signerOf('person:ana:2').key.text}'] }` } };
    const world = await World.open({ rules: new TestRules(undefined, rosterText(roster)) });
    const sealed = await world.propose();
    const [one, two] = [approve('ana', sealed), approve('ana', sealed, { by: signerOf('person:ana:2') })];
    expect(await refusal(world, sealed, [one, one, two, approve('ana', sealed)])).toEqual({
      kind: 'ask',
      code: 'quorum_missing',
      check: 11,
    });
    expect(await world.advance(sealed, [two, approve('ben', sealed)])).toEqual({ kind: 'end' });
  });
});

describe('7.7 binds this digest, revision, view', () => {
  test('attack 35: a vote for another action, an earlier revision, or another view', async () => {
    const { world, sealed, votes } = await ready();
    const other = await world.propose();
    const zero = 'f'.repeat(64);
    for (const [vote, code] of [
      [approve('ben', other), 'audience_mismatch'],
      [approve('ben', sealed, { forge: { deployment: 'acme-prod' } }), 'audience_mismatch'],
      [approve('ben', sealed, { forge: { digest: zero } }), 'revision_stale'],
      [approve('ben', sealed, { forge: { revision: 2 } }), 'revision_stale'],
      [approve('ben', sealed, { forge: { view: zero } }), 'view_mismatch'],
    ] as const)
      expect(await refusal(world, sealed, [...votes.slice(0, 1), vote])).toEqual({ kind: 'ask', code, check: 7 });
  });
  test('6.5 approvals never carry over to a later revision', async () => {
    const { world, sealed, votes } = await ready();
    const second = held(await world.modify(sealed.id, modify('cleo', sealed, { '/cents': 1 })));
    expect(await refusal(world, second, votes)).toEqual({ kind: 'ask', code: 'revision_stale', check: 7 });
  });
});

describe('7.8 person, seat', () => {
  test('6.3 attack 17–19: owner and the person acted for never count; nor who is not asked', async () => {
    const world = await World.open({
      rules: new TestRules(undefined, rosterText({ groups: { finance: ['ana', 'ben', 'cleo', 'dana'] } })),
    });
    const sealed = await world.propose({ onBehalfOf: 'cleo' });
    const one = approve('ana', sealed);
    for (const [person, code] of [
      ['dana', 'self_approval'],
      ['cleo', 'self_approval'],
      ['eva', 'not_eligible'],
    ] as const)
      expect(await refusal(world, sealed, [one, approve(person, sealed)])).toEqual({ kind: 'ask', code, check: 8 });
  });
  test('6.7 attack 60: a vote exactly at approveBy is late, one millisecond before is not', async () => {
    const { world, sealed } = await ready();
    const end = Date.parse(sealed.envelope.approveBy);
    const one = approve('ana', sealed, { at: end - 1 });
    world.clock.ms = end + MINUTE;
    expect(await refusal(world, sealed, [one, approve('ben', sealed, { at: end })])).toEqual({
      kind: 'ask',
      code: 'decision_late',
      check: 8,
    });
    expect(await world.advance(sealed, [one, approve('ben', sealed, { at: end - 1 })])).toEqual({ kind: 'end' });
  });
  test('6.7 a vote may be dated two minutes ahead, not more', async () => {
    const { world, sealed, votes } = await ready();
    const ahead = approve('ben', sealed, { at: world.clock.ms + 2 * MINUTE + 1 });
    expect(await refusal(world, sealed, [...votes.slice(0, 1), ahead])).toEqual({ kind: 'ask', code: 'decision_late', check: 8 });
    world.clock.pass(1);
    expect(await world.advance(sealed, [...votes.slice(0, 1), ahead])).toEqual({ kind: 'end' });
  });
});
