import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { toBase64Url } from '../../src/domain/bytes.js';
import { PAYLOAD_TYPES, type Signer } from '../../src/domain/dsse.js';
import { canonicalBytes } from '../../src/domain/json.js';
import { actionIdOf, type ActionId } from '../../src/domain/ids.js';
import type { Database } from '../../src/executor/ledger/database.js';
import { initLedger, openLedger, type Ledger } from '../../src/executor/ledger/ledger.js';
import { Moved } from '../../src/executor/ledger/compare-and-set.js';
import { DEPLOYMENT } from '../helpers/rules-fixture.js';
import { EXECUTOR } from '../helpers/signers.js';
import { dump, dumpIn, KINDS } from './ledger/databases.js';
import { MOVES, STATES, type State } from './ledger/states.js';

/** Signs nothing: there are some fifteen hundred cells, and no signature is looked at. */
const QUICK: Signer = {
  key: EXECUTOR.key,
  sign: (kind, value) => ({
    payloadType: PAYLOAD_TYPES[kind],
    payload: toBase64Url(canonicalBytes(value)),
    signatures: [{ keyid: EXECUTOR.key.id, sig: '' }],
  }),
};

describe.each(KINDS)('$kind: every transition moves from its own states only', (kind) => {
  let database: Database;
  let ledger: Ledger;
  let actions = 0;
  beforeAll(async () => {
    await kind.start();
    database = await (await kind.place()).open();
    await initLedger(database, DEPLOYMENT);
    ledger = await openLedger(database, DEPLOYMENT, QUICK);
  });
  afterAll(async () => {
    await database.close();
    await kind.stop();
  });

  test.each(MOVES.map(([name, move, from]) => ({ name, move, from })))('$name', async ({ move, from }) => {
    const before = await dump(database);
    for (const state of Object.keys(STATES) as State[]) {
      const id: ActionId = actionIdOf(DEPLOYMENT, 'ap-agent', `action ${++actions}`);
      let moved: unknown;
      const trial = ledger.transaction(async (tx) => {
        await STATES[state](tx, id);
        const start = await dumpIn(tx.sql);
        moved = await move(tx, id).then(
          async () => (await dumpIn(tx.sql)) === start,
          (error: unknown) => error instanceof Moved || error,
        );
        throw new Error('enough');
      });
      await expect(trial).rejects.toThrow('enough');
      expect({ state, moved }).toEqual({ state, moved: !from.includes(state) });
    }
    expect(await dump(database)).toBe(before);
  });
});
