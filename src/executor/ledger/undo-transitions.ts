import type { ActionId, Digest, PersonId } from '../../domain/ids.js';
import { canonicalize } from '../../domain/json.js';
import type { Reason } from '../../domain/outcome.js';
import type { ResolveVerdict, RunState, UndoState } from '../../domain/saga.js';
import { end, move, none, set, STILL_HELD, type Held, type Lease, type Tx } from './compare-and-set.js';

const NOT_UNDONE = `SELECT run.n FROM step AS run JOIN step AS undo ON undo.action_id = run.action_id AND undo.n = run.n AND undo.phase = 'undo'
  WHERE run.action_id = ? AND run.phase = 'run' AND (run.state IN ('started', 'unknown') OR (run.state = 'done' AND undo.state <> 'done'))`;

/** Backward, and what a person found out. */
export const undoTransitions = {
  /** No forward step any more; never while one may be taking effect. */
  async turnBack(tx: Tx, id: ActionId, cause: Reason): Promise<void> {
    await none(tx, `SELECT n FROM step WHERE action_id = ? AND phase = 'run' AND state IN ('started', 'unknown')`, id);
    await set(
      tx,
      `UPDATE action SET state = 'undoing', status = 'compensating', cause = ? WHERE id = ? AND state = 'executing'`,
      canonicalize(cause),
      id,
    );
  },

  /** The first try of an undo writes its entry; later tries only take the lease. */
  async startUndo(tx: Tx, id: ActionId, n: number, from: Held, lease: Lease, key: string, now: number): Promise<void> {
    await move(tx, id, 'undoing', 'undoing', 'compensating');
    const first = await tx.sql.run(
      `UPDATE step SET state = 'started', lease_owner = ?, lease_until = ?, since = ? WHERE action_id = ? AND n = ? AND phase = 'undo' AND state = 'pending'`,
      lease.owner,
      lease.until,
      now,
      id,
      n,
    );
    if (first === 1) {
      await tx.append({ kind: 'undo_started', actionId: id, step: n, key }, now);
      return;
    }
    await set(
      tx,
      `UPDATE step SET lease_owner = ?, lease_until = ? WHERE action_id = ? AND n = ? AND phase = 'undo' AND state = 'started' AND ${STILL_HELD}`,
      lease.owner,
      lease.until,
      id,
      n,
      from.lease_owner ?? '',
      from.lease_until ?? 0,
    );
  },

  async undoAgain(tx: Tx, id: ActionId, n: number, owner: string): Promise<void> {
    await set(
      tx,
      `UPDATE step SET lease_owner = NULL, lease_until = NULL WHERE action_id = ? AND n = ? AND phase = 'undo' AND state = 'started' AND lease_owner = ?`,
      id,
      n,
      owner,
    );
  },

  async undoDone(tx: Tx, id: ActionId, n: number, owner: string, now: number): Promise<void> {
    await set(
      tx,
      `UPDATE step SET state = 'done', lease_owner = NULL, lease_until = NULL WHERE action_id = ? AND n = ? AND phase = 'undo' AND state = 'started' AND lease_owner = ?`,
      id,
      n,
      owner,
    );
    await tx.append({ kind: 'undo_done', actionId: id, step: n }, now);
  },

  /** `failed` is sure, `unknown` gave up after an hour; both need a person. `owner` null: an undo by hand, which nobody holds. */
  async undoLost(
    tx: Tx,
    id: ActionId,
    n: number,
    owner: string | null,
    state: 'failed' | 'unknown',
    code: string,
    now: number,
  ): Promise<void> {
    await set(
      tx,
      `UPDATE step SET state = ?, lease_owner = NULL, lease_until = NULL WHERE action_id = ? AND n = ? AND phase = 'undo' AND state IN ('pending', 'started') AND COALESCE(lease_owner, '') = ?`,
      state,
      id,
      n,
      owner ?? '',
    );
    await move(tx, id, 'undoing', 'partial', 'compensation_failed');
    await tx.append({ kind: state === 'failed' ? 'undo_failed' : 'undo_unknown', actionId: id, step: n, code }, now);
  },

  async finishUndo(tx: Tx, id: ActionId, status: 'compensated' | 'cancelled' | 'failed', reason: Reason, now: number): Promise<void> {
    await none(tx, NOT_UNDONE, id);
    await end(tx, id, 'undoing', status, reason, now);
  },

  async resolve(
    tx: Tx,
    id: ActionId,
    from: 'unknown' | 'partial',
    n: number,
    step: { run: RunState; undo: UndoState; next: 'executing' | 'undoing' },
    finding: { verdict: ResolveVerdict; by: readonly PersonId[]; digests: readonly Digest[] },
    cause: Reason,
    now: number,
  ): Promise<void> {
    await set(tx, `UPDATE step SET state = ? WHERE action_id = ? AND n = ? AND phase = 'run'`, step.run, id, n);
    await set(tx, `UPDATE step SET state = ? WHERE action_id = ? AND n = ? AND phase = 'undo'`, step.undo, id, n);
    await set(
      tx,
      'UPDATE action SET state = ?, status = ?, cause = COALESCE(cause, ?) WHERE id = ? AND state = ?',
      step.next,
      step.next === 'executing' ? 'executing' : 'compensating',
      canonicalize(cause),
      id,
      from,
    );
    await tx.append(
      { kind: 'resolved', actionId: id, step: n, verdict: finding.verdict, by: [...finding.by], digests: [...finding.digests] },
      now,
    );
  },
} as const;
