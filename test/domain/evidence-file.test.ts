import { describe, expect, test } from '@jest/globals';
import { fromUtf8, utf8 } from '../../src/domain/bytes.js';
import { digestOfSigned, type Signed } from '../../src/domain/dsse.js';
import { wordsOf } from '../../src/domain/evidence/broken.js';
import { evidenceSchema, type Evidence } from '../../src/domain/evidence/schema.js';
import { verifyEvidence } from '../../src/domain/evidence/verify.js';
import { digestOf } from '../../src/domain/hash.js';
import { actionIdSchema } from '../../src/domain/ids.js';
import { toInstant } from '../../src/domain/instant.js';
import { canonicalize, parseStrict } from '../../src/domain/json.js';
import { envelopeSchema } from '../../src/domain/objects/envelope.js';
import { byDigest, fileOf, OPEN, told, type Parts } from '../helpers/evidence-file.js';
import { readersRoster } from '../helpers/flips.js';
import { envelope, HandLedger, HOUR, MINUTE, OPENED, seal, sealAfter, type EnvelopeChanges } from '../helpers/hand-made.js';
import { approve, ask, cancel, damaged, modify, reject, request, resolve, type SealedRevision } from '../helpers/messages.js';
import { usualAgents, type RosterOptions } from '../helpers/rules-fixture.js';
import { AGENT, API, EXECUTOR, keyOfPerson, signerOf } from '../helpers/signers.js';

const SEALED = seal();
const { id } = SEALED;
const at = OPENED + MINUTE;
const votes = byDigest(['ana', 'ben'].map((person) => approve(person, SEALED, { at })));
const SHOP = signerOf('executor:shop');
const WITH_SHOP: RosterOptions = { more: `  shop: { runs: [shop.order], keys: ['${SHOP.key.text}'] }\n` };
const withSig = (signed: Signed, changes: Partial<Signed['signatures'][number]>): Signed => ({
  ...signed,
  signatures: signed.signatures.map((each) => ({ ...each, ...changes })),
});
const garbled = (signed: Signed): Signed => ({ ...signed, payload: 'A' });

/** Of an action that two let run. */
function honest(): Evidence {
  const ledger = new HandLedger(id);
  ledger.sealed(SEALED, 'request', OPENED);
  ledger.ran(SEALED, votes.map(digestOfSigned), at);
  return evidenceSchema.parse(parseStrict(fromUtf8(fileOf({ id, entries: ledger.entries, revisions: [SEALED], decisions: votes }))));
}
const HONEST = honest();
/** The same, with members changed by somebody who can do everything but sign. */
const changed = (change: Partial<Evidence>, roster?: RosterOptions): readonly string[] =>
  told(utf8(`${canonicalize({ ...HONEST, ...change })}\n`), roster);
/** With one of the entries, from 1, changed. */
const entry = (n: number, change: (signed: Signed) => Signed): Partial<Evidence> => ({
  entries: HONEST.entries.map((each, i) => (i === n - 1 ? change(each) : each)),
});

test('the honest file holds, and says nothing more', () => {
  expect(changed({})).toEqual([]);
});

