import type { Signed } from '../dsse.js';
import type { Digest, PersonId } from '../ids.js';
import type { Decision } from '../objects/decision.js';
import type { DecisionState, Fate } from './fate.js';

/** More than people ever send; what would come after is refused. */
const MAX_KEPT = 300;

export interface KeptDecision {
  readonly signed: Signed;
  readonly decision: Decision;
  fate: Fate;
}
export interface Next {
  readonly digest: Digest;
  readonly signed: Signed;
}

/** Every decision an action has had, each once, with what became of it, in order of arrival; questions are among them. */
export class KeptDecisions {
  private readonly kept = new Map<Digest, KeptDecision>();

  get(digest: Digest): KeptDecision | undefined {
    return this.kept.get(digest);
  }
  get isFull(): boolean {
    return this.kept.size >= MAX_KEPT;
  }
  add(digest: Digest, signed: Signed, decision: Decision): KeptDecision {
    const kept: KeptDecision = { signed, decision, fate: { state: 'waiting' } };
    this.kept.set(digest, kept);
    return kept;
  }
  forget(digest: Digest): void {
    this.kept.delete(digest);
  }
  all(): IterableIterator<[Digest, KeptDecision]> {
    return this.kept.entries();
  }

  /** The first that waits, is wanted and stands not among `except`. */
  nextWaiting(wanted: (decision: Decision) => boolean, except: readonly Digest[]): Next | undefined {
    for (const [digest, { signed, decision, fate }] of this.kept)
      if (fate.state === 'waiting' && !except.includes(digest) && wanted(decision)) return { digest, signed };
    return undefined;
  }

  /** Digests of the questions that were taken: no votes, and no clock stops for them (§6.7). */
  questions(): ReadonlySet<Digest> {
    return new Set([...this.kept].flatMap(([digest, { fate }]) => (fate.state === 'taken' ? [digest] : [])));
  }
  /** Who asked it. */
  askerOf(question: Digest): PersonId | undefined {
    return this.kept.get(question)?.decision.person;
  }

  /** As surfaces show them. */
  states(): DecisionState[] {
    return [...this.kept].map(([digest, { decision, fate }]) => ({
      digest,
      person: decision.person,
      ...(decision.delegation === undefined ? {} : { for: decision.delegation.from }),
      verdict: decision.verdict,
      revision: decision.revision,
      issuedAt: decision.issuedAt,
      reason: 'reason' in decision ? (decision.reason ?? null) : null,
      fate,
    }));
  }
  signed(): Signed[] {
    return [...this.kept.values()].map(({ signed }) => signed);
  }
}
