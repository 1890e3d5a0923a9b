import { describe, expect, test } from '@jest/globals';
import { utf8 } from '../../src/domain/bytes.js';
import { digestOfSigned, type Signed } from '../../src/domain/dsse.js';
import { buildEvidence } from '../../src/domain/evidence/build.js';
import { evidenceSchema, type Evidence } from '../../src/domain/evidence/schema.js';
import { verifyEvidence } from '../../src/domain/evidence/verify.js';
import { fromUtf8 } from '../../src/domain/bytes.js';
import { digestOf } from '../../src/domain/hash.js';
import { toInstant } from '../../src/domain/instant.js';
import { canonicalize, parseStrict } from '../../src/domain/json.js';
import { readersRoster } from '../helpers/flips.js';
import { envelope, HandLedger, HOUR, MINUTE, OPENED, seal, sealAfter, sealedPeople, type EnvelopeChanges } from '../helpers/hand-made.js';
import { approve, cancel, damaged, modify, reject, request, withdraw, type SealedRevision } from '../helpers/messages.js';
import type { RosterOptions } from '../helpers/rules-fixture.js';
import { API, keyOfPerson, signerOf } from '../helpers/signers.js';
import { snapshotOf } from '../helpers/snapshots.js';

const NOW = OPENED + MINUTE;

interface Case {
  readonly changes?: EnvelopeChanges;
  readonly revisions?: readonly SealedRevision[];
  /** What is in the file. */
  readonly decisions?: (revision: SealedRevision) => Signed[];
  readonly messages?: (revision: SealedRevision) => Signed[];
  /** What the ledger says after the seal; left out: it ran on all decisions. */
  readonly tell?: (ledger: HandLedger, revision: SealedRevision, decisions: readonly Signed[]) => void;
  readonly by?: HandLedger;
}
const ran = (ledger: HandLedger, revision: SealedRevision, decisions: readonly Signed[], at = NOW): void =>
  ledger.ran(revision, decisions.map(digestOfSigned), at);
const two = (revision: SealedRevision): Signed[] => [approve('ana', revision), approve('ben', revision)];

/** An evidence file of what an executor, honest or not, wrote about one revision. */
function file({ changes = {}, decisions: make = two, messages = () => [], tell = ran }: Case = {}): Uint8Array {
  const revision = seal(changes);
  const ledger = new HandLedger(revision.id);
  const decisions = make(revision);
  ledger.sealed(revision, 'request', OPENED);
  tell(ledger, revision, decisions);
  return buildEvidence(
    snapshotOf({ id: revision.id, entries: ledger.entries, revisions: [revision], decisions, messages: messages(revision) }),
  );
}
/** The step a file fails at. */
const failsAt = (bytes: Uint8Array, roster: RosterOptions = {}): string => {
  const verdict = verifyEvidence(bytes, readersRoster(roster));
  return verdict.ok ? 'verifies' : `${verdict.step}: ${verdict.text}`;
};
/** The file with something in it changed by somebody who can do everything but sign. */
function edited(change: (evidence: Evidence) => unknown, bytes = file()): Uint8Array {
  const evidence = evidenceSchema.parse(parseStrict(fromUtf8(bytes)));
  return utf8(`${canonicalize({ ...evidence, ...(change(evidence) as object) })}\n`);
}

test('the honest file verifies, so that the forged ones prove something', () => {
  expect(failsAt(file())).toBe('verifies');
  expect(failsAt(edited(() => ({})))).toBe('verifies');
});

