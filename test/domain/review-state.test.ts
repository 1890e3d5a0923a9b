import { describe, expect, test } from '@jest/globals';
import { digestOfSigned, type Signed } from '../../src/domain/dsse.js';
import { personIdSchema } from '../../src/domain/ids.js';
import { toInstant } from '../../src/domain/instant.js';
import { Ballot } from '../../src/domain/review/ballot.js';
import { ringsOf } from '../../src/domain/review/clocks.js';
import { Dialogue } from '../../src/domain/review/dialogue.js';
import { Review } from '../../src/domain/review/review.js';
import { envelope, HOUR, MINUTE, OPENED, seal, sealAfter, sealedPeople, type EnvelopeChanges } from '../helpers/hand-made.js';
import {
  approve,
  ask,
  damaged,
  delegation,
  modify,
  onSeatOf,
  reject,
  reply,
  request,
  withdraw,
  type SealedRevision,
} from '../helpers/messages.js';

const STAGES = [
  { name: 'finance', from: ['ana', 'ben', 'cleo'], quorum: 2, remind: [HOUR], escalate: [{ after: 8 * HOUR, to: ['eva'], quorum: 3 }] },
  { name: 'leads', from: ['dana'], quorum: 1, remind: [], escalate: [] },
];
const CHANGES = { stages: STAGES, exclusions: [] };
const person = (id: string) => personIdSchema.parse(id);

function opened(changes: EnvelopeChanges = CHANGES): { review: Review; revision: SealedRevision } {
  const revision = seal(changes);
  const review = new Review(revision.id);
  open(review, revision);
  return { review, revision };
}
const open = (review: Review, { signed, digest, view }: SealedRevision, rejections: readonly Signed[] = [], now = OPENED): boolean =>
  review.open({ envelope: signed, digest, view, rejections }, sealedPeople(), now);
const refusal = (review: Review, signed: Signed, now = OPENED): [string, string] | string => {
  const { fate } = review.receive(signed, now);
  return fate.state === 'refused' ? [fate.code, fate.text] : fate.state;
};
const code = (review: Review, signed: Signed): string | undefined => [refusal(review, signed)].flat()[0];
const fate = (review: Review, signed: Signed) => review.fateOf(digestOfSigned(signed));
const people = (review: Review): string[] => review.count().approvals.map((vote) => vote.person as string);

describe('before the first seal', () => {
  const { id } = seal();
  test('nobody is asked, nothing counts, and no clock runs', () => {
    const review = new Review(id);
    expect(review.count()).toEqual({ approvals: [], rejections: [], rejected: false });
    expect([review.awaiting(OPENED), review.progress(OPENED), review.progressByStage(OPENED), review.deadline()]).toEqual([
      [],
      { have: 0, need: 0 },
      [],
      null,
    ]);
    expect([review.nextRing(), review.ringsLeft(), review.evidence(), review.newest, review.envelopes]).toEqual([
      undefined,
      [],
      [],
      undefined,
      [],
    ]);
    expect([review.nextToLodge(), review.nextModify(), review.lastRefusal, review.refusedTotal, review.refusedSignatures]).toEqual([
      undefined,
      undefined,
      undefined,
      0,
      0,
    ]);
  });
  test('a vote is cast, but counts for nothing yet', () => {
    const ballot = new Ballot();
    const { digest } = seal();
    ballot.cast({ digest, person: person('ana'), issuedAt: OPENED, independent: true, envelope: digest, act: { verdict: 'approve' } });
    expect([ballot.count().approvals, ballot.digests(), ballot.has(digest)]).toEqual([[], [digest], true]);
  });
});

