import { canonicalize, type Json, type JsonObject } from '../../src/domain/json.js';
import { digestOfSigned, readPayload, type Signed, type Signer } from '../../src/domain/dsse.js';
import { sha256 } from '../../src/domain/hash.js';
import { utf8 } from '../../src/domain/bytes.js';
import { actionIdOf, type ActionId, type Digest } from '../../src/domain/ids.js';
import { toInstant, toMs } from '../../src/domain/instant.js';
import { envelopeSchema, type Envelope } from '../../src/domain/objects/envelope.js';
import type { Patch } from '../../src/domain/objects/decision.js';
import type { ReviewMessage } from '../../src/domain/objects/review.js';
import type { Resolve } from '../../src/domain/objects/stop.js';
import type { ResultOf } from '../../src/domain/objects/answer.js';
import { DEPLOYMENT } from './rules-fixture.js';
import { AGENT, keyOfPerson } from './signers.js';

let made = 0;
/** A fresh nonce, the same from run to run. */
export const nonce = (): string => sha256(utf8(`nonce ${++made}`)).slice(0, 32);

/** One sealed revision as a reviewer's device holds it. */
export interface SealedRevision {
  readonly id: ActionId;
  readonly digest: Digest;
  readonly view: Digest;
  readonly envelope: Envelope;
  readonly signed: Signed;
  readonly rejections: readonly Signed[];
}

export function openSealed({ envelope: signed, digest, view, rejections }: Extract<ResultOf<'seal'>, { kind: 'sealed' }>): SealedRevision {
  const envelope = envelopeSchema.parse(readPayload('envelope', signed));
  return { id: envelope.actionId, digest, view, envelope, signed, rejections };
}

export interface Proposal {
  readonly type?: string;
  readonly params?: JsonObject;
  readonly idempotencyKey?: string;
  readonly agent?: string;
  readonly by?: Signer;
  readonly reason?: string;
  readonly context?: Json;
  readonly onBehalfOf?: string;
  readonly deployment?: string;
}

/** A signed request and the action id that follows from it. */
export function request(proposal: Proposal = {}): { readonly id: ActionId; readonly signed: Signed } {
  const {
    type = 'payments.transfer',
    params = { vendor: 'ACME', cents: 480_000 },
    idempotencyKey = `key ${++made}`,
    agent = 'ap-agent',
    by = AGENT,
    reason = 'Invoice 4711',
    deployment = DEPLOYMENT,
  } = proposal;
  const { context, onBehalfOf } = proposal;
  const body = {
    v: 1,
    deployment,
    agent,
    type,
    params,
    reason,
    idempotencyKey,
    ...(context === undefined ? {} : { context }),
    ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
  };
  return { id: actionIdOf(deployment, agent, idempotencyKey), signed: by.sign('request', body) };
}

export interface DecisionOptions {
  /** When it was made, in ms; left out: at the seal. */
  readonly at?: number;
  readonly by?: Signer;
  /** Members in place of the honest ones. */
  readonly forge?: JsonObject;
}

function decision(
  person: string,
  sealed: SealedRevision,
  what: JsonObject,
  { at = toMs(sealed.envelope.sealedAt), by = keyOfPerson(person), forge = {} }: DecisionOptions,
): Signed {
  const { envelope, digest, view } = sealed;
  const { deployment, actionId, revision } = envelope;
  return by.sign('decision', {
    v: 1,
    deployment,
    actionId,
    digest,
    revision,
    view,
    person,
    keyId: by.key.id,
    nonce: nonce(),
    issuedAt: toInstant(at),
    ...what,
    ...forge,
  });
}

export const approve = (person: string, sealed: SealedRevision, options: DecisionOptions & { readonly reason?: string } = {}): Signed =>
  decision(person, sealed, { verdict: 'approve', ...(options.reason === undefined ? {} : { reason: options.reason }) }, options);
export const reject = (person: string, sealed: SealedRevision, options: DecisionOptions & { readonly reason?: string } = {}): Signed =>
  decision(person, sealed, { verdict: 'reject', reason: options.reason ?? 'Not this vendor.' }, options);
