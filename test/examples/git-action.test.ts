import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { gitMerge, mergeCommon, mergeStep } from '../../examples/git/types.js';
import { defineAction, NotStarted, type ActionType } from '../../src/executor/define-action.js';
import { approve, cancel, request } from '../helpers/messages.js';
import { Rig } from '../helpers/rig.js';
import { policyText, rosterText, TestRules, type PolicyOptions } from '../helpers/rules-fixture.js';
import { AGENT } from '../helpers/signers.js';
import { World } from '../helpers/world.js';
import { MERGE, Origin } from './git-origin.js';

const ROSTER = { runs: ['git.merge', 'git.release'], agents: [`ap-agent: { owner: dana, key: '${AGENT.key.text}', propose: [git.*] }`] };
const POLICY: PolicyOptions = {
  type: 'git.*',
  data: '{ git.merge: { environments: { production: [infra/prod/**], staging: [infra/staging/**] } } }',
};
const proposal = { type: 'git.merge', params: MERGE };
const now = () => ({ at: Date.now() });

let origin: Origin;

/** A merge that is followed by a deployment, which is not possible for now. */
const release = (): ActionType =>
  defineAction({
    name: 'git.release',
    ...mergeCommon(origin.repositories),
    steps: [
      mergeStep(origin.repositories),
      {
        name: 'deploy',
        run: () => {
          throw new NotStarted('no_window');
        },
        undo: 'impossible',
      },
    ],
  });
const typesOf = () => new Map([gitMerge(origin.repositories), release()].map((type) => [type.name, type]));

describe('git.merge on a real Temporal server and a real repository', () => {
  let rig: Rig;
  beforeAll(async () => {
    origin = Origin.make();
    rig = await Rig.start({ policy: POLICY, roster: ROSTER, types: typesOf });
  });
  afterAll(async () => {
    await rig.stop();
    origin.remove();
  });

  test('held with its diff and its scope, agreed to, merged', async () => {
    origin.commit('feature', { 'infra/prod/main.tf': 'size = 2\n' });
    const { handle, sealed } = await rig.propose(proposal);
    expect(sealed.envelope.preview.touches).toContain('environment production');
    expect(sealed.envelope.preview.changes).toContainEqual({ what: 'infra/prod/main.tf line 1', from: 'size = 1', to: 'size = 2' });
    expect(origin.merges()).toBe(0);
    await rig.decide(handle, approve('ana', sealed, now()));
    await rig.decide(handle, approve('ben', sealed, now()));
    expect(await rig.outcome(handle)).toMatchObject({
      status: 'succeeded',
      effect: 'done',
      result: { commit: origin.head(), branch: 'main' },
    });
    expect(origin.file('infra/prod/main.tf')).toBe('size = 2');
    expect(origin.merges()).toBe(1);
  });

  test('a cancel after the merge, before what follows it: reverted', async () => {
    origin.pull();
    origin.commit('feature-2', { 'infra/staging/main.tf': 'size = 7\n' });
    const { handle, sealed } = await rig.propose({ type: 'git.release', params: { ...MERGE, source: 'feature-2' } });
    await rig.decide(handle, approve('ana', sealed, now()));
    await rig.decide(handle, approve('ben', sealed, now()));
    for (const end = Date.now() + 20_000; origin.merges() < 2 && Date.now() < end;) await new Promise((done) => setTimeout(done, 50));
    expect(origin.file('infra/staging/main.tf')).toBe('size = 7');
    await rig.decide(handle, cancel(sealed.id, now()), 'lodge');
    expect(await rig.outcome(handle)).toMatchObject({ effect: 'undone', reason: { code: 'cancelled' } });
    expect(origin.file('infra/staging/main.tf')).toBe('size = 1');
  });
});

