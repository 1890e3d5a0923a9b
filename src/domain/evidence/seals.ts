import { readPayload, verifySigned, type Signed } from '../dsse.js';
import { sha256 } from '../hash.js';
import { utf8 } from '../bytes.js';
import type { Digest } from '../ids.js';
import { toMs } from '../instant.js';
import { canonicalize, type Json } from '../json.js';
import type { PublicKey } from '../keys.js';
import { envelopeSchema, type Envelope } from '../objects/envelope.js';
import { sameJson } from '../receipt.js';
import { latestApproval } from '../tally.js';
import type { Roster } from '../roster.js';
import { viewV1 } from '../view/v1.js';
import { demand } from './broken.js';
import { digestIn, executorKeyOf, type Link } from './chain.js';
import { askedOf, checkRequest, readRequest } from './request.js';
import type { Evidence } from './schema.js';

type Sealed = Extract<Link['entry'], { kind: 'sealed' }>;

/** One revision: its envelope, and the entry that names it. */
export interface Seal {
  readonly step: string;
  readonly digest: Digest;
  readonly view: Digest;
  readonly envelope: Envelope;
  readonly signed: Signed;
  readonly key: PublicKey;
}

/**
 * The envelopes in the file: each named by its `sealed` entry, in the order of revisions, each following its parent, each with its view.
 * Signatures come later. Throws `Broken`.
 */
export function readSeals(evidence: Evidence, links: readonly Link[], roster: Roster): Map<Digest, Seal> {
  demand(evidence.views.length === evidence.envelopes.length, 'file', 'as many views as envelopes are expected');
  const sealed = new Map<Digest, { readonly link: Link; readonly entry: Sealed }>();
  for (const link of links) if (link.entry.kind === 'sealed') sealed.set(link.entry.digest, { link, entry: link.entry });
  const seals = new Map<Digest, Seal>();
  let revision = 0;
  for (const [i, signed] of evidence.envelopes.entries()) {
    const step = `envelope ${i + 1}`;
    const digest = digestIn(signed, step);
    const named = sealed.get(digest);
    demand(named !== undefined, step, 'no entry of the executor names these bytes');
    const { link, entry } = named;
    const read = envelopeSchema.safeParse(readPayload('envelope', signed));
    demand(read.success, step, 'not an envelope: see the schema of envelope v1');
    const envelope = read.data;
    demand(envelope.revision > revision, step, 'not in the order of revisions');
    revision = envelope.revision;
    agrees(envelope, link, entry, step);
    const executor = executorKeyOf(signed, roster, toMs(envelope.sealedAt), step);
    demand(executor.name === envelope.executor && executor.name === link.executor, step, 'signed by another executor than it names');
    const previous = [...seals.values()].find((seal) => seal.digest === envelope.parent);
    if (previous !== undefined) descends(envelope, previous.envelope, step);
    readRequest(envelope.request, evidence, step, envelope);
    demand(envelope.guards.request === 'any' || envelope.standing === 'signed', step, 'the rule takes only signed requests');
    const [first = { envelope }] = seals.values();
    demand(sameJson(envelope.request, first.envelope.request), step, 'of another request than the revision before it');
    checkView(evidence.views[i], envelope, entry.view, `view ${i + 1}`);
    seals.set(digest, { step, digest, view: entry.view, envelope, signed, key: executor.key });
  }
  return seals;
}

function agrees(envelope: Envelope, link: Link, entry: Sealed, step: string): void {
  const same = (['deployment', 'actionId', 'ledger', 'epoch', 'revision'] as const).every((field) => envelope[field] === entry[field]);
  demand(same, step, `disagrees with ${link.step}, which names it`);
}

/** A revision changes parameters, preview and people; never the clocks' start, never to more time (§6.8). */
function descends(envelope: Envelope, parent: Envelope, step: string): void {
  demand(envelope.revision === parent.revision + 1, step, 'its parent is not the revision before it');
  demand(sameJson(envelope.previousParams, parent.params), step, "shows other earlier parameters than its parent's");
  demand(
    envelope.openedAt === parent.openedAt && toMs(envelope.approveBy) <= latestApproval(parent),
    step,
    'moves the clocks of its parent',
  );
  demand(
    parent.contributors.every((person) => envelope.contributors.includes(person)),
    step,
    'forgets who modified an earlier revision',
  );
}

function checkView(view: Json | undefined, envelope: Envelope, digest: Digest, step: string): void {
  const shown = canonicalize(viewV1(envelope));
  demand(canonicalize(view ?? null) === shown, step, 'not what this envelope shows');
  demand(sha256(utf8(shown)) === digest, step, 'not the view the executor sealed');
}

/** Signatures: of the executor over each envelope, and of the agent or the API over the request inside. Throws `Broken`. */
export function checkSeals(seals: ReadonlyMap<Digest, Seal>, roster: Roster, warn: (text: string) => void): void {
  for (const { signed, key, step } of seals.values())
    demand(verifySigned('envelope', signed, key), step, 'its signature is not by the executor over these bytes');
  const [first] = seals.values();
  // All revisions hold the same request.
  if (first !== undefined) checkRequest(askedOf(first.envelope), roster, first.step, warn);
}
