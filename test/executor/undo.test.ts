import { describe, expect, test } from '@jest/globals';
import { approve, resolve, type SealedRevision } from '../helpers/messages.js';
import { keyOfPerson, signerOf } from '../helpers/signers.js';
import { HOUR, MINUTE, SECOND, World } from '../helpers/world.js';

/** A world whose action of this type ran into `run`, and was advanced until it wants somebody. */
async function after(
  type: string,
  plan: Parameters<World['bank']['plan']>[0],
  policy = {},
): Promise<{
  world: World;
  sealed: SealedRevision;
  say: (person: string, step: number, verdict: 'happened' | 'did_not' | 'undone_by_hand') => Promise<unknown>;
}> {
  const world = await World.open();
  world.rules.setPolicy(policy);
  const sealed = await world.propose({ type: `payments.${type}` });
  world.bank.plan(plan);
  await world.run(sealed, [approve('ana', sealed), approve('ben', sealed)]);
  return {
    world,
    sealed,
    say: (person, step, verdict) => world.lodge(sealed.id, resolve(person, sealed.id, step, verdict, { at: world.clock.ms })),
  };
}
const ended = async (world: World, sealed: SealedRevision): Promise<unknown> => {
  expect(await world.run(sealed)).toEqual({ kind: 'end' });
  const { status, effect } = world.outcome(sealed.id);
  return { status, effect };
};

describe('undo', () => {
  test('repeated until done, under the same key', async () => {
    const { world, sealed } = await after('batch', { run: ['ok', 'failed'], undo: ['lost_before', 'lost_after'] });
    expect(world.outcome(sealed.id).status).toBe('compensated');
    expect(world.bank.callsOf('undo')).toEqual(Array.from({ length: 3 }, () => `${sealed.id}/reserve/undo`));
    expect(world.kinds(sealed.id).filter((kind) => kind === 'undo_started')).toHaveLength(1);
  });
  test('at most one hour: then compensation_failed, and a person', async () => {
    const world = await World.open();
    const again = await world.propose({ type: 'payments.batch' });
    world.bank.plan({ run: ['ok', 'failed'], undo: Array.from({ length: 5 }, () => 'lost_before' as const) });
    const votes = [approve('ana', again), approve('ben', again)];
    for (let i = 0; i < 3; i++) await world.advance(again, votes);
    world.clock.pass(HOUR - 1);
    expect(await world.advance(again)).toMatchObject({ kind: 'wait', code: 'busy', text: 'the undo of step 1 is tried again' });
    world.clock.pass(1);
    expect(await world.advance(again)).toMatchObject({
      kind: 'wait',
      code: 'compensation_failed',
      text: 'the undo of step 1 needs a person: keyturn resolve',
    });
    expect(world.statuses.get(again.id)).toBe('compensation_failed');
    expect(world.entries(again.id).at(-1)).toMatchObject({ kind: 'undo_unknown', step: 1 });
    expect(await world.lodge(again.id, resolve('eva', again.id, 1, 'undone_by_hand', { at: world.clock.ms }))).toMatchObject({
      kind: 'stands',
    });
    expect(await ended(world, again)).toEqual({ status: 'compensated', effect: 'undone' });
  });
  test('an undo that is sure to be impossible: compensation_failed at once; earlier steps wait for it', async () => {
    const { world, sealed, say } = await after('batch', { run: ['ok', 'ok', 'failed'], undo: ['failed'] });
    expect(world.statuses.get(sealed.id)).toBe('compensation_failed');
    expect(world.bank.effectsOf(sealed.id)).toEqual(['reserve', 'send']);
    expect(await world.run(sealed)).toMatchObject({
      kind: 'wait',
      code: 'compensation_failed',
      text: 'step 2 needs a person: keyturn resolve',
    });
    expect(await say('eva', 2, 'undone_by_hand')).toMatchObject({ kind: 'stands' });
    expect(await ended(world, sealed)).toEqual({ status: 'compensated', effect: 'undone' });
    expect(world.bank.effectsOf(sealed.id)).toEqual(['send']);
  });
  test('by hand: a person at once, by nobody’s lease; undone_by_hand on all: compensated', async () => {
    const { world, sealed, say } = await after('by-hand', { run: ['ok', 'failed'] });
    expect(world.entries(sealed.id).at(-1)).toMatchObject({ kind: 'undo_failed', step: 1, code: 'by_hand' });
    expect(await say('eva', 1, 'undone_by_hand')).toMatchObject({ kind: 'stands' });
    expect(await ended(world, sealed)).toEqual({ status: 'compensated', effect: 'undone' });
    expect(world.bank.callsOf('undo')).toEqual([]);
  });
  test('did_not on a step that could not be undone: there was nothing to undo', async () => {
    const { world, sealed, say } = await after('by-hand', { run: ['ok', 'failed'] });
    expect(await say('eva', 1, 'happened')).toMatchObject({
      kind: 'refused',
      code: 'request_invalid',
      text: '"happened" says nothing about step 1, which could not be undone',
    });
    expect(await say('eva', 1, 'did_not')).toMatchObject({ kind: 'stands' });
    expect(await ended(world, sealed)).toEqual({ status: 'failed', effect: 'none' });
  });
  test('the process dies during an undo: the next one does it again', async () => {
    const { world, sealed } = await after('batch', { run: ['ok', 'not_started'] });
    expect(world.outcome(sealed.id).status).toBe('succeeded');
    const other = await world.propose({ type: 'payments.batch' });
    const votes = [approve('ana', other), approve('ben', other)];
    world.bank.plan({ run: ['ok', 'failed'] });
    for (let i = 0; i < 2; i++) await world.advance(other, votes);
    const { undo } = world.bank;
    let die: () => void = () => undefined;
    const dying = new Promise<void>((resume) => (die = resume));
    world.bank.undo = async (...keys) => {
      world.bank.undo = undo;
      await dying;
      return undo.call(world.bank, ...keys);
    };
    const zombie = world.advance(other);
    await new Promise((resume) => setTimeout(resume, 20));
    await world.restart();
    expect(await world.run(other)).toEqual({ kind: 'end' });
    die();
    await zombie;
    expect(world.outcome(other.id).status).toBe('compensated');
    expect(world.bank.effectsOf(other.id)).toEqual([]);
  });
});

