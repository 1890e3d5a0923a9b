import { describe, expect, test } from '@jest/globals';
import { approve, cancel, freeze, thaw, type SealedRevision } from '../helpers/messages.js';
import { World } from '../helpers/world.js';

const both = (sealed: SealedRevision) => [approve('ana', sealed), approve('ben', sealed)];
async function started(type: string): Promise<{ world: World; sealed: SealedRevision; votes: ReturnType<typeof both> }> {
  const world = await World.open();
  const sealed = await world.propose({ type: `payments.${type}` });
  return { world, sealed, votes: both(sealed) };
}

describe('stop and freeze between steps', () => {
  test('a signed cancel after step 1: no further step, what was done is undone', async () => {
    const { world, sealed, votes } = await started('batch');
    await world.advance(sealed, votes);
    expect(await world.lodge(sealed.id, cancel(sealed.id, { at: world.clock.ms }))).toMatchObject({ kind: 'stands' });
    await world.run(sealed);
    expect(world.outcome(sealed.id)).toMatchObject({
      status: 'compensated',
      effect: 'undone',
      reason: { code: 'cancelled', text: 'cancelled after it had begun', by: 'agent:ap-agent' },
    });
    expect(world.bank.callsOf('run')).toHaveLength(1);
    expect(world.bank.effectsOf(sealed.id)).toEqual([]);
  });
  test("Temporal's own cancel: on record once, before it has any effect", async () => {
    const { world, sealed, votes } = await started('batch');
    await world.advance(sealed, votes);
    await world.run(sealed, [], { stop: true });
    expect(world.outcome(sealed.id)).toMatchObject({
      status: 'compensated',
      reason: { code: 'cancelled', text: 'cancelled after it had begun', by: 'unsigned' },
    });
    expect(world.entries(sealed.id).filter(({ kind }) => kind === 'lodged')).toMatchObject([
      { object: 'cancel', digest: null, by: 'unsigned' },
    ]);
  });
  test("Temporal's own cancel while a step is under way is on record at once, once; asked again, the step is still under way", async () => {
    const { world, sealed, votes } = await started('batch');
    world.bank.plan({ run: ['hangs'] });
    const running = world.advance(sealed, votes);
    while (!world.bank.isHanging) await new Promise((resume) => setTimeout(resume, 5));
    for (let i = 0; i < 2; i++)
      expect(await world.advance(sealed, [], { stop: true })).toMatchObject({ kind: 'wait', code: 'busy', text: 'a step is under way' });
    expect(world.kinds(sealed.id).filter((kind) => kind === 'lodged')).toHaveLength(1);
    world.bank.release();
    await running;
    await world.run(sealed);
    expect(world.outcome(sealed.id).status).toBe('compensated');
  });
  test('a cancel before anything took effect ends as cancelled', async () => {
    const { world, sealed, votes } = await started('batch');
    world.bank.plan({ run: ['not_started'] });
    await world.advance(sealed, votes);
    await world.run(sealed, [], { stop: true });
    expect(world.outcome(sealed.id)).toMatchObject({ status: 'cancelled', effect: 'none' });
  });
  test('a cancel during the last step comes too late: it succeeded', async () => {
    const { world, sealed, votes } = await started('transfer');
    world.bank.plan({ run: ['hangs'] });
    const running = world.advance(sealed, votes);
    while (!world.bank.isHanging) await new Promise((resume) => setTimeout(resume, 5));
    expect(await world.lodge(sealed.id, cancel(sealed.id, { at: world.clock.ms }))).toMatchObject({ kind: 'stands' });
    world.bank.release();
    await running;
    await world.report(sealed.id);
    expect(world.outcome(sealed.id).status).toBe('succeeded');
  });
  test('a freeze holds the next step, not the undo; a cancel is stronger than a freeze', async () => {
    const { world, sealed, votes } = await started('batch');
    await world.advance(sealed, votes);
    const stop = freeze('cleo', { all: true }, { at: world.clock.ms });
    await world.lodge(null, stop);
    expect(await world.run(sealed)).toMatchObject({ kind: 'wait', code: 'frozen', text: 'a freeze is in force' });
    expect(world.bank.callsOf('run')).toHaveLength(1);
    await world.run(sealed, [], { stop: true });
    expect(world.outcome(sealed.id).status).toBe('compensated');

    const next = await world.propose({ type: 'payments.batch' });
    for (const person of ['cleo', 'eva']) await world.lodge(null, thaw(person, stop, { at: world.clock.ms }));
    expect(
      await world.run(
        next,
        both(next).map((_, i) => approve(['ana', 'ben'][i] ?? '', next, { at: world.clock.ms })),
      ),
    ).toEqual({ kind: 'end' });
  });
  test('policy invalid between steps: waits; a step whose outcome is open is still probed', async () => {
    const { world, sealed, votes } = await started('batch');
    world.bank.plan({ run: ['lost_after'] });
    await world.advance(sealed, votes);
    world.rules.break();
    expect(await world.advance(sealed)).toEqual({ kind: 'again' });
    expect(await world.advance(sealed)).toMatchObject({ kind: 'wait', code: 'roster_stale', text: 'policy.yaml:1: nonsense' });
    world.rules.mend();
    expect(await world.run(sealed)).toEqual({ kind: 'end' });
  });
  test('a type that changed while the action was under way: nothing of it runs by other code', async () => {
    const { world, sealed, votes } = await started('batch');
    await world.advance(sealed, votes);
    const type = world.types.get('payments.batch');
    if (type === undefined) throw new Error('no type');
    world.types.set(type.name, { ...type, version: '2' });
    expect(await world.advance(sealed)).toMatchObject({
      kind: 'wait',
      code: 'type_changed',
      text: 'the action type changed while the action was under way; bring its version back',
    });
    world.types.set(type.name, type);
    expect(await world.run(sealed)).toEqual({ kind: 'end' });
  });
  test('a cancel lodged between reading and starting the next step comes first', async () => {
    const { world, sealed, votes } = await started('batch');
    await world.advance(sealed, votes);
    const [one, two] = await Promise.all([world.advance(sealed), world.lodge(sealed.id, cancel(sealed.id, { at: world.clock.ms }))]);
    expect(two).toMatchObject({ kind: 'stands' });
    const entries = (await world.report(sealed.id), world.kinds(sealed.id));
    const lodgedAt = entries.indexOf('lodged');
    expect(entries.slice(lodgedAt)).not.toContain('step_started');
    expect(one.kind).toMatch(/again|wait/);
    await world.run(sealed);
    expect(world.outcome(sealed.id).status).toBe('compensated');
  });
});