describe('the bytes', () => {
  const written = (value: unknown): Uint8Array => utf8(`${canonicalize(value)}\n`);
  test.each<[string, Uint8Array, string]>([
    ['no bytes', new Uint8Array(), 'does not end with one newline'],
    ['bytes that are no text', Uint8Array.of(0x22, 0xff, 0x22, 0x0a), 'not UTF-8'],
    ['no JSON', utf8('nothing\n'), 'a value expected at character 1'],
    ['another version', written({ ...HONEST, v: 2 }), 'not evidence v1: v Invalid input: expected 1'],
    [
      'members too many, in a part and in the whole',
      written({ ...HONEST, note: 1, annex: { ...HONEST.annex, note: 1 } }),
      'not evidence v1: annex Unrecognized key: "note"',
    ],
    [
      'what is no list, deep inside',
      written({ ...HONEST, annex: { ...HONEST.annex, claimed: { ...HONEST.annex.claimed, messages: 1 } } }),
      'not evidence v1: annex/claimed/messages Invalid input: expected array, received number',
    ],
  ])('attack: %s', (_name, bytes, words) => {
    expect(told(bytes)).toEqual([`BROKEN file: ${words}`]);
  });
  test('whatever is thrown becomes a finding: it never throws', () => {
    const lost = new Proxy(readersRoster(), {
      get: () => {
        throw new Error('lost');
      },
    });
    expect(verifyEvidence(utf8(`${canonicalize(HONEST)}\n`), lost)).toEqual({ ok: false, step: 'file', text: 'lost' });
    expect(wordsOf('no error')).toBe('no error');
  });
  test('bounds: as much as one action can make, and no more', () => {
    const most: [keyof Evidence, number][] = [
      ['envelopes', 8],
      ['views', 8],
      ['decisions', 300],
      ['messages', 300],
      ['entries', 10_000],
    ];
    const [signed] = HONEST.entries;
    for (const [member, count] of most) {
      const filled = (n: number): boolean => evidenceSchema.safeParse({ ...HONEST, [member]: new Array(n).fill(signed) }).success;
      expect([member, filled(count), filled(count + 1)]).toEqual([member, true, false]);
    }
    const questions = (n: number): boolean =>
      evidenceSchema.safeParse({ ...HONEST, questions: new Array(n).fill({ ask: signed, answer: null }) }).success;
    expect([questions(20), questions(21)]).toEqual([true, false]);
    const others = (n: number): boolean => {
      const { annex } = HONEST;
      const claimed = { ...annex.claimed, otherDecisions: new Array(n).fill(signed) };
      return evidenceSchema.safeParse({ ...HONEST, annex: { ...annex, claimed } }).success;
    };
    expect([others(300), others(301)]).toEqual([true, false]);
    expect(evidenceSchema.safeParse({ ...HONEST, entries: [] }).success).toBe(false);
  });
});

describe('what it is of', () => {
  test.each<[string, Partial<Evidence>, string]>([
    ['another deployment', { deployment: 'acme-prod' }, 'file: of deployment acme-prod; the roster is of acme-test'],
    ['another action', { actionId: request({}).id }, 'entry 1: of another action'],
    [
      'an annex changed',
      { annex: { ...HONEST.annex, claimed: { ...HONEST.annex.claimed, receiptsInvalid: 1 } } },
      'annex: does not fit its SHA-256',
    ],
    [
      'a request where an envelope holds it',
      { request: SEALED.envelope.request },
      'request: stands here only of an action denied before any seal',
    ],
    ['a view more', { views: [...HONEST.views, ...HONEST.views] }, 'file: as many views as envelopes are expected'],
    ['a view less', { views: [] }, 'file: as many views as envelopes are expected'],
    ['another view', { views: [{}] }, 'view 1: not what this envelope shows'],
    ['no view', { views: [null] }, 'view 1: not what this envelope shows'],
  ])('attack: %s', (_name, change, words) => {
    expect(changed(change)).toEqual([`BROKEN ${words}`]);
  });
});