describe('git.merge by the executor alone', () => {
  let world: World;
  beforeEach(async () => {
    origin = Origin.make();
    world = await World.open({ rules: new TestRules(policyText(POLICY), rosterText(ROSTER)), types: typesOf });
  });
  afterEach(() => origin.remove());
  const votes = (sealed: Awaited<ReturnType<World['propose']>>) => [approve('ana', sealed), approve('ben', sealed)];

  test('a rule asks for the environment; what cannot be merged is denied in plain words', async () => {
    world.rules.setPolicy({ ...POLICY, version: 2, denyWhen: 'preview.touches.exists(t, t == "environment production")' });
    const outcomeOf = async (source: string) => {
      const { id, signed } = request({ type: 'git.merge', params: { ...MERGE, source } });
      await world.seal(id, signed);
      return world.outcome(id);
    };
    origin.commit('feature', { 'infra/prod/main.tf': 'size = 2\n' });
    expect(await outcomeOf('feature')).toMatchObject({ status: 'denied', reason: { code: 'rule_denies' } });
    expect(await outcomeOf('nothing')).toMatchObject({
      status: 'denied',
      reason: { code: 'preview_refused', text: expect.stringContaining('no branch nothing') },
    });
    origin.commit('large', { 'a.txt': 'x\n'.repeat(901) });
    expect(await outcomeOf('large')).toMatchObject({
      reason: { code: 'preview_too_large', text: expect.stringContaining('Merge it in parts') },
    });
    origin.commit('small', { 'infra/staging/main.tf': 'size = 2\n' });
    expect((await world.propose({ type: 'git.merge', params: { ...MERGE, source: 'small' } })).envelope.rule.name).toBe('vendor payments');
  });

  test('attack 34: the agent pushes more after the first vote: sealed again, and nothing is merged', async () => {
    origin.commit('feature', { 'infra/prod/main.tf': 'size = 2\n' });
    const sealed = await world.propose(proposal);
    origin.commit('feature', { 'infra/prod/main.tf': 'size = 999\n' });
    expect(await world.advance(sealed, votes(sealed))).toEqual({ kind: 'reseal', code: 'target_changed' });
    expect(origin.merges()).toBe(0);
  });

  test.each(['before', 'after'] as const)('the executor dies %s the push: one merge, and it knows', async (when) => {
    origin.commit('feature', { 'infra/prod/main.tf': 'size = 2\n' });
    const type = gitMerge(origin.repositories);
    const [step] = type.steps;
    if (step === undefined) throw new Error('no step');
    let first = true;
    world.types.set(type.name, {
      ...type,
      steps: [
        {
          ...step,
          run: async (...args) => {
            const lost = first;
            first = false;
            if (lost && when === 'before') throw new Error('died');
            const result = await step.run(...args);
            if (lost) throw new Error('died');
            return result;
          },
        },
      ],
    });
    const sealed = await world.propose(proposal);
    for (let i = 0; i < 20; i++) {
      const result = await world.run(sealed, votes(sealed));
      if (result.kind === 'end') break;
      world.clock.pass(2_000);
    }
    expect(world.outcome(sealed.id)).toMatchObject({ status: 'succeeded', effect: 'done', result: { commit: origin.head() } });
    expect(world.kinds(sealed.id).filter((kind) => kind === 'step_not_started')).toHaveLength(when === 'before' ? 1 : 0);
    expect(origin.merges()).toBe(1);
  });

  test('a revert that conflicts ends before a person', async () => {
    origin.commit('feature', { 'infra/prod/main.tf': 'size = 2\n' });
    const sealed = await world.propose({ type: 'git.release', params: MERGE });
    expect(await world.advance(sealed, votes(sealed))).toEqual({ kind: 'again' });
    origin.pull();
    origin.commit('main', { 'infra/prod/main.tf': 'size = 3\n' });
    await world.lodge(sealed.id, cancel(sealed.id, { at: world.clock.ms }));
    expect(await world.run(sealed, [])).toMatchObject({ kind: 'wait', code: 'compensation_failed' });
    expect(world.kinds(sealed.id)).toContain('undo_failed');
  });
});
