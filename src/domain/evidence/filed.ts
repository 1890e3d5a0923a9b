import { readDecision } from '../admit.js';
import { readDelegation } from '../delegation.js';
import { keyIdOfSigned, type Signed } from '../dsse.js';
import type { Digest } from '../ids.js';
import type { Decision } from '../objects/decision.js';
import type { Delegation } from '../objects/delegation.js';
import { demand } from './broken.js';
import { bytesIn, digestIn, type Link } from './chain.js';
import type { Evidence } from './schema.js';
import type { Seal } from './seals.js';

/** A signed object of the file, with the words a reader finds it by. */
interface FiledObject {
  readonly signed: Signed;
  readonly step: string;
}
/** A decision of the file, and the delegation it holds, if any, before anything of either is believed. */
export interface FiledDecision extends FiledObject {
  readonly decision: Decision;
  readonly mandate: (Delegation & { readonly signed: Signed }) | undefined;
}
/** Signed objects of the file by digest. */
export type Filed<T = FiledObject> = ReadonlyMap<Digest | null, T>;

const NO_SIGNATURE = 'its signature is not unpadded base64url';

/** Sorted and each once: one file has one order. Throws `Broken`. */
function filed(what: string, objects: readonly Signed[]): Map<Digest, FiledObject> {
  const found = new Map<Digest, FiledObject>();
  let last = '';
  for (const [i, signed] of objects.entries()) {
    const step = `${what} ${i + 1}`;
    const digest = digestIn(signed, step);
    demand(digest > last, step, 'not in the order of digests, or there twice');
    for (const { sig } of signed.signatures) demand(bytesIn(sig, step, NO_SIGNATURE).length > 0, step, NO_SIGNATURE);
    last = digest;
    found.set(digest, { signed, step });
  }
  return found;
}

/** The decisions, each one that an entry names or that a revision came from. Throws `Broken`. */
export function readDecisions(evidence: Evidence, links: readonly Link[], seals: ReadonlyMap<Digest, Seal>): Filed<FiledDecision> {
  const named = new Set<Digest | null>();
  const modified = new Set<Digest | null | undefined>();
  for (const { entry } of links)
    switch (entry.kind) {
      case 'executing':
        for (const digest of entry.decisions) named.add(digest);
        break;
      case 'lodged':
        if (!isMessage(entry.object)) named.add(entry.digest);
        break;
      case 'sealed':
        if (entry.cause === 'modify') modified.add(seals.get(entry.digest)?.envelope.parent);
        break;
      default:
      // Nothing else names a decision.
    }
  const decisions = new Map<Digest, FiledDecision>();
  for (const [digest, { signed, step }] of filed('decision', evidence.decisions)) {
    const read = readDecision(signed);
    demand(read !== undefined, step, 'not a decision: see the schema of decision v1');
    const { decision } = read;
    demand(decision.keyId === keyIdOfSigned(signed), step, 'signed with another key than it names');
    const makesRevision = decision.verdict === 'modify' && modified.has(decision.digest);
    demand(named.has(digest) || makesRevision, step, 'no entry of the executor names it');
    decisions.set(digest, { signed, step, decision, mandate: decision.delegation && mandateIn(decision.delegation.signed, step) });
  }
  return decisions;
}

function mandateIn(signed: Signed, step: string): FiledDecision['mandate'] {
  const delegation = readDelegation(signed);
  demand(delegation !== undefined, step, 'its delegation is none: see the schema of delegation v1');
  return { ...delegation, signed };
}

/** What is lodged and is no decision. */
const isMessage = (object: string): boolean => object === 'cancel' || object === 'review';

/** The cancels, resolves and reviews, each one that an entry names: a review where it is lodged. Throws `Broken`. */
export function readMessages(evidence: Evidence, links: readonly Link[]): Filed {
  const named = new Set<Digest | null>();
  for (const { entry } of links)
    switch (entry.kind) {
      case 'resolved':
        for (const digest of entry.digests) named.add(digest);
        break;
      case 'lodged':
        if (isMessage(entry.object)) named.add(entry.digest);
        break;
      default:
      // Nothing else names a message.
    }
  const messages = filed('message', evidence.messages);
  for (const [digest, { step }] of messages) demand(named.has(digest), step, 'no entry of the executor names it');
  return messages;
}