describe('entries', () => {
  const NO_SIGNATURE = 'its signature is no Ed25519 signature';
  test.each<[string, Partial<Evidence>, string, RosterOptions?]>([
    ['bytes that are none', entry(2, garbled), 'entry 2: not an entry: see the schema of entry v1'],
    ['another kind of object', entry(3, () => SEALED.signed), 'entry 3: not an entry: see the schema of entry v1'],
    ['a short signature', entry(2, (each) => withSig(each, { sig: 'AAAA' })), `entry 2: ${NO_SIGNATURE}`],
    ['a signature that is no base64url', entry(2, (each) => withSig(each, { sig: 'A' })), `entry 2: ${NO_SIGNATURE}`],
    [
      'a signature said to be a passkey’s',
      entry(2, (each) => withSig(each, { passkey: { authenticatorData: 'AA', clientDataJSON: 'AA' } })),
      `entry 2: ${NO_SIGNATURE}`,
    ],
    ['a signature of other bytes', entry(4, damaged), 'entry 4: its signature is not by the executor over these bytes'],
    [
      'several: the newest is found first, as its bytes name all the others',
      { entries: HONEST.entries.map(damaged) },
      'entry 5: its signature is not by the executor over these bytes',
    ],
    [
      'a key that belongs to no executor',
      entry(1, (each) => withSig(each, { keyid: API.key.id })),
      'entry 1: its key belongs to no executor of this roster',
    ],
    [
      'the key of another executor',
      entry(2, (each) => withSig(each, { keyid: SHOP.key.id })),
      'entry 2: by executor shop, the one before by bank',
      WITH_SHOP,
    ],
    [
      'a key whose time had not begun',
      {},
      'entry 1: the key of executor bank was not valid then',
      { executorKeys: `{ key: '${EXECUTOR.key.text}', from: '${toInstant(OPENED + 1)}' }` },
    ],
  ])('attack: %s', (_name, change, words, roster = {}) => {
    expect(changed(change, roster)).toEqual([`BROKEN ${words}`]);
  });

  /** The entry after the seal, with members in place of the honest ones. */
  const forged = (forge: Readonly<Record<string, unknown>>, first: Readonly<Record<string, unknown>> = {}): readonly string[] => {
    const ledger = new HandLedger(id);
    const { digest, view, envelope: sealed } = SEALED;
    ledger.append({ kind: 'sealed', digest, revision: sealed.revision, view, cause: 'request', people: [] }, OPENED, first);
    ledger.append({ kind: 'closed', status: 'cancelled', reason: { code: 'cancelled', text: '', by: 'unsigned' } }, at, forge);
    return told(fileOf({ id, entries: ledger.entries, revisions: [SEALED] }));
  };
  const unsigned = ['entry 2: cancelled without a signature, by somebody who may cancel in Temporal'];
  test.each<[string, Parameters<typeof forged>, string | undefined]>([
    ['the next', [{}], undefined],
    ['a later one', [{ seq: 3, prev: 'a'.repeat(64) }], undefined],
    ['one of a later epoch', [{ epoch: 2 }], undefined],
    ['one of an action that was not the first', [{ seq: 8 }, { seq: 7, prev: 'a'.repeat(64) }], undefined],
    ['of another deployment', [{ deployment: 'acme-prod' }], 'entry 2: of deployment acme-prod, not acme-test'],
    ['of another action', [{ actionId: request({}).id }], 'entry 2: of another action'],
    ['after none', [{ prevOfAction: null }], 'entry 2: does not follow the entry before it: one is missing, added or changed'],
    ['after another', [{ prevOfAction: 'a'.repeat(64) }], 'entry 2: does not follow the entry before it: one is missing, added or changed'],
    ['of another ledger', [{ ledger: 'f'.repeat(32) }], 'entry 2: of another ledger than the entry before'],
    ['of an earlier epoch', [{ epoch: 1 }, { epoch: 2 }], 'entry 2: of an earlier epoch than the entry before'],
    ['of the same number', [{ seq: 1 }], 'entry 2: its number in the ledger does not rise'],
    [
      'of the next number, after another',
      [{ prev: 'a'.repeat(64) }],
      'entry 2: its link to the ledger fits neither its number nor the entry before',
    ],
    [
      'of a later number, after the one before',
      [{ seq: 3 }],
      'entry 2: its link to the ledger fits neither its number nor the entry before',
    ],
    ['later, after none', [{ seq: 3, prev: null }], "entry 2: only a ledger's first entry has none before it"],
    ['the first of a ledger, after another', [{}, { prev: 'a'.repeat(64) }], "entry 1: only a ledger's first entry has none before it"],
  ])('%s', (_name, [forge, first], words) => {
    expect(forged(forge, first)).toEqual(words === undefined ? unsigned : [`BROKEN ${words}`]);
  });
});

