import { describe, expect, test } from '@jest/globals';
import { digestOfSigned, type Signed } from '../../src/domain/dsse.js';
import { Agreement } from '../../src/domain/evidence/agreement.js';
import { Broken } from '../../src/domain/evidence/broken.js';
import { buildEvidence } from '../../src/domain/evidence/build.js';
import { PostReviews } from '../../src/domain/evidence/post-review.js';
import { evidenceSchema } from '../../src/domain/evidence/schema.js';
import { verifyEvidence, type EvidenceVerdict } from '../../src/domain/evidence/verify.js';
import { utf8 } from '../../src/domain/bytes.js';
import { personIdSchema, type Digest, type PersonId } from '../../src/domain/ids.js';
import { toInstant } from '../../src/domain/instant.js';
import { canonicalize } from '../../src/domain/json.js';
import type { Envelope } from '../../src/domain/objects/envelope.js';
import type { ReviewMessage } from '../../src/domain/objects/review.js';
import { readersRoster } from '../helpers/flips.js';
import { HandLedger, HOUR, MINUTE, OPENED, seal, type OwedReview } from '../helpers/hand-made.js';
import { approve, damaged, delegation, onSeatOf, request, review, type SealedRevision } from '../helpers/messages.js';
import type { RosterOptions } from '../helpers/rules-fixture.js';
import { keyOfPerson, signerOf } from '../helpers/signers.js';
import { snapshotOf } from '../helpers/snapshots.js';

const people = (...ids: string[]): PersonId[] => ids.map((id) => personIdSchema.parse(id));
/** Ana alone lets it run; of ana, ben, cleo and eva two others sign afterwards, within three days. */
const BREAK_GLASS: Envelope['breakGlass'] = { people: people('ana', 'ben', 'cleo', 'eva'), quorum: 2, reviewWithin: 72 * HOUR };
const STAGES = [{ name: 'finance', from: ['ana'], quorum: 1, remind: [], escalate: [] }];
const RAN = OPENED + MINUTE;
const LATER = RAN + HOUR;
const OWED: OwedReview = { people: people('ben', 'cleo', 'eva'), quorum: 2, due: toInstant(RAN + 72 * HOUR) };

const byAna = (revision: SealedRevision): Signed => approve('ana', revision, { reason: 'Production is down.' });

interface Reviewed {
  readonly by: readonly string[];
  readonly digests: readonly Digest[];
  readonly verdict?: ReviewMessage['verdict'];
}
interface Story {
  readonly sealed?: Partial<Record<keyof Envelope, unknown>>;
  /** Sealed as no break-glass. */
  readonly plain?: boolean;
  /** What the start says it owes; null: nothing. */
  readonly owed?: OwedReview | null;
  /** Written before it ran. */
  readonly early?: (tell: Tell) => void;
  /** Written after its end. */
  readonly after?: (tell: Tell) => void;
  /** What lets it run; left out: ana's own word. */
  readonly vote?: (revision: SealedRevision) => Signed;
  readonly roster?: RosterOptions;
}
interface Tell {
  readonly revision: SealedRevision;
  /** Puts a review on record, and in the file unless `filed` is false. Returns its digest. */
  readonly lodge: (by: string, signed: Signed, options?: { readonly filed?: boolean }) => Digest;
  readonly reviewed: (entry: Reviewed) => void;
  /** Into the file alone. */
  readonly file: (signed: Signed) => void;
  /** Into the ledger alone. */
  readonly write: (body: Parameters<HandLedger['append']>[0]) => void;
}

