import { describe, expect, test } from '@jest/globals';
import { digestOfSigned } from '../../src/domain/dsse.js';
import { Broken } from '../../src/domain/evidence/broken.js';
import { Execution } from '../../src/domain/evidence/execution.js';
import { verifyEvidence } from '../../src/domain/evidence/verify.js';
import type { Entry } from '../../src/domain/objects/entry.js';
import { fileOf, OPEN, told } from '../helpers/evidence-file.js';
import { readersRoster } from '../helpers/flips.js';
import { HandLedger, HOUR, MINUTE, OPENED, seal, sealAfter, sealedPeople } from '../helpers/hand-made.js';
import { approve, cancel, type SealedRevision } from '../helpers/messages.js';

/** Three steps, each undone by itself. */
const STEPS = ['reserve', 'send', 'notify'].map((step) => ({ step, plan: { undo: 'automatic' } }));
const FIRST = seal({ preview: { changes: [], touches: [], warnings: [], undo: STEPS } });
const SECOND = sealAfter(FIRST, undefined);
const { id } = FIRST;
const at = OPENED + MINUTE;
const NOWHERE = digestOfSigned(cancel(id, { at }));
const votes = ['ana', 'ben'].map((person) => approve(person, FIRST, { at }));

type Body = Parameters<HandLedger['append']>[0];
/** What is appended, when, and in which epoch. */
type Written = Body | readonly [body: Body, at: number, epoch: number];
const bare = ({ digest, view, envelope }: SealedRevision, cause: 'request' | 'modify' | 'reseal', changes: object = {}): Body => ({
  kind: 'sealed',
  digest,
  revision: envelope.revision,
  view,
  cause,
  people: sealedPeople(),
  ...changes,
});
const sealed = bare(FIRST, 'request');
const stale: Body = { kind: 'stale', digest: FIRST.digest, code: 'policy_stale' };
const resealed = bare(SECOND, 'reseal');
const lodged = (object: Extract<Body, { kind: 'lodged' }>['object'], by = 'person:ana'): Body => ({
  kind: 'lodged',
  object,
  digest: NOWHERE,
  by,
});
const closed = (status: Extract<Body, { kind: 'closed' }>['status'], by?: string): Body => ({
  kind: 'closed',
  status,
  reason: { code: status, text: '', ...(by === undefined ? {} : { by }) },
});
const ended = (status: Extract<Body, { kind: 'ended' }>['status']): Body => ({ kind: 'ended', status, reason: { code: status, text: '' } });
const denied: Body = { kind: 'denied', request: NOWHERE, status: 'denied', reason: { code: 'rule_denies', text: '' } };
const executing = (revision = FIRST): Body => ({ kind: 'executing', digest: revision.digest, decisions: votes.map(digestOfSigned) });
const start = (step: number, attempt = 1): Body => ({
  kind: 'step_started',
  step,
  attempt,
  key: `${id}/${STEPS[step - 1]?.step ?? ''}/run/${attempt}`,
});
const done = (step: number): Body => ({ kind: 'step_done', step, attempt: 1, result: null });
const restored = (step: number, attempt = 1): Body => ({ kind: 'restored', step, attempt });
const found = (step: number, verdict: 'happened' | 'did_not' | 'undone_by_hand'): Body => ({
  kind: 'resolved',
  step,
  verdict,
  by: FIRST.envelope.resolve.people,
  digests: [NOWHERE],
});
const undo = (step: number): Body => ({ kind: 'undo_started', step, key: `${id}/${STEPS[step - 1]?.step ?? ''}/undo` });

/** With the envelopes that its entries sealed, as far as they are among `revisions`. */
function file(story: readonly Written[], revisions: readonly SealedRevision[] = [FIRST, SECOND]): Uint8Array {
  const ledger = new HandLedger(id);
  const written = story.map((each): readonly [Body, number, number] => ('kind' in each ? [each, at, 1] : each));
  for (const [body, ms, epoch] of written) ledger.append(body, ms, { epoch });
  const sealedThere = new Set(written.flatMap(([body]) => (body.kind === 'sealed' ? [body.digest] : [])));
  const inFile = revisions.filter(({ digest }) => sealedThere.has(digest));
  const decisions = written.some(([{ kind }]) => kind === 'executing') && sealedThere.size > 0 ? votes : [];
  return fileOf({ id, entries: ledger.entries, revisions: inFile, decisions });
}
const says = (story: readonly Written[], revisions?: readonly SealedRevision[]): readonly string[] => told(file(story, revisions));
const alone = (n: number, object: string, by = 'person:ana'): string =>
  `entry ${n}: the ${object} by ${by} is not in the file: the executor's word alone`;
