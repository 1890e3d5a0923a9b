import { canonicalize } from './json.js';
import { digestOfSigned, readPayload, verifySigned, type Signed } from './dsse.js';
import { digestOf } from './hash.js';
import type { ActionId, Digest } from './ids.js';
import type { PublicKey } from './keys.js';
import { answerSchema, RESULTS, type Activity, type Answer, type ResultOf } from './objects/answer.js';
import { entrySchema, type Entry } from './objects/entry.js';
import { outcomeOf, type Outcome } from './outcome.js';
import type { Json } from './json.js';

/** The entries of one action, in order: what the executor itself says happened. */
export type Receipt = readonly { readonly digest: Digest; readonly entry: Entry }[];

/** Which ledger may speak: the executor's keys and the deployment they serve. */
export interface Trust {
  readonly deployment: string;
  readonly keys: readonly PublicKey[];
}

/** True if one of the trusted keys signed it. */
export const signedByAny = (kind: 'answer' | 'entry' | 'envelope' | 'manifest', signed: Signed, keys: readonly PublicKey[]): boolean =>
  keys.some((key) => verifySigned(kind, signed, key));

/**
 * Reads an activity's answer and believes it only if the executor signed it, for this question (§7). Undefined: `receipt_invalid`, ask `report`.
 */
export function readAnswer<A extends Activity>(
  activity: A,
  actionId: ActionId | null,
  input: unknown,
  signed: Signed,
  trust: Trust,
): { readonly answer: Answer; readonly result: ResultOf<A> } | undefined {
  const answer = answerSchema.safeParse(readPayload('answer', signed));
  if (!answer.success || answer.data.activity !== activity || answer.data.actionId !== actionId) return undefined;
  if (answer.data.deployment !== trust.deployment || answer.data.asked !== digestOf(input)) return undefined;
  const result = RESULTS[activity].safeParse(answer.data.result);
  if (!result.success || !signedByAny('answer', signed, trust.keys)) return undefined;
  return { answer: answer.data, result: result.data as ResultOf<A> };
}

/**
 * Appends entries to a receipt if they are this action's and follow without a gap. Undefined otherwise.
 * With `trust` every entry's own signature is checked too; an answer's signature covers those it carries.
 */
export function extendReceipt(receipt: Receipt, actionId: ActionId, entries: readonly Signed[], trust?: Trust): Receipt | undefined {
  const grown = [...receipt];
  for (const signed of entries) {
    const entry = entrySchema.safeParse(readPayload('entry', signed));
    if (!entry.success || entry.data.actionId !== actionId || entry.data.prevOfAction !== (grown.at(-1)?.digest ?? null)) return undefined;
    if (trust !== undefined && (entry.data.deployment !== trust.deployment || !signedByAny('entry', signed, trust.keys))) return undefined;
    grown.push({ digest: digestOfSigned(signed), entry: entry.data });
  }
  return grown;
}

/** The end a receipt proves, or undefined while the ledger has not ended the action (§5). */
export function endOf(id: ActionId, receipt: Receipt): Outcome | undefined {
  const entries = receipt.map(({ entry }) => entry);
  const last = entries.findLast((entry) => entry.kind === 'ended' || entry.kind === 'closed' || entry.kind === 'denied');
  if (last === undefined) return undefined;
  const result = last.status === 'succeeded' ? resultOf(receipt) : undefined;
  return outcomeOf(id, last.status, last.reason, result === undefined ? {} : { result });
}

/** The last step's result: what `run` returned. */
function resultOf(receipt: Receipt): Json | undefined {
  return receipt.map(({ entry }) => entry).findLast((entry) => entry.kind === 'step_done')?.result;
}

/** Two values with the same canonical JSON. */
export const sameJson = (a: unknown, b: unknown): boolean => canonicalize(a) === canonicalize(b);