describe('what a review refuses, and says why', () => {
  test.each<[string, (revision: SealedRevision) => Signed, [string, string]]>([
    ['what is no decision', () => request({}).signed, ['request_invalid', 'not a decision: see the schema of decision v1']],
    [
      'a withdrawal of nothing',
      (revision) => withdraw('ana', revision, approve('ana', revision)),
      ['request_invalid', 'there is no such vote of yours to withdraw'],
    ],
  ])('%s', (_what, made, said) => {
    const { review, revision } = opened();
    expect(refusal(review, made(revision))).toEqual(said);
    expect(review.lastRefusal).toEqual({ code: said[0], text: said[1] });
  });

  test('the longest payload is judged, one character more is too large', () => {
    const { review, revision } = opened();
    const padded = (length: number): Signed => ({ ...approve('ana', revision), payload: 'A'.repeat(length) });
    expect([review.examine(padded(1_400_000), OPENED)?.code, review.examine(padded(1_400_001), OPENED)?.code]).toEqual([
      'request_invalid',
      'request_too_large',
    ]);
  });

  test('questions have a number; who asks one more is told to decide', () => {
    const { review, revision } = opened();
    const questions = Array.from({ length: 20 }, (_, i) => ask('ana', revision, `Question ${i}?`));
    expect(questions.map((signed) => refusal(review, signed))).toEqual(Array(20).fill('taken'));
    expect(refusal(review, ask('ben', revision))).toEqual(['rate_limited', 'an action takes 20 questions; decide, or reject it']);
    expect(refusal(review, approve('ana', revision))).toBe('counted');
    expect([...review.questions()]).toEqual(questions.map(digestOfSigned));
    const [first] = questions;
    if (first === undefined) throw new Error('no question');
    expect(review.askerOf(digestOfSigned(first))).toBe('ana');
    expect(review.askerOf(revision.digest)).toBeUndefined();
  });

  test('more decisions than are kept are told so', () => {
    const { review, revision } = opened();
    for (let i = 0; i < 300; i++) review.receive(reject('ben', revision), OPENED);
    expect(refusal(review, approve('ana', revision))).toEqual(['rate_limited', 'this action has had more decisions than it keeps']);
  });

  test('what a newer revision, the end and the executor make of decisions is said in words', () => {
    const { review, revision } = opened();
    const [yes, no, other] = [approve('ana', revision), reject('ben', revision), modify('cleo', revision, { '/cents': 1 })];
    for (const signed of [yes, no, other]) review.receive(signed, OPENED);
    open(review, sealAfter(revision, undefined));
    expect(fate(review, yes)).toEqual({ state: 'refused', code: 'revision_stale', text: 'the action has a newer revision' });
    review.modified(digestOfSigned(other));
    expect(fate(review, other)).toEqual({ state: 'counted' });
    const [newest] = [review.newest?.envelope];
    open(review, seal({ ...newest, revision: 3, nonce: 'c'.repeat(32) }));
    expect(fate(review, other)).toEqual({ state: 'counted' });
    review.end();
    expect(fate(review, no)).toEqual({ state: 'refused', code: 'decision_late', text: 'the action ended before this was judged' });
    expect(fate(review, other)).toEqual({ state: 'counted' });
  });

  test("another action's decision is refused before the first seal as well", () => {
    const review = new Review(request({}).id);
    expect(code(review, approve('ana', seal(CHANGES)))).toBe('audience_mismatch');
    expect(review.signedDecisions()).toEqual([]);
  });

  test('a repeat is welcome and told its fate, whatever it is and whatever came since; it is no second vote', () => {
    const { review, revision } = opened();
    const [yes, gone] = [approve('ana', revision), approve('ben', revision)];
    for (const signed of [yes, gone, yes, gone]) expect(refusal(review, signed)).toBe('counted');
    expect(review.evidence()).toEqual([yes, gone]);
    review.drop([{ digest: digestOfSigned(gone), code: 'approver_stale', check: 9, text: 'ben may no longer decide' }]);
    expect(refusal(review, gone)).toEqual(['approver_stale', 'ben may no longer decide']);
    expect([people(review), review.evidence(), review.signedDecisions()]).toEqual([['ana'], [yes], [yes, gone]]);
    review.end();
    expect([review.examine(yes, OPENED), review.examine(approve('cleo', revision), OPENED)?.code]).toEqual([undefined, 'action_ended']);
    expect(refusal(review, yes)).toBe('counted');
  });

  test('what is no vote casts none, even if the ledger says that it stands', () => {
    const { review, revision } = opened();
    const change = modify('cleo', revision, { '/cents': 1 });
    review.receive(change, OPENED);
    review.stands(digestOfSigned(change));
    expect([fate(review, change), review.count().approvals, review.evidence()]).toEqual([{ state: 'stands' }, [], []]);
  });

  test('a refusal carries its code and text, and nothing that came along', () => {
    const review = new Review(seal().id);
    const more = { code: 'busy', text: 'later', secret: 'x' } as const;
    expect(review.note(more)).toEqual({ state: 'refused', code: 'busy', text: 'later' });
    expect(review.lastRefusal).toEqual({ code: 'busy', text: 'later' });
    expect([review.refusedTotal, review.refusedSignatures]).toEqual([1, 0]);
  });

  test('of a decision nobody sent nothing is made', () => {
    const { review, revision } = opened();
    for (const signed of [approve('ana', revision), reject('ben', revision)]) {
      review.stands(digestOfSigned(signed));
      review.modified(digestOfSigned(signed));
      review.refuse(digestOfSigned(signed), 'busy', 'later');
    }
    expect([review.decisions(), review.refusedTotal, people(review), review.count().rejected]).toEqual([[], 0, [], false]);
  });
});

