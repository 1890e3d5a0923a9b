import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { defineAction } from '../../src/executor/define-action.js';
import type { Executor } from '../../src/executor/executor.js';
import { approve, delegation, onSeatOf, reject, type SealedRevision } from '../helpers/messages.js';
import { BREAK_GLASS, policyText, rosterText, TestRules, TWO_OF_FINANCE, type PolicyOptions } from '../helpers/rules-fixture.js';
import { keyOfPerson } from '../helpers/signers.js';
import { changed } from '../helpers/types.js';
import { HOUR, MINUTE, SECOND, World } from '../helpers/world.js';

const votesOn = (sealed: SealedRevision) => [approve('ana', sealed), approve('ben', sealed)];

/** A hold rule for vendors the policy's data call dear, beside the usual one for the others. */
const dear = (more: readonly string[] = [], executeWithin = '30m', rejections = 1): string =>
  `  - name: dear payments
    match: { type: payments.* }
    when: '"somebody dear" in preview.touches'
    effect: hold
    because: Dear.
    stages: ${TWO_OF_FINANCE}
    approveWithin: 24h
    executeWithin: ${executeWithin}
    rejections: ${rejections}
    resolve: { from: [group:finance-leads], quorum: 1 }
${more.map((line) => `    ${line}\n`).join('')}`;
const USUAL = { when: '!("somebody dear" in preview.touches)' } as const;
/** As the policy has it at the seal, and a version later, which calls the vendor dear. */
const SEALED: PolicyOptions = { ...USUAL, data: '{ dear: [] }' };
const NOW: PolicyOptions = { ...USUAL, version: 2, data: '{ dear: [ACME] }' };

/** Sealed by the usual rule; from then on what its preview says belongs to the dear one. `during` happens while that preview is made. */
async function sealedThenDear(first: string, usual: PolicyOptions = {}) {
  let during: (world: World, sealed: SealedRevision) => Promise<unknown> = async () => undefined;
  const box: { world?: World; sealed?: SealedRevision } = {};
  const type = defineAction({
    name: 'payments.transfer',
    params: z.strictObject({ vendor: z.string(), cents: z.int() }),
    async preview({ vendor }, { policyData }) {
      const { world, sealed } = box;
      if (world !== undefined && sealed !== undefined) await during(world, sealed);
      return { touches: (policyData['dear'] as readonly string[]).includes(vendor) ? ['somebody dear'] : ['somebody'] };
    },
    run: () => 'paid',
    undo: 'impossible',
  });
  const world = await World.open({
    types: () => new Map([[type.name, type]]),
    rules: new TestRules(policyText({ ...SEALED, ...usual, first })),
  });
  const sealed = await world.propose();
  world.rules.setPolicy({ ...NOW, ...usual, first });
  const order = (what: typeof during) => {
    Object.assign(box, { world, sealed });
    during = what;
    return world.advance(sealed, votesOn(sealed));
  };
  return { world, sealed, order };
}
const nothing = async (): Promise<void> => undefined;

describe('6.9 by the preview people saw, and by the one made right before: both rules must be content', () => {
  test('7.13 each is charged once, and it starts in the shorter of both times', async () => {
    const budget = 'budget: [{ per: agent, within: 24h, limit: 5 }]';
    const { world, sealed, order } = await sealedThenDear(dear([budget], '5m'), { more: [budget] });
    expect(await order(nothing)).toEqual({ kind: 'end' });
    const charges = await world.database.transaction((sql) => sql.all('SELECT rule, what, amount, at FROM charge ORDER BY rule, what'));
    const at = world.clock.ms;
    expect(charges).toEqual(
      ['dear payments', 'vendor payments'].flatMap((rule) => [
        { rule, what: '', amount: 1, at },
        { rule, what: '/cents', amount: 480_000, at },
      ]),
    );
    const [row] = await world.database.transaction((sql) => sql.all('SELECT execute_by FROM action'));
    expect(row).toEqual({ execute_by: Date.parse(sealed.envelope.sealedAt) + 5 * MINUTE });
  });
  test.each([
    ['the usual one', '30m', '5m'],
    ['the dear one', '5m', '30m'],
  ])('7.12 late by %s: late', async (_which, byDear, byUsual) => {
    const { world, order } = await sealedThenDear(dear([], byDear), { executeWithin: byUsual });
    world.clock.pass(5 * MINUTE);
    expect(await order(nothing)).toMatchObject({ kind: 'refused', code: 'execution_late', check: 12 });
  });
  test('7.12 too early by the one made right before', async () => {
    const { world, order } = await sealedThenDear(dear(['minTime: 10m']));
    expect(await order(nothing)).toMatchObject({ kind: 'wait', code: 'too_early', until: '2026-06-01T09:10:00.000Z' });
    world.clock.pass(10 * MINUTE);
    expect(await order(nothing)).toEqual({ kind: 'end' });
  });
});

