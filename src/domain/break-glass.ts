import { refuse, type Refusal } from './codes.js';
import type { PersonId } from './ids.js';
import type { Decision } from './objects/decision.js';
import type { Envelope } from './objects/envelope.js';

/** A break-glass rule is for what cannot wait: what does not start within this time (ms) could have. */
export const MAX_EXECUTE_WITHIN_MS = 15 * 60_000;

/** Who looks at it afterwards, how many of them, and within which time from its start, in ms. */
export type BreakGlass = NonNullable<Envelope['breakGlass']>;

/** §6.10: who lets a break-glass action run says why. One function for API, workflow and executor. Undefined: nothing is missing. */
export function reasonMissing({ breakGlass }: Envelope, decision: Decision): Refusal | undefined {
  if (breakGlass === undefined || decision.verdict !== 'approve' || (decision.reason ?? '').trim() !== '') return undefined;
  return refuse('guard_unmet', 'a break-glass action is approved with a reason: say why it cannot wait');
}

/** The present rule asks for a post-review the sealed one does not ask for, or for more of it: people were shown less (§6.9). */
export const isStricter = (present: BreakGlass | undefined, sealed: BreakGlass | undefined): boolean =>
  present !== undefined && (sealed === undefined || present.quorum > sealed.quorum || present.reviewWithin < sealed.reviewWithin);

/** Those of the sealed list who may still review: nobody who let it run, changed it, asked for it or owns its agent, now or then. */
export function reviewersOf(envelope: Envelope, breakGlass: BreakGlass, approvers: readonly PersonId[], owner: PersonId): PersonId[] {
  const { onBehalfOf, contributors } = envelope;
  const out = new Set<PersonId | null>([envelope.owner, owner, onBehalfOf, ...contributors, ...approvers]);
  return breakGlass.people.filter((person) => !out.has(person));
}