export const modify = (person: string, sealed: SealedRevision, patch: Patch, options: DecisionOptions = {}): Signed =>
  decision(person, sealed, { verdict: 'modify', reason: 'A smaller sum.', patch }, options);
/** Takes back a decision of one's own. */
export const withdraw = (person: string, sealed: SealedRevision, earlier: Signed, options: DecisionOptions = {}): Signed =>
  decision(person, sealed, { verdict: 'withdraw', withdraws: digestOfSigned(earlier) }, options);

/** A question to the agent. */
export const ask = (person: string, sealed: SealedRevision, question = 'Which invoice?', options: DecisionOptions = {}): Signed =>
  decision(person, sealed, { verdict: 'ask', question }, options);
export interface DelegationOptions {
  readonly at: number;
  readonly until: number;
  readonly types?: readonly string[];
  readonly by?: Signer;
  readonly forge?: JsonObject;
}
/** From one person to another, signed by the first. */
export const delegation = (from: string, to: string, options: DelegationOptions): Signed =>
  (options.by ?? keyOfPerson(from)).sign('delegation', {
    v: 1,
    deployment: DEPLOYMENT,
    from,
    to,
    ...(options.types === undefined ? {} : { types: [...options.types] }),
    nonce: nonce(),
    issuedAt: toInstant(options.at),
    until: toInstant(options.until),
    ...options.forge,
  });
/** The member of a decision made for `from`. */
export const onSeatOf = (from: string, signed: Signed): JsonObject => ({ delegation: { from, signed: signed as unknown as JsonObject } });

export interface ReplyOptions {
  readonly at: number;
  readonly by?: Signer;
  readonly forge?: JsonObject;
}
/** The agent's answer to a question. */
export const reply = (actionId: ActionId, question: Signed, text: string, { at, by = AGENT, forge = {} }: ReplyOptions): Signed =>
  by.sign('reply', {
    v: 1,
    deployment: DEPLOYMENT,
    actionId,
    agent: 'ap-agent',
    question: digestOfSigned(question),
    text,
    nonce: nonce(),
    issuedAt: toInstant(at),
    ...forge,
  });

export interface StopOptions {
  readonly at: number;
  readonly by?: Signer;
}
const stop = (at: number): JsonObject => ({ v: 1, deployment: DEPLOYMENT, nonce: nonce(), issuedAt: toInstant(at) });

/** By the agent itself, unless `who` and the key say otherwise. */
export const cancel = (actionId: ActionId, { at, by = AGENT }: StopOptions, who = 'agent:ap-agent'): Signed =>
  by.sign('cancel', { ...stop(at), actionId, by: who });
export const freeze = (person: string, scope: JsonObject, { at, by = keyOfPerson(person) }: StopOptions): Signed =>
  by.sign('freeze', { ...stop(at), by: person, scope, reason: 'Something is wrong.' });
export const thaw = (person: string, frozen: Signed | Digest, { at, by = keyOfPerson(person) }: StopOptions): Signed =>
  by.sign('thaw', {
    ...stop(at),
    by: person,
    freeze: typeof frozen === 'string' ? frozen : digestOfSigned(frozen),
    reason: 'It was nothing.',
  });
export const resolve = (
  person: string,
  actionId: ActionId,
  step: number,
  verdict: Resolve['verdict'],
  { at, by = keyOfPerson(person) }: StopOptions,
): Signed => by.sign('resolve', { ...stop(at), actionId, by: person, step, verdict, reason: 'Looked at the account.' });

/** A post-review of what ran by a break-glass rule. */
export const review = (
  person: string,
  actionId: ActionId,
  { at, by = keyOfPerson(person), verdict = 'justified' }: StopOptions & { readonly verdict?: ReviewMessage['verdict'] },
): Signed => by.sign('review', { ...stop(at), actionId, by: person, verdict, reason: 'Looked at the incident.' });

/** A signature that is none: the last character of it changed. */
export function damaged(signed: Signed): Signed {
  const [signature] = signed.signatures;
  if (signature === undefined) throw new Error(`unsigned: ${canonicalize(signed)}`);
  const sig = `${signature.sig.startsWith('A') ? 'B' : 'A'}${signature.sig.slice(1)}`;
  return { ...signed, signatures: [{ ...signature, sig }] };
}
