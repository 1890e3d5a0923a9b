import { readPayload, signedSchema, type Signed } from '../../domain/dsse.js';
import type { ActionId } from '../../domain/ids.js';
import { envelopeSchema, type Envelope } from '../../domain/objects/envelope.js';
import { outcomeOf, type Outcome, type Status } from '../../domain/outcome.js';
import { owedBy, postReviewOf, type PostReview } from '../../domain/post-review.js';
import { endOf, extendReceipt, signedByAny, type Receipt, type Trust } from '../../domain/receipt.js';
import { executorOf, type Roster } from '../../domain/roster.js';
import type { Snapshot } from '../../domain/review/snapshot.js';
import { judgeRequest } from '../credentials/proposer.js';

/** The keys that may speak for an action: of the executor that runs its type, or, where the roster moved the type since, of the one that sealed it. */
export function trustIn(roster: Roster, type: string, snapshot: Snapshot): Trust {
  const sealer = newestEnvelope(snapshot)?.executor;
  const executor = executorOf(roster, type) ?? (sealer === undefined ? undefined : roster.executors.get(sealer));
  return { deployment: roster.deployment, keys: executor?.keys.map(({ key }) => key) ?? [] };
}

/** The keys of the executor that runs the type now. */
export const trustInType = (roster: Roster, type: string): Trust => ({
  deployment: roster.deployment,
  keys: executorOf(roster, type)?.keys.map(({ key }) => key) ?? [],
});

function newestEnvelope(snapshot: Snapshot): Envelope | undefined {
  const newest = snapshot.envelopes.at(-1);
  return newest === undefined ? undefined : envelopeSchema.safeParse(readPayload('envelope', newest)).data;
}

/** The newest revision, if the executor signed it. */
export function sealedEnvelope(snapshot: Snapshot, { keys }: Trust): Envelope | undefined {
  const newest = snapshot.envelopes.at(-1);
  return newest !== undefined && signedByAny('envelope', newest, keys) ? newestEnvelope(snapshot) : undefined;
}

/** The entries the executor signed for this action, up to the first that does not fit. */
export function provenReceipt(
  id: ActionId,
  entries: readonly Signed[],
  trust: Trust,
): { readonly receipt: Receipt; readonly whole: boolean } {
  let receipt: Receipt = [];
  for (const entry of entries) {
    const grown = extendReceipt(receipt, id, [entry], trust);
    if (grown === undefined) return { receipt, whole: false };
    receipt = grown;
  }
  return { receipt, whole: true };
}

/** Where its post-review stands, by the executor's own entries. Of most actions none is owed, which costs no second look at signatures. */
export function provenReview({ id, entries }: Pick<Snapshot, 'id' | 'entries'>, trust: Trust): PostReview {
  const claimed = extendReceipt([], id, entries);
  if (claimed !== undefined && owedBy(claimed) === undefined) return postReviewOf([]);
  return postReviewOf(provenReceipt(id, entries, trust).receipt);
}

/** The end these entries prove, if they are all the executor's and one is an end. */
export function endProvenBy(id: ActionId, entries: readonly Signed[], trust: Trust): Outcome | undefined {
  const { receipt, whole } = provenReceipt(id, entries, trust);
  return whole ? endOf(id, receipt) : undefined;
}

/**
 * The outcome that may be shown: an end only if the ledger's own entries prove it (§5), or if nothing was written because the request itself is none
 * by this roster too. Anything else that claims to be an end is `receipt_invalid`, and not final. `now` in ms.
 */
export function provenOutcome(snapshot: Snapshot, trust: Trust, roster: Roster, now: number): Outcome {
  const { id } = snapshot;
  const { receipt, whole } = provenReceipt(id, snapshot.entries, trust);
  const end = whole ? endOf(id, receipt) : undefined;
  if (end !== undefined) return end;
  if (whole && !snapshot.outcome.final) return snapshot.outcome;
  if (whole && receipt.length === 0 && snapshot.outcome.status === 'denied' && isNoRequest(snapshot.request, roster, now))
    return snapshot.outcome;
  const text = whole
    ? `its run ended as ${snapshot.outcome.status}, but no entry of the executor's ledger proves an end; propose the same again to ask the ledger`
    : 'an entry of its receipt bears no valid signature of the executor; see who else writes to the namespace';
  return outcomeOf(id, statusOf(receipt), { code: 'receipt_invalid', text });
}

/** The one end without an entry (§8): no executor runs the type, or nobody known stands behind the request. */
function isNoRequest(request: unknown, roster: Roster, now: number): boolean {
  const signed = signedSchema.safeParse(request);
  const judged = signed.success ? judgeRequest(signed.data, roster, now) : undefined;
  return judged?.ok !== true || executorOf(roster, judged.request.type) === undefined;
}

/** Where the ledger has the action, as its last entry tells. Never an end. */
function statusOf(receipt: Receipt): Status {
  for (const { entry } of [...receipt].reverse()) {
    switch (entry.kind) {
      case 'sealed':
      case 'stale':
        return 'awaiting_approval';
      case 'step_unknown':
      case 'restored':
        return 'outcome_unknown';
      case 'undo_failed':
        return 'compensation_failed';
      case 'undo_started':
      case 'undo_done':
      case 'undo_unknown':
        return 'compensating';
      case 'executing':
      case 'step_started':
      case 'step_done':
      case 'step_not_started':
      case 'step_failed':
      case 'resolved':
        return 'executing';
      case 'lodged':
      case 'denied':
      case 'closed':
      case 'ended':
      case 'reviewed':
        continue;
    }
  }
  return 'evaluating';
}
