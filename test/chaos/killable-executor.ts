import { startExecutor } from '../../src/executor/start-executor.js';
import { Ledger, type LedgerTransaction } from '../../src/executor/ledger/ledger.js';
import { transitions, type Transition } from '../../src/executor/ledger/transitions.js';
import { obey, type Ran } from './orders.js';
import { chaosTypes } from './types.js';

/**
 * The executor as it is delivered, in its own process, with two seams opened: it notes which transitions ran in a transaction, and obeys the orders of
 * `CHAOS_ORDERS` right before and right after the commit.
 */
const orders = given('CHAOS_ORDERS');
const ranIn = new WeakMap<LedgerTransaction, Ran[]>();

type Move = (tx: LedgerTransaction, first: unknown, ...rest: unknown[]) => Promise<void>;
for (const transition of Object.keys(transitions) as Transition[]) {
  const move = Reflect.get(transitions, transition) as Move;
  const noted: Move = async (tx, first, ...rest) => {
    await move(tx, first, ...rest);
    // The action's id, or the new action itself.
    const id = typeof first === 'object' && first !== null && 'id' in first ? String(first.id) : String(first);
    ranIn.set(tx, [...(ranIn.get(tx) ?? []), { transition, id }]);
  };
  Object.assign(transitions, { [transition]: noted });
}

type Transact = (this: Ledger, work: (tx: LedgerTransaction) => Promise<unknown>) => Promise<unknown>;
const transact = Reflect.get(Ledger.prototype, 'transaction') as Transact;
async function watched(this: Ledger, work: Parameters<Transact>[0]): Promise<unknown> {
  let ran: readonly Ran[] = [];
  const result = await transact.call(this, async (tx) => {
    const value = await work(tx);
    ran = ranIn.get(tx) ?? [];
    await obey(orders, ran, 'before');
    return value;
  });
  await obey(orders, ran, 'after');
  return result;
}
Object.assign(Ledger.prototype, { transaction: watched });

function given(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}
await startExecutor({ actions: chaosTypes(given('CHAOS_LANE'), given('BANK_URL'), given('BANK_PASSWORD')), dir: given('KEYTURN_DIR') });