describe('votes', () => {
  test('one that is taken back leaves the others, wherever it stood', () => {
    for (const gone of [0, 1, 2]) {
      const { review, revision } = opened();
      const votes = ['ana', 'ben', 'cleo'].map((id) => approve(id, revision));
      for (const signed of votes) review.receive(signed, OPENED);
      const [out] = votes.splice(gone, 1);
      if (out === undefined) throw new Error('no vote');
      expect(people(review)).toHaveLength(3);
      review.refuse(digestOfSigned(out), 'approver_stale', 'gone');
      expect(people(review)).toHaveLength(2);
      expect(review.evidence()).toEqual(votes);
    }
  });

  test('a rejection that stands is cast once, however often the ledger says so', () => {
    const { review, revision } = opened({ ...CHANGES, rejections: 2 });
    const no = reject('ben', revision);
    review.receive(no, OPENED);
    for (let i = 0; i < 3; i++) review.stands(digestOfSigned(no));
    expect(review.evidence()).toEqual([no]);
    expect(review.count()).toMatchObject({ rejected: false, rejections: [{ person: 'ben' }] });
    open(review, revision, [no]);
    expect(review.evidence()).toEqual([no]);
  });

  test('in whose name one is cast: the delegate and who handed over to him share a seat, and only they take it back', () => {
    const { review, revision } = opened({ ...CHANGES, delegates: ['eva'] });
    const forge = onSeatOf('ana', delegation('ana', 'eva', { at: OPENED, until: OPENED + HOUR }));
    const yes = approve('eva', revision, { forge });
    expect(refusal(review, yes)).toBe('counted');
    expect(review.decisions()).toMatchObject([{ person: 'eva', for: 'ana', verdict: 'approve' }]);
    expect(code(review, approve('ana', revision))).toBe('seat_taken');
    expect(code(review, withdraw('ben', revision, yes))).toBe('request_invalid');
    expect(refusal(review, withdraw('eva', revision, yes))).toBe('waiting');
    expect(refusal(review, withdraw('ana', revision, yes))).toBe('waiting');
  });

  test('who voted for himself cannot have a delegate vote for him as well', () => {
    const { review, revision } = opened({ ...CHANGES, delegates: ['eva', 'ben'] });
    const forge = onSeatOf('ana', delegation('ana', 'ben', { at: OPENED, until: OPENED + HOUR }));
    expect(refusal(review, approve('ben', revision))).toBe('counted');
    expect(code(review, approve('ben', revision, { forge }))).toBe('seat_taken');
    expect(refusal(review, approve('cleo', revision))).toBe('counted');
  });

  test('how far it is, in all and stage by stage, by the bars of the moment', () => {
    const { review, revision } = opened();
    review.receive(approve('ana', revision), OPENED);
    review.receive(approve('dana', revision), OPENED);
    expect([review.progress(OPENED), review.progress(OPENED + 8 * HOUR)]).toEqual([
      { have: 2, need: 3 },
      { have: 2, need: 4 },
    ]);
    expect(review.progressByStage(OPENED)).toEqual([
      { name: 'finance', have: 1, need: 2 },
      { name: 'leads', have: 1, need: 1 },
    ]);
    expect(review.progressByStage(OPENED + 8 * HOUR)[0]).toEqual({ name: 'finance', have: 1, need: 3 });
  });

  test('an independent vote is one by an Ed25519 key of the ring', () => {
    const { review, revision } = opened({ ...CHANGES, guards: { ...envelope().guards, independent: 1 } });
    review.receive(approve('ana', revision), OPENED);
    expect(review.count().approvals).toMatchObject([{ person: 'ana', independent: true }]);
  });

  test('a deadline runs from the newest vote, but never before the action was opened', () => {
    const { review, revision } = opened({ stages: [{ ...STAGES[0], quorum: 1, escalate: [] }], executeWithin: 30 * MINUTE });
    expect(review.deadline()).toBe(revision.envelope.approveBy);
    review.receive(approve('ana', revision, { at: OPENED - HOUR }), OPENED);
    expect(review.deadline()).toBe(toInstant(OPENED));
    const later = opened({ stages: [{ ...STAGES[0], quorum: 1, escalate: [] }], executeWithin: 30 * MINUTE });
    later.review.receive(approve('ana', later.revision, { at: OPENED + MINUTE }), OPENED + MINUTE);
    expect(later.review.deadline()).toBe(toInstant(OPENED + 31 * MINUTE));
  });
});

