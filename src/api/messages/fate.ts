import { admit, ringOf, type Sealed } from '../../domain/admit.js';
import { refuse } from '../../domain/codes.js';
import { digestOfSigned, PAYLOAD_TYPES, readPayload, type Signed } from '../../domain/dsse.js';
import type { Digest } from '../../domain/ids.js';
import { entrySchema, type Entry } from '../../domain/objects/entry.js';
import { envelopeSchema } from '../../domain/objects/envelope.js';
import type { Fate } from '../../domain/review/fate.js';
import { MAX_REFUSED_SIGNALS } from '../../domain/review/review.js';
import type { Snapshot } from '../../domain/review/snapshot.js';

/** What the workflow says became of a message; undefined: it holds none of this digest. */
export function fateIn(snapshot: Snapshot, digest: Digest): Fate | undefined {
  if (snapshot.replies.some((each) => each.digest === digest)) return { state: 'taken' };
  return [...snapshot.decisions, ...snapshot.messages].find((each) => each.digest === digest)?.fate;
}

/**
 * The fate of a message that Temporal recorded as a signal and the workflow does not hold: it was refused, and a refused one is not kept. Judged
 * again here, by the same pure function, to say why. `now` in ms.
 */
export function whyNotHeld(signed: Signed, snapshot: Snapshot, now: number): Fate {
  if (snapshot.refused.total >= MAX_REFUSED_SIGNALS)
    return refused('rate_limited', 'this action refused too many signals to take any more: send it again to the API');
  if (signed.payloadType !== PAYLOAD_TYPES.decision) return refused('request_invalid', 'the action did not take it');
  const admission = admit(signed, revisionsOf(snapshot), peopleOf(snapshot), now);
  if (!admission.ok) return refused(admission.refusal.code, admission.refusal.text);
  if (snapshot.outcome.final) return refused('action_ended', `the action is ${snapshot.outcome.status}`);
  return admission.decision.verdict === 'ask' ? refused('rate_limited', 'this action takes no more questions') : refused('seat_taken');
}

function refused(code: Parameters<typeof refuse>[0], text?: string): Fate {
  return { state: 'refused', ...refuse(code, text) };
}

function revisionsOf(snapshot: Snapshot): Sealed[] {
  const seals = entriesOf(snapshot);
  return snapshot.envelopes.flatMap((signed) => {
    const envelope = envelopeSchema.safeParse(readPayload('envelope', signed));
    const digest = digestOfSigned(signed);
    const view = seals.find((seal) => seal.digest === digest)?.view;
    return envelope.success && view !== undefined ? [{ envelope: envelope.data, digest, view }] : [];
  });
}

function peopleOf(snapshot: Snapshot): ReturnType<typeof ringOf> {
  try {
    return ringOf(entriesOf(snapshot).find((seal) => seal.digest === snapshot.digest)?.people ?? []);
  } catch {
    return new Map();
  }
}

function entriesOf(snapshot: Snapshot): Extract<Entry, { kind: 'sealed' }>[] {
  return snapshot.entries.flatMap((signed) => {
    const entry = entrySchema.safeParse(readPayload('entry', signed));
    return entry.success && entry.data.kind === 'sealed' ? [entry.data] : [];
  });
}
