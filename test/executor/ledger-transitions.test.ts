import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { actionIdOf, type ActionId } from '../../src/domain/ids.js';
import type { Database } from '../../src/executor/ledger/database.js';
import { initLedger, openLedger, type Ledger } from '../../src/executor/ledger/ledger.js';
import { Moved } from '../../src/executor/ledger/compare-and-set.js';
import { DEPLOYMENT } from '../helpers/rules-fixture.js';
import { EXECUTOR } from '../helpers/signers.js';
import { dump, KINDS } from './ledger/databases.js';
import { MOVES, STATES, type State } from './ledger/states.js';

describe.each(KINDS)('$kind: every transition moves from its own states only', (kind) => {
  let database: Database;
  let ledger: Ledger;
  let actions = 0;
  beforeAll(async () => {
    await kind.start();
    database = await (await kind.place()).open();
    await initLedger(database, DEPLOYMENT);
    ledger = await openLedger(database, DEPLOYMENT, EXECUTOR);
  });
  afterAll(async () => {
    await database.close();
    await kind.stop();
  });

  test.each(MOVES.map(([name, move, from]) => ({ name, move, from })))('$name', async ({ move, from }) => {
    for (const state of Object.keys(STATES) as State[]) {
      const id: ActionId = actionIdOf(DEPLOYMENT, 'ap-agent', `action ${++actions}`);
      await ledger.transaction((tx) => STATES[state](tx, id));
      const before = await dump(database);
      const moved = await ledger
        .transaction((tx) => move(tx, id))
        .then(
          () => false,
          (error: unknown) => error instanceof Moved || error,
        );
      expect({ state, moved }).toEqual({ state, moved: !from.includes(state) });
      // Refused: not a byte of the book has changed.
      expect((await dump(database)) === before).toBe(moved !== false || from.length === 0);
      await database.transaction(async (sql) => {
        for (const table of ['entry', 'step', 'envelope', 'lodged', 'action']) await sql.run(`DELETE FROM ${table}`);
      });
    }
  });
});
