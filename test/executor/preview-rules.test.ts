import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { defineAction, PreviewRefused, PreviewTooLarge, type PreviewDraft } from '../../src/executor/define-action.js';
import { approve, modify, request, type SealedRevision } from '../helpers/messages.js';
import { World } from '../helpers/world.js';
import { ready, refusal } from './ready.js';

const TOUCHES_ACME = '"ACME" in preview.touches';
const params = z.strictObject({ vendor: z.string(), cents: z.int() });

/** Seals a transfer that must be denied at once; the calls the target saw. */
async function denial(world: World, vendor = 'ACME') {
  const { id, signed } = request({ params: { vendor, cents: 7 } });
  expect(await world.seal(id, signed)).toEqual({ kind: 'end' });
  expect(world.kinds(id)).toEqual(['denied']);
  return world.outcome(id).reason;
}
const bothVotes = (sealed: SealedRevision) => [approve('ana', sealed), approve('ben', sealed)];

describe('at the seal (§4)', () => {
  test('6.1 deny rules on the action are asked before the target is touched, even beside one that needs the preview', async () => {
    const world = await World.open();
    world.rules.setPolicy({ denyWhen: TOUCHES_ACME, deny: ['payments.transfer'] });
    world.bank.previewFails = new Error('bank is down');
    expect(await denial(world)).toMatchObject({
      code: 'rule_denies',
      text: expect.stringContaining('rule "never payments.transfer": Never.'),
    });
    expect(world.bank.calls).toEqual([]);
  });
  test('6.1 deny rules on the preview are asked with the whole policy, once it was made', async () => {
    const world = await World.open();
    world.rules.setPolicy({ denyWhen: TOUCHES_ACME });
    expect(await denial(world)).toMatchObject({ code: 'rule_denies', text: expect.stringContaining('rule "never so": Never so.') });
    expect(world.bank.calls).toEqual(['preview']);
    expect((await world.propose({ params: { vendor: 'Initech', cents: 7 } })).envelope.rule.name).toBe('vendor payments');
  });
  test('6.1 a condition on the preview that cannot be evaluated denies', async () => {
    const world = await World.open();
    world.rules.setPolicy({ denyWhen: 'preview.touches[3] == "x"' });
    expect(await denial(world)).toMatchObject({
      code: 'policy_error',
      text: 'rule "never so": when: preview.touches[3] == "x": index 3 out of bounds [0, -1)',
    });
    world.rules.setPolicy({ version: 2, when: 'preview.changes.exists(c, c.to > 5)' });
    expect(await denial(world)).toMatchObject({
      code: 'policy_error',
      text: "rule \"vendor payments\": when: preview.changes.exists(c, c.to > 5): found no matching overload for '_>_' applied to '(string, int)'",
    });
  });
  test('a hold rule on the preview takes what it says, and nothing else', async () => {
    const world = await World.open();
    world.rules.setPolicy({ when: TOUCHES_ACME });
    expect(await denial(world, 'Initech')).toMatchObject({ code: 'rule_missing', text: 'no rule matches payments.transfer by ap-agent' });
    expect((await world.propose()).envelope.preview.touches).toEqual(['ACME']);
  });
  test('a modify whose preview the policy denies is refused, and revision and votes stay', async () => {
    const world = await World.open();
    world.rules.setPolicy({ denyWhen: 'preview.changes.exists(c, c.to == "+9 cents")' });
    const sealed = await world.propose();
    expect(await world.modify(sealed.id, modify('cleo', sealed, { '/cents': 9 }))).toMatchObject({
      kind: 'refused',
      code: 'rule_denies',
      text: 'rule "never so": Never so.',
    });
    expect(await world.advance(sealed, bothVotes(sealed))).toEqual({ kind: 'end' });
    expect(world.outcome(sealed.id).status).toBe('succeeded');
  });
});

