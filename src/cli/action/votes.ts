import { admit, isIndependent, ringOf, voteOf } from '../../domain/admit.js';
import { digestOfSigned } from '../../domain/dsse.js';
import { floorOf } from '../../domain/floor.js';
import type { PersonId } from '../../domain/ids.js';
import { toInstant, toMs, type Instant } from '../../domain/instant.js';
import { awaitingAt, ladderOf, progress, tally } from '../../domain/tally.js';
import type { VerifiedAction } from './verified.js';

/** How far people agree, counted here from their own signatures: the API can hide a vote, not invent one. */
export interface Votes {
  readonly have: number;
  readonly need: number;
  readonly awaiting: readonly PersonId[];
  /** Rejections that stand, and whether they end the action. */
  readonly rejections: number;
  readonly rejected: boolean;
  /** Set once enough agreed. */
  readonly executeBy: Instant | undefined;
  /** Set while nothing may start yet, whoever agrees. */
  readonly notBefore: Instant | undefined;
}

/** `now` in ms; of an action that has ended, its end counts. */
export function votesOf({ resource, revisions, newest, receipt, outcome }: VerifiedAction, now: number): Votes {
  const sealed = receipt.findLast(({ entry }) => entry.kind === 'sealed')?.entry;
  if (newest === undefined || sealed?.kind !== 'sealed')
    return { have: 0, need: 0, awaiting: [], rejections: 0, rejected: false, executeBy: undefined, notBefore: undefined };
  const last = receipt.at(-1)?.entry.at;
  const at = outcome.final && last !== undefined ? toMs(last) : now;
  // What the executor dropped is only known from the API's word, which can make votes fewer, never more.
  const counting = new Set(
    resource.decisions.flatMap(({ digest, fate }) => (fate.state === 'counted' || fate.state === 'stands' ? [digest] : [])),
  );
  const ring = ringOf(sealed.people);
  const votes = resource.signedDecisions.flatMap((signed) => {
    const admission = admit(signed, revisions, ring, at);
    const counts = admission.ok && counting.has(digestOfSigned(signed));
    const vote = counts ? voteOf(admission.digest, admission.decision, isIndependent(signed, ring)) : undefined;
    return vote === undefined ? [] : [vote];
  });
  const ladder = ladderOf(newest.envelope);
  const result = tally(ladder, newest.digest, votes);
  const { quorum } = result;
  const floor = floorOf(newest.envelope);
  return {
    ...progress(ladder, result),
    awaiting: outcome.final ? [] : awaitingAt(ladder, result, at),
    rejections: result.rejections.length,
    rejected: result.rejected,
    executeBy: quorum === undefined ? undefined : toInstant(quorum.executeBy),
    notBefore: at < floor ? toInstant(floor) : undefined,
  };
}