/** What evidence says of a ledger that holds this, signed and linked as the executor does it. */
function verdictOf({ sealed, plain = false, owed = OWED, early, after, vote: voted = byAna, roster }: Story): EvidenceVerdict {
  const revision = seal({ stages: STAGES, ...(plain ? {} : { breakGlass: BREAK_GLASS }), ...sealed });
  const vote = voted(revision);
  const ledger = new HandLedger(revision.id);
  const messages: Signed[] = [];
  const unnamed: Signed[] = [];
  const tell: Tell = {
    revision,
    lodge: (by, signed, { filed = true } = {}) => {
      const digest = digestOfSigned(signed);
      ledger.append({ kind: 'lodged', object: 'review', digest, by: `person:${by}` }, LATER);
      if (filed) messages.push(signed);
      return digest;
    },
    reviewed: ({ by, digests, verdict = 'justified' }) =>
      void ledger.append({ kind: 'reviewed', by: people(...by), digests: [...digests], verdict }, LATER),
    file: (signed) => void unnamed.push(signed),
    write: (body) => void ledger.append(body, LATER),
  };
  ledger.sealed(revision, 'request', OPENED);
  early?.(tell);
  ledger.ran(revision, [digestOfSigned(vote)], RAN, owed ?? undefined);
  after?.(tell);
  const seen = { id: revision.id, entries: ledger.entries, revisions: [revision], decisions: [vote], messages };
  const evidence = evidenceSchema.parse(JSON.parse(Buffer.from(buildEvidence(snapshotOf(seen))).toString()));
  const file = utf8(`${canonicalize({ ...evidence, messages: [...evidence.messages, ...unnamed] })}\n`);
  return verifyEvidence(file, readersRoster(roster));
}
const textOf = (story: Story): string => {
  const verdict = verdictOf(story);
  return verdict.ok ? 'verifies' : `${verdict.step}: ${verdict.text}`;
};
const says = ({ revision }: Tell, person: string, options: Partial<Parameters<typeof review>[2]> = {}): Signed =>
  review(person, revision.id, { at: LATER - MINUTE, ...options });

/** Two true reviews and the entry that counts them. */
const both = (tell: Tell, entry: Partial<Reviewed> = {}): void => {
  const digests = ['cleo', 'eva'].map((person) => tell.lodge(person, says(tell, person)));
  tell.reviewed({ by: ['cleo', 'eva'], digests, ...entry });
};

describe('evidence of a post-review (§6.10)', () => {
  test('verifies: signed by enough; open, which it says aloud; and one who finds it unjustified is not outvoted', () => {
    expect(verdictOf({ after: (tell) => both(tell) })).toMatchObject({
      ok: true,
      postReview: { state: 'signed', verdict: 'justified', by: ['cleo', 'eva'] },
      warnings: ['break-glass; reviewed by cleo, eva: justified'],
    });
    expect(verdictOf({ after: (tell) => void tell.lodge('cleo', says(tell, 'cleo')) })).toMatchObject({
      ok: true,
      postReview: { state: 'open', by: ['cleo'] },
      warnings: [`break-glass, and NOT REVIEWED in this file: 1 of 2 signed; ben, cleo, eva may, due ${OWED.due}`],
    });
    const split = (verdict: ReviewMessage['verdict']) => (tell: Tell) => {
      const digests = [tell.lodge('cleo', says(tell, 'cleo')), tell.lodge('eva', says(tell, 'eva', { verdict: 'not_justified' }))];
      tell.reviewed({ by: ['cleo', 'eva'], digests, verdict });
    };
    expect(verdictOf({ after: split('not_justified') })).toMatchObject({ ok: true, postReview: { verdict: 'not_justified' } });
    expect(textOf({ after: split('justified') })).toBe('entry 8: says something else than its reviews');
    expect(verdictOf({ plain: true, owed: null })).toMatchObject({ ok: true, postReview: { state: 'none' }, warnings: [] });
  });
  test('only those counted speak in its verdict', () => {
    const after: Story['after'] = (tell) => {
      tell.lodge('ben', says(tell, 'ben', { verdict: 'not_justified' }));
      both(tell);
    };
    expect(verdictOf({ after })).toMatchObject({ ok: true, warnings: ['break-glass; reviewed by cleo, eva: justified'] });
  });

  test('a review that is not in the file is the executor’s word alone, and it says so', () => {
    const verdict = verdictOf({
      after: (tell) => {
        const digests = [tell.lodge('cleo', says(tell, 'cleo'), { filed: false }), tell.lodge('eva', says(tell, 'eva'))];
        tell.reviewed({ by: ['cleo', 'eva'], digests });
      },
    });
    expect(verdict).toMatchObject({
      ok: true,
      warnings: [
        "entry 6: the review by person:cleo is not in the file: the executor's word alone",
        'break-glass; reviewed by cleo, eva: justified',
      ],
    });
  });
});

