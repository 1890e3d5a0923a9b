import { digestOf } from '../hash.js';
import type { ActionId, Digest } from '../ids.js';
import { toMs } from '../instant.js';
import { parseCanonical } from '../json.js';
import { outcomeOf, type Outcome, STATUSES } from '../outcome.js';
import { postReviewOf, type PostReview } from '../post-review.js';
import { endOf } from '../receipt.js';
import type { Roster } from '../roster.js';
import { Agreement, type Counted } from './agreement.js';
import { Broken, demand, wordsOf } from './broken.js';
import { checkSignatures, digestIn, readChain, type Link } from './chain.js';
import { readDecisions, readMessages } from './filed.js';
import { checkMessage } from './messages.js';
import { PostReviews } from './post-review.js';
import { checkQuestions } from './questions.js';
import { replay } from './replay.js';
import { checkRequest, readRequest } from './request.js';
import { evidenceSchema, type Evidence } from './schema.js';
import { checkSeals, readSeals, type Seal } from './seals.js';

export type EvidenceVerdict =
  | {
      readonly ok: true;
      readonly actionId: ActionId;
      /** What the ledger says became of it. */
      readonly outcome: Outcome;
      /** The decisions that made it run; empty where nothing ran. */
      readonly counted: readonly Counted[];
      /** Of what ran by a break-glass rule. */
      readonly postReview: PostReview;
      /** What a reader should know although everything holds. */
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; /** Where: "decision 2", "entry 5", "file". */ readonly step: string; readonly text: string };

/**
 * Checks an evidence file offline against a roster, the one thing it trusts (§4). Structure, digests and references first, signatures last.
 * Total: never throws. Changing any byte of a good file makes it fail.
 */
export function verifyEvidence(bytes: Uint8Array, roster: Roster): EvidenceVerdict {
  try {
    return verified(bytes, roster);
  } catch (error) {
    if (error instanceof Broken) return { ok: false, step: error.step, text: error.text };
    return { ok: false, step: 'file', text: wordsOf(error) };
  }
}

function verified(bytes: Uint8Array, roster: Roster): EvidenceVerdict {
  const warnings: string[] = [];
  const warn = (text: string): void => void warnings.push(text);
  const evidence = readFile(bytes);
  demand(evidence.deployment === roster.deployment, 'file', `of deployment ${evidence.deployment}; the roster is of ${roster.deployment}`);
  demand(digestOf(evidence.annex.claimed) === evidence.annex.sha256, 'annex', 'does not fit its SHA-256');

  const links = readChain(evidence, roster);
  const seals = readSeals(evidence, links, roster);
  const decisions = readDecisions(evidence, links, seals);
  const messages = readMessages(evidence, links);
  const status = replay(links, seals, warn);

  checkSignatures(links);
  checkSeals(seals, roster, warn);
  checkDenied(evidence, links, roster, warn);
  const agreement = new Agreement(seals, decisions, roster, warn);
  const reviews = new PostReviews(messages, agreement, roster, warn);
  for (const link of links) {
    agreement.tell(link);
    reviews.tell(link);
    checkMessage(link, { messages, roster, sealed: agreement.sealed, warn });
  }
  reviews.tellOpen();
  checkQuestions(evidence, seals, roster, warn);
  switches(seals, warn);
  const outcome = endOf(evidence.actionId, links) ?? outcomeOf(evidence.actionId, status, { code: status, text: STATUSES[status].effect });
  if (!outcome.final) warn('the file holds no end: the action may have moved on since');
  return { ok: true, actionId: evidence.actionId, outcome, counted: agreement.counted, postReview: postReviewOf(links), warnings };
}

function readFile(bytes: Uint8Array): Evidence {
  demand(bytes.at(-1) === 0x0a, 'file', 'does not end with one newline');
  let value: unknown;
  try {
    value = parseCanonical(bytes.subarray(0, -1));
  } catch (error) {
    throw new Broken('file', wordsOf(error));
  }
  const read = evidenceSchema.safeParse(value);
  if (read.success) return read.data;
  const first = read.error.issues.slice(0, 1).map(({ path, message }) => `${path.join('/')} ${message}`);
  throw new Broken('file', `not evidence v1: ${first.join()}`);
}

/** Of an action denied before any seal the file holds the request itself, if the workflow knew it. */
function checkDenied(evidence: Evidence, links: readonly Link[], roster: Roster, warn: (text: string) => void): void {
  const [denied] = links.flatMap(({ entry }) => (entry.kind === 'denied' ? [entry] : []));
  const { request } = evidence;
  if (denied === undefined) return demand(request === null, 'request', 'stands here only of an action denied before any seal');
  if (request === null) return warn('entry 1: the request that was denied is not in the file');
  demand(digestIn(request, 'request') === denied.request, 'request', 'not the one entry 1 names');
  const { agent } = readRequest(request, evidence, 'request');
  checkRequest({ request, agent, standing: undefined, at: toMs(denied.at) }, roster, 'request', warn);
}

/** §6.3: switches of a development roster are printed wherever the action is. */
function switches(seals: ReadonlyMap<Digest, Seal>, warn: (text: string) => void): void {
  const guards = [...seals.values()].map(({ envelope }) => envelope.guards);
  if (guards.some(({ development }) => development)) warn('sealed under a development roster: keys of other people may have been at hand');
  if (guards.some(({ selfApproval }) => selfApproval)) warn("sealed with self-approval switched on: the agent's owner could count");
}
