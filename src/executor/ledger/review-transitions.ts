import type { ErrorCode } from '../../domain/codes.js';
import type { Signed } from '../../domain/dsse.js';
import type { ActionId, Digest, PersonId } from '../../domain/ids.js';
import { canonicalize } from '../../domain/json.js';
import type { SealedPeople } from '../../domain/objects/entry.js';
import type { ReviewMessage } from '../../domain/objects/review.js';
import type { Reason } from '../../domain/outcome.js';
import { set, type Tx } from './compare-and-set.js';

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

/** Until an action is consumed, and the messages on record. */
export const reviewTransitions = {
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
  async denyStale(tx: Tx, id: ActionId, digest: Digest, from: 'awaiting' | 'stale', reason: Reason, now: number): Promise<void> {
    await set(
      tx,
      `UPDATE action SET state = 'ended', status = 'denied', cause = ? WHERE id = ? AND state = ? AND digest = ?`,
      canonicalize(reason),
      id,
      from,
      digest,
    );
    await tx.append({ kind: 'ended', actionId: id, status: 'denied', reason }, now);
  },

  /** Quorum was met on this digest, but the world moved: to be sealed again. */
  async stale(tx: Tx, id: ActionId, digest: Digest, code: ErrorCode, now: number): Promise<void> {
    await set(tx, `UPDATE action SET state = 'stale', stales = stales + 1 WHERE id = ? AND state = 'awaiting' AND digest = ?`, id, digest);
    await tx.append({ kind: 'stale', actionId: id, digest, code }, now);
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
    object: 'reject' | 'withdraw' | 'cancel' | 'freeze' | 'thaw' | 'restore',
    digest: Digest,
    by: string,
    signed: Signed,
    now: number,
  ): Promise<void> {
    await set(
      tx,
      'INSERT INTO lodged (digest, action_id, object, by_whom, signed, at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
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

  /** One person's post-review of an action that has ended. */
  async lodgeReview(tx: Tx, id: ActionId, digest: Digest, by: string, signed: Signed, now: number): Promise<void> {
    await set(tx, `UPDATE action SET state = 'ended' WHERE id = ? AND state = 'ended'`, id);
    await set(
      tx,
      'INSERT INTO lodged (digest, action_id, object, by_whom, signed, at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
      digest,
      id,
      'review',
      by,
      canonicalize(signed),
      now,
    );
    await tx.append({ kind: 'lodged', actionId: id, object: 'review', digest, by }, now);
  },

  /** Enough of them: reviewed. What became of the action stays as it is. */
  async reviewed(
    tx: Tx,
    id: ActionId,
    review: { verdict: ReviewMessage['verdict']; by: readonly PersonId[]; digests: readonly Digest[] },
    now: number,
  ): Promise<void> {
    await set(tx, `UPDATE action SET state = 'ended' WHERE id = ? AND state = 'ended'`, id);
    await tx.append({ kind: 'reviewed', actionId: id, verdict: review.verdict, by: [...review.by], digests: [...review.digests] }, now);
  },

  /** One person's finding about a step; it counts once enough people agree. */
  async lodgeResolve(tx: Tx, id: ActionId, digest: Digest, by: string, signed: Signed, now: number): Promise<void> {
    await set(
      tx,
      'INSERT INTO lodged (digest, action_id, object, by_whom, signed, at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
      digest,
      id,
      'resolve',
      by,
      canonicalize(signed),
      now,
    );
  },
} as const;