const missing = (n: number, revision: number): string => `entry ${n}: the envelope of revision ${revision} is not in the file`;
const bySomebody = (n: number): string => `entry ${n}: cancelled without a signature, by somebody who may cancel in Temporal`;
const fewer = (n: number): string =>
  `entry ${n}: closed as rejected, but the file holds fewer standing rejections than the sealed rule asks`;
const due = OPENED + 24 * HOUR;

describe('an action under review, as the ledger writes it', () => {
  test.each<[string, readonly Written[], readonly string[], (readonly SealedRevision[])?]>([
    ['stale, sealed again', [sealed, stale, resealed], [OPEN]],
    ['stale, not yet sealed again', [sealed, stale], [OPEN]],
    ['rejected, withdrawn', [sealed, lodged('reject'), lodged('withdraw')], [alone(2, 'reject'), alone(3, 'withdraw'), OPEN]],
    ['rejected while stale', [sealed, stale, lodged('reject')], [alone(3, 'reject'), OPEN]],
    ['cancelled', [sealed, lodged('cancel'), closed('cancelled', 'person:ana')], [alone(2, 'cancel')]],
    ['cancelled while stale', [sealed, stale, lodged('cancel'), closed('cancelled', 'person:ana')], [alone(3, 'cancel')]],
    ['cancelled by nobody’s signature', [sealed, closed('cancelled', 'unsigned')], [bySomebody(2)]],
    ['cancelled before any seal', [closed('cancelled', 'unsigned')], [bySomebody(1)]],
    ['rejected', [sealed, lodged('reject'), closed('rejected')], [alone(2, 'reject')]],
    ['closed as rejected while stale', [sealed, stale, closed('rejected')], [fewer(3)]],
    ['expired', [sealed, [closed('expired'), due, 1]], []],
    ['expired, its envelope not in the file', [sealed, closed('expired')], [missing(1, 1)], []],
    ['not started in time', [sealed, closed('execution_expired')], []],
    ['denied under review', [sealed, ended('denied')], []],
    ['denied while stale', [sealed, stale, ended('denied')], []],
    ['denied before any seal', [denied], ['entry 1: the request that was denied is not in the file']],
  ])('%s', (_name, story, warnings, revisions = [FIRST, SECOND]) => {
    expect(says(story, revisions)).toEqual(warnings);
  });
  test('its status, until it ends', () => {
    const status = (story: readonly Written[]): unknown => {
      const verdict = verifyEvidence(file(story), readersRoster());
      return verdict.ok && verdict.outcome;
    };
    expect(status([sealed])).toEqual({
      id,
      status: 'awaiting_approval',
      effect: 'none',
      final: false,
      reason: { code: 'awaiting_approval', text: 'none' },
      retry: 'never',
    });
    expect(status([sealed, stale])).toMatchObject({ status: 'awaiting_approval' });
    expect(status([sealed, [closed('expired'), due, 1]])).toMatchObject({ status: 'expired', final: true });
  });
});