describe('the file itself', () => {
  test('is exactly canonical JSON and one newline', () => {
    const text = fromUtf8(file());
    const again = (changed: string): string => failsAt(utf8(changed));
    expect(again(text.slice(0, -1))).toBe('file: does not end with one newline');
    expect(again(`${text}\n`)).toBe('file: not canonical JSON (RFC 8785)');
    expect(again(` ${text}`)).toBe('file: not canonical JSON (RFC 8785)');
    expect(again(`${JSON.stringify(parseStrict(text), null, 1)}\n`)).toBe('file: not canonical JSON (RFC 8785)');
    expect(again('{"v":1}\n')).toMatch(/^file: not evidence v1/);
    expect(again('null\n')).toMatch(/^file: not evidence v1/);
    expect(again(text.replace('"annex":', '"annex":1,"annex":'))).toBe('file: the key "annex" stands twice at character 63');
  });

  test('holds nothing that is not checked', () => {
    expect(failsAt(edited(() => ({ note: 'approved by everybody' })))).toMatch(/^file: not evidence v1/);
    expect(failsAt(edited((evidence) => ({ decisions: [...evidence.decisions, approve('cleo', seal())] })))).toMatch(
      /^decision \d: (no entry of the executor names it|not in the order of digests, or there twice)$/,
    );
    expect(failsAt(edited(({ decisions }) => ({ decisions: decisions.flatMap((each) => [each, each]) })))).toMatch(
      /^decision \d: not in the order of digests, or there twice$/,
    );
    expect(failsAt(edited((evidence) => ({ decisions: [...evidence.decisions, ...evidence.decisions] })))).toMatch(
      /^decision \d: not in the order of digests, or there twice$/,
    );
    expect(failsAt(edited((evidence) => ({ decisions: [...evidence.decisions].reverse() })))).toMatch(
      /^decision \d: not in the order of digests, or there twice$/,
    );
    expect(failsAt(edited(() => ({ messages: [cancel(seal().id, { at: NOW })] })))).toBe('message 1: no entry of the executor names it');
    expect(failsAt(edited(({ envelopes }) => ({ request: envelopes[0] })))).toBe(
      'request: stands here only of an action denied before any seal',
    );
    expect(failsAt(edited(({ envelopes, views }) => ({ envelopes: [...envelopes, ...envelopes], views: [...views, ...views] })))).toBe(
      'envelope 2: not in the order of revisions',
    );
  });

  test('claims stay claims: the annex has a hash of its own', () => {
    const claim = (evidence: Evidence): Evidence['annex']['claimed'] => ({ ...evidence.annex.claimed, receiptsInvalid: 7 });
    expect(failsAt(edited((evidence) => ({ annex: { ...evidence.annex, claimed: claim(evidence) } })))).toBe(
      'annex: does not fit its SHA-256',
    );
    expect(failsAt(edited((evidence) => ({ annex: { claimed: claim(evidence), sha256: digestOf(claim(evidence)) } })))).toBe('verifies');
  });

  test('is of the deployment of the roster, and the action of its request', () => {
    expect(failsAt(edited(() => ({ deployment: 'acme-prod' })))).toBe('file: of deployment acme-prod; the roster is of acme-test');
    expect(failsAt(edited(() => ({ actionId: request({}).id })))).toBe('entry 1: of another action');
  });
});

describe('the chain', () => {
  test('an entry left out, doubled, moved or put in fails where the chain breaks', () => {
    const cut =
      (at: number) =>
      (evidence: Evidence): unknown => ({ entries: evidence.entries.filter((_, i) => i !== at) });
    expect(failsAt(edited(cut(0)))).toBe('entry 1: does not follow the entry before it: one is missing, added or changed');
    expect(failsAt(edited(cut(2)))).toBe('entry 3: does not follow the entry before it: one is missing, added or changed');
    expect(failsAt(edited(({ entries }) => ({ entries: [...entries, ...entries.slice(-1)] })))).toBe(
      'entry 6: does not follow the entry before it: one is missing, added or changed',
    );
    expect(failsAt(edited(({ entries }) => ({ entries: [...entries].reverse() })))).toBe(
      'entry 1: does not follow the entry before it: one is missing, added or changed',
    );
    expect(failsAt(edited(() => ({ entries: [] })))).toMatch(/^file: not evidence v1/);
  });

  test('a tail cut off is a whole chain still: the file then proves no end, and says so', () => {
    const verdict = verifyEvidence(
      edited(({ entries }) => ({ entries: entries.slice(0, -1) })),
      readersRoster(),
    );
    expect(verdict).toMatchObject({
      ok: true,
      outcome: { status: 'executing', final: false },
      warnings: [expect.stringContaining('the file holds no end: the action may have moved on since')],
    });
  });

  test('only an executor of the roster writes entries, with a key valid then', () => {
    const stranger = signerOf('executor:stranger');
    for (const signer of [stranger, keyOfPerson('ana'), API]) {
      const revision = seal();
      const ledger = new HandLedger(revision.id, signer);
      ledger.sealed(revision, 'request', OPENED);
      const bytes = buildEvidence(snapshotOf({ id: revision.id, entries: ledger.entries, revisions: [revision] }));
      expect(failsAt(bytes)).toBe('entry 1: its key belongs to no executor of this roster');
    }
    expect(failsAt(edited(({ entries }) => ({ entries: entries.map((each, i) => (i === 4 ? damaged(each) : each)) })))).toBe(
      'entry 5: its signature is not by the executor over these bytes',
    );
    expect(failsAt(edited(({ envelopes }) => ({ envelopes: envelopes.map(damaged) })))).toBe(
      'envelope 1: its signature is not by the executor over these bytes',
    );
  });

  test('one ledger, epochs never fall, numbers rise, links fit', () => {
    const forged = (forge: Readonly<Record<string, unknown>>): string =>
      failsAt(
        file({
          decisions: () => [],
          tell: (ledger) =>
            void ledger.append(
              { kind: 'closed', status: 'cancelled', reason: { code: 'cancelled', text: '', by: 'unsigned' } },
              NOW,
              forge,
            ),
        }),
      );
    expect(forged({})).toBe('verifies');
    expect(forged({ ledger: 'f'.repeat(32) })).toBe('entry 2: of another ledger than the entry before');
    expect(forged({ seq: 1 })).toBe('entry 2: its number in the ledger does not rise');
    expect(forged({ seq: 3 })).toBe('entry 2: its link to the ledger fits neither its number nor the entry before');
    expect(forged({ seq: 3, prev: 'a'.repeat(64) })).toBe('verifies');
    expect(forged({ prev: null, seq: 9 })).toBe("entry 2: only a ledger's first entry has none before it");
    expect(forged({ deployment: 'acme-prod' })).toBe('entry 2: of deployment acme-prod, not acme-test');
    expect(forged({ epoch: 2 })).toBe('verifies');
  });
});