describe('at execution: the present policy, by what people saw and by what the target says now', () => {
  test('6.9 a condition on the preview that came since is asked about the sealed one', async () => {
    for (const change of [{ denyWhen: TOUCHES_ACME }, { when: '!(' + TOUCHES_ACME + ')' }, { denyWhen: 'preview.touches[3] == "x"' }]) {
      const { world, sealed, votes } = await ready();
      world.rules.setPolicy({ version: 2, ...change });
      expect(await refusal(world, sealed, votes)).toEqual({ kind: 'reseal', code: 'policy_stale' });
      expect(await world.reseal(sealed.id, sealed.digest)).toEqual({ kind: 'end' });
      expect(world.outcome(sealed.id)).toMatchObject({ status: 'denied', effect: 'none' });
    }
  });

  /** A transfer whose preview says what the policy's data call dear; `precondition` as given. */
  const byData = (more: { readonly precondition?: 'none' }) =>
    defineAction({
      name: 'payments.transfer',
      params,
      preview: ({ vendor }, { policyData }) => ({
        touches: (policyData['dear'] as readonly string[]).includes(vendor) ? ['somebody dear'] : ['somebody'],
        ...(more.precondition === undefined ? { precondition: 1 } : {}),
      }),
      run: () => 'paid',
      undo: 'impossible',
      ...more,
    });
  const DENY_DEAR = { denyWhen: '"somebody dear" in preview.touches' };
  const worldOf = (more: { readonly precondition?: 'none' } = {}) =>
    World.open({ types: () => new Map([['payments.transfer', byData(more)]]) });

  async function staleByData(more: { readonly precondition?: 'none' }): Promise<void> {
    const world = await worldOf(more);
    world.rules.setPolicy({ data: '{ dear: [] }', ...DENY_DEAR });
    const sealed = await world.propose();
    expect(sealed.envelope.preview.touches).toEqual(['somebody']);
    world.rules.setPolicy({ version: 2, data: '{ dear: [ACME] }', ...DENY_DEAR });
    expect(await refusal(world, sealed, bothVotes(sealed))).toEqual({ kind: 'reseal', code: 'policy_stale' });
    expect(await world.reseal(sealed.id, sealed.digest)).toEqual({ kind: 'end' });
    expect(world.outcome(sealed.id)).toMatchObject({
      status: 'denied',
      reason: { code: 'rule_denies', text: 'rule "never so": Never so.' },
    });
  }
  test("6.9 the policy's newer data: what the target would be said to touch now is asked about as well", () => staleByData({}));
  test('6.9 a preview that only informs is made again where a rule reads it', () => staleByData({ precondition: 'none' }));
  test('6.9 a stricter rule by newer data needs its own quorum, a relaxed one frees nothing', async () => {
    const world = await worldOf();
    const rule = (quorum: number) => ({ stages: `[{ name: finance, from: [group:finance], quorum: ${quorum} }]` });
    world.rules.setPolicy({ data: '{ dear: [] }', when: '!("somebody dear" in preview.touches)', ...rule(2) });
    const sealed = await world.propose();
    world.rules.setPolicy({ version: 2, data: '{ dear: [ACME] }', when: '"somebody dear" in preview.touches', ...rule(2) });
    // By the sealed preview no rule is left, by the present one there is: the first counts all the same.
    expect(await refusal(world, sealed, bothVotes(sealed))).toEqual({ kind: 'reseal', code: 'policy_stale' });
    const resealed = await world.reseal(sealed.id, sealed.digest);
    expect(resealed).toMatchObject({ kind: 'sealed' });
  });
  test("data that nothing reads changes nothing; a preview cannot change the policy's own", async () => {
    const seen: unknown[] = [];
    const type = defineAction({
      name: 'payments.transfer',
      params,
      preview: (_params, { policyData }) => {
        seen.push(structuredClone(policyData));
        (policyData['dear'] as string[]).push('everybody');
        return { precondition: 1 };
      },
      run: () => 'paid',
      undo: 'impossible',
    });
    const world = await World.open({ types: () => new Map([[type.name, type]]) });
    world.rules.setPolicy({ data: '{ dear: [] }' });
    const sealed = await world.propose();
    world.rules.setPolicy({ version: 2, data: '{ dear: [ben] }' });
    expect(await world.advance(sealed, bothVotes(sealed))).toEqual({ kind: 'end' });
    expect(seen).toEqual([{ dear: [] }, { dear: ['ben'] }]);
  });
});

describe('a preview that says no', () => {
  const cases = [
    [new PreviewTooLarge('412 files. Merge infra/ and web/ apart.'), 'preview_too_large'],
    [new PreviewRefused('main and feature conflict in a.txt.'), 'preview_refused'],
  ] as const;
  const failing = (state: { says: PreviewDraft | Error }) =>
    defineAction({
      name: 'payments.transfer',
      params,
      preview: () => {
        if (state.says instanceof Error) throw state.says;
        return state.says;
      },
      run: () => 'paid',
      undo: 'impossible',
      editable: ['/cents'],
    });
  test.each(cases)('%s: denied at once, in its own words', async (error, code) => {
    const world = await World.open({ types: () => new Map([['payments.transfer', failing({ says: error })]]) });
    expect(await denial(world)).toMatchObject({ code, text: expect.stringContaining(error.message) });
  });
  test.each(cases)('%s, when it is about to run: sealed again, which denies; nothing ran', async (error, code) => {
    const state: { says: PreviewDraft | Error } = { says: {} };
    const world = await World.open({ types: () => new Map([['payments.transfer', failing(state)]]) });
    const sealed = await world.propose();
    state.says = error;
    expect(await world.modify(sealed.id, modify('cleo', sealed, { '/cents': 9 }))).toMatchObject({ kind: 'refused', code });
    expect(await refusal(world, sealed, bothVotes(sealed))).toEqual({ kind: 'reseal', code: 'target_changed' });
    expect(await world.reseal(sealed.id, sealed.digest)).toEqual({ kind: 'end' });
    expect(world.outcome(sealed.id)).toMatchObject({ status: 'denied', effect: 'none', reason: { code } });
  });
});