describe('attack: forged evidence of a post-review does not verify', () => {
  test.each([
    ['who let it run', 'ana', 'not_eligible'],
    ['the owner of the agent', 'dana', 'not_eligible'],
    ['somebody the rule does not name', 'hal', 'not_eligible'],
  ])('signed by %s', (_name, person, code) => {
    expect(textOf({ after: (tell) => void tell.lodge(person, says(tell, person)) })).toContain(`message 1: ${code}`);
  });

  test.each<[string, Story['after'], string]>([
    ['by another’s key', (tell) => void tell.lodge('eva', says(tell, 'eva', { by: keyOfPerson('cleo') })), 'message 1: signature_invalid'],
    [
      'by a stranger’s key',
      (tell) => void tell.lodge('eva', says(tell, 'eva', { by: signerOf('mallory') })),
      'message 1: signature_invalid',
    ],
    ['with a signature that is none', (tell) => void tell.lodge('eva', damaged(says(tell, 'eva'))), 'message 1: signature_invalid'],
    ['dated after its entry', (tell) => void tell.lodge('eva', says(tell, 'eva', { at: LATER + HOUR })), 'message 1: signature_invalid'],
    ['on record under another name', (tell) => void tell.lodge('cleo', says(tell, 'eva')), 'entry 6: names another author'],
    [
      'of another action',
      (tell) => void tell.lodge('eva', review('eva', seal({ actionId: 'act_00000000000000000000000000' }).id, { at: LATER - MINUTE })),
      'message 1: audience_mismatch',
    ],
    ['that no entry names', (tell) => tell.file(says(tell, 'eva')), 'message 1: no entry of the executor names it'],
    [
      'twice by one person',
      (tell) => {
        tell.lodge('eva', says(tell, 'eva'));
        tell.lodge('eva', says(tell, 'eva', { at: LATER }));
      },
      'entry 7: person:eva reviewed it before',
    ],
    [
      'twice by one of several people',
      (tell) => {
        for (const person of ['cleo', 'eva', 'eva']) tell.lodge(person, says(tell, person));
      },
      'entry 8: person:eva reviewed it before',
    ],
    [
      'that is none',
      (tell) => void tell.lodge('eva', byAna(tell.revision)),
      'message 1: request_invalid: not a review: see the schema of review v1',
    ],
    [
      'by who let it run, and left out of the file',
      (tell) => void tell.lodge('ana', says(tell, 'ana'), { filed: false }),
      'entry 6: person:ana does not review it',
    ],
    [
      'without a digest',
      (tell) => tell.write({ kind: 'lodged', object: 'review', digest: null, by: 'person:eva' }),
      'entry 6: no post-review is owed',
    ],
  ])('%s', (_name, after, why) => {
    expect(textOf({ after })).toContain(why);
  });

  test('before it ran, and before it ended', () => {
    expect(textOf({ early: (tell) => void tell.lodge('eva', says(tell, 'eva', { at: OPENED })) })).toContain('reviewed before it ended');
  });

  test.each<[string, (tell: Tell) => void, string]>([
    ['by one of two', (tell) => tell.reviewed({ by: ['eva'], digests: [tell.lodge('eva', says(tell, 'eva'))] }), 'enough distinct people'],
    [
      'by one, named twice',
      (tell) => {
        const digest = tell.lodge('eva', says(tell, 'eva'));
        tell.reviewed({ by: ['eva', 'eva'], digests: [digest, digest] });
      },
      'enough distinct people',
    ],
    [
      'with a review that is not on record',
      (tell) => both(tell, { digests: ['1', '2'].map((digit) => digit.repeat(64) as Digest) }),
      'not on record',
    ],
    ['in the name of somebody who did not review', (tell) => both(tell, { by: ['ben', 'eva'] }), 'not on record'],
    [
      'by one, in the name of another, too',
      (tell) => {
        const digest = tell.lodge('eva', says(tell, 'eva'));
        tell.reviewed({ by: ['ben', 'eva'], digests: [digest, digest] });
      },
      'entry 7: counts a review that is not on record',
    ],
    [
      'with a review more than people',
      (tell) => {
        const digests = ['ben', 'cleo', 'eva'].map((person) => tell.lodge(person, says(tell, person)));
        tell.reviewed({ by: ['cleo', 'eva'], digests });
      },
      'entry 9: not by enough distinct people',
    ],
    [
      'justified, though one found it unjustified and the other’s bytes are left out',
      (tell) => {
        const digests = [
          tell.lodge('cleo', says(tell, 'cleo'), { filed: false }),
          tell.lodge('eva', says(tell, 'eva', { verdict: 'not_justified' })),
        ];
        tell.reviewed({ by: ['cleo', 'eva'], digests });
      },
      'entry 8: says something else than its reviews',
    ],
    ['justified, which nobody said', (tell) => both(tell, { verdict: 'not_justified' }), 'says something else'],
    [
      'and once more after that',
      (tell) => {
        both(tell);
        tell.lodge('ben', says(tell, 'ben'));
      },
      'on record before it',
    ],
  ])('counted %s', (_name, after, why) => {
    expect(textOf({ after })).toContain(why);
  });

  test.each<[string, Partial<OwedReview> | null, string]>([
    ['nothing', null, 'exactly if it was sealed as break-glass'],
    ['a review by who let it run', { people: people('ana', 'cleo') }, 'who may not'],
    ['a review by the agent’s owner', { people: people('cleo', 'dana') }, 'who may not'],
    ['a review by somebody the seal does not name', { people: people('cleo', 'hal') }, 'who may not'],
    ['fewer signatures than were sealed', { quorum: 1 }, 'another post-review than was sealed'],
    ['them later than was sealed', { due: toInstant(RAN + 73 * HOUR) }, 'another post-review than was sealed'],
  ])('its start owes %s', (_name, changed, why) => {
    expect(textOf({ owed: changed === null ? null : { ...OWED, ...changed } })).toContain(why);
  });

  test('its start owes a review by who had modified it, or whom the agent acts for', () => {
    const { signed } = request({ idempotencyKey: 'key 1', onBehalfOf: 'cleo' });
    for (const sealed of [{ onBehalfOf: 'cleo', request: signed }, { contributors: ['cleo'] }])
      expect(textOf({ sealed })).toContain('who may not');
  });

  test('its start owes a review by who signed for another', () => {
    const mandate = delegation('ana', 'eva', { at: OPENED, until: OPENED + HOUR });
    const vote = (revision: SealedRevision): Signed =>
      approve('eva', revision, { reason: 'Production is down.', forge: onSeatOf('ana', mandate) });
    const without = { ...OWED, people: people('ben', 'cleo') };
    expect(textOf({ vote, owed: without, sealed: { delegates: ['eva'] } })).toBe('verifies');
    expect(textOf({ vote, sealed: { delegates: ['eva'] } })).toBe('entry 2: names somebody to review it who may not');
  });

  test('asked alone, of an envelope that is not in the file, it owes nothing', () => {
    const agreement = new Agreement(new Map(), new Map(), readersRoster(), () => undefined);
    const reviews = new PostReviews(new Map(), agreement, readersRoster(), () => undefined);
    expect(() => reviews.tell({ entry: { kind: 'executing', decisions: [] }, step: 'entry 2' } as never)).toThrow(
      new Broken('entry 2', 'the envelope that was executed is not in the file'),
    );
  });

  test('one is owed, or signed, of an action that was sealed as no break-glass', () => {
    const reviewed: Story['after'] = (tell) => tell.reviewed({ by: ['eva'], digests: [tell.revision.digest] });
    expect(textOf({ plain: true, owed: null, after: reviewed })).toBe('entry 6: no post-review is owed');
    expect(textOf({ plain: true })).toContain('exactly if it was sealed as break-glass');
    const signed: Story = { plain: true, owed: null, after: (tell) => void tell.lodge('eva', says(tell, 'eva')) };
    expect(textOf(signed)).toContain('no post-review is owed');
  });

  test('attack 46: by a key that had ended before, by the reader’s own roster, or that is nobody’s there', () => {
    const after: Story['after'] = (tell) => void tell.lodge('eva', says(tell, 'eva'));
    const keyOf = (until: number): RosterOptions => ({
      people: { eva: `{ name: eva, keys: [{ key: '${keyOfPerson('eva').key.text}', until: ${toInstant(until)} }] }` },
    });
    expect(textOf({ after, roster: keyOf(LATER + MINUTE) })).toBe('verifies');
    expect(textOf({ after, roster: keyOf(LATER - MINUTE) })).toContain('signature_invalid');
    const other: RosterOptions = { people: { eva: `{ name: eva, keys: ['${signerOf('another key').key.text}'] }` } };
    expect(textOf({ after, roster: other })).toContain('signature_invalid');
  });
});
