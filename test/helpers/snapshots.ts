import { readDecision } from '../../src/domain/admit.js';
import { digestOfSigned, type Signed } from '../../src/domain/dsse.js';
import { snapshotSchema, type Snapshot } from '../../src/domain/review/snapshot.js';
import type { SealedRevision } from './messages.js';

export interface Seen {
  readonly id: string;
  readonly entries: readonly Signed[];
  readonly revisions: readonly SealedRevision[];
  readonly decisions?: readonly Signed[];
  readonly messages?: readonly Signed[];
  /** Answers of the agent, each with the digest of its question. */
  readonly replies?: readonly { readonly digest: string; readonly question: string; readonly signed: Signed }[];
  readonly request?: unknown;
}

/** What the workflow of such an action would say of itself: every modify counted, as far as evidence asks. */
export function snapshotOf({ id, entries, revisions, decisions = [], messages = [], replies = [], request }: Seen): Snapshot {
  const newest = revisions.at(-1);
  return snapshotSchema.parse({
    id,
    request: request ?? newest?.envelope.request ?? null,
    outcome: { id, status: 'executing', effect: 'in_progress', final: false, reason: { code: 'executing', text: '' }, retry: 'never' },
    entries,
    envelopes: revisions.map(({ signed }) => signed),
    revision: newest?.envelope.revision ?? 0,
    digest: newest?.digest ?? null,
    view: newest?.view ?? null,
    decisions: decisions.flatMap((signed) => {
      const read = readDecision(signed);
      if (read === undefined) return [];
      const { person, verdict, revision, issuedAt } = read.decision;
      return [{ digest: read.digest, person, verdict, revision, issuedAt, reason: null, fate: { state: 'counted' } }];
    }),
    signedDecisions: decisions,
    replies,
    messages: messages.map((signed) => ({ digest: digestOfSigned(signed), fate: { state: 'stands' } })),
    signedMessages: messages,
    awaiting: [],
    progress: { have: 0, need: 0 },
    deadline: null,
    refused: { total: 0, signatures: 0, last: null },
    receiptsInvalid: 0,
    expiring: false,
  });
}
