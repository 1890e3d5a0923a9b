import type { Signed, Signer } from '../domain/dsse.js';
import { digestOf } from '../domain/hash.js';
import type { ActionId } from '../domain/ids.js';
import { toInstant } from '../domain/instant.js';
import type { Activity, ResultOf } from '../domain/objects/answer.js';
import type { Policy } from '../domain/policy/schema.js';
import type { Roster } from '../domain/roster.js';
import type { ActionType } from './define-action.js';
import type { Ledger, LedgerTransaction } from './ledger/ledger.js';
import { readAction } from './ledger/rows.js';
import type { ExecutorMetrics } from './metrics.js';
import { clip } from './text.js';

/** Policy and roster as they stand on disk now, or why nothing may run by them. */
export type Rules = { readonly ok: true; readonly policy: Policy; readonly roster: Roster } | { readonly ok: false; readonly text: string };

/** The one process that holds the target's credentials: what its five activities need. */
export interface Executor {
  readonly name: string;
  readonly signer: Signer;
  readonly ledger: Ledger;
  readonly types: ReadonlyMap<string, ActionType>;
  readonly rules: () => Promise<Rules>;
  /** Milliseconds since 1970, by this machine's clock. */
  readonly now: () => number;
  /** Names this process in leases; never used again. */
  readonly owner: string;
  /** Steps this process is at right now, as `actionId/n/phase`. */
  readonly inFlight: Set<string>;
  /** When an action's preview first failed, in ms. */
  readonly previewFailures: Map<ActionId, number>;
  /** Left out: nothing is counted. */
  readonly metrics?: ExecutorMetrics;
  readonly log: (event: string, detail: Readonly<Record<string, unknown>>) => void;
}

/** How long a preview may keep failing before the action is denied. */
export const PREVIEW_PATIENCE_MS = 15 * 60_000;
/** How long an undo is repeated before a person is asked. */
export const UNDO_PATIENCE_MS = 60 * 60_000;
export const LEASE_MS = 15_000;

/** An answer whose text is longer is no valid answer. */
const MAX_TEXT = 4_000;

/** A result on its way into a signed answer. */
export const refused = (
  code: Extract<ResultOf<'seal'>, { kind: 'refused' }>['code'],
  text: string,
  check?: number,
): Extract<ResultOf<'seal'>, { kind: 'refused' }> => ({
  kind: 'refused',
  code,
  text: clip(text, MAX_TEXT),
  ...(check === undefined ? {} : { check }),
});
export const waitResult = (
  now: number,
  ms: number,
  code: Extract<ResultOf<'advance'>, { kind: 'wait' }>['code'],
  text: string,
): Extract<ResultOf<'advance'>, { kind: 'wait' }> => ({ kind: 'wait', until: toInstant(now + ms), code, text: clip(text, MAX_TEXT) });

/** Signs an answer: the result, and the action's entries from number `have` on, read at one moment. */
export async function answer<A extends Activity>(
  executor: Executor,
  activity: A,
  input: { readonly actionId: ActionId | null; readonly have: number },
  result: ResultOf<A>,
): Promise<Signed> {
  const { actionId } = input;
  const { status, entries } = await executor.ledger.snapshot(async (tx: LedgerTransaction) => {
    const action = actionId === null ? undefined : await readAction(tx.sql, actionId);
    return { status: action?.status ?? null, entries: actionId === null ? [] : await tx.entriesFrom(actionId, input.have) };
  });
  executor.metrics?.answered(activity, result);
  return executor.signer.sign('answer', {
    v: 1,
    ...executor.ledger.identity,
    activity,
    actionId,
    asked: digestOf(input),
    status,
    entries,
    result,
  });
}

/** An answer to input that could not even be read: it names no action and carries no entries. */
export function answerUnreadable<A extends Activity>(executor: Executor, activity: A, input: unknown, text: string): Signed {
  let asked;
  try {
    asked = digestOf(input);
  } catch {
    asked = digestOf(null);
  }
  const result = refused('request_invalid', text.slice(0, 1_000), 1);
  executor.metrics?.answered(activity, result);
  return executor.signer.sign('answer', {
    v: 1,
    ...executor.ledger.identity,
    activity,
    actionId: null,
    asked,
    status: null,
    entries: [],
    result,
  });
}