describe('what was sealed', () => {
  test('a view that shows something else fails, however well it is written', () => {
    expect(failsAt(edited(({ views }) => ({ views: views.map((view) => ({ ...(view as object), sentence: 'Pay ACME EUR 1.00' })) })))).toBe(
      'view 1: not what this envelope shows',
    );
    expect(failsAt(edited(() => ({ views: [] })))).toBe('file: as many views as envelopes are expected');
    const revision = { ...seal(), view: 'a'.repeat(64) as SealedRevision['view'] };
    const ledger = new HandLedger(revision.id);
    ledger.sealed(revision, 'request', OPENED);
    expect(failsAt(buildEvidence(snapshotOf({ id: revision.id, entries: ledger.entries, revisions: [revision] })))).toBe(
      'view 1: not the view the executor sealed',
    );
  });

  test('a request signed by nobody who may ask, or called signed where it is vouched for', () => {
    const asked = (by: typeof API, agent: string, standing: string): string =>
      failsAt(file({ changes: { request: request({ idempotencyKey: 'key 1', by }).signed, agent, standing } }));
    expect(asked(keyOfPerson('ana'), 'ap-agent', 'signed')).toBe('envelope 1: its request is signed neither by ap-agent nor by the API');
    expect(asked(signerOf('nobody'), 'ap-agent', 'signed')).toBe('envelope 1: its request is signed neither by ap-agent nor by the API');
    expect(asked(API, 'ap-agent', 'signed')).toBe('envelope 1: it calls its request signed, but the API signed it');
    expect(asked(API, 'bearer-agent', 'vouched')).toBe(
      'envelope 1: asked by another agent, for another type or for another person than its request says',
    );
    expect(failsAt(file({ changes: { request: damaged(envelope().request) } }))).toBe(
      "envelope 1: its request's signature does not verify",
    );
    expect(failsAt(file({ changes: { request: request({ idempotencyKey: 'key 2' }).signed } }))).toBe(
      'envelope 1: the action id does not follow from its request',
    );
  });

  test('an envelope of another epoch, executor or revision than its entry', () => {
    expect(failsAt(file({ changes: { epoch: 2 } }))).toBe('envelope 1: disagrees with entry 1, which names it');
    expect(failsAt(file({ changes: { executor: 'shop' } }))).toBe('envelope 1: signed by another executor than it names');
    expect(failsAt(file({ changes: { parent: 'a'.repeat(64) } }))).toBe('envelope 1: does not name the revision before it as its parent');
  });

  test('sealed before a restore, run after it (§7)', () => {
    const restored = (ledger: HandLedger, revision: SealedRevision, decisions: readonly Signed[]): void =>
      void ledger.append({ kind: 'executing', digest: revision.digest, decisions: decisions.map(digestOfSigned) }, NOW, { epoch: 2 });
    expect(failsAt(file({ tell: restored }))).toBe('entry 2: sealed in an earlier epoch than it ran in');
  });

  test('a revision that moves clocks, forgets an editor or hides what changed', () => {
    const first = seal();
    const change = modify('ana', first, { '/cents': 1 });
    const revised = (changes: EnvelopeChanges): string => {
      const second = sealAfter(first, 'ana', { params: { vendor: 'ACME', cents: 1 }, ...changes });
      const ledger = new HandLedger(first.id);
      ledger.sealed(first, 'request', OPENED);
      ledger.sealed(second, 'modify', NOW);
      return failsAt(buildEvidence(snapshotOf({ id: first.id, entries: ledger.entries, revisions: [first, second], decisions: [change] })));
    };
    expect(revised({})).toBe('verifies');
    expect(revised({ approveBy: toInstant(OPENED + 25 * HOUR) })).toBe('envelope 2: moves the clocks of its parent');
    expect(revised({ openedAt: toInstant(NOW) })).toBe('envelope 2: moves the clocks of its parent');
    expect(revised({ previousParams: { vendor: 'ACME', cents: 1 } })).toBe("envelope 2: shows other earlier parameters than its parent's");
    expect(revised({ contributors: [] })).toMatch(/^decision \d: the revision does not name who modified it$/);
    expect(revised({ exclusions: [] })).toMatch(/^decision \d: ana modified the action and could still count on it$/);
    expect(revised({ parent: null })).toMatch(
      /^decision \d: (no entry of the executor names it|not in the order of digests, or there twice)$/,
    );
    expect(revised({ request: damaged(first.envelope.request) })).toBe('envelope 2: of another request than the revision before it');
  });
});

