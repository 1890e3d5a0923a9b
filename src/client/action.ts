import type { ActionResource } from '../domain/http.js';
import type { Json } from '../domain/json.js';
import type { Effect, Reason, Status } from '../domain/outcome.js';
import type { Retry } from '../domain/codes.js';
import { KeyturnError } from './errors.js';
import { believeEnd } from './receipt.js';
import type { Settings } from './settings.js';

/** An action as it stands. `effect` is the one thing to ask: `done`, `undone`, `none`, `partial`, `unknown`, or still `in_progress`. */
export interface Action {
  readonly id: string;
  readonly status: Status;
  readonly effect: Effect;
  /** The executor's ledger has ended it: nothing will change any more. */
  readonly final: boolean;
  readonly reason: Reason;
  /** What `run` returned, once `succeeded`. */
  readonly result?: Json;
  readonly retry: Retry;
  readonly type: string;
  readonly agent: string;
  /** What will happen, in one sentence; null until it is sealed. */
  readonly sentence: string | null;
  readonly revision: number;
  /** Ids of the people whose decision is asked for now. */
  readonly awaiting: readonly string[];
  readonly progress: { readonly have: number; readonly need: number };
  readonly deadline: string | null;
  readonly openQuestions: readonly { readonly digest: string; readonly person: string; readonly question: string }[];
  /** No workflow worker answered: only what Temporal lists. */
  readonly stale: boolean;
  /** False: its run in Temporal is closed. Not final then: it was terminated there, and waiting longer changes nothing. */
  readonly running: boolean;
}

/**
 * The parts of the API's answer that agents use. Throws `KeyturnError` on what is no action: something else answers at that address; and, where the
 * executors' keys are known, on another action than the one asked for and on an end they do not prove.
 */
export function actionOf(
  body: unknown,
  asked: string,
  { deployment, executorKeys }: Pick<Settings, 'deployment' | 'executorKeys'>,
): Action {
  if (!isAction(body))
    throw new KeyturnError({
      code: 'unreachable',
      status: 200,
      text: 'what answers at this address is no Keyturn API of this version.',
      remedy: 'Check KEYTURN_URL.',
      retry: 'never',
    });
  if (executorKeys !== undefined) believeEnd(body, asked, deployment, executorKeys);
  const { outcome, type, agent, sentence, revision, awaiting, progress, deadline, openQuestions, stale, running } = body;
  return { ...outcome, type, agent, sentence, revision, awaiting, progress, deadline, openQuestions, stale, running };
}

function isAction(body: unknown): body is ActionResource {
  if (typeof body !== 'object' || body === null || !('outcome' in body) || !('openQuestions' in body)) return false;
  const { outcome } = body;
  return typeof outcome === 'object' && outcome !== null && 'effect' in outcome && 'final' in outcome && Array.isArray(body.openQuestions);
}

/** Nothing more to wait for: an end, a reviewer's question, or a run that is closed without one. */
export const isSettled = (action: Action): boolean => action.final || action.openQuestions.length > 0 || (!action.running && !action.stale);