describe('attack: as the ledger could not have written it', () => {
  const notDue = 'no such revision was due';
  const noReview = 'nothing was under review';
  const cancelEnds = 'a cancel lodged before execution ends the action';
  const over = 'the action had ended before it';
  test.each<[string, readonly Written[], string, (readonly SealedRevision[])?]>([
    ['a first revision said to come from a modify', [bare(FIRST, 'modify')], `entry 1: ${notDue}`],
    ['a first revision said to be sealed again', [bare(FIRST, 'reseal')], `entry 1: ${notDue}`],
    ['asked for twice', [sealed, bare(SECOND, 'request')], `entry 2: ${notDue}`],
    ['sealed again, though nothing was stale', [sealed, resealed], `entry 2: ${notDue}`],
    ['modified while stale', [sealed, stale, bare(SECOND, 'modify')], `entry 3: ${notDue}`],
    ['a revision left out', [sealed, stale, bare(SECOND, 'reseal', { revision: 3 })], `entry 3: ${notDue}`, [FIRST]],
    ['a first revision that is the second', [bare(FIRST, 'request', { revision: 2 })], `entry 1: ${notDue}`, []],
    ['stale before any seal', [stale], 'entry 1: nothing of this digest was under review'],
    ['stale twice', [sealed, stale, stale], 'entry 3: nothing of this digest was under review'],
    ['an earlier revision stale', [sealed, stale, resealed, stale], 'entry 4: nothing of this digest was under review'],
    ['lodged before any seal', [lodged('reject')], 'entry 1: lodged outside the review'],
    ['reviewed afterwards, before', [sealed, lodged('review')], 'entry 2: reviewed before it ended'],
    ['a freeze of one action', [sealed, lodged('freeze')], 'entry 2: a freeze belongs to no action'],
    ['a thaw of one action', [sealed, lodged('thaw')], 'entry 2: a thaw belongs to no action'],
    ['a restore of one action', [sealed, lodged('restore')], 'entry 2: a restore belongs to no action'],
    ['consumed before any seal', [executing()], 'entry 1: consumed, but not the newest revision under review'],
    ['consumed while stale', [sealed, stale, executing()], 'entry 3: consumed, but not the newest revision under review'],
    ['an earlier revision consumed', [sealed, stale, resealed, executing()], 'entry 4: consumed, but not the newest revision under review'],
    ['consumed, its envelope not in the file', [sealed, executing()], 'entry 2: the envelope that was executed is not in the file', []],
    [
      'consumed in a later epoch than it was sealed in',
      [sealed, [executing(), at, 2]],
      'entry 2: sealed in an earlier epoch than it ran in',
    ],
    ['consumed, and then no step', [sealed, executing(), ended('failed')], 'entry 3: execution begins with its first step'],
    [
      'consumed, and then cancelled first',
      [sealed, executing(), lodged('cancel'), start(1)],
      'entry 3: execution begins with its first step',
    ],
    ['a step of what was not consumed', [sealed, start(1)], 'entry 2: nothing had been consumed'],
    ['a step before any seal', [start(1)], 'entry 1: nothing had been consumed'],
    ['denied after its seal', [sealed, denied], 'entry 2: denied like this only before its first seal'],
    ['an end of what was not consumed', [sealed, ended('failed')], 'entry 2: an action under review ends like this only by a denial'],
    ['an end before any seal', [ended('denied')], 'entry 1: an action under review ends like this only by a denial'],
    ['expired before any seal', [closed('expired')], `entry 1: ${noReview}`],
    ['expired before its time', [sealed, [closed('expired'), due - 1, 1]], 'entry 2: expired before its time'],
    ['a cancel, and then something else', [sealed, lodged('cancel'), stale], `entry 3: ${cancelEnds}`],
    ['a cancel that ends it as something else', [sealed, lodged('cancel'), closed('execution_expired')], `entry 3: ${cancelEnds}`],
    [
      'cancelled in the name of another than lodged it',
      [sealed, lodged('cancel'), closed('cancelled', 'person:ben')],
      'entry 3: cancelled in the name of somebody whose cancel is not on record',
    ],
    [
      'cancelled in the name of somebody who lodged another thing',
      [sealed, lodged('reject'), closed('cancelled', 'person:ana')],
      'entry 3: cancelled in the name of somebody whose cancel is not on record',
    ],
    [
      'cancelled in nobody’s name',
      [sealed, closed('cancelled')],
      'entry 2: cancelled in the name of somebody whose cancel is not on record',
    ],
    ['sealed after its end', [sealed, ended('denied'), resealed], `entry 3: ${over}`],
    ['cancelled after its end', [sealed, ended('denied'), lodged('cancel')], `entry 3: ${over}`],
    ['a review of what never ran', [sealed, ended('denied'), lodged('review')], `entry 3: ${over}`],
    [
      'the sum of reviews of what never ran',
      [sealed, ended('denied'), { kind: 'reviewed', verdict: 'justified', by: FIRST.envelope.resolve.people, digests: [NOWHERE] }],
      `entry 3: ${over}`,
    ],
    ['restored before any seal', [restored(1)], `entry 1: ${noReview}`],
    [
      'restored, its envelope not in the file',
      [sealed, [restored(1), at, 2]],
      'entry 2: the envelope that was in doubt is not in the file',
      [],
    ],
    ['restored within one epoch', [sealed, restored(1)], 'entry 2: no restore put this in doubt'],
  ])('%s', (_name, story, words, revisions = [FIRST, SECOND]) => {
    expect(says(story, revisions)).toEqual([`BROKEN ${words}`]);
  });
});

