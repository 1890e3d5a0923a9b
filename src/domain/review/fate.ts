import type { ErrorCode } from '../codes.js';
import type { Digest, PersonId } from '../ids.js';
import type { Instant } from '../instant.js';
import type { Verdict } from '../objects/decision.js';

/**
 * What became of a message: `waiting` to be judged or lodged · `counted` as an approval or a modify · `stands` in the ledger · `taken`, a question or
 * an answer, which is no vote · `refused`.
 * Fates only move forward, but an approval that counted can be refused later, when its author may no longer decide.
 */
export type Fate =
  | { readonly state: 'waiting' }
  | { readonly state: 'counted' }
  | { readonly state: 'stands' }
  | { readonly state: 'taken' }
  | { readonly state: 'refused'; readonly code: ErrorCode; readonly text: string };

/** One decision as surfaces show it. */
export interface DecisionState {
  readonly digest: Digest;
  readonly person: PersonId;
  /** On whose seat, where it is somebody else's. */
  readonly for?: PersonId;
  readonly verdict: Verdict;
  readonly revision: number;
  readonly issuedAt: Instant;
  readonly reason: string | null;
  readonly fate: Fate;
}