describe('what stands beside them', () => {
  const [one, two] = votes;
  if (one === undefined || two === undefined) throw new Error('no votes');
  const NO_BYTES = 'its payload is not unpadded base64url';
  const NO_SIG = 'its signature is not unpadded base64url';
  test.each<[string, Partial<Evidence>, string]>([
    ['an envelope that is no bytes', { envelopes: [garbled(SEALED.signed)] }, `envelope 1: ${NO_BYTES}`],
    ['a decision that is no bytes', { decisions: [garbled(one), two] }, `decision: ${NO_BYTES}`],
    ['a message that is no bytes', { messages: [garbled(one)] }, `message 1: ${NO_BYTES}`],
    ['a question that is no bytes', { questions: [{ ask: garbled(one), answer: null }] }, `question 1: ${NO_BYTES}`],
    ['a decision signed by no bytes', { decisions: [one, withSig(two, { sig: 'A' })] }, `decision: ${NO_SIG}`],
    ['a decision signed by nothing', { decisions: [one, withSig(two, { sig: '' })] }, `decision: ${NO_SIG}`],
    ['a decision twice', { decisions: [one, one, two] }, 'decision: not in the order of digests, or there twice'],
    ['decisions in another order', { decisions: [two, one] }, 'decision: not in the order of digests, or there twice'],
    ['a decision less', { decisions: [one] }, `entry 2: the counted decision ${digestOfSigned(two)} is not in the file`],
    [
      'a decision by another key than it names',
      { decisions: [one, withSig(two, { keyid: keyOfPerson('cleo').key.id })] },
      'decision: signed with another key than it names',
    ],
    ['a message nobody names', { messages: [cancel(id, { at })] }, 'message 1: no entry of the executor names it'],
    ['a decision as a message', { messages: [one] }, 'message 1: no entry of the executor names it'],
  ])('attack: %s', (_name, change, words) => {
    expect(changed(change)).toEqual([`BROKEN ${words}`]);
  });

  const story = (tell: (ledger: HandLedger) => void, parts: Partial<Parts>): readonly string[] => {
    const ledger = new HandLedger(id);
    ledger.sealed(SEALED, 'request', OPENED);
    tell(ledger);
    return told(fileOf({ id, entries: ledger.entries, revisions: [SEALED], ...parts }));
  };
  const NOBODY = 'BROKEN decision: no entry of the executor names it';
  test('attack: what an entry names as a decision is none', () => {
    const stop = cancel(id, { at });
    expect(story((ledger) => ledger.ran(SEALED, [digestOfSigned(stop)], at), { decisions: [stop] })).toEqual([
      'BROKEN decision: not a decision: see the schema of decision v1',
    ]);
  });
  test('attack: a decision nobody names, slipped in beside a revision', () => {
    const newer = sealAfter(SEALED, 'ana');
    const change = modify('ana', SEALED, { '/cents': 480_000 }, { at });
    const made = (decisions: readonly Signed[], cause: 'modify' | 'reseal' = 'modify'): readonly string[] =>
      story(
        (ledger) => {
          if (cause === 'reseal') ledger.append({ kind: 'stale', digest: SEALED.digest, code: 'policy_stale' }, at);
          ledger.sealed(newer, cause, at);
        },
        { revisions: [SEALED, newer], decisions },
      );
    expect(made([change])).toEqual([OPEN]);
    for (const verdict of [approve, reject]) expect(made([verdict('ben', SEALED, { at })])).toEqual([NOBODY]);
    expect(made([modify('ben', newer, { '/cents': 1 }, { at })])).toEqual([NOBODY]);
    expect(made([change], 'reseal')).toEqual([NOBODY]);
  });
  test('attack: a cancel and a finding are no decisions, a rejection is no message', () => {
    const no = reject('cleo', SEALED, { at });
    const lodged =
      (object: 'cancel' | 'review' | 'reject') =>
      (ledger: HandLedger): void =>
        void ledger.append({ kind: 'lodged', object, digest: digestOfSigned(no), by: 'person:cleo' }, at);
    expect(story(lodged('reject'), { decisions: [no] })).toEqual([OPEN]);
    for (const object of ['cancel', 'review'] as const) expect(story(lodged(object), { decisions: [no] })).toEqual([NOBODY]);
    expect(story(lodged('reject'), { messages: [no] })).toEqual(['BROKEN message 1: no entry of the executor names it']);
    const finding = resolve('eva', id, 1, 'happened', { at });
    expect(story((ledger) => ledger.ran(SEALED, [digestOfSigned(finding)], at), { messages: [finding] })).toEqual([
      'BROKEN message 1: no entry of the executor names it',
    ]);
  });
});