describe('an action that a restore put in doubt (§7)', () => {
  const then = (body: Body): Written => [body, at, 2];
  const after = (before: readonly Written[], ...bodies: readonly Body[]): readonly string[] => says([...before, ...bodies.map(then)]);
  const ran = [sealed, executing(), start(1)];
  const finding = (n: number): string => `entry ${n}: the finding ${NOWHERE.slice(0, 12)} is not in the file: the executor's word alone`;
  test('while it waited for people: what became of it is what people found out', () => {
    const waited = 'entry 2: the ledger was restored while it waited for people; what it says of its end is what people found out';
    expect(after([sealed], restored(1))).toEqual([waited, OPEN]);
    expect(after([sealed], restored(1), found(1, 'did_not'), ended('failed'))).toEqual([waited, finding(3)]);
    expect(after([sealed, stale], restored(1), found(1, 'did_not'), ended('failed'))).toEqual([waited.replace('2', '3'), finding(4)]);
  });
  test('while a step was under way, or between two', () => {
    expect(after(ran, restored(1))).toEqual([OPEN]);
    expect(after(ran, restored(1), found(1, 'did_not'), ended('failed'))).toEqual([finding(5)]);
    expect(after(ran, restored(1), found(1, 'happened'), undo(1))).toEqual([finding(5), OPEN]);
    expect(after([...ran, done(1)], restored(2), found(2, 'happened'), undo(2))).toEqual([finding(6), OPEN]);
    const all = [...ran, done(1), start(2), done(2), start(3)];
    expect(after(all, restored(3), found(3, 'happened'), ended('succeeded'))).toEqual([finding(9)]);
    expect(after([...all, done(3)], restored(3), found(3, 'undone_by_hand'), undo(2))).toEqual([finding(10), OPEN]);
  });
  test.each<[string, readonly Written[], readonly Body[], string]>([
    ['another step than was under way', ran, [restored(2)], 'entry 4: another step was in doubt'],
    ['another attempt of it', ran, [restored(1, 2)], 'entry 4: another step was in doubt'],
    ['the step that is done, not the next', [...ran, done(1)], [restored(1)], 'entry 5: another step was in doubt'],
    ['twice', ran, [restored(1), restored(1)], 'entry 5: no restore put this in doubt'],
    ['and then the step is done after all', ran, [restored(1), done(1)], 'entry 5: no such attempt of this step was under way'],
    ['and then the next step starts', [...ran, done(1)], [restored(2), start(2)], 'entry 6: no step starts now'],
    ['and then something is undone that nobody spoke of', [...ran, done(1)], [restored(2), undo(1)], 'entry 6: nothing was to be undone'],
  ])('attack: %s', (_name, before, bodies, words) => {
    expect(after(before, ...bodies)).toEqual([`BROKEN ${words}`]);
  });
});

test('an execution told anything before its first step takes nothing for granted', () => {
  const tell = (body: Body): unknown => {
    try {
      new Execution(FIRST.envelope, 'entry 2').tell({ ...body, actionId: id, epoch: 1 } as Entry, 'entry 3');
      return 'taken';
    } catch (error) {
      return error;
    }
  };
  expect(tell(done(1))).toEqual(new Broken('entry 3', 'no such attempt of this step was under way'));
  for (const body of [ended('failed'), undo(1)]) expect(tell(body)).toEqual(new Broken('entry 3', 'nothing was to be undone'));
  expect(tell(ended('succeeded'))).toEqual(new Broken('entry 3', 'not every step is done'));
  expect(tell(start(1))).toBe('taken');
});
