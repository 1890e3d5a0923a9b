import { refuse, type Refusal } from './codes.js';
import { canonicalize, type Json } from './json.js';
import type { Decision } from './objects/decision.js';
import type { Envelope } from './objects/envelope.js';
import { valueAt } from './pointer.js';

/** As long as an answer to a guard may be. */
const MAX_CONFIRM_CHARS = 500;

/** What an approval must repeat by its own words: the text of one parameter's value. */
export interface Confirm {
  readonly field: string;
  /** Undefined: nothing that could be typed stands there, so no approval ever answers it. */
  readonly text: string | undefined;
}

/** How a value is typed: a text as it is, anything else as its canonical JSON. Undefined: nothing stands there, or too much to type. */
export function confirmText(params: Json, field: string): string | undefined {
  const value = valueAt(params, field);
  const text = value === undefined || typeof value === 'string' ? value : canonicalize(value);
  return text === undefined || text.length > MAX_CONFIRM_CHARS ? undefined : text;
}

export const confirmOf = (guards: Pick<Envelope['guards'], 'confirmField'>, params: Json): Confirm | null =>
  guards.confirmField === null ? null : { field: guards.confirmField, text: confirmText(params, guards.confirmField) };

/** The guard `confirmField` on one decision: only an approval answers it. Undefined: met. */
export function unconfirmed(decision: Decision, confirm: Confirm | null): Refusal | undefined {
  if (confirm === null || decision.verdict !== 'approve') return undefined;
  const said = decision.guards?.['confirmField'];
  if (said === undefined) return refuse('guard_unmet', `the approval does not repeat the value of ${confirm.field}`);
  return said === confirm.text ? undefined : refuse('guard_unmet', `the approval repeats another value than that of ${confirm.field}`);
}