describe('what waits', () => {
  test('what came while something was settled is put before the executor after it, not before', () => {
    const { review, revision } = opened();
    review.beginSettling();
    const [no, change] = [reject('ben', revision), modify('cleo', revision, { '/cents': 1 })];
    for (const signed of [no, change]) review.receive(signed, OPENED);
    expect([review.nextToLodge(), review.nextModify()]).toEqual([undefined, undefined]);
    review.settled(OPENED);
    expect([review.nextToLodge()?.signed, review.nextModify()?.signed]).toEqual([no, change]);
    expect(refusal(review, approve('ana', revision))).toBe('counted');
  });

  test('a refusal among what waited is counted; one with a false signature is forgotten, any other is kept', () => {
    const { review, revision } = opened();
    review.beginSettling();
    const [forged, stranger] = [damaged(approve('ana', revision)), approve('eva', revision)];
    for (const signed of [forged, stranger]) review.receive(signed, OPENED);
    review.settled(OPENED);
    expect([fate(review, forged), fate(review, stranger)]).toMatchObject([undefined, { state: 'refused', code: 'not_eligible' }]);
    expect([review.refusedTotal, review.refusedSignatures, review.signedDecisions()]).toEqual([2, 1, [stranger]]);
  });

  test('what ended meanwhile is not judged again', () => {
    const { review, revision } = opened();
    review.beginSettling();
    const yes = approve('ana', revision);
    review.receive(yes, OPENED);
    review.end();
    review.settled(OPENED);
    expect([fate(review, yes), people(review)]).toMatchObject([{ state: 'refused', code: 'decision_late' }, []]);
  });

  test('all that surfaces show of a decision', () => {
    const { review, revision } = opened();
    const made = [approve('ana', revision, { reason: 'Fine.' }), ask('cleo', revision), reject('ben', revision, { at: OPENED + MINUTE })];
    for (const signed of made) review.receive(signed, OPENED);
    const common = { revision: 1, issuedAt: toInstant(OPENED) };
    expect(review.decisions()).toEqual([
      {
        ...common,
        digest: made[0] && digestOfSigned(made[0]),
        person: 'ana',
        verdict: 'approve',
        reason: 'Fine.',
        fate: { state: 'counted' },
      },
      { ...common, digest: made[1] && digestOfSigned(made[1]), person: 'cleo', verdict: 'ask', reason: null, fate: { state: 'taken' } },
      {
        ...common,
        digest: made[2] && digestOfSigned(made[2]),
        person: 'ben',
        verdict: 'reject',
        reason: 'Not this vendor.',
        issuedAt: toInstant(OPENED + MINUTE),
        fate: { state: 'waiting' },
      },
    ]);
  });
});

describe('6.8 clocks', () => {
  test('every reminder and tier of every stage, earliest first; at one moment who is asked comes before who is reminded', () => {
    const stage = (name: string, remind: number[], after: number[]) => ({
      name,
      from: ['ana'],
      quorum: 1,
      remind,
      escalate: after.map((each) => ({ after: each, to: ['ben'] })),
    });
    const rings = ringsOf(envelope({ stages: [stage('a', [2 * HOUR, 8 * HOUR], [8 * HOUR]), stage('b', [HOUR], [3 * HOUR, 24 * HOUR])] }));
    expect(rings.map((ring) => [ring.kind, ring.at - OPENED, ...(ring.kind === 'expire' ? [] : [ring.stage, ring.n])])).toEqual([
      ['remind', HOUR, 1, 1],
      ['remind', 2 * HOUR, 0, 1],
      ['escalate', 3 * HOUR, 1, 1],
      ['escalate', 8 * HOUR, 0, 1],
      ['remind', 8 * HOUR, 0, 2],
      ['escalate', 24 * HOUR, 1, 2],
      ['expire', 24 * HOUR],
    ]);
  });
  test('what is past rings no more, from its very moment on; what has rung is not left', () => {
    const kinds = (now: number): string[] => {
      const { review, revision } = opened();
      open(review, revision, [], now);
      return review.ringsLeft().map(({ kind }) => kind);
    };
    expect([kinds(OPENED + HOUR - 1), kinds(OPENED + HOUR), kinds(OPENED + 48 * HOUR)]).toEqual([
      ['remind', 'escalate', 'expire'],
      ['escalate', 'expire'],
      ['expire'],
    ]);
    const { review } = opened();
    review.rang();
    expect(review.ringsLeft().map(({ kind }) => kind)).toEqual(['escalate', 'expire']);
  });
});

