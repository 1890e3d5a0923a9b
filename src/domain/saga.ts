import type { Reason } from './outcome.js';
import type { UndoPlan } from './objects/envelope.js';

/** Where the ledger has an action (§7). `stale`: to be sealed again; `unknown` and `partial` wait for a person. */
export const ACTION_STATES = ['awaiting', 'stale', 'executing', 'undoing', 'unknown', 'partial', 'ended'] as const;
export type ActionState = (typeof ACTION_STATES)[number];

/** How far one step came. `started` means: its effect may or may not exist. */
export const RUN_STATES = ['started', 'not_started', 'done', 'failed', 'unknown'] as const;
export type RunState = (typeof RUN_STATES)[number];
/** `pending` is written before its step starts, so that nothing is ever done without its undo being on record. */
export const UNDO_STATES = ['pending', 'started', 'done', 'failed', 'unknown'] as const;
export type UndoState = (typeof UNDO_STATES)[number];

export interface StepState {
  /** From 1. */
  readonly n: number;
  readonly run: RunState;
  readonly attempt: number;
  readonly undo: UndoState;
  /** Somebody is at it right now: a live lease. */
  readonly leased: boolean;
}

export interface SagaState {
  readonly state: ActionState;
  /** The steps begun, in order. */
  readonly steps: readonly StepState[];
  /** How each step of the type is undone; as long as there are steps. */
  readonly plans: readonly UndoPlan[];
  /** A cancel, signed or by Temporal: no further step, done steps undone. */
  readonly stop: boolean;
  /** A freeze is in force: no further step; undo goes on. */
  readonly frozen: boolean;
  /** Until when a step not started may be tried again, in ms. */
  readonly executeBy: number;
}

/** What of it people are asked by: the steps on record, whoever is at one of them right now. */
export interface StepRecord extends Pick<SagaState, 'state' | 'plans'> {
  readonly steps: readonly Omit<StepState, 'leased' | 'undoSince'>[];
}

/** The one next thing. */
export type Due =
  | { readonly do: 'review' }
  | { readonly do: 'reseal' }
  | { readonly do: 'run'; readonly step: number; readonly attempt: number }
  /** Find out what became of a step whose outcome nobody wrote down. */
  | { readonly do: 'probe'; readonly step: number; readonly attempt: number }
  | { readonly do: 'turn_back'; readonly why: 'cancelled' | 'execution_late' }
  | { readonly do: 'undo'; readonly step: number }
  | { readonly do: 'succeed' }
  /** Everything done is undone; `undone` says whether there was anything. */
  | { readonly do: 'finish_undo'; readonly undone: boolean }
  | { readonly do: 'wait'; readonly code: 'busy' | 'frozen' }
  | { readonly do: 'person'; readonly step: number }
  | { readonly do: 'nothing' };

/** What the ledger says is due next, from its rows alone. Pure and total; `now` in ms. */
export function due(saga: SagaState, now: number): Due {
  switch (saga.state) {
    case 'awaiting':
      return { do: 'review' };
    case 'stale':
      return { do: 'reseal' };
    case 'executing':
      return forward(saga, now);
    case 'undoing':
      return backward(saga);
    case 'unknown':
    case 'partial':
      return { do: 'person', step: inQuestion(saga)?.n ?? 1 };
    case 'ended':
      return { do: 'nothing' };
  }
}

function forward(saga: SagaState, now: number): Due {
  const last = saga.steps.at(-1);
  if (last === undefined) return { do: 'run', step: 1, attempt: 1 };
  switch (last.run) {
    case 'started':
      return last.leased ? { do: 'wait', code: 'busy' } : { do: 'probe', step: last.n, attempt: last.attempt };
    case 'done':
      if (last.n === saga.plans.length) return { do: 'succeed' };
      if (saga.stop) return { do: 'turn_back', why: 'cancelled' };
      if (saga.frozen) return { do: 'wait', code: 'frozen' };
      return { do: 'run', step: last.n + 1, attempt: 1 };
    case 'not_started':
      if (saga.stop) return { do: 'turn_back', why: 'cancelled' };
      if (now >= saga.executeBy) return { do: 'turn_back', why: 'execution_late' };
      if (saga.frozen) return { do: 'wait', code: 'frozen' };
      return { do: 'run', step: last.n, attempt: last.attempt + 1 };
    case 'failed':
    case 'unknown':
      // These leave `executing` in the transaction that writes them.
      return { do: 'person', step: last.n };
  }
}

/** The last step that took effect and is not undone: undo runs backwards and never past a step it could not undo. */
export const toUndo = <S extends StepRecord['steps'][number]>(steps: readonly S[]): S | undefined =>
  steps.filter((step) => step.run === 'done' && step.undo !== 'done').at(-1);

/** The step a person is asked about. */
function inQuestion({ state, steps }: StepRecord): StepRecord['steps'][number] | undefined {
  if (state === 'unknown') return steps.at(-1);
  return state === 'partial' ? toUndo(steps) : undefined;
}

function backward(saga: SagaState): Due {
  const step = toUndo(saga.steps);
  if (step === undefined) return { do: 'finish_undo', undone: saga.steps.some((each) => each.run === 'done') };
  return step.leased ? { do: 'wait', code: 'busy' } : { do: 'undo', step: step.n };
}

/**
 * The step a restore leaves in doubt: the first of which the record does not say for sure that it is done. Steps run one after another, so what
 * its target says of this one says it of those behind it too, if it did not happen.
 */
export function inDoubt({ steps, plans }: Pick<StepRecord, 'steps' | 'plans'>): { readonly step: number; readonly attempt: number } {
  const last = steps.at(-1);
  if (last === undefined) return { step: 1, attempt: 1 };
  return last.run === 'done' && last.n < plans.length ? { step: last.n + 1, attempt: 1 } : { step: last.n, attempt: last.attempt };
}

export type ResolveVerdict = 'happened' | 'did_not' | 'undone_by_hand';
/** What a resolved step becomes, and where the action goes; undefined: this verdict says nothing about this step. */
export function resolveStep(
  saga: StepRecord,
  n: number,
  verdict: ResolveVerdict,
): { readonly run: RunState; readonly undo: UndoState; readonly next: 'executing' | 'undoing' } | undefined {
  const step = inQuestion(saga);
  if (step?.n !== n) return undefined;
  switch (verdict) {
    case 'happened':
      // On the last step the action is whole, else no forward step starts any more: what was done is undone.
      if (saga.state !== 'unknown') return undefined;
      return { run: 'done', undo: step.undo, next: n === saga.plans.length ? 'executing' : 'undoing' };
    case 'did_not':
      return { run: 'not_started', undo: step.undo, next: 'undoing' };
    case 'undone_by_hand':
      return { run: 'done', undo: 'done', next: 'undoing' };
  }
}

/** The end an undone action comes to (§5): a cancel that came before anything took effect is a plain cancel. */
export function endOfUndo(undone: boolean, cause: Reason): 'compensated' | 'cancelled' | 'failed' {
  if (undone) return 'compensated';
  return cause.code === 'cancelled' ? 'cancelled' : 'failed';
}