describe('7.14 what comes while the preview is made', () => {
  test('a rejection that counts by the new rule alone', async () => {
    const { world, sealed, order } = await sealedThenDear(dear([], '30m', 1), { rejections: 2 });
    expect(await order((at) => at.lodge(sealed.id, reject('cleo', sealed)))).toMatchObject({
      kind: 'refused',
      code: 'rejection_standing',
      text: 'rejected by cleo',
      check: 10,
    });
    expect(world.kinds(sealed.id)).toEqual(['sealed', 'lodged']);
  });
  test('its end, by rejection: moved, whatever else stands against it', async () => {
    const { world, sealed, order } = await sealedThenDear(dear());
    expect(await order((at) => at.close(sealed.id, 'rejected', [reject('cleo', sealed)]))).toMatchObject({
      kind: 'wait',
      code: 'busy',
      text: 'the action moved meanwhile; ask again',
    });
    await world.report(sealed.id);
    expect(world.outcome(sealed.id).status).toBe('rejected');
  });
  test('6.13 attack: equal content is rejected meanwhile: asked again, it is sealed again', async () => {
    const world = await World.open({ rules: new TestRules(policyText({ more: ['cooldown: 24h'] })) });
    const [sealed, other] = [await world.propose(), await world.propose()];
    const type = world.types.get('payments.transfer');
    if (type === undefined) throw new Error('no type');
    const preview: typeof type.preview = async (params, context) => {
      await world.close(other.id, 'rejected', [reject('cleo', other)]);
      return type.preview(params, context);
    };
    world.types.set(type.name, changed(type, { preview }));
    expect(await world.advance(sealed, votesOn(sealed))).toEqual({ kind: 'again' });
    expect(world.kinds(sealed.id)).toEqual(['sealed']);
    expect(await world.advance(sealed, votesOn(sealed))).toEqual({ kind: 'reseal', code: 'policy_stale' });
  });
  test('attack 61: its time runs out between two looks at the clock: what begins begins before it is over', async () => {
    let began = 0;
    for (let left = 0; left <= 20; left++) {
      const { world, sealed, order } = await sealedThenDear(dear([], '5m'));
      const limit = Date.parse(sealed.envelope.sealedAt) + 5 * MINUTE;
      world.clock.ms = limit - left;
      const ticking: Executor = { ...world.executor, now: () => world.clock.ms++ };
      world.executor = ticking;
      const answer = await order(nothing);
      const start = world.entries(sealed.id).find(({ kind }) => kind === 'executing');
      if (start === undefined) expect(answer).toMatchObject({ kind: 'refused', code: 'execution_late' });
      else {
        began++;
        expect(Date.parse(start.at)).toBeLessThan(limit);
      }
    }
    expect(began).toBeGreaterThan(0);
  });
});

test('6.10 who let a break-glass action run for somebody else does not review it either', async () => {
  const fay = `{ name: fay, keys: ['${keyOfPerson('fay').key.text}'] }`;
  const roster = rosterText({ groups: { security: ['eva', 'fay'] }, people: { fay } });
  const rules = new TestRules(policyText({ ...BREAK_GLASS, delegates: '[group:finance-leads]' }), roster);
  const world = await World.open({ rules });
  const sealed = await world.propose();
  expect(sealed.envelope.breakGlass?.people).toEqual(['eva', 'fay']);
  const { ms: at } = world.clock;
  const handed = onSeatOf('ana', delegation('ana', 'eva', { at: at - SECOND, until: at + HOUR }));
  await world.run(sealed, [approve('eva', sealed, { reason: 'Production is down.', forge: handed })]);
  expect(world.entries(sealed.id).find(({ kind }) => kind === 'executing')).toMatchObject({ postReview: { people: ['fay'], quorum: 1 } });
});
