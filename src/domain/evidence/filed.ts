import { readDecision } from '../admit.js';
import { fromBase64Url } from '../bytes.js';
import { keyIdOfSigned, type Signed } from '../dsse.js';
import type { Digest } from '../ids.js';
import { demand } from './broken.js';
import { digestIn, type Link } from './chain.js';
import type { Evidence } from './schema.js';
import type { Seal } from './seals.js';

/** Signed objects of the file by digest, each with the words a reader finds it by. */
export type Filed = ReadonlyMap<Digest, { readonly signed: Signed; readonly step: string }>;

/** Sorted and each once: one file has one order. Throws `Broken`. */
function filed(what: string, objects: readonly Signed[]): Filed {
  const found = new Map<Digest, { signed: Signed; step: string }>();
  let last = '';
  for (const [i, signed] of objects.entries()) {
    const step = `${what} ${i + 1}`;
    const digest = digestIn(signed, step);
    demand(digest > last, step, 'not in the order of digests, or there twice');
    const [signature] = signed.signatures;
    demand(signature !== undefined && isBase64Url(signature.sig), step, 'its signature is not unpadded base64url');
    last = digest;
    found.set(digest, { signed, step });
  }
  return found;
}

function isBase64Url(text: string): boolean {
  try {
    return fromBase64Url(text).length > 0;
  } catch {
    return false;
  }
}

/** The decisions, each one that an entry names or that a revision came from. Throws `Broken`. */
export function readDecisions(evidence: Evidence, links: readonly Link[], seals: ReadonlyMap<Digest, Seal>): Filed {
  const decisions = filed('decision', evidence.decisions);
  const named = new Set<Digest>(
    links.flatMap(({ entry }) => {
      if (entry.kind === 'executing') return entry.decisions;
      return entry.kind === 'lodged' && entry.digest !== null && !isMessage(entry.object) ? [entry.digest] : [];
    }),
  );
  const modified = new Set<Digest | null | undefined>(
    links.flatMap(({ entry }) => (entry.kind === 'sealed' && entry.cause === 'modify' ? [seals.get(entry.digest)?.envelope.parent] : [])),
  );
  for (const [digest, { signed, step }] of decisions) {
    const read = readDecision(signed);
    demand(read !== undefined, step, 'not a decision: see the schema of decision v1');
    demand(read.decision.keyId === keyIdOfSigned(signed), step, 'signed with another key than it names');
    const makesRevision = read.decision.verdict === 'modify' && modified.has(read.decision.digest);
    demand(named.has(digest) || makesRevision, step, 'no entry of the executor names it');
  }
  return decisions;
}

/** What is lodged and is no decision. */
const isMessage = (object: string): boolean => object === 'cancel' || object === 'review';

/** The cancels, resolves and reviews, each one that an entry names. Throws `Broken`. */
export function readMessages(evidence: Evidence, links: readonly Link[]): Filed {
  const messages = filed('message', evidence.messages);
  const named = new Set<Digest>(
    links.flatMap(({ entry }) => {
      if (entry.kind === 'resolved' || entry.kind === 'reviewed') return entry.digests;
      return entry.kind === 'lodged' && isMessage(entry.object) && entry.digest !== null ? [entry.digest] : [];
    }),
  );
  for (const [digest, { step }] of messages) demand(named.has(digest), step, 'no entry of the executor names it');
  return messages;
}
