import { describe, expect, test } from '@jest/globals';
import { request, approve } from '../helpers/messages.js';
import { API } from '../helpers/signers.js';
import { ONE_OF_FINANCE, TestRules, policyText, type PolicyOptions } from '../helpers/rules-fixture.js';
import { held, HOUR, MINUTE, World } from '../helpers/world.js';

const DAY = 24 * HOUR;
const allow = (budget: string, more = ''): string =>
  `  - { name: small, match: { type: payments.transfer }, effect: allow, because: Small., budget: [${budget}], executeWithin: 5m, resolve: { from: [group:finance-leads], quorum: 1 }${more} }\n`;
const COUNT = '{ per: agent, within: 24h, limit: 2 }';
const SUM = '{ per: owner, within: 24h, sum: /cents, limit: 1000 }';
const open = (first: string, more: PolicyOptions = {}) =>
  World.open({ rules: new TestRules(policyText({ first, stages: ONE_OF_FINANCE, ...more })) });
const pay = (world: World, cents: number, more: Parameters<typeof request>[0] = {}) =>
  world.propose({ params: { vendor: 'ACME', cents }, ...more });

describe('§6.2 what the policy lets run, within its budget', () => {
  test('it is sealed as allowed, runs with no vote, once, and the receipt says so', async () => {
    const world = await open(allow(COUNT));
    const sealed = await pay(world, 100);
    expect(sealed.envelope).toMatchObject({
      rule: { effect: 'allow', name: 'small' },
      stages: [],
      guards: { request: 'signed' },
      budget: [{ per: 'agent', within: DAY, limit: 2 }],
    });
    await world.run(sealed);
    await world.run(sealed);
    expect(world.outcome(sealed.id).status).toBe('succeeded');
    expect(world.kinds(sealed.id)).toEqual(['sealed', 'executing', 'step_started', 'step_done', 'ended']);
    expect(world.entries(sealed.id)[1]).toMatchObject({ kind: 'executing', decisions: [] });
    expect(world.bank.effects).toHaveLength(1);
  });

  test('attack 1: a held action with no votes stays held, whatever is shown with it', async () => {
    const world = await open('');
    const sealed = await pay(world, 100);
    expect(await world.advance(sealed)).toMatchObject({
      kind: 'ask',
      code: 'quorum_missing',
      text: 'The valid decisions do not meet the rule.',
    });
    expect(world.bank.effects).toHaveLength(0);
  });

  test('attack 76: nine small payments instead of one: what is over the budget is held for people', async () => {
    const world = await open(allow(SUM));
    const effects: string[] = [];
    for (let n = 0; n < 9; n++) {
      const sealed = await pay(world, 120);
      effects.push(sealed.envelope.rule.effect);
      await world.advance(sealed);
    }
    expect(effects).toEqual([...Array<string>(8).fill('allow'), 'hold']);
    expect(world.bank.effects).toHaveLength(8);
  });

  test('attack 76: agents of one owner share the budget of that owner; whom they act for changes nothing', async () => {
    const world = await open(allow(SUM, ', request: vouched'));
    await world.advance(await pay(world, 600));
    const other = request({ agent: 'bearer-agent', by: API, onBehalfOf: 'ana', params: { vendor: 'ACME', cents: 600 } });
    expect(await world.seal(other.id, other.signed)).toMatchObject({ kind: 'sealed' });
    expect(
      (await world.propose({ agent: 'bearer-agent', by: API, onBehalfOf: 'ben', params: { vendor: 'ACME', cents: 600 } })).envelope.rule
        .effect,
    ).toBe('hold');
    expect((await pay(world, 400)).envelope.rule.effect).toBe('allow');
  });

  test('7.13 several sealed at once: the budget is asked again as each is consumed, and what is over goes to people', async () => {
    const world = await open(allow(COUNT));
    const sealed = await Promise.all([1, 2, 3].map((cents) => pay(world, cents)));
    expect(sealed.map(({ envelope }) => envelope.rule.effect)).toEqual(['allow', 'allow', 'allow']);
    const answers = await Promise.all(sealed.map((each) => world.advance(each)));
    expect(world.bank.effects).toHaveLength(2);
    const [late] = sealed.filter((_, i) => answers[i]?.kind !== 'end');
    if (late === undefined) throw new Error('all three ran');
    expect(await world.run(late)).toEqual({ kind: 'reseal', code: 'budget_exceeded' });
    const again = await world.reseal(late.id, late.digest);
    const asked = held(again);
    // Nobody was asked before: people have all the time the hold rule gives, not what an allowed action had to start.
    expect(asked.envelope).toMatchObject({ rule: { effect: 'hold' }, revision: 2, openedAt: late.envelope.openedAt });
    expect(Date.parse(asked.envelope.approveBy) - Date.parse(asked.envelope.openedAt)).toBe(DAY);
    world.clock.pass(HOUR);
    await world.run(asked, [approve('ana', asked, { at: world.clock.ms })]);
    expect(world.outcome(late.id).status).toBe('succeeded');
    expect((await world.propose({ params: { vendor: 'ACME', cents: 9 } })).envelope.rule.effect).toBe('hold');
  });

  test('a budget frees itself as time passes, to the millisecond', async () => {
    const world = await open(allow(COUNT));
    await world.run(await pay(world, 1));
    await world.run(await pay(world, 2));
    world.clock.pass(DAY - 1);
    expect((await pay(world, 3)).envelope.rule.effect).toBe('hold');
    world.clock.pass(1);
    expect((await pay(world, 4)).envelope.rule.effect).toBe('allow');
  });

  test('what failed or was undone is not given back', async () => {
    const world = await open(allow(COUNT));
    for (const cents of [1, 2]) {
      world.bank.plan({ run: ['failed'] });
      const sealed = await pay(world, cents);
      await world.run(sealed);
      expect(world.outcome(sealed.id).status).toBe('failed');
    }
    expect((await pay(world, 3)).envelope.rule.effect).toBe('hold');
  });

  test('a rule with a budget that reads the preview is charged once, though it is asked of two previews', async () => {
    const world = await open(allow(COUNT).replace('effect: allow', "when: 'preview.warnings.size() == 0', effect: allow"));
    const sealed = await pay(world, 1);
    await world.run(sealed);
    expect(world.outcome(sealed.id).status).toBe('succeeded');
    await world.run(await pay(world, 2));
    expect((await pay(world, 3)).envelope.rule.effect).toBe('hold');
  });

  test('a vouched request is held, where the rule does not say otherwise', async () => {
    const world = await open(allow(COUNT));
    expect((await pay(world, 1, { agent: 'bearer-agent', by: API })).envelope.rule.effect).toBe('hold');
  });
});