describe('envelopes', () => {
  interface Revised {
    readonly revisions?: readonly SealedRevision[];
    readonly roster?: RosterOptions;
    /** In the `sealed` entry in place of what the envelope says. */
    readonly said?: Readonly<Record<string, unknown>>;
    readonly when?: number;
  }
  /** A file of these revisions, each sealed anew after the one before. */
  function sealed({ revisions = [SEALED], roster, said = {}, when = OPENED }: Revised): readonly string[] {
    const ledger = new HandLedger(id);
    for (const [i, { digest, view, envelope: each }] of revisions.entries()) {
      if (i > 0) ledger.append({ kind: 'stale', digest: revisions[i - 1]?.digest ?? digest, code: 'policy_stale' }, when);
      const cause = i > 0 ? 'reseal' : 'request';
      ledger.append({ kind: 'sealed', digest, revision: each.revision, view, cause, people: [], ...said }, when, said);
    }
    return told(fileOf({ id, entries: ledger.entries, revisions }), roster);
  }
  const one = (changes: EnvelopeChanges): Revised => ({ revisions: [seal(changes)] });
  /** Signed by another than the executor it names. */
  const by = (signer: typeof EXECUTOR, changes: EnvelopeChanges = {}): SealedRevision => {
    const each = envelope(changes);
    const signed = signer.sign('envelope', each);
    return { ...SEALED, envelope: each, signed, digest: digestOfSigned(signed) };
  };
  const after = (changes: EnvelopeChanges, parent = SEALED): Revised => ({ revisions: [SEALED, sealAfter(parent, undefined, changes)] });
  const agents = usualAgents().slice(1);

  test('those that hold', () => {
    expect(sealed({})).toEqual([OPEN]);
    expect(sealed(after({}))).toEqual([OPEN]);
    expect(sealed(after({ approveBy: toInstant(OPENED + HOUR) }))).toEqual([OPEN]);
  });
  test.each<[string, Revised, string]>([
    ['of another deployment than its entry', one({ deployment: 'acme-prod' }), 'envelope 1: disagrees with entry 1, which names it'],
    [
      'of another action',
      one({ actionId: actionIdSchema.parse(`act_${'0'.repeat(26)}`) }),
      'envelope 1: disagrees with entry 1, which names it',
    ],
    ['of another ledger', one({ ledger: 'f'.repeat(32) }), 'envelope 1: disagrees with entry 1, which names it'],
    ['of another epoch', one({ epoch: 2 }), 'envelope 1: disagrees with entry 1, which names it'],
    ['of another revision', { said: { revision: 2 } }, 'envelope 1: disagrees with entry 1, which names it'],
    ['of a view that was not sealed', { said: { view: 'a'.repeat(64) } }, 'view 1: not the view the executor sealed'],
    ['by nobody of the roster', { revisions: [by(signerOf('nobody'))] }, 'envelope 1: its key belongs to no executor of this roster'],
    ['that names another executor', one({ executor: 'shop' }), 'envelope 1: signed by another executor than it names'],
    [
      'by another executor than the one that names it',
      { revisions: [by(SHOP, { executor: 'shop' })], roster: WITH_SHOP },
      'envelope 1: signed by another executor than it names',
    ],
    [
      'signed before the key’s time',
      {
        ...one({ sealedAt: toInstant(OPENED - 1), openedAt: toInstant(OPENED - 1) }),
        roster: { executorKeys: `{ key: '${EXECUTOR.key.text}', from: '${toInstant(OPENED)}' }` },
      },
      'envelope 1: the key of executor bank was not valid then',
    ],
    [
      'whose signature is none',
      { revisions: [{ ...SEALED, signed: damaged(SEALED.signed) }] },
      'envelope 1: its signature is not by the executor over these bytes',
    ],
    [
      'whose signature is no bytes',
      { revisions: [{ ...SEALED, signed: withSig(SEALED.signed, { sig: 'A' }) }] },
      'envelope 1: its signature is no Ed25519 signature',
    ],
    ['twice', { revisions: [SEALED, SEALED] }, 'envelope 2: not in the order of revisions'],
    ['of no parent that is known', one({ parent: 'a'.repeat(64) }), 'envelope 1: does not name the revision before it as its parent'],
    ['two after its parent', after({ revision: 3 }), 'envelope 2: its parent is not the revision before it'],
    [
      'with other earlier parameters',
      after({ previousParams: { cents: 1 } }),
      "envelope 2: shows other earlier parameters than its parent's",
    ],
    ['opened later', after({ openedAt: toInstant(OPENED + 1) }), 'envelope 2: moves the clocks of its parent'],
    ['with more time', after({ approveBy: toInstant(OPENED + 24 * HOUR + 1) }), 'envelope 2: moves the clocks of its parent'],
    [
      'of another request',
      after({ request: damaged(SEALED.envelope.request) }),
      'envelope 2: of another request than the revision before it',
    ],
    [
      'whose rule takes only signed requests',
      one({ standing: 'vouched', guards: { ...SEALED.envelope.guards, request: 'signed' } }),
      'envelope 1: the rule takes only signed requests',
    ],
    [
      'around a request for another deployment',
      one({ request: request({ idempotencyKey: 'key 1', deployment: 'acme-prod' }).signed }),
      'envelope 1: its request is for deployment acme-prod',
    ],
    [
      'around another request',
      one({ request: request({ idempotencyKey: 'key 2' }).signed }),
      'envelope 1: the action id does not follow from its request',
    ],
    ...(
      [
        ['agent', { agent: 'bearer-agent' }],
        ['type', { type: { ...SEALED.envelope.type, name: 'payments.batch' } }],
        ['person', { onBehalfOf: 'cleo' }],
      ] as const
    ).map(([what, changes]): [string, Revised, string] => [
      `of another ${what} than was asked for`,
      one(changes),
      'envelope 1: asked by another agent, for another type or for another person than its request says',
    ]),
    ['whose agent the roster does not know', { roster: { agents } }, 'envelope 1: this roster has no agent ap-agent'],
    [
      'asked by another agent’s key',
      {
        ...one({ request: request({ idempotencyKey: 'key 1', by: signerOf('agent:other') }).signed }),
        roster: { agents: [...usualAgents(), `other: { owner: dana, key: '${signerOf('agent:other').key.text}', propose: [payments.*] }`] },
      },
      'envelope 1: its request is signed neither by ap-agent nor by the API',
    ],
    [
      'asked by a person’s key',
      one({ request: request({ idempotencyKey: 'key 1', by: keyOfPerson('ana') }).signed }),
      'envelope 1: its request is signed neither by ap-agent nor by the API',
    ],
    [
      'asked by nobody’s key',
      one({ request: request({ idempotencyKey: 'key 1', by: signerOf('nobody') }).signed }),
      'envelope 1: its request is signed neither by ap-agent nor by the API',
    ],
    [
      'called signed, where the API vouched',
      one({ request: request({ idempotencyKey: 'key 1', by: API }).signed }),
      'envelope 1: it calls its request signed, but the API signed it',
    ],
    [
      'called vouched for, where the agent signed',
      one({ standing: 'vouched' }),
      'envelope 1: it calls its request vouched, but the agent signed it',
    ],
    [
      'asked by a key that had ended',
      {
        roster: {
          agents: [`ap-agent: { owner: dana, key: { key: '${AGENT.key.text}', until: '${toInstant(OPENED)}' }, propose: [payments.*] }`],
        },
      },
      'envelope 1: the key of its request was not valid then',
    ],
    [
      'whose request’s signature is none',
      one({ request: damaged(SEALED.envelope.request) }),
      "envelope 1: its request's signature does not verify",
    ],
  ])('attack: %s', (_name, revised, words) => {
    expect(sealed(revised)).toEqual([`BROKEN ${words}`]);
  });

  test('attack: named by no entry, or by one as what it is not', () => {
    const ledger = new HandLedger(id);
    ledger.append(
      { kind: 'sealed', digest: digestOfSigned(cancel(id, { at })), revision: 1, view: SEALED.view, cause: 'request', people: [] },
      OPENED,
    );
    ledger.append({ kind: 'stale', digest: SEALED.digest, code: 'policy_stale' }, OPENED);
    const file = (signed: Signed): readonly string[] =>
      told(fileOf({ id, entries: ledger.entries, more: { envelopes: [signed], views: [null] } }));
    expect(file(SEALED.signed)).toEqual(['BROKEN envelope 1: no entry of the executor names these bytes']);
    const stop = cancel(id, { at });
    const other = new HandLedger(id);
    other.append({ kind: 'sealed', digest: digestOfSigned(stop), revision: 1, view: SEALED.view, cause: 'request', people: [] }, OPENED);
    expect(told(fileOf({ id, entries: other.entries, more: { envelopes: [stop], views: [null] } }))).toEqual([
      'BROKEN envelope 1: not an envelope: see the schema of envelope v1',
    ]);
  });
  test('attack: in another order than they were sealed in', () => {
    const newer = sealAfter(SEALED, undefined);
    const ledger = new HandLedger(id);
    ledger.sealed(SEALED, 'request', OPENED);
    ledger.sealed(newer, 'reseal', OPENED);
    expect(told(fileOf({ id, entries: ledger.entries, revisions: [newer, SEALED] }))).toEqual([
      'BROKEN envelope 2: not in the order of revisions',
    ]);
  });
  test('attack: one that forgets some of those who modified the action before', () => {
    const second = seal({ ...sealAfter(SEALED, undefined).envelope, contributors: ['ana', 'ben'] });
    const third = (contributors: readonly string[]): Revised => ({
      revisions: [SEALED, second, sealAfter(second, undefined, { contributors })],
    });
    for (const forgetful of [[], ['ana'], ['ben']])
      expect(sealed(third(forgetful))).toEqual(['BROKEN envelope 3: forgets who modified an earlier revision']);
    expect(sealed(third(['ana', 'ben']))).toEqual([OPEN]);
  });
  test('an allowed action gave nobody time: the one that people are asked about has its own', () => {
    const allowed = seal({ rule: { ...SEALED.envelope.rule, effect: 'allow' }, stages: [], approveBy: toInstant(OPENED) });
    const held = seal({
      ...sealAfter(allowed, undefined).envelope,
      rule: SEALED.envelope.rule,
      stages: SEALED.envelope.stages,
      approveBy: toInstant(OPENED + 48 * HOUR),
    });
    expect(sealed({ revisions: [allowed, held] })).toEqual([OPEN]);
  });
  test('switches of a development roster are said aloud, each by itself (§6.3)', () => {
    const guards = (changes: Partial<typeof SEALED.envelope.guards>): readonly string[] =>
      sealed(one({ guards: { ...SEALED.envelope.guards, ...changes } }));
    const development = 'sealed under a development roster: keys of other people may have been at hand';
    const self = "sealed with self-approval switched on: the agent's owner could count";
    expect(guards({ development: true })).toEqual([development, OPEN]);
    expect(guards({ selfApproval: true })).toEqual([self, OPEN]);
    expect(guards({ development: true, selfApproval: true })).toEqual([development, self, OPEN]);
    const later = sealAfter(SEALED, undefined, { guards: { ...SEALED.envelope.guards, development: true } });
    expect(sealed({ revisions: [SEALED, later] })).toEqual([development, OPEN]);
  });
  test('one that is not in the file is told of', () => {
    const ledger = new HandLedger(id);
    ledger.sealed(SEALED, 'request', OPENED);
    expect(told(fileOf({ id, entries: ledger.entries }))).toEqual(['entry 1: the envelope of revision 1 is not in the file', OPEN]);
  });
  test('a vouched request is said to be one, and that nobody could vouch now', () => {
    const { id: asked, signed } = request({ idempotencyKey: 'key 1', agent: 'bearer-agent', by: API });
    const vouched = seal({ actionId: asked, agent: 'bearer-agent', standing: 'vouched', request: signed });
    const ledger = new HandLedger(asked);
    ledger.sealed(vouched, 'request', OPENED);
    const words = (agent?: string): readonly string[] =>
      told(fileOf({ id: asked, entries: ledger.entries, revisions: [vouched] }), agent === undefined ? {} : { agents: [agent] });
    const said = 'the request is vouched for by the API, not signed by bearer-agent';
    expect(words()).toEqual([said, OPEN]);
    expect(words(`bearer-agent: { owner: dana, key: '${AGENT.key.text}', propose: [payments.*] }`)).toEqual([
      said,
      'bearer-agent holds no bearer key in this roster any more',
      OPEN,
    ]);
    expect(envelopeSchema.safeParse(vouched.envelope).success).toBe(true);
  });
});

