import type { ActionId, Digest } from '../../domain/ids.js';
import type { Json } from '../../domain/json.js';
import type { EntryBody } from '../../domain/objects/entry.js';
import type { Reason } from '../../domain/outcome.js';
import { end, move, none, set, STILL_HELD, type Held, type Lease, type Tx } from './compare-and-set.js';
import { undoTransitions } from './undo-transitions.js';

export const runKey = (id: ActionId, step: string, attempt: number): string => `${id}/${step}/run/${attempt}`;
export const undoKey = (id: ActionId, step: string): string => `${id}/${step}/undo`;

/** A step's row and its undo's row are written together, before the step begins. */
async function beginStep(tx: Tx, id: ActionId, n: number, step: string, lease: Lease, now: number): Promise<void> {
  const row =
    'INSERT INTO step (action_id, n, phase, state, attempt, idempotency_key, lease_owner, lease_until, since) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING';
  await set(tx, row, id, n, 'undo', 'pending', 1, undoKey(id, step), null, null, null);
  await set(tx, row, id, n, 'run', 'started', 1, runKey(id, step, 1), lease.owner, lease.until, now);
  await tx.append({ kind: 'step_started', actionId: id, step: n, attempt: 1, key: runKey(id, step, 1) }, now);
}

const endStep = (tx: Tx, id: ActionId, n: number, attempt: number, owner: string, state: string): Promise<void> =>
  set(
    tx,
    `UPDATE step SET state = ?, lease_owner = NULL, lease_until = NULL WHERE action_id = ? AND n = ? AND phase = 'run' AND state = 'started' AND attempt = ? AND lease_owner = ?`,
    state,
    id,
    n,
    attempt,
    owner,
  );

/** Forward: the consumption and its steps. */
export const stepTransitions = {
  /** The one consumption (§6.12): state, step 1 with its lease, its undo, and both entries, or nothing. */
  async consume(
    tx: Tx,
    id: ActionId,
    digest: Digest,
    decisions: readonly Digest[],
    step: string,
    executeBy: number,
    lease: Lease,
    now: number,
    postReview?: Extract<EntryBody, { kind: 'executing' }>['postReview'],
  ): Promise<void> {
    await set(
      tx,
      `UPDATE action SET state = 'executing', status = 'executing', execute_by = ? WHERE id = ? AND state = 'awaiting' AND digest = ?`,
      executeBy,
      id,
      digest,
    );
    const owed = postReview === undefined ? {} : { postReview };
    await tx.append({ kind: 'executing', actionId: id, digest, decisions: [...decisions], ...owed }, now);
    await beginStep(tx, id, 1, step, lease, now);
  },

  /** The next step, after the one before it is done. */
  async startStep(tx: Tx, id: ActionId, n: number, step: string, lease: Lease, now: number): Promise<void> {
    await move(tx, id, 'executing', 'executing', 'executing');
    await set(tx, `UPDATE step SET state = 'done' WHERE action_id = ? AND n = ? AND phase = 'run' AND state = 'done'`, id, n - 1);
    await beginStep(tx, id, n, step, lease, now);
  },

  /** The same step once more, under a key of its own: only after it is sure that the last attempt had no effect. */
  async retryStep(tx: Tx, id: ActionId, n: number, step: string, attempt: number, lease: Lease, now: number): Promise<void> {
    await move(tx, id, 'executing', 'executing', 'executing');
    const key = runKey(id, step, attempt);
    await set(
      tx,
      `UPDATE step SET state = 'started', attempt = ?, idempotency_key = ?, lease_owner = ?, lease_until = ?, since = ? WHERE action_id = ? AND n = ? AND phase = 'run' AND state = 'not_started' AND attempt = ?`,
      attempt,
      key,
      lease.owner,
      lease.until,
      now,
      id,
      n,
      attempt - 1,
    );
    await tx.append({ kind: 'step_started', actionId: id, step: n, attempt, key }, now);
  },

  /** Takes over a step whose holder is gone, to find out what became of it. */
  async takeOver(tx: Tx, id: ActionId, n: number, attempt: number, from: Held, lease: Lease): Promise<void> {
    await set(
      tx,
      `UPDATE step SET lease_owner = ?, lease_until = ? WHERE action_id = ? AND n = ? AND phase = 'run' AND state = 'started' AND attempt = ? AND ${STILL_HELD}`,
      lease.owner,
      lease.until,
      id,
      n,
      attempt,
      from.lease_owner ?? '',
      from.lease_until ?? 0,
    );
  },

  /** Lets go of a step without a word on its outcome: the next advance probes it. */
  async release(tx: Tx, id: ActionId, n: number, attempt: number, owner: string): Promise<void> {
    await set(
      tx,
      `UPDATE step SET lease_owner = NULL, lease_until = NULL WHERE action_id = ? AND n = ? AND phase = 'run' AND state = 'started' AND attempt = ? AND lease_owner = ?`,
      id,
      n,
      attempt,
      owner,
    );
  },

  async stepDone(
    tx: Tx,
    id: ActionId,
    n: number,
    attempt: number,
    owner: string,
    result: Json,
    note: string | undefined,
    now: number,
  ): Promise<void> {
    await endStep(tx, id, n, attempt, owner, 'done');
    await tx.append({ kind: 'step_done', actionId: id, step: n, attempt, result, ...(note === undefined ? {} : { note }) }, now);
  },

  async stepNotStarted(tx: Tx, id: ActionId, n: number, attempt: number, owner: string, code: string, now: number): Promise<void> {
    await endStep(tx, id, n, attempt, owner, 'not_started');
    await tx.append({ kind: 'step_not_started', actionId: id, step: n, attempt, code }, now);
  },

  /** Sure and final: what was done before is undone. */
  async stepFailed(
    tx: Tx,
    id: ActionId,
    n: number,
    attempt: number,
    owner: string,
    code: string,
    reason: Reason,
    now: number,
  ): Promise<void> {
    await endStep(tx, id, n, attempt, owner, 'failed');
    await tx.append({ kind: 'step_failed', actionId: id, step: n, attempt, code }, now);
    await undoTransitions.turnBack(tx, id, reason);
  },

  /** Nobody can tell: a person has to. */
  async stepUnknown(tx: Tx, id: ActionId, n: number, attempt: number, owner: string, code: string, now: number): Promise<void> {
    await endStep(tx, id, n, attempt, owner, 'unknown');
    await move(tx, id, 'executing', 'unknown', 'outcome_unknown');
    await tx.append({ kind: 'step_unknown', actionId: id, step: n, attempt, code }, now);
  },

  async succeed(tx: Tx, id: ActionId, now: number): Promise<void> {
    await none(tx, `SELECT n FROM step WHERE action_id = ? AND phase = 'run' AND state <> 'done'`, id);
    await end(tx, id, 'executing', 'succeeded', { code: 'succeeded', text: 'It ran.' }, now);
  },
} as const;