describe('§6.9 the policy changes before it begins', () => {
  test('stricter applies: allowed, then held', async () => {
    const world = await open(allow(COUNT));
    const sealed = await pay(world, 1);
    world.rules.setPolicy({ version: 2, stages: ONE_OF_FINANCE });
    expect(await world.advance(sealed)).toEqual({ kind: 'reseal', code: 'policy_stale' });
    expect(world.bank.effects).toHaveLength(0);
  });

  test('relaxed does not: what was held still needs its people, and those who left do not count', async () => {
    const world = await open('', {});
    const sealed = await pay(world, 1);
    world.rules.setPolicy({ version: 2, first: allow(COUNT), stages: ONE_OF_FINANCE });
    expect(await world.advance(sealed)).toMatchObject({
      kind: 'ask',
      code: 'quorum_missing',
      text: 'The valid decisions do not meet the rule.',
    });
    await world.run(sealed, [approve('ana', sealed)]);
    expect(world.outcome(sealed.id).status).toBe('succeeded');
  });

  test('held because the budget was used up, voted on, and the budget is free again: the hold rule is still the one asked', async () => {
    const world = await open(allow(COUNT));
    await world.run(await pay(world, 1));
    await world.run(await pay(world, 2));
    world.clock.pass(DAY - MINUTE);
    const sealed = await pay(world, 3);
    const vote = approve('ana', sealed);
    world.clock.pass(2 * MINUTE);
    world.rules.setRoster({ version: 2, groups: { finance: ['ben', 'cleo'] } });
    expect(await world.advance(sealed, [vote])).toMatchObject({ kind: 'ask', code: 'approver_stale', text: 'ana may no longer decide' });
    await world.run(sealed, [approve('ben', sealed)]);
    expect(world.outcome(sealed.id).status).toBe('succeeded');
    // Run by the hold rule, it takes nothing out of the other one's budget.
    expect((await pay(world, 4)).envelope.rule.effect).toBe('allow');
  });

  test('a deny rule, a freeze and a cancel stop what is allowed as well; its time to start is short', async () => {
    const world = await open(allow(COUNT));
    const [denied, late] = [await pay(world, 1), await pay(world, 2)];
    world.rules.setPolicy({ version: 2, first: allow(COUNT), deny: ['payments.transfer'], stages: ONE_OF_FINANCE });
    expect(await world.advance(denied)).toMatchObject({ kind: 'reseal' });
    world.rules.setPolicy({ version: 3, first: allow(COUNT), stages: ONE_OF_FINANCE });
    world.clock.pass(5 * MINUTE);
    expect(await world.advance(late)).toMatchObject({ kind: 'refused', code: 'execution_late', text: 'The time to start is over.' });
    expect(await world.close(late.id, 'execution_expired')).toEqual({ kind: 'end' });
    expect(world.outcome(late.id).status).toBe('execution_expired');
    expect(world.bank.effects).toHaveLength(0);
  });
});

describe('a hold rule with a budget', () => {
  test('used up: denied, and nobody is asked', async () => {
    const world = await open('', { more: ['budget: [{ per: all, within: 1h, limit: 1 }]'] });
    const [first, second] = [await pay(world, 1), await pay(world, 2)];
    await world.run(first, [approve('ana', first)]);
    const third = request({ params: { vendor: 'ACME', cents: 3 } });
    expect(await world.seal(third.id, third.signed)).toEqual({ kind: 'end' });
    expect(world.outcome(third.id)).toMatchObject({
      status: 'denied',
      reason: { code: 'budget_exceeded', text: 'the budget of rule "vendor payments" is used up: 1 of 1 actions within 1h, in all' },
    });
    // Agreed to already, but the budget went to another one meanwhile.
    expect(await world.advance(second, [approve('ana', second)])).toEqual({ kind: 'reseal', code: 'budget_exceeded' });
    expect(await world.reseal(second.id, second.digest)).toEqual({ kind: 'end' });
    expect(world.outcome(second.id).reason.code).toBe('budget_exceeded');
    expect(world.bank.effects).toHaveLength(1);
  });

  test('request: signed: a vouched request is denied', async () => {
    const world = await open('', { more: ['request: signed'] });
    const vouched = request({ agent: 'bearer-agent', by: API });
    expect(await world.seal(vouched.id, vouched.signed)).toEqual({ kind: 'end' });
    expect(world.outcome(vouched.id)).toMatchObject({
      status: 'denied',
      reason: { code: 'rule_denies', text: 'rule "vendor payments" takes only requests the agent itself has signed' },
    });
    expect((await pay(world, 1)).envelope.guards.request).toBe('signed');
  });
});
