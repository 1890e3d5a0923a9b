import { digestOf } from '../../../src/domain/hash.js';
import type { Signed } from '../../../src/domain/dsse.js';
import { agentIdSchema, type ActionId } from '../../../src/domain/ids.js';
import type { Reason } from '../../../src/domain/outcome.js';
import type { LedgerTransaction } from '../../../src/executor/ledger/ledger.js';
import type { NewAction, NewSeal } from '../../../src/executor/ledger/review-transitions.js';
import { transitions } from '../../../src/executor/ledger/transitions.js';

/** One action of two steps, brought into any state by transitions alone; the contract tries every transition in every state. */
export const NOW = Date.UTC(2026, 5, 1, 9);
export const OWNER = 'executor-a';
export const LEASE = { owner: OWNER, until: NOW + 15_000 };
/** Of another executor, which takes over. */
const NEXT = { owner: 'executor-b', until: NOW + 30_000 };
export const HELD = { lease_owner: OWNER, lease_until: LEASE.until };
export const FREE = { lease_owner: null, lease_until: null };
export const BECAUSE: Reason = { code: 'failed', text: 'because \u0000 \u{1f4b8} "quoted"' };
const signed = (name: string): Signed => ({
  payloadType: 'x',
  payload: '',
  signatures: [{ keyid: digestOf(name).slice(0, 32) as never, sig: '' }],
});

export const newAction = (id: ActionId): NewAction => ({
  id,
  request: digestOf(['request', id]),
  content: digestOf('content'),
  type: 'payments.batch',
  agent: agentIdSchema.parse('ap-agent'),
});
export const newSeal = (id: ActionId, revision: number): NewSeal => ({
  digest: digestOf([id, revision]),
  view: digestOf('view'),
  revision,
  signed: signed(`${id} ${revision}`),
  cause: 'request',
  madeBy: digestOf(['made', id, revision]),
  people: [],
});
export const first = (id: ActionId) => newSeal(id, 1).digest;

type Tx = LedgerTransaction;
type Move = (tx: Tx, id: ActionId) => Promise<void>;
const after =
  (before: Move, move: Move): Move =>
  async (tx, id) => {
    await before(tx, id);
    await move(tx, id);
  };

const none: Move = async () => undefined;
const awaiting: Move = (tx, id) => transitions.open(tx, newAction(id), newSeal(id, 1), NOW);
const started = after(awaiting, (tx, id) => transitions.consume(tx, id, first(id), [], 'reserve', NOW + 1, LEASE, NOW));
const done = after(started, (tx, id) => transitions.stepDone(tx, id, 1, 1, OWNER, { ok: true }, undefined, NOW));
const undoing = after(done, (tx, id) => transitions.turnBack(tx, id, BECAUSE));
const undoStarted = after(undoing, (tx, id) => transitions.startUndo(tx, id, 1, FREE, LEASE, `${id}/reserve/undo`, NOW));

export const STATES = {
  none,
  awaiting,
  stale: after(awaiting, (tx, id) => transitions.stale(tx, id, first(id), 'target_changed', NOW)),
  started,
  let_go: after(started, (tx, id) => transitions.release(tx, id, 1, 1, OWNER)),
  not_started: after(started, (tx, id) => transitions.stepNotStarted(tx, id, 1, 1, OWNER, 'closed', NOW)),
  done,
  all_done: after(done, async (tx, id) => {
    await transitions.startStep(tx, id, 2, 'send', LEASE, NOW);
    await transitions.stepDone(tx, id, 2, 1, OWNER, null, 'a note', NOW);
  }),
  unknown: after(started, (tx, id) => transitions.stepUnknown(tx, id, 1, 1, OWNER, 'no_probe', NOW)),
  failed: after(started, (tx, id) => transitions.stepFailed(tx, id, 1, 1, OWNER, 'blocked', BECAUSE, NOW)),
  undoing,
  undo_started: undoStarted,
  undo_let_go: after(undoStarted, (tx, id) => transitions.undoAgain(tx, id, 1, OWNER)),
  undone: after(undoStarted, (tx, id) => transitions.undoDone(tx, id, 1, OWNER, NOW)),
  partial: after(undoStarted, (tx, id) => transitions.undoLost(tx, id, 1, OWNER, 'failed', 'cannot', NOW)),
  ended: after(awaiting, (tx, id) => transitions.close(tx, id, 'awaiting', 'cancelled', BECAUSE, NOW)),
} satisfies Record<string, Move>;
export type State = keyof typeof STATES;

const FORWARD = ['started', 'let_go', 'not_started', 'done', 'all_done'] as const;

