import { digestOfSigned, type Signed, type Signer } from '../../src/domain/dsse.js';
import type { KeyRing } from '../../src/domain/admit.js';
import { ringOf } from '../../src/domain/admit.js';
import { digestOf } from '../../src/domain/hash.js';
import { actionIdOf, type Digest } from '../../src/domain/ids.js';
import { toInstant } from '../../src/domain/instant.js';
import { entrySchema, sealedPeopleSchema, type EntryBody, type SealedPeople } from '../../src/domain/objects/entry.js';
import { envelopeSchema, type Envelope } from '../../src/domain/objects/envelope.js';
import { viewDigestOf } from '../../src/domain/view/v1.js';
import { request, type SealedRevision } from './messages.js';
import { DEPLOYMENT, PEOPLE } from './rules-fixture.js';
import { EXECUTOR, keyOfPerson } from './signers.js';

/** When everything in these fixtures begins. */
export const OPENED = Date.UTC(2026, 0, 31, 9);
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const LEDGER = '0123456789abcdef0123456789abcdef';
const NO_DIGEST = '0'.repeat(64);

export type EnvelopeChanges = { readonly [F in keyof Envelope]?: unknown };

/** An envelope made by hand, two of finance within a day: the same object from run to run. Dates in ms are not taken: give instants. */
export function envelope(changes: EnvelopeChanges = {}): Envelope {
  const { signed } = request({ idempotencyKey: 'key 1' });
  return envelopeSchema.parse({
    v: 1,
    deployment: DEPLOYMENT,
    actionId: actionIdOf(DEPLOYMENT, 'ap-agent', 'key 1'),
    ledger: LEDGER,
    epoch: 1,
    executor: 'bank',
    nonce: 'f'.repeat(32),
    revision: 1,
    parent: null,
    request: signed,
    standing: 'signed',
    agent: 'ap-agent',
    owner: 'dana',
    onBehalfOf: null,
    contributors: [],
    type: { name: 'payments.transfer', version: '1', schema: NO_DIGEST },
    params: { vendor: 'ACME', cents: 480_000 },
    previousParams: null,
    summary: 'Pay ACME EUR 4800.00',
    preview: {
      changes: [{ what: 'balance', to: '+480000 cents' }],
      touches: ['ACME'],
      warnings: [],
      undo: [{ step: 'run', plan: { undo: 'automatic' } }],
    },
    risk: 'low',
    reasons: ['It can be undone automatically.'],
    policy: { version: 1, digest: NO_DIGEST },
    roster: { version: 1, digest: NO_DIGEST },
    rule: { effect: 'hold', name: 'vendor payments', because: 'Money leaves the company.' },
    stages: [{ name: 'finance', from: ['ana', 'ben', 'cleo'], quorum: 2, remind: [], escalate: [] }],
    budget: [],
    rejections: 1,
    resolve: { people: ['eva'], quorum: 1 },
    exclusions: [{ person: 'dana', why: 'owner' }],
    openedAt: toInstant(OPENED),
    sealedAt: toInstant(OPENED),
    approveBy: toInstant(OPENED + 24 * HOUR),
    executeWithin: 30 * MINUTE,
    guards: { development: false, selfApproval: false, request: 'any', minTime: 0, independent: 0, confirmField: null },
    earlier: [],
    view: 1,
    webauthn: { rpId: 'localhost', origins: ['http://localhost:7878'] },
    ...changes,
  });
}

/** The envelope signed by the executor, as a device or a workflow gets it. */
export function seal(changes: EnvelopeChanges = {}): SealedRevision {
  const sealed = envelope(changes);
  const signed = EXECUTOR.sign('envelope', sealed);
  return { id: sealed.actionId, digest: digestOfSigned(signed), view: viewDigestOf(sealed), envelope: sealed, signed, rejections: [] };
}

/** The revision after `parent`, as a modify by `editor` makes it. */
export function sealAfter(parent: SealedRevision, editor: string | undefined, changes: EnvelopeChanges = {}): SealedRevision {
  const { params, revision, contributors, exclusions } = parent.envelope;
  return seal({
    ...parent.envelope,
    nonce: digestOf([parent.digest, changes]).slice(0, 32),
    revision: revision + 1,
    parent: parent.digest,
    previousParams: params,
    contributors: editor === undefined ? contributors : [...contributors, editor],
    exclusions: editor === undefined ? exclusions : [...exclusions, { person: editor, why: 'editor' }],
    ...changes,
  });
}

/** Their keys as a `sealed` entry names them; further keys by person. */
export const sealedPeople = (people: readonly string[] = PEOPLE, more: Readonly<Record<string, readonly string[]>> = {}): SealedPeople =>
  sealedPeopleSchema.parse(
    people.map((person) => ({ person, keys: [keyOfPerson(person).key.text, ...(more[person] ?? [])].map((key) => ({ key })) })),
  );
export const ring = (people: readonly string[] = PEOPLE): KeyRing => ringOf(sealedPeople(people));

/** A ledger of one action, written by hand: whatever is appended is signed and linked, sense or not. */
export class HandLedger {
  readonly entries: Signed[] = [];
  private head: Digest | null = null;

  constructor(
    private readonly actionId: string,
    private readonly signer: Signer = EXECUTOR,
  ) {}

  /** `at` in ms. `forge` replaces members of the entry. */
  append(body: DistributiveOmit<EntryBody, 'actionId'>, at: number, forge: Readonly<Record<string, unknown>> = {}): Digest {
    const seq = this.entries.length + 1;
    const entry = entrySchema.parse({
      ...body,
      v: 1,
      deployment: DEPLOYMENT,
      actionId: this.actionId,
      ledger: LEDGER,
      epoch: 1,
      seq,
      prev: this.head,
      prevOfAction: this.head,
      at: toInstant(at),
      ...forge,
    });
    const signed = this.signer.sign('entry', entry);
    this.entries.push(signed);
    this.head = digestOfSigned(signed);
    return this.head;
  }

  sealed(revision: SealedRevision, cause: 'request' | 'modify' | 'reseal', at: number, people: SealedPeople = sealedPeople()): void {
    const { digest, view, envelope: sealed } = revision;
    this.append({ kind: 'sealed', digest, revision: sealed.revision, view, cause, people }, at);
  }
  /** Consumption, the one step `run` done, and the end. `postReview`: what it owes from its start on. */
  ran(revision: SealedRevision, decisions: readonly Digest[], at: number, postReview?: OwedReview): void {
    const owes = postReview === undefined ? {} : { postReview };
    this.append({ kind: 'executing', digest: revision.digest, decisions: [...decisions], ...owes }, at);
    this.append({ kind: 'step_started', step: 1, attempt: 1, key: `${this.actionId}/run/run/1` }, at);
    this.append({ kind: 'step_done', step: 1, attempt: 1, result: null }, at + 1_000);
    this.append({ kind: 'ended', status: 'succeeded', reason: { code: 'succeeded', text: 'It ran.' } }, at + 1_000);
  }
}
export type OwedReview = NonNullable<Extract<EntryBody, { kind: 'executing' }>['postReview']>;
type DistributiveOmit<T, K extends string> = T extends unknown ? Omit<T, K> : never;
