import { canonicalize, type Json } from '../../domain/json.js';
import type { ErrorCode } from '../../domain/codes.js';
import type { Signed } from '../../domain/dsse.js';
import type { ActionId, Digest, PersonId } from '../../domain/ids.js';
import type { SealedPeople } from '../../domain/objects/entry.js';
import type { EndStatus, Reason } from '../../domain/outcome.js';
import type { ResolveVerdict, RunState, UndoState } from '../../domain/saga.js';
import type { LedgerTransaction } from './ledger.js';

/**
 * Every way the ledger moves. Each is one compare-and-set (`UPDATE … WHERE state = expected`) and its entry, inside the caller's transaction;
 * `Moved` says that somebody else moved first, and then the whole transaction is undone. Times in ms.
 */
export class Moved extends Error {
  override readonly name = 'Moved';
}

export interface NewAction {
  readonly id: ActionId;
  readonly request: Digest;
  /** Digest of agent, type and parameters: finds equal content under another idempotency key. */
  readonly content: Digest;
  readonly type: string;
  readonly agent: string;
}
export interface NewSeal {
  readonly digest: Digest;
  readonly view: Digest;
  readonly revision: number;
  readonly signed: Signed;
  readonly cause: 'request' | 'modify' | 'reseal';
  /** The digest of the request, the modify or the stale envelope this seal answers: asked again, the same is given back. */
  readonly madeBy: string;
  readonly people: SealedPeople;
}
export interface Lease {
  readonly owner: string;
  readonly until: number;
}
type Tx = LedgerTransaction;

async function set(tx: Tx, sql: string, ...values: (string | number | null)[]): Promise<void> {
  if ((await tx.sql.run(sql, ...values)) !== 1) throw new Moved();
}

async function insertAction(tx: Tx, action: NewAction, state: string, status: string, now: number): Promise<void> {
  await set(
    tx,
    `INSERT INTO action (id, state, status, request, content, type, agent, digest, head, entries, stales, execute_by, stop, cause, opened_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL, 0, 0, NULL, NULL, NULL, ?) ON CONFLICT DO NOTHING`,
    action.id,
    state,
    status,
    action.request,
    action.content,
    action.type,
    action.agent,
    now,
  );
}

async function insertEnvelope(tx: Tx, id: ActionId, seal: NewSeal, now: number): Promise<void> {
  await set(
    tx,
    'INSERT INTO envelope (digest, action_id, revision, view, signed, made_by) VALUES (?, ?, ?, ?, ?, ?)',
    seal.digest,
    id,
    seal.revision,
    seal.view,
    canonicalize(seal.signed),
    seal.madeBy,
  );
  await tx.append(
    { kind: 'sealed', actionId: id, digest: seal.digest, revision: seal.revision, view: seal.view, cause: seal.cause, people: seal.people },
    now,
  );
}

const runKey = (id: ActionId, step: string, attempt: number): string => `${id}/${step}/run/${attempt}`;
const undoKey = (id: ActionId, step: string): string => `${id}/${step}/undo`;

