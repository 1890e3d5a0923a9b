import { canonicalize } from '../../domain/json.js';
import type { ActionId } from '../../domain/ids.js';
import type { EndStatus, Reason } from '../../domain/outcome.js';
import type { LedgerTransaction } from './ledger.js';

export type Tx = LedgerTransaction;

/** Somebody else moved first: the whole transaction is undone. */
export class Moved extends Error {
  override readonly name = 'Moved';
}

/** One row changed, or nothing counts. */
export async function set(tx: Tx, sql: string, ...values: (string | number | null)[]): Promise<void> {
  if ((await tx.sql.run(sql, ...values)) !== 1) throw new Moved();
}

/** No such row, or nothing counts. */
export async function none(tx: Tx, sql: string, ...values: (string | number | null)[]): Promise<void> {
  if ((await tx.sql.all(sql, ...values)).length > 0) throw new Moved();
}

export const move = (tx: Tx, id: ActionId, from: string, to: string, status: string): Promise<void> =>
  set(tx, 'UPDATE action SET state = ?, status = ? WHERE id = ? AND state = ?', to, status, id, from);

/** The end, and its entry. */
export async function end(tx: Tx, id: ActionId, from: string, status: EndStatus, reason: Reason, now: number): Promise<void> {
  await set(
    tx,
    `UPDATE action SET state = 'ended', status = ?, cause = ? WHERE id = ? AND state = ?`,
    status,
    canonicalize(reason),
    id,
    from,
  );
  await tx.append({ kind: 'ended', actionId: id, status, reason }, now);
}

/** A lease as a row was read with it: renewed since, it is held. */
export interface Held {
  readonly lease_owner: string | null;
  readonly lease_until: number | null;
}
export const STILL_HELD = `COALESCE(lease_owner, '') = ? AND COALESCE(lease_until, 0) = ?`;

export interface Lease {
  readonly owner: string;
  readonly until: number;
}