describe('outcome_unknown is resolved by people the rule names (§5)', () => {
  const unknown = { probe: ['unknown'] as const };
  test('happened, on the last step: succeeded', async () => {
    const { world, sealed, say } = await after('batch', { run: ['ok', 'ok', 'lost_after'], ...unknown });
    expect(await say('eva', 3, 'happened')).toMatchObject({ kind: 'stands' });
    expect(await ended(world, sealed)).toEqual({ status: 'succeeded', effect: 'done' });
    expect(world.entries(sealed.id).find(({ kind }) => kind === 'resolved')).toMatchObject({ step: 3, verdict: 'happened', by: ['eva'] });
    expect(world.bank.callsOf('run')).toHaveLength(3);
  });
  test('happened, on an earlier step: no forward step starts, all is undone', async () => {
    const { world, sealed, say } = await after('batch', { run: ['ok', 'lost_after'], ...unknown });
    expect(await say('eva', 2, 'happened')).toMatchObject({ kind: 'stands' });
    expect(await ended(world, sealed)).toEqual({ status: 'compensated', effect: 'undone' });
    expect(world.bank.effectsOf(sealed.id)).toEqual([]);
    expect(world.bank.callsOf('run')).toHaveLength(2);
  });
  test('did_not, on the first step: failed; on a later one: compensated', async () => {
    for (const [run, step, status] of [
      [['lost_before'], 1, 'failed'],
      [['ok', 'lost_before'], 2, 'compensated'],
    ] as const) {
      const { world, sealed, say } = await after('batch', { run, ...unknown });
      expect(await say('eva', step, 'did_not')).toMatchObject({ kind: 'stands' });
      expect(await ended(world, sealed)).toMatchObject({ status });
      expect(world.bank.effectsOf(sealed.id)).toEqual([]);
      expect(world.bank.callsOf('run')).toHaveLength(step);
    }
  });
  test('undone_by_hand: compensated, and the undo is not called', async () => {
    const { world, sealed, say } = await after('transfer', { run: ['lost_after'], ...unknown });
    expect(await say('eva', 1, 'undone_by_hand')).toMatchObject({ kind: 'stands' });
    expect(await ended(world, sealed)).toEqual({ status: 'compensated', effect: 'undone' });
    expect(world.bank.callsOf('undo')).toEqual([]);
  });
  test('only by those the rule names, with a key valid now, of the step that waits, once', async () => {
    const { world, sealed, say } = await after('batch', { run: ['ok', 'lost_after'], ...unknown });
    const at = world.clock.ms;
    expect(await say('ana', 2, 'happened')).toMatchObject({
      kind: 'refused',
      code: 'not_eligible',
      text: 'ana is not among those who may resolve this',
    });
    expect(await say('dana', 2, 'happened')).toMatchObject({
      kind: 'refused',
      code: 'signature_invalid',
      text: 'No key of an eligible person made this signature over these bytes.',
    });
    expect(await world.lodge(sealed.id, resolve('eva', sealed.id, 2, 'happened', { at, by: keyOfPerson('ana') }))).toMatchObject({
      code: 'signature_invalid',
      text: 'No key of an eligible person made this signature over these bytes.',
    });
    expect(await world.lodge(sealed.id, resolve('eva', sealed.id, 2, 'happened', { at: at + 3 * MINUTE }))).toMatchObject({
      code: 'signature_invalid',
      text: 'No key of an eligible person made this signature over these bytes.',
    });
    expect(await say('eva', 1, 'did_not')).toMatchObject({
      kind: 'refused',
      code: 'request_invalid',
      text: '"did_not" says nothing about step 1, which has an unknown outcome',
    });
    expect(await say('eva', 3, 'happened')).toMatchObject({
      kind: 'refused',
      code: 'request_invalid',
      text: '"happened" says nothing about step 3, which has an unknown outcome',
    });
    world.rules.setRoster({ version: 2, people: { eva: `{ name: eva, keys: ['${signerOf('new').key.text}'] }` } });
    expect(await say('eva', 2, 'happened')).toMatchObject({
      code: 'signature_invalid',
      text: 'No key of an eligible person made this signature over these bytes.',
    });
    world.rules.setRoster({ version: 3 });
    const said = resolve('eva', sealed.id, 2, 'did_not', { at });
    expect(await world.lodge(sealed.id, said)).toMatchObject({ kind: 'stands' });
    expect(await world.lodge(sealed.id, said)).toMatchObject({ kind: 'stands' });
    expect(await say('eva', 2, 'happened')).toMatchObject({
      kind: 'refused',
      code: 'request_invalid',
      text: 'no step of this action waits for a person',
    });
    expect(world.kinds(sealed.id).filter((kind) => kind === 'resolved')).toHaveLength(1);
  });
  test('a resolve of an action where no step waits is refused', async () => {
    const { sealed, say } = await after('transfer', {});
    expect(sealed.id).toBeDefined();
    expect(await say('eva', 1, 'happened')).toMatchObject({
      kind: 'refused',
      code: 'action_ended',
      text: 'no step of this action waits for a person',
    });
  });

  const two = { resolve: '{ from: [group:finance-leads, group:finance], quorum: 2 }' };
  test('as many distinct people as the rule asks for, who say the same; the last word of each counts', async () => {
    const { world, sealed, say } = await after('transfer', { run: ['lost_after'], ...unknown }, two);
    const resolved = (): number => world.kinds(sealed.id).filter((kind) => kind === 'resolved').length;
    for (const [person, verdict] of [
      ['eva', 'happened'],
      ['eva', 'happened'],
      ['ana', 'did_not'],
      ['ana', 'did_not'],
      ['eva', 'undone_by_hand'],
    ] as const) {
      world.clock.pass(SECOND);
      expect(await say(person, 1, verdict)).toMatchObject({ kind: 'stands' });
      expect(resolved()).toBe(0);
    }
    // eva said "happened" once, and then something else: ben alone does not make two.
    world.clock.pass(SECOND);
    await say('ben', 1, 'happened');
    expect(resolved()).toBe(0);
    world.clock.pass(SECOND);
    await say('ana', 1, 'happened');
    expect(world.entries(sealed.id).find(({ kind }) => kind === 'resolved')).toMatchObject({ verdict: 'happened', by: ['ana', 'ben'] });
    expect(await ended(world, sealed)).toEqual({ status: 'succeeded', effect: 'done' });
  });
  test('what was said of a step’s run says nothing of its undo', async () => {
    const { world, sealed, say } = await after('by-hand', { run: ['lost_after'], ...unknown }, two);
    const next = async (person: string, verdict: 'happened' | 'did_not'): Promise<void> => {
      world.clock.pass(SECOND);
      expect(await say(person, 1, verdict)).toMatchObject({ kind: 'stands' });
    };
    await next('cleo', 'did_not');
    await next('eva', 'happened');
    await next('ana', 'happened');
    world.clock.pass(SECOND);
    expect(await world.run(sealed)).toMatchObject({
      code: 'compensation_failed',
      text: 'the undo of step 1 needs a person: keyturn resolve',
    });
    await next('ben', 'did_not');
    expect(world.statuses.get(sealed.id)).toBe('compensation_failed');
    await next('eva', 'did_not');
    expect(await ended(world, sealed)).toEqual({ status: 'failed', effect: 'none' });
  });
});