describe('who agreed', () => {
  const fails = (wrong: Case, roster?: RosterOptions): string => failsAt(file(wrong), roster);

  test('too few, one person twice, one signature repeated (attack cases 1, 5, 7)', () => {
    expect(fails({ decisions: () => [] })).toBe('entry 2: the counted decisions do not meet the sealed rule');
    expect(fails({ decisions: (revision) => [approve('ana', revision)] })).toBe(
      'entry 2: the counted decisions do not meet the sealed rule',
    );
    expect(fails({ decisions: (revision) => [approve('ana', revision), approve('ana', revision)] })).toBe(
      'entry 2: the counted decisions do not meet the sealed rule',
    );
    const twice = (ledger: HandLedger, revision: SealedRevision, [vote]: readonly Signed[]): void => {
      if (vote !== undefined) ran(ledger, revision, [vote, vote]);
    };
    expect(fails({ tell: twice })).toBe('entry 2: the counted decisions do not meet the sealed rule');
  });

  test('more are named than the rule needed, or one who does not count (attack cases 16, 17, 18)', () => {
    expect(fails({ decisions: (revision) => [...two(revision), approve('cleo', revision)] })).toBe(
      'entry 2: names decisions that do not count',
    );
    expect(fails({ decisions: (revision) => [approve('ana', revision), approve('dana', revision)] })).toMatch(
      /^decision \d: self_approval: Whoever asks, owns the agent, or is acted for does not count\.$/,
    );
    expect(fails({ decisions: (revision) => [approve('ana', revision), approve('eva', revision)] })).toMatch(
      /^decision \d: not_eligible: This person is not among those who may decide this action now\.$/,
    );
  });

  test('a counted decision that is missing, forged or says no (attack cases 15, 39)', () => {
    expect(failsAt(edited(({ decisions }) => ({ decisions: decisions.slice(1) })))).toMatch(
      /^entry 2: the counted decision [0-9a-f]{64} is not in the file/,
    );
    expect(failsAt(edited(({ decisions }) => ({ decisions: decisions.map(damaged) })))).toMatch(
      /^decision \d: signature_invalid: No key of an eligible person made this signature over these bytes\.$/,
    );
    expect(fails({ decisions: (revision) => [approve('ana', revision), approve('ben', revision, { by: keyOfPerson('ana') })] })).toMatch(
      /^decision \d: signature_invalid: No key of an eligible person made this signature over these bytes\.$/,
    );
    expect(fails({ decisions: (revision) => [approve('ana', revision), reject('ben', revision)] })).toMatch(
      /^decision \d: counted, but it says reject$/,
    );
  });

  test('bound to another view, digest or revision (attack cases 26, 32, 73)', () => {
    const forged = (forge: { readonly [member: string]: string | number }): string =>
      fails({ decisions: (revision) => [approve('ana', revision), approve('ben', revision, { forge })] });
    expect(forged({ view: 'a'.repeat(64) })).toMatch(/^decision \d: view_mismatch: What was shown is not what this action shows\.$/);
    expect(forged({ digest: 'a'.repeat(64) })).toMatch(/revision_stale/);
    expect(forged({ revision: 2 })).toMatch(/revision_stale/);
    expect(forged({ deployment: 'acme-prod' })).toMatch(/audience_mismatch/);
    expect(forged({ actionId: request({}).id })).toMatch(/audience_mismatch/);
  });

  test('too late, too far ahead, or executed after the time to start (attack cases 60, 61)', () => {
    const at =
      (ms: number) =>
      (revision: SealedRevision): Signed[] => [approve('ana', revision, { at: ms }), approve('ben', revision, { at: ms })];
    const then =
      (ms: number): NonNullable<Case['tell']> =>
      (ledger, revision, decisions) =>
        ran(ledger, revision, decisions, ms);
    expect(fails({ decisions: at(OPENED + 24 * HOUR), tell: then(OPENED + 24 * HOUR) })).toMatch(/decision_late/);
    expect(fails({ decisions: at(OPENED + 24 * HOUR - 1), tell: then(OPENED + 24 * HOUR) })).toBe('verifies');
    expect(fails({ decisions: at(NOW + 121_000) })).toMatch(/decision_late/);
    expect(fails({ decisions: at(NOW), tell: then(NOW + 30 * MINUTE) })).toBe('entry 2: executed after the time to start was over');
    expect(fails({ decisions: at(NOW), tell: then(NOW + 30 * MINUTE - 1) })).toBe('verifies');
  });

  test("the reader's own roster has the last word on keys (attack cases 46, 48)", () => {
    const key = keyOfPerson('ben').key.text;
    const until = (ms: number): RosterOptions => ({ people: { ben: `{ name: ben, keys: [{ key: '${key}', until: ${toInstant(ms)} }] }` } });
    expect(fails({}, { people: { ben: '{ name: ben, keys: [] }' } })).toMatch(/^decision \d: its key is not ben's in this roster$/);
    expect(fails({}, { people: { ben: '{ name: ben, keys: [] }', zoe: `{ name: zoe, keys: ['${key}'] }` } })).toMatch(
      /^decision \d: its key is not ben's in this roster$/,
    );
    expect(fails({}, until(OPENED))).toMatch(/^decision \d: the key of ben was not valid then/);
    expect(fails({}, until(NOW))).toMatch(/^decision \d: the key of ben was not valid then/);
    expect(fails({}, until(NOW + 1))).toBe('verifies');
  });

  test('a rejection on record stands against it, with or without its bytes, until withdrawn (attack cases 13, 33, 54)', () => {
    const no = (withdrawn: boolean): Case => ({
      decisions: (revision) => {
        const rejection = reject('cleo', revision);
        return [...two(revision), rejection, ...(withdrawn ? [withdraw('cleo', revision, rejection)] : [])];
      },
      tell: (ledger, revision, [a, b, rejection, withdrawal]) => {
        for (const [object, signed] of [
          ['reject', rejection],
          ['withdraw', withdrawal],
        ] as const)
          if (signed !== undefined) ledger.append({ kind: 'lodged', object, digest: digestOfSigned(signed), by: 'person:cleo' }, NOW);
        ran(
          ledger,
          revision,
          [a, b].flatMap((signed) => signed ?? []),
        );
      },
    });
    expect(fails(no(false))).toBe('entry 3: executed while a rejection stood');
    expect(fails(no(true))).toBe('verifies');
    const without = (bytes: Uint8Array): Uint8Array =>
      edited(
        ({ decisions }) => ({
          decisions: decisions.filter((signed) => !fromUtf8(Buffer.from(signed.payload, 'base64url')).includes('"cleo"')),
        }),
        bytes,
      );
    expect(failsAt(without(file(no(false))))).toBe('entry 3: executed while a rejection stood');
    const verdict = verifyEvidence(without(file(no(true))), readersRoster());
    expect(verdict).toMatchObject({ ok: true, warnings: [expect.stringContaining('word alone'), expect.stringContaining('word alone')] });
  });

  test('a development roster and self-approval are said aloud (§6.3)', () => {
    const guards = { ...envelope().guards, development: true, selfApproval: true };
    const verdict = verifyEvidence(file({ changes: { guards, exclusions: [] } }), readersRoster());
    expect(verdict).toMatchObject({
      ok: true,
      warnings: [
        expect.stringContaining('sealed under a development roster: keys of other people may have been at hand'),
        expect.stringContaining("sealed with self-approval switched on: the agent's owner could count"),
      ],
    });
  });

  test('sealed keys that are none, or one key for two people (attack case 6)', () => {
    const revision = seal();
    const sealed = (people: ReturnType<typeof sealedPeople>): string => {
      const ledger = new HandLedger(revision.id);
      ledger.sealed(revision, 'request', OPENED, people);
      return failsAt(buildEvidence(snapshotOf({ id: revision.id, entries: ledger.entries, revisions: [revision] })));
    };
    expect(sealed(sealedPeople(['ana'], { ana: [keyOfPerson('ana').key.text] }))).toMatch(/^entry 1: one key for two/);
    expect(sealed(sealedPeople(['ana'], { ana: ['ed25519:AAAA'] }))).toBe('entry 1: unusable key of ana');
  });
});
