import { readDecision } from '../admit.js';
import type { Question } from '../dialogue.js';
import { utf8 } from '../bytes.js';
import { digestOfSigned, readPayload, signedSchema, type Signed } from '../dsse.js';
import { digestOf } from '../hash.js';
import type { Digest } from '../ids.js';
import { canonicalize, type Json } from '../json.js';
import type { Decision } from '../objects/decision.js';
import { entrySchema, type Entry } from '../objects/entry.js';
import { envelopeSchema, type Envelope } from '../objects/envelope.js';
import type { Snapshot } from '../review/snapshot.js';
import { viewV1 } from '../view/v1.js';
import type { Claimed, Evidence } from './schema.js';

interface Revision {
  readonly signed: Signed;
  readonly digest: Digest;
  readonly envelope: Envelope;
}

/**
 * The evidence file of an action, from what its workflow says of itself: canonical JSON and a newline. Nothing is believed here; `verifyEvidence` tells
 * what it is worth. `questions` are those a roster proves: one that it does not would spoil the file. Throws where the snapshot holds envelopes or entries of another form than v1, or no entries.
 */
export function buildEvidence(snapshot: Snapshot, questions: readonly Question[] = []): Uint8Array {
  const entries = snapshot.entries.map((signed) => entrySchema.parse(readPayload('entry', signed)));
  const [first] = entries;
  if (first === undefined) throw new RangeError('no entries: the ledger says nothing of this action yet');
  const revisions = revisionsOf(snapshot, entries);
  const named = namedBy(entries, revisions, snapshot);
  const sorted = byDigest(snapshot.signedDecisions, digestOfSigned);
  const asked = new Set(questions.map(({ digest }) => digest));
  const claimed: Claimed = {
    status: snapshot.outcome.status,
    decisions: snapshot.decisions,
    otherDecisions: sorted.filter(([digest]) => !named.has(digest) && !asked.has(digest)).map(([, signed]) => signed),
    messages: snapshot.messages,
    refused: snapshot.refused,
    receiptsInvalid: snapshot.receiptsInvalid,
  };
  const evidence: Evidence = {
    v: 1,
    deployment: first.deployment,
    actionId: snapshot.id,
    request: first.kind === 'denied' ? requestOf(snapshot, first.request) : null,
    envelopes: revisions.map(({ signed }) => signed),
    views: revisions.map(({ envelope }) => viewV1(envelope) as unknown as Json),
    decisions: sorted.filter(([digest]) => named.has(digest)).map(([, signed]) => signed),
    messages: byDigest(snapshot.signedMessages ?? [], digestOfSigned)
      .filter(([digest]) => named.has(digest))
      .map(([, signed]) => signed),
    questions: byDigest(questions, ({ digest }) => digest).map(([, { ask, answer }]) => ({ ask, answer: answer?.reply ?? null })),
    entries: snapshot.entries,
    annex: { claimed, sha256: digestOf(claimed) },
  };
  return utf8(`${canonicalize(evidence)}\n`);
}

/** The revisions that an entry names, oldest first. A run that was reset knows the newest only. */
function revisionsOf(snapshot: Snapshot, entries: readonly Entry[]): Revision[] {
  const known = snapshot.envelopes.map((signed) => ({
    signed,
    digest: digestOfSigned(signed),
    envelope: envelopeSchema.parse(readPayload('envelope', signed)),
  }));
  return entries.flatMap((entry) => known.find(({ digest }) => entry.kind === 'sealed' && entry.digest === digest) ?? []);
}

/**
 * Digests of what belongs beside the entries: named by one of them while the envelope then under review is in the file, or the modify a revision
 * came from. The rest is claimed.
 */
function namedBy(entries: readonly Entry[], revisions: readonly Revision[], snapshot: Snapshot): ReadonlySet<Digest | null> {
  const inFile = new Set<Digest | undefined>(revisions.map(({ digest }) => digest));
  const decisions = new Map<Digest | null, Decision | undefined>(
    snapshot.signedDecisions.map((signed) => [digestOfSigned(signed), readDecision(signed)?.decision]),
  );
  const named = new Set<Digest | null>();
  let newest: Digest | undefined;
  for (const entry of entries) {
    const parent = newest;
    if (entry.kind === 'sealed') newest = entry.digest;
    if (!inFile.has(newest)) continue;
    switch (entry.kind) {
      case 'executing':
        for (const digest of entry.decisions) named.add(digest);
        break;
      case 'resolved':
        for (const digest of entry.digests) named.add(digest);
        break;
      case 'lodged': {
        const about = decisions.get(entry.digest)?.digest;
        if (about === undefined || inFile.has(about)) named.add(entry.digest);
        break;
      }
      case 'sealed': {
        if (entry.cause !== 'modify' || !inFile.has(parent)) break;
        const counted = snapshot.decisions.filter(({ verdict, fate }) => verdict === 'modify' && fate.state === 'counted');
        const made = counted.find(({ digest }) => decisions.get(digest)?.digest === parent);
        if (made !== undefined) named.add(made.digest);
        break;
      }
      default:
      // Nothing else names anything.
    }
  }
  return named;
}

function requestOf(snapshot: Snapshot, digest: Digest): Signed | null {
  const request = signedSchema.safeParse(snapshot.request);
  return request.success && digestOfSigned(request.data) === digest ? request.data : null;
}

/** Sorted, each once. */
const byDigest = <T>(objects: readonly T[], digest: (object: T) => Digest): [Digest, T][] =>
  [...new Map(objects.map((object): [Digest, T] => [digest(object), object]))].sort(([a], [b]) => (a < b ? -1 : 1));
