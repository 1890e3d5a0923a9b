import { actionIdOf } from '../../../src/domain/ids.js';
import { signerOf } from '../../../src/domain/dsse.js';
import { openLedger } from '../../../src/executor/ledger/ledger.js';
import { openSqlite } from '../../../src/executor/ledger/sqlite.js';
import { STATES } from './states.js';

/**
 * A process of its own that writes until it is killed: `node --import tsx writer.ts ledger.db`. Prints the number of each action whose transaction
 * was committed; each transaction seals, consumes and undoes one action.
 */
const [, , path = '', deployment = ''] = process.argv;
const ledger = await openLedger(openSqlite(path, { create: false }), deployment, signerOf(new Uint8Array(32).fill(7)));
for (let n = 1; ; n++) {
  await ledger.transaction((tx) => STATES.partial(tx, actionIdOf(deployment, 'ap-agent', `written ${n}`)));
  process.stdout.write(`${n}\n`);
}