describe('an action denied before any seal', () => {
  const { id: asked, signed } = request({ idempotencyKey: 'denied' });
  const denied = (named: Signed, more: Partial<Evidence>, roster?: RosterOptions): readonly string[] => {
    const ledger = new HandLedger(asked);
    ledger.append(
      { kind: 'denied', request: digestOfSigned(named), status: 'denied', reason: { code: 'rule_denies', text: 'Never.' } },
      at,
    );
    return told(fileOf({ id: asked, entries: ledger.entries, more }), roster);
  };
  const until = (ms: number): RosterOptions => ({
    agents: [`ap-agent: { owner: dana, key: { key: '${AGENT.key.text}', until: '${toInstant(ms)}' }, propose: [payments.*] }`],
  });
  test('holds by the request in the file, or says that it is not there', () => {
    expect(denied(signed, { request: signed })).toEqual([]);
    expect(denied(signed, { request: signed }, until(at + 1))).toEqual([]);
    expect(denied(signed, {})).toEqual(['entry 1: the request that was denied is not in the file']);
    const vouched = request({ idempotencyKey: 'denied', by: API }).signed;
    expect(denied(vouched, { request: vouched })).toEqual([
      'the request is vouched for by the API, not signed by ap-agent',
      'ap-agent holds no bearer key in this roster any more',
    ]);
  });
  const other = request({ idempotencyKey: 'denied', reason: 'Another one' }).signed;
  const question = ask('ana', SEALED, 'Why?', { at });
  test.each<[string, Signed, Signed, string, RosterOptions?]>([
    ['another request', signed, other, 'not the one entry 1 names'],
    ['bytes that are none', signed, garbled(signed), 'its payload is not unpadded base64url'],
    ['no request', question, question, 'its request is none: see the schema of request v1'],
    ['of a key that had ended', signed, signed, 'the key of its request was not valid then', until(at)],
    ['a signature that is none', signed, damaged(signed), "its request's signature does not verify"],
  ])('attack: %s', (_name, named, inFile, words, roster = {}) => {
    expect(denied(named, { request: inFile }, roster)).toEqual([`BROKEN request: ${words}`]);
  });
  test('attack: a request of another action or deployment', () => {
    for (const [proposal, words] of [
      [{ idempotencyKey: 'another' }, 'the action id does not follow from its request'],
      [{ idempotencyKey: 'denied', deployment: 'acme-prod' }, 'its request is for deployment acme-prod'],
    ] as const) {
      const { signed: bad } = request(proposal);
      expect(denied(bad, { request: bad })).toEqual([`BROKEN request: ${words}`]);
    }
  });
});

test('a claim changed together with its hash stays a claim', () => {
  const claimed = { ...HONEST.annex.claimed, receiptsInvalid: 7 };
  expect(changed({ annex: { claimed, sha256: digestOf(claimed) } })).toEqual([]);
});
