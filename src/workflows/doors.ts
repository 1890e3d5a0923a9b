import { ApplicationFailure, defineQuery, defineSignal, defineUpdate, setHandler } from '@temporalio/workflow';
import { refuse } from '../domain/codes.js';
import { signedSchema } from '../domain/dsse.js';
import type { Digest } from '../domain/ids.js';
import type { Fate } from '../domain/review/fate.js';
import { MAX_REFUSED_SIGNALS } from '../domain/review/review.js';
import type { Snapshot } from '../domain/review/snapshot.js';
import { countDecision, countRefusal } from './meter.js';
import type { Run } from './run.js';

/** Decisions, what goes into the ledger, and answers: each has a door of its own. */
export type Door = 'decision' | 'lodge' | 'answer';

/** What the sender of a message is told at once; the fate may move on, the query tells. */
export interface MessageReceipt {
  readonly digest: Digest | null;
  readonly fate: Fate;
}

/** The human-approval signal: Temporal keeps it while no worker lives. */
export const decisionSignal = defineSignal<[unknown]>('decision');
/** The same message, answered: what the API sends first. */
export const decisionUpdate = defineUpdate<MessageReceipt, [unknown]>('decision');
/** Signed cancels and resolves on their way into the ledger. */
export const lodgeSignal = defineSignal<[unknown]>('lodge');
export const lodgeUpdate = defineUpdate<MessageReceipt, [unknown]>('lodge');
/** The agent's signed answers to reviewers' questions. */
export const answerSignal = defineSignal<[unknown]>('answer');
export const answerUpdate = defineUpdate<MessageReceipt, [unknown]>('answer');
export const actionQuery = defineQuery<Snapshot>('action');

/**
 * Opens the doors, before the first await. Signal and Update of one name are one function; handlers are synchronous and instant, validators never
 * async, and the Signal handlers never throw (§8): a wrong message must not wedge the run.
 */
export function openDoors(run: Run): void {
  const examine = (door: Door) => (raw: unknown) => {
    const signed = signedSchema.safeParse(raw);
    const refusal = !signed.success ? refuse('request_invalid', 'not a signed object') : run.examine(door, signed.data);
    // It leaves no event: here alone is it counted.
    if (refusal !== undefined) countRefusal(door, refusal.code);
    if (refusal !== undefined) throw ApplicationFailure.create({ message: refusal.text, type: refusal.code, nonRetryable: true });
  };
  const receive =
    (door: Door) =>
    (raw: unknown): MessageReceipt => {
      const signed = signedSchema.safeParse(raw);
      if (!signed.success) {
        countRefusal(door, 'request_invalid');
        return { digest: null, fate: run.noteGarbage() };
      }
      const known = run.isKnown(signed.data);
      const receipt = run.receive(door, signed.data);
      if (receipt.fate.state === 'refused' && !known) countRefusal(door, receipt.fate.code);
      else if (!known) countDecision(run, signed.data, receipt.fate, Date.now());
      return receipt;
    };
  const bySignal = (door: Door, signal: typeof decisionSignal) => (raw: unknown) => {
    try {
      receive(door)(raw);
    } catch {
      run.noteGarbage();
    }
    // Without a handler the rest of a flood is never even decoded; the Update stays open.
    if (run.review.refusedTotal >= MAX_REFUSED_SIGNALS) setHandler(signal, undefined);
  };
  setHandler(decisionUpdate, receive('decision'), {
    validator: examine('decision'),
    description:
      "A decision signed with a reviewer's own key: use keyturn approve, reject, modify, ask or withdraw. Anything unsigned is refused.",
  });
  setHandler(decisionSignal, bySignal('decision', decisionSignal), {
    description: 'The same signed decision, kept by Temporal while no worker lives. Anything unsigned counts nothing.',
  });
  setHandler(lodgeUpdate, receive('lodge'), {
    validator: examine('lodge'),
    description: 'A signed cancel or resolve: use keyturn cancel or resolve. Anything unsigned is refused.',
  });
  setHandler(lodgeSignal, bySignal('lodge', lodgeSignal), { description: 'The same signed cancel or resolve.' });
  setHandler(answerUpdate, receive('answer'), {
    validator: examine('answer'),
    description: "The agent's signed answer to a question: use keyturn answer. Anything unsigned is shown by nobody.",
  });
  setHandler(answerSignal, bySignal('answer', answerSignal), { description: 'The same signed answer.' });
  setHandler(actionQuery, () => run.snapshot(), { description: 'Status, receipt, decisions and their fates.' });
}
