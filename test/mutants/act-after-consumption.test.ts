import { expect, test } from '@jest/globals';
import { approve } from '../helpers/messages.js';
import { World } from '../helpers/world.js';

test('6.12 the ledger holds the consumption and its step before the target hears of it', async () => {
  const world = await World.open();
  const sealed = await world.propose();
  const atTheCall: unknown[] = [];
  const { run } = world.bank;
  world.bank.run = async (act) => {
    const rows = await world.database.transaction((sql) =>
      sql.all("SELECT action.state AS action, step.state AS step FROM action JOIN step ON action_id = id WHERE phase = 'run'"),
    );
    atTheCall.push(...rows.map(({ action, step }) => ({ action, step })));
    return run.call(world.bank, act);
  };
  expect(await world.advance(sealed, [approve('ana', sealed), approve('ben', sealed)])).toEqual({ kind: 'end' });
  expect(atTheCall).toEqual([{ action: 'executing', step: 'started' }]);
  expect(world.bank.callsOf('run')).toHaveLength(1);
});
