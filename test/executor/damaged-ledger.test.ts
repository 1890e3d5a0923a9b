import { describe, expect, test } from '@jest/globals';
import { must } from '../../src/executor/envelopes.js';
import { approve, reject, request, type SealedRevision } from '../helpers/messages.js';
import { World } from '../helpers/world.js';

const votesOn = (sealed: SealedRevision) => [approve('ana', sealed), approve('ben', sealed)];
const cut = (world: World, text: string): Promise<number> => world.database.transaction((sql) => sql.run(text));

describe('a ledger that lost a row: nothing goes on by it, and the error says what is missing', () => {
  test('of the seal', async () => {
    const world = await World.open();
    const sealed = await world.propose();
    await cut(world, "UPDATE entry SET signed = replace(signed, 'a', 'b')");
    await expect(world.advance(sealed, votesOn(sealed))).rejects.toThrow();
    await cut(world, 'DELETE FROM entry');
    await expect(world.advance(sealed, votesOn(sealed))).rejects.toThrow(
      new Error(`the ledger is damaged: no sealed entry of ${sealed.id}`),
    );
    await cut(world, 'DELETE FROM envelope');
    for (const order of [
      () => world.advance(sealed, votesOn(sealed)),
      () => world.close(sealed.id, 'expired'),
      () => world.seal(sealed.id, sealed.envelope.request),
    ])
      await expect(order()).rejects.toThrow(new Error(`the ledger is damaged: ${sealed.id} has no revision`));
    expect(world.bank.callsOf('run')).toEqual([]);
  });
  test.each(['run', 'undo'])('of the %s of a step', async (phase) => {
    const world = await World.open();
    const sealed = await world.propose({ type: 'payments.batch' });
    await world.advance(sealed, votesOn(sealed));
    await cut(world, `DELETE FROM step WHERE phase = '${phase}'`);
    await expect(world.advance(sealed)).rejects.toThrow(new Error(`the ledger is damaged: step 1 of ${sealed.id} lacks a row`));
    expect(world.bank.callsOf('run')).toHaveLength(1);
  });
  test('a step that is in a state it cannot be in', async () => {
    const world = await World.open();
    const sealed = await world.propose({ type: 'payments.batch' });
    await world.advance(sealed, votesOn(sealed));
    for (const [phase, state] of [
      ['run', 'pending'],
      ['undo', 'not_started'],
      ['redo', 'done'],
    ] as const) {
      await cut(world, `UPDATE step SET state = '${state}', phase = '${phase}' WHERE phase = '${phase === 'redo' ? 'undo' : phase}'`);
      await expect(world.advance(sealed)).rejects.toThrow(/invalid_value|invalid_union/);
      await cut(world, `UPDATE step SET state = 'done', phase = 'undo' WHERE phase = 'redo'`);
      await cut(world, `UPDATE step SET state = CASE phase WHEN 'run' THEN 'done' ELSE 'pending' END`);
    }
    expect(await world.run(sealed)).toEqual({ kind: 'end' });
  });
  test('of why it is stale, or undone', async () => {
    const world = await World.open();
    const stale = await world.propose();
    world.bank.version++;
    await world.advance(stale, votesOn(stale));
    expect(await world.advance(stale)).toEqual({ kind: 'reseal', code: 'target_changed' });
    await cut(world, 'DELETE FROM entry WHERE n = 1');
    await expect(world.advance(stale)).rejects.toThrow(new Error(`the ledger is damaged: nothing says why ${stale.id} is stale`));

    const undone = await world.propose({ type: 'payments.transfer' });
    world.bank.plan({ run: ['failed'] });
    await world.advance(undone, votesOn(undone));
    await cut(world, 'UPDATE action SET cause = NULL');
    await expect(world.advance(undone)).rejects.toThrow(new Error(`the ledger is damaged: nothing says why ${undone.id} is undone`));
  });
  test('of why it was closed: equal content does not slip through', async () => {
    const world = await World.open();
    world.rules.setPolicy({ more: ['cooldown: 24h'] });
    const sealed = await world.propose();
    await world.lodge(sealed.id, reject('cleo', sealed));
    await world.close(sealed.id, 'rejected');
    await cut(world, `DELETE FROM entry WHERE n = 2`);
    const { id, signed } = request();
    await expect(world.seal(id, signed)).rejects.toThrow(new Error(`the ledger is damaged: nothing says why ${sealed.id} was closed`));
  });
  test('what is there is given back', () => {
    expect(must(0)).toBe(0);
    expect(must('')).toBe('');
    expect(() => must(null)).toThrow(new Error('the ledger is damaged: a row is missing'));
    expect(() => must(undefined, 'x')).toThrow(new Error('the ledger is damaged: x'));
  });
});