describe('answers', () => {
  const { id } = seal();
  const question = ask('ana', seal());
  const asked = { actionId: id, agent: envelope().agent, questions: new Set([digestOfSigned(question)]) };
  const answer = (text: string, options: Partial<Parameters<typeof reply>[3]> = {}): Signed =>
    reply(id, question, text, { at: OPENED, ...options });

  test.each<[string, Signed, string, string]>([
    ['what is none', question, 'request_invalid', 'not an answer: see the schema of reply v1'],
    [
      'one to a question nobody asked',
      answer('x', { forge: { question: 'a'.repeat(64) } }),
      'request_invalid',
      'this action was asked no such question',
    ],
    [
      'one longer than is read',
      { ...answer('x'), payload: 'A'.repeat(16_385) },
      'request_invalid',
      'not an answer: see the schema of reply v1',
    ],
  ])('%s is refused', (_what, signed, code, text) => {
    expect(new Dialogue().examine(signed, asked)).toEqual({ code, text });
  });

  test('of another action or agent, or while nothing is sealed', () => {
    const dialogue = new Dialogue();
    const other = request({}).id;
    expect(dialogue.examine(answer('x', { forge: { actionId: other } }), asked)?.code).toBe('audience_mismatch');
    expect(dialogue.examine(answer('x', { forge: { agent: 'other' } }), asked)?.code).toBe('audience_mismatch');
    expect(dialogue.examine(answer('x'), { ...asked, agent: undefined })?.code).toBe('audience_mismatch');
    expect(dialogue.examine(answer('x'), asked)).toBeUndefined();
  });

  test('four to a question are kept, a repeat is none more; what is no answer is not taken', () => {
    const dialogue = new Dialogue();
    const answers = ['1', '2', '3', '4'].map((text) => answer(text));
    for (const signed of answers) {
      expect(dialogue.examine(signed, asked)).toBeUndefined();
      dialogue.take(signed);
      dialogue.take(signed);
    }
    expect(dialogue.examine(answer('5'), asked)).toEqual({
      code: 'rate_limited',
      text: 'this question has had more answers than are kept',
    });
    const [first] = answers;
    if (first === undefined) throw new Error('no answer');
    expect(dialogue.examine(first, asked)).toBeUndefined();
    expect(dialogue.take(question)).toBe(digestOfSigned(question));
    expect(dialogue.answersTo(digestOfSigned(question))).toBe(4);
    expect(dialogue.replies()).toEqual(
      answers.map((signed) => ({ digest: digestOfSigned(signed), question: digestOfSigned(question), signed })),
    );
    expect([dialogue.fateOf(digestOfSigned(first)), dialogue.fateOf(digestOfSigned(question))]).toEqual([{ state: 'taken' }, undefined]);
  });

  test('answers to another question take no place of this one', () => {
    const dialogue = new Dialogue();
    const other = ask('ben', seal(), 'And why?');
    const both = { ...asked, questions: new Set([question, other].map(digestOfSigned)) };
    for (const text of ['1', '2', '3', '4']) dialogue.take(reply(id, other, text, { at: OPENED }));
    expect([dialogue.answersTo(digestOfSigned(other)), dialogue.answersTo(digestOfSigned(question))]).toEqual([4, 0]);
    expect([dialogue.examine(answer('5'), both), dialogue.examine(reply(id, other, '5', { at: OPENED }), both)?.code]).toEqual([
      undefined,
      'rate_limited',
    ]);
  });

  test('of 12 KiB of JSON, and not a byte more', () => {
    // Each of these is six bytes of canonical JSON.
    const long = (text: string): Signed => answer(text, { forge: { deployment: 'd'.repeat(64) } });
    const fill = (bytes: number): Signed => {
      const missing = bytes - Buffer.from(long('').payload, 'base64url').length;
      return long('\u0001'.repeat(Math.floor(missing / 6)) + 'x'.repeat(missing % 6));
    };
    const [longest, longer] = [fill(12_288), fill(12_289)];
    expect([longest.payload.length, longer.payload.length]).toEqual([16_384, 16_386]);
    expect([new Dialogue().examine(longest, asked), new Dialogue().examine(longer, asked)?.code]).toEqual([undefined, 'request_invalid']);
  });

  test('each is told once', () => {
    const dialogue = new Dialogue();
    expect([dialogue.hasNews, dialogue.nextToTell()]).toEqual([false, undefined]);
    for (const text of ['1', '2']) dialogue.take(answer(text));
    expect([dialogue.hasNews, dialogue.nextToTell(), dialogue.hasNews, dialogue.nextToTell(), dialogue.hasNews]).toEqual([
      true,
      digestOfSigned(question),
      true,
      digestOfSigned(question),
      false,
    ]);
  });
});