/** A step's row and its undo's row are written together, before the step begins. */
async function beginStep(tx: Tx, id: ActionId, n: number, step: string, lease: Lease, now: number): Promise<void> {
  const row =
    'INSERT INTO step (action_id, n, phase, state, attempt, idempotency_key, lease_owner, lease_until, since) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)';
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

const move = (tx: Tx, id: ActionId, from: string, to: string, status: string): Promise<void> =>
  set(tx, 'UPDATE action SET state = ?, status = ? WHERE id = ? AND state = ?', to, status, id, from);

async function end(tx: Tx, id: ActionId, from: string, status: EndStatus, reason: Reason, now: number): Promise<void> {
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

export const transitions = {
  /** A new action, sealed. */
  async open(tx: Tx, action: NewAction, seal: NewSeal, now: number): Promise<void> {
    await insertAction(tx, action, 'awaiting', 'awaiting_approval', now);
    await set(tx, 'UPDATE action SET digest = ? WHERE id = ? AND digest IS NULL', seal.digest, action.id);
    await insertEnvelope(tx, action.id, seal, now);
  },

  /** A new revision of an awaiting or stale action. */
  async revise(tx: Tx, id: ActionId, parent: Digest, from: 'awaiting' | 'stale', seal: NewSeal, now: number): Promise<void> {
    await set(
      tx,
      `UPDATE action SET state = 'awaiting', status = 'awaiting_approval', digest = ? WHERE id = ? AND digest = ? AND state = ?`,
      seal.digest,
      id,
      parent,
      from,
    );
    await insertEnvelope(tx, id, seal, now);
  },

  /** A new action the policy denies. */
  async deny(tx: Tx, action: NewAction, reason: Reason, now: number): Promise<void> {
    await insertAction(tx, action, 'ended', 'denied', now);
    await tx.sql.run('UPDATE action SET cause = ? WHERE id = ?', canonicalize(reason), action.id);
    await tx.append({ kind: 'denied', actionId: action.id, request: action.request, status: 'denied', reason }, now);
  },

  /** An action that can be sealed no more: denied with the code that made it stale. */
  async denyStale(tx: Tx, id: ActionId, from: 'awaiting' | 'stale', reason: Reason, now: number): Promise<void> {
    await end(tx, id, from, 'denied', reason, now);
  },

  /** Quorum was met on this digest, but the world moved: to be sealed again. */
  async stale(tx: Tx, id: ActionId, digest: Digest, code: ErrorCode, now: number): Promise<void> {
    await set(tx, `UPDATE action SET state = 'stale', stales = stales + 1 WHERE id = ? AND state = 'awaiting' AND digest = ?`, id, digest);
    await tx.append({ kind: 'stale', actionId: id, digest, code }, now);
  },

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
  ): Promise<void> {
    await set(
      tx,
      `UPDATE action SET state = 'executing', status = 'executing', execute_by = ? WHERE id = ? AND state = 'awaiting' AND digest = ?`,
      executeBy,
      id,
      digest,
    );
    await tx.append({ kind: 'executing', actionId: id, digest, decisions: [...decisions] }, now);
    await beginStep(tx, id, 1, step, lease, now);
  },

  async startStep(tx: Tx, id: ActionId, n: number, step: string, lease: Lease, now: number): Promise<void> {
    await move(tx, id, 'executing', 'executing', 'executing');
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
  async takeOver(tx: Tx, id: ActionId, n: number, attempt: number, from: string | null, lease: Lease): Promise<void> {
    await set(
      tx,
      `UPDATE step SET lease_owner = ?, lease_until = ? WHERE action_id = ? AND n = ? AND phase = 'run' AND state = 'started' AND attempt = ? AND COALESCE(lease_owner, '') = ?`,
      lease.owner,
      lease.until,
      id,
      n,
      attempt,
      from ?? '',
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
    await transitions.turnBack(tx, id, reason);
  },

  /** Nobody can tell: a person has to. */
  async stepUnknown(tx: Tx, id: ActionId, n: number, attempt: number, owner: string, code: string, now: number): Promise<void> {
    await endStep(tx, id, n, attempt, owner, 'unknown');
    await move(tx, id, 'executing', 'unknown', 'outcome_unknown');
    await tx.append({ kind: 'step_unknown', actionId: id, step: n, attempt, code }, now);
  },

  /** No forward step any more. */
  async turnBack(tx: Tx, id: ActionId, cause: Reason): Promise<void> {
    await set(
      tx,
      `UPDATE action SET state = 'undoing', status = 'compensating', cause = ? WHERE id = ? AND state = 'executing'`,
      canonicalize(cause),
      id,
    );
  },

  /** The first try of an undo writes its entry; later tries only take the lease. */
  async startUndo(tx: Tx, id: ActionId, n: number, from: string | null, lease: Lease, key: string, now: number): Promise<void> {
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
      `UPDATE step SET lease_owner = ?, lease_until = ? WHERE action_id = ? AND n = ? AND phase = 'undo' AND state = 'started' AND COALESCE(lease_owner, '') = ?`,
      lease.owner,
      lease.until,
      id,
      n,
      from ?? '',
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

  async succeed(tx: Tx, id: ActionId, now: number): Promise<void> {
    await end(tx, id, 'executing', 'succeeded', { code: 'succeeded', text: 'It ran.' }, now);
  },

  async finishUndo(tx: Tx, id: ActionId, status: 'compensated' | 'cancelled' | 'failed', reason: Reason, now: number): Promise<void> {
    await end(tx, id, 'undoing', status, reason, now);
  },

  /** Before consumption only (§7, `close`). */
  async close(
    tx: Tx,
    id: ActionId,
    from: 'awaiting' | 'stale',
    status: 'expired' | 'execution_expired' | 'rejected' | 'cancelled',
    reason: Reason,
    now: number,
  ): Promise<void> {
    await set(
      tx,
      `UPDATE action SET state = 'ended', status = ?, cause = ? WHERE id = ? AND state = ?`,
      status,
      canonicalize(reason),
      id,
      from,
    );
    await tx.append({ kind: 'closed', actionId: id, status, reason }, now);
  },

  /** Cancelled before it was ever sealed: later seals are answered by this. */
  async tombstone(tx: Tx, id: ActionId, reason: Reason, now: number): Promise<void> {
    await insertAction(tx, { id, request: '' as Digest, content: '' as Digest, type: '', agent: '' }, 'ended', 'cancelled', now);
    await tx.sql.run('UPDATE action SET cause = ? WHERE id = ?', canonicalize(reason), id);
    await tx.append({ kind: 'closed', actionId: id, status: 'cancelled', reason }, now);
  },

  /** A signed "no" or stop, on record. Lodged twice, it stands once. */
  async lodge(
    tx: Tx,
    id: ActionId | null,
    object: 'reject' | 'withdraw' | 'cancel' | 'freeze' | 'thaw',
    digest: Digest,
    by: string,
    signed: Signed,
    now: number,
  ): Promise<void> {
    await set(
      tx,
      'INSERT INTO lodged (digest, action_id, object, by_whom, signed, at) VALUES (?, ?, ?, ?, ?, ?)',
      digest,
      id,
      object,
      by,
      canonicalize(signed),
      now,
    );
    await tx.append({ kind: 'lodged', actionId: id, object, digest, by }, now);
    if (object === 'cancel') await tx.sql.run('UPDATE action SET stop = ? WHERE id = ? AND stop IS NULL', by, id);
  },

  /** Temporal's own cancel, which nobody signed: on record before it has any effect on what began. */
  async stopUnsigned(tx: Tx, id: ActionId, now: number): Promise<void> {
    await set(tx, `UPDATE action SET stop = 'unsigned' WHERE id = ? AND stop IS NULL AND state = 'executing'`, id);
    await tx.append({ kind: 'lodged', actionId: id, object: 'cancel', digest: null, by: 'unsigned' }, now);
  },

  /** One person's finding about a step; it counts once enough people agree. */
  async lodgeResolve(tx: Tx, id: ActionId, digest: Digest, by: string, signed: Signed, now: number): Promise<void> {
    await set(
      tx,
      'INSERT INTO lodged (digest, action_id, object, by_whom, signed, at) VALUES (?, ?, ?, ?, ?, ?)',
      digest,
      id,
      'resolve',
      by,
      canonicalize(signed),
      now,
    );
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
export type Transition = keyof typeof transitions;
