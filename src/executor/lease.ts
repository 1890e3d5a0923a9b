import type { ActionId } from '../domain/ids.js';
import { LEASE_MS, type Executor } from './executor.js';
import type { StepRow } from './ledger/rows.js';
import { Moved, type Lease } from './ledger/compare-and-set.js';

/**
 * Whether somebody is at a step right now. On SQLite only this process can be: the file has one holder, so every earlier lease is void.
 * On PostgreSQL another executor's lease holds until its time is over. `now` in ms.
 */
export function holds(executor: Executor, row: StepRow, id: ActionId, now: number): boolean {
  if (row.lease_owner === null) return false;
  if (row.lease_owner === executor.owner) return executor.inFlight.has(leaseName(id, row.n, row.phase));
  return executor.ledger.kind === 'postgres' && row.lease_until !== null && row.lease_until > now;
}

export const newLease = (executor: Executor): Lease => ({ owner: executor.owner, until: executor.now() + LEASE_MS });

const leaseName = (id: ActionId, n: number, phase: 'run' | 'undo'): string => `${id}/${n}/${phase}`;

/**
 * Makes one call of this process the only one at a step: a second one finds that the action moved. Known before the row says so, and until the
 * outcome is written, or another call could take the step for abandoned.
 */
export async function claimed<T>(executor: Executor, id: ActionId, n: number, phase: 'run' | 'undo', work: () => Promise<T>): Promise<T> {
  const name = leaseName(id, n, phase);
  if (executor.inFlight.has(name)) throw new Moved();
  executor.inFlight.add(name);
  try {
    return await work();
  } finally {
    executor.inFlight.delete(name);
  }
}

/** Renews a lease, every third of its time, while `work` runs. */
export async function whileLeased<T>(
  executor: Executor,
  id: ActionId,
  n: number,
  phase: 'run' | 'undo',
  work: () => Promise<T>,
): Promise<T> {
  const renewal = setInterval(() => {
    void executor.ledger
      .transaction((tx) =>
        tx.sql.run(
          'UPDATE step SET lease_until = ? WHERE action_id = ? AND n = ? AND phase = ? AND lease_owner = ?',
          executor.now() + LEASE_MS,
          id,
          n,
          phase,
          executor.owner,
        ),
      )
      .catch((error: unknown) => executor.log('lease not renewed', { id, n, phase, error: String(error) }));
  }, LEASE_MS / 3);
  try {
    return await work();
  } finally {
    clearInterval(renewal);
  }
}