/** Each transition, and the only states it moves. */
export const MOVES: readonly (readonly [string, Move, readonly State[]])[] = [
  ['open', (tx, id) => transitions.open(tx, newAction(id), newSeal(id, 1), NOW), ['none']],
  ['deny', (tx, id) => transitions.deny(tx, newAction(id), BECAUSE, NOW), ['none']],
  ['tombstone', (tx, id) => transitions.tombstone(tx, id, BECAUSE, NOW), ['none']],
  ['revise awaiting', (tx, id) => transitions.revise(tx, id, first(id), 'awaiting', newSeal(id, 2), NOW), ['awaiting']],
  ['revise stale', (tx, id) => transitions.revise(tx, id, first(id), 'stale', newSeal(id, 2), NOW), ['stale']],
  ['revise another', (tx, id) => transitions.revise(tx, id, newSeal(id, 7).digest, 'awaiting', newSeal(id, 2), NOW), []],
  ['stale', (tx, id) => transitions.stale(tx, id, first(id), 'policy_stale', NOW), ['awaiting']],
  ['stale another', (tx, id) => transitions.stale(tx, id, newSeal(id, 7).digest, 'policy_stale', NOW), []],
  ['denyStale awaiting', (tx, id) => transitions.denyStale(tx, id, first(id), 'awaiting', BECAUSE, NOW), ['awaiting']],
  ['denyStale stale', (tx, id) => transitions.denyStale(tx, id, first(id), 'stale', BECAUSE, NOW), ['stale']],
  ['denyStale another', (tx, id) => transitions.denyStale(tx, id, newSeal(id, 7).digest, 'stale', BECAUSE, NOW), []],
  ['close awaiting', (tx, id) => transitions.close(tx, id, 'awaiting', 'expired', BECAUSE, NOW), ['awaiting']],
  ['close stale', (tx, id) => transitions.close(tx, id, 'stale', 'rejected', BECAUSE, NOW), ['stale']],
  ['consume', (tx, id) => transitions.consume(tx, id, first(id), [first(id)], 'reserve', NOW, LEASE, NOW), ['awaiting']],
  ['consume another', (tx, id) => transitions.consume(tx, id, newSeal(id, 7).digest, [], 'reserve', NOW, LEASE, NOW), []],
  ['startStep 2', (tx, id) => transitions.startStep(tx, id, 2, 'send', LEASE, NOW), ['done']],
  ['startStep 3', (tx, id) => transitions.startStep(tx, id, 3, 'notify', LEASE, NOW), ['all_done']],
  ['retryStep', (tx, id) => transitions.retryStep(tx, id, 1, 'reserve', 2, LEASE, NOW), ['not_started']],
  ['retryStep over again', (tx, id) => transitions.retryStep(tx, id, 1, 'reserve', 3, LEASE, NOW), []],
  ['takeOver held', (tx, id) => transitions.takeOver(tx, id, 1, 1, HELD, NEXT), ['started']],
  ['takeOver renewed', (tx, id) => transitions.takeOver(tx, id, 1, 1, { ...HELD, lease_until: 1 }, NEXT), []],
  ['takeOver free', (tx, id) => transitions.takeOver(tx, id, 1, 1, FREE, NEXT), ['let_go']],
  ['release', (tx, id) => transitions.release(tx, id, 1, 1, OWNER), ['started']],
  ['release of another', (tx, id) => transitions.release(tx, id, 1, 1, 'zombie'), []],
  ['stepDone', (tx, id) => transitions.stepDone(tx, id, 1, 1, OWNER, null, undefined, NOW), ['started']],
  ['stepDone of another', (tx, id) => transitions.stepDone(tx, id, 1, 1, 'zombie', null, undefined, NOW), []],
  ['stepDone of an earlier attempt', (tx, id) => transitions.stepDone(tx, id, 1, 2, OWNER, null, undefined, NOW), []],
  ['stepNotStarted', (tx, id) => transitions.stepNotStarted(tx, id, 1, 1, OWNER, 'closed', NOW), ['started']],
  ['stepFailed', (tx, id) => transitions.stepFailed(tx, id, 1, 1, OWNER, 'blocked', BECAUSE, NOW), ['started']],
  ['stepUnknown', (tx, id) => transitions.stepUnknown(tx, id, 1, 1, OWNER, 'no_probe', NOW), ['started']],
  ['turnBack', (tx, id) => transitions.turnBack(tx, id, BECAUSE), ['not_started', 'done', 'all_done']],
  [
    'startUndo free',
    (tx, id) => transitions.startUndo(tx, id, 1, FREE, NEXT, `${id}/reserve/undo`, NOW),
    ['undoing', 'failed', 'undo_let_go'],
  ],
  [
    'startUndo held',
    (tx, id) => transitions.startUndo(tx, id, 1, HELD, NEXT, `${id}/reserve/undo`, NOW),
    ['undoing', 'failed', 'undo_started'],
  ],
  ['undoAgain', (tx, id) => transitions.undoAgain(tx, id, 1, OWNER), ['undo_started']],
  ['undoDone', (tx, id) => transitions.undoDone(tx, id, 1, OWNER, NOW), ['undo_started']],
  ['undoDone of another', (tx, id) => transitions.undoDone(tx, id, 1, 'zombie', NOW), []],
  ['undoLost', (tx, id) => transitions.undoLost(tx, id, 1, OWNER, 'unknown', 'tired', NOW), ['undo_started']],
  ['undoLost by hand', (tx, id) => transitions.undoLost(tx, id, 1, null, 'failed', 'by_hand', NOW), ['undoing', 'failed', 'undo_let_go']],
  ['succeed', (tx, id) => transitions.succeed(tx, id, NOW), ['done', 'all_done']],
  ['finishUndo', (tx, id) => transitions.finishUndo(tx, id, 'failed', BECAUSE, NOW), ['failed', 'undone']],
  ['stopUnsigned', (tx, id) => transitions.stopUnsigned(tx, id, NOW), FORWARD],
  ['lodgeReview', (tx, id) => transitions.lodgeReview(tx, id, first(id), 'person:eva', signed('review'), NOW), ['ended']],
  [
    'reviewed',
    (tx, id) => transitions.reviewed(tx, id, { verdict: 'justified', by: ['eva' as never], digests: [first(id)] }, NOW),
    ['ended'],
  ],
  ['resolve unknown', (tx, id) => resolve(tx, id, 'unknown'), ['unknown']],
  ['resolve partial', (tx, id) => resolve(tx, id, 'partial'), ['partial']],
];

const resolve = (tx: Tx, id: ActionId, from: 'unknown' | 'partial'): Promise<void> =>
  transitions.resolve(
    tx,
    id,
    from,
    1,
    { run: 'done', undo: 'done', next: 'undoing' },
    { verdict: 'undone_by_hand', by: ['eva' as never], digests: [first(id)] },
    BECAUSE,
    NOW,
  );
