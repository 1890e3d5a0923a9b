import { describe, expect, test } from '@jest/globals';
import { digestOfSigned } from '../../src/domain/dsse.js';
import { buildEvidence } from '../../src/domain/evidence/build.js';
import { verifyEvidence } from '../../src/domain/evidence/verify.js';
import type { EntryBody } from '../../src/domain/objects/entry.js';
import type { UndoPlan } from '../../src/domain/objects/envelope.js';
import { readersRoster } from '../helpers/flips.js';
import { HandLedger, MINUTE, OPENED, seal } from '../helpers/hand-made.js';
import { approve, cancel, reject } from '../helpers/messages.js';
import { snapshotOf } from '../helpers/snapshots.js';

type Body = Parameters<HandLedger['append']>[0];
const NOW = OPENED + MINUTE;
const AUTOMATIC: UndoPlan = { undo: 'automatic' };
const NAMES = ['reserve', 'send', 'notify'];

const revision = (plans: readonly UndoPlan[], resolve: object = { people: ['eva'], quorum: 1 }): ReturnType<typeof seal> =>
  seal({ resolve, preview: { changes: [], touches: [], warnings: [], undo: plans.map((plan, i) => ({ step: NAMES[i], plan })) } });
const { id } = revision([AUTOMATIC]);
const STOP = cancel(id, { at: NOW });

const start = (step: number, attempt = 1): Body => ({
  kind: 'step_started',
  step,
  attempt,
  key: `${id}/${NAMES[step - 1] ?? ''}/run/${attempt}`,
});
const done = (step: number, attempt = 1): Body => ({ kind: 'step_done', step, attempt, result: null });
const notStarted = (step: number, attempt = 1): Body => ({ kind: 'step_not_started', step, attempt, code: 'closed' });
const failed = (step: number, attempt = 1): Body => ({ kind: 'step_failed', step, attempt, code: 'blocked' });
const unknown = (step: number, attempt = 1): Body => ({ kind: 'step_unknown', step, attempt, code: 'lost' });
const undoStart = (step: number): Body => ({ kind: 'undo_started', step, key: `${id}/${NAMES[step - 1] ?? ''}/undo` });
const undone = (step: number): Body => ({ kind: 'undo_done', step });
const undoFailed = (step: number): Body => ({ kind: 'undo_failed', step, code: 'cannot' });
const undoUnknown = (step: number): Body => ({ kind: 'undo_unknown', step, code: 'silence' });
const ended = (
  status: 'succeeded' | 'compensated' | 'cancelled' | 'failed' | 'denied',
  code: Extract<EntryBody, { kind: 'ended' }>['reason']['code'] = status,
): Body => ({ kind: 'ended', status, reason: { code, text: '' } });
const stop: Body = { kind: 'lodged', object: 'cancel', digest: digestOfSigned(STOP), by: 'agent:ap-agent' };
const unsignedStop: Body = { kind: 'lodged', object: 'cancel', digest: null, by: 'unsigned' };
const said = (step: number, verdict: 'happened' | 'did_not' | 'undone_by_hand', by = ['eva']): Body => ({
  kind: 'resolved',
  step,
  verdict,
  by: by as Extract<EntryBody, { kind: 'resolved' }>['by'],
  digests: [digestOfSigned(STOP)],
});
const closed = (status: 'cancelled' | 'expired' | 'rejected' | 'execution_expired', by = 'unsigned'): Body => ({
  kind: 'closed',
  status,
  reason: { code: status, text: '', by },
});

/** What evidence of an action says that ended like this; `plans` has one entry a step. */
function verdict(story: readonly Body[], plans: readonly UndoPlan[] = [AUTOMATIC, AUTOMATIC], consumed = true, resolve?: object): string {
  const sealed = revision(plans, resolve);
  const votes = [approve('ana', sealed), approve('ben', sealed)];
  const ledger = new HandLedger(id);
  ledger.sealed(sealed, 'request', OPENED);
  if (consumed) ledger.append({ kind: 'executing', digest: sealed.digest, decisions: votes.map(digestOfSigned) }, NOW);
  for (const body of story) ledger.append(body, NOW);
  const resolves = story.some((body) => body.kind === 'resolved');
  const decisions = consumed ? votes : [];
  const bytes = buildEvidence(
    snapshotOf({ id, entries: ledger.entries, revisions: [sealed], decisions, messages: resolves ? [] : [STOP] }),
  );
  const result = verifyEvidence(bytes, readersRoster());
  return result.ok ? result.outcome.status : `${result.step}: ${result.text}`;
}

describe('endings that hold', () => {
  const stories: [string, Body[], UndoPlan[]?][] = [
    ['succeeded', [start(1), done(1), start(2), done(2), ended('succeeded')]],
    ['succeeded', [start(1), notStarted(1), start(1, 2), done(1, 2), start(2), done(2), ended('succeeded')]],
    ['compensated', [start(1), done(1), start(2), failed(2), undoStart(1), undone(1), ended('compensated')]],
    ['compensated', [start(1), done(1), stop, undoStart(1), undone(1), ended('compensated', 'cancelled')]],
    ['compensated', [start(1), done(1), unsignedStop, undoStart(1), undone(1), ended('compensated', 'cancelled')]],
    ['compensated', [start(1), done(1), start(2), notStarted(2), undoStart(1), undone(1), ended('compensated', 'execution_late')]],
    ['failed', [start(1), failed(1), ended('failed')]],
    ['failed', [start(1), notStarted(1), ended('failed', 'execution_late')]],
    ['cancelled', [start(1), notStarted(1), stop, ended('cancelled')]],
    ['succeeded', [start(1), done(1), start(2), unknown(2), said(2, 'happened'), ended('succeeded')]],
    ['compensated', [start(1), done(1), start(2), unknown(2), said(2, 'did_not'), undoStart(1), undone(1), ended('compensated', 'failed')]],
    ['compensated', [start(1), unknown(1), said(1, 'happened'), undoStart(1), undone(1), ended('compensated', 'failed')]],
    ['failed', [start(1), unknown(1), said(1, 'did_not'), ended('failed')]],
    ['compensated', [start(1), unknown(1), said(1, 'undone_by_hand'), ended('compensated', 'failed')]],
    [
      'compensated',
      [start(1), done(1), start(2), failed(2), undoStart(1), undoUnknown(1), said(1, 'undone_by_hand'), ended('compensated', 'failed')],
    ],
    [
      'compensated',
      [start(1), done(1), start(2), failed(2), undoFailed(1), said(1, 'undone_by_hand'), ended('compensated', 'failed')],
      [{ undo: 'by_hand', how: 'Call.' }, AUTOMATIC],
    ],
    ['cancelled', [start(1), unknown(1), stop, said(1, 'did_not'), ended('cancelled')]],
    ['compensated', [start(1), done(1), start(2), failed(2), stop, undoStart(1), undone(1), ended('compensated')]],
    ['executing', [start(1)]],
    ['executing', [start(1), done(1)]],
    ['compensating', [start(1), done(1), start(2), failed(2), undoStart(1)]],
    ['outcome_unknown', [start(1), unknown(1)]],
    ['compensation_failed', [start(1), done(1), start(2), failed(2), undoStart(1), undoFailed(1)]],
  ];
  test.each(stories.map(([status, story, plans]) => ({ status, story, plans })))('$status', ({ status, story, plans }) => {
    expect(verdict(story, plans)).toBe(status);
  });
});

type Impossible = [name: string, story: Body[], why: string | RegExp, plans?: UndoPlan[]];
describe('stories the ledger could not have written', () => {
  const stories: Impossible[] = [
    ['succeeded with a step missing', [start(1), done(1), ended('succeeded')], 'entry 5: not every step is done'],
    ['succeeded with a step still under way', [start(1), done(1), start(2), ended('succeeded')], 'entry 6: not every step is done'],
    ['succeeded after a failed step', [start(1), done(1), start(2), failed(2), ended('succeeded')], 'entry 7: not every step is done'],
    [
      'compensated with a step left in effect',
      [start(1), done(1), start(2), failed(2), ended('compensated')],
      'entry 7: a step that is done is not undone',
    ],
    [
      'compensated while its undo is under way',
      [start(1), done(1), start(2), failed(2), undoStart(1), ended('compensated')],
      'entry 8: a step that is done is not undone',
    ],
    ['compensated, but nothing was ever done', [start(1), failed(1), ended('compensated')], 'entry 5: what happened ends as failed'],
    [
      'failed, although something took effect and was undone',
      [start(1), done(1), start(2), failed(2), undoStart(1), undone(1), ended('failed')],
      /ends as compensated/,
    ],
    ['cancelled after an effect', [start(1), done(1), stop, undoStart(1), undone(1), ended('cancelled')], /ends as compensated/],
    ['a step done that never started', [start(1), done(1), done(2)], /^entry 5: no such attempt/],
    ['a step done twice', [start(1), done(1), done(1)], /^entry 5: no such attempt/],
    ['another attempt done than started', [start(1), done(1, 2)], 'entry 4: no such attempt of this step was under way'],
    ['a second attempt without a first that surely did not start', [start(1), start(1, 2)], 'entry 4: another step was due'],
    ['an attempt left out', [start(1), notStarted(1), start(1, 3)], 'entry 5: another step was due'],
    ['a step skipped', [start(2)], 'entry 3: another step was due'],
    ['the next step while one is under way', [start(1), start(2)], 'entry 4: another step was due'],
    ['another step done than started', [start(1), done(2)], 'entry 4: no such attempt of this step was under way'],
    [
      'a step the action does not have',
      [start(1), done(1), start(2), done(2), { ...start(2), step: 3 } as Body],
      'entry 7: the action has no such step',
    ],
    [
      'a step under the key of another',
      [{ ...start(1), key: `${id}/send/run/1` } as Body],
      "entry 3: its idempotency key is not this step's",
    ],
    ['a step after a failure', [start(1), failed(1), start(2)], 'entry 5: no step starts now'],
    ['a step after a cancel', [start(1), done(1), stop, start(2)], 'entry 6: a cancel by agent:ap-agent was on record'],
    ['another attempt after a cancel', [start(1), notStarted(1), unsignedStop, start(1, 2)], 'entry 6: a cancel by unsigned was on record'],
    ['an undo before its step', [start(1), undoStart(1)], /nothing was to be undone/],
    ['an undo without a cause (attack case 66)', [start(1), done(1), undoStart(1)], 'entry 5: nothing was to be undone'],
    ['an undo of an action that succeeded', [start(1), done(1), start(2), done(2), undoStart(2)], /nothing was to be undone/],
    [
      'undone in the wrong order',
      [start(1), done(1), start(2), done(2), start(3), failed(3), undoStart(1)],
      'entry 9: this step was not the one to undo',
      [AUTOMATIC, AUTOMATIC, AUTOMATIC],
    ],
    ['an undo where nothing had happened', [start(1), failed(1), undoStart(1)], 'entry 5: this step was not the one to undo'],
    ['an undo while its step is under way, after a cancel', [start(1), stop, undoStart(1)], 'entry 5: nothing was to be undone'],
    [
      'an undo tried again where a person is asked',
      [start(1), done(1), start(2), notStarted(2), undoStart(1), undoFailed(1), undoStart(1)],
      'entry 9: nothing was to be undone',
    ],
    ['an end while a step is under way', [start(1), ended('failed')], 'entry 4: nothing was to be undone'],
    [
      'an undo of a step that never happened',
      [start(1), done(1), start(2), failed(2), undoStart(2)],
      'entry 7: this step was not the one to undo',
    ],
    ['an undo done that never started', [start(1), done(1), start(2), failed(2), undone(1)], 'entry 7: its undo had not started'],
    [
      'an automatic undo failed that never started',
      [start(1), done(1), start(2), failed(2), undoFailed(1)],
      'entry 7: its undo had not started',
    ],
    ...[undone(1), undoUnknown(1)].map((body): Impossible => [
      `by hand, an ${body.kind} that nobody started`,
      [start(1), done(1), start(2), failed(2), body],
      'entry 7: its undo had not started',
      [{ undo: 'by_hand', how: 'Call.' }, AUTOMATIC],
    ]),
    [
      'an undo started twice',
      [start(1), done(1), start(2), failed(2), undoStart(1), undoStart(1)],
      'entry 8: no automatic undo of this step was due',
    ],
    [
      'an automatic undo where it is by hand',
      [start(1), done(1), start(2), failed(2), undoStart(1)],
      'entry 7: no automatic undo of this step was due',
      [{ undo: 'by_hand', how: 'Call.' }, AUTOMATIC],
    ],
    [
      'an undo under the key of its run',
      [start(1), done(1), start(2), failed(2), { ...undoStart(1), key: `${id}/reserve/run/1` } as Body],
      "entry 7: its idempotency key is not this undo's",
    ],
    ['forward again after a person spoke (§5)', [start(1), unknown(1), said(1, 'happened'), start(2)], 'entry 6: no step starts now'],
    ['a person speaks where nobody waits', [start(1), said(1, 'happened')], 'entry 4: no step waited for a person to say "happened"'],
    [
      'a person speaks of another step',
      [start(1), unknown(1), said(2, 'happened')],
      'entry 5: no step waited for a person to say "happened"',
    ],
    [
      'resolved by somebody the rule does not name',
      [start(1), unknown(1), said(1, 'happened', ['ana'])],
      'entry 5: not by enough of the people the rule names',
    ],
    [
      'resolved by one who is named and one who is not',
      [start(1), unknown(1), said(1, 'happened', ['eva', 'ana'])],
      'entry 5: not by enough of the people the rule names',
    ],
    [
      'succeeded, although a person undid it',
      [start(1), unknown(1), said(1, 'undone_by_hand'), ended('succeeded')],
      'entry 6: not every step is done',
      [AUTOMATIC],
    ],
    ['a cancel nobody signed, by somebody', [start(1), { ...unsignedStop, by: 'person:dana' }], 'entry 4: too late to be lodged'],
    ['a cancel nobody signed, once no step starts any more', [start(1), unknown(1), unsignedStop], 'entry 5: too late to be lodged'],
    [
      'consumed twice (§6.12)',
      [start(1), done(1), { kind: 'executing', digest: revision([AUTOMATIC, AUTOMATIC]).digest, decisions: [] }],
      'entry 5: the action had been consumed before it: it runs once',
    ],
    ['consumed, and then no step', [done(1)], 'entry 3: execution begins with its first step'],
    [
      'sealed anew after it began',
      [start(1), { kind: 'stale', digest: revision([AUTOMATIC, AUTOMATIC]).digest, code: 'policy_stale' }],
      /had been consumed/,
    ],
    ['closed after it began', [start(1), closed('expired')], /had been consumed/],
    [
      'a rejection lodged after it began',
      [start(1), { kind: 'lodged', object: 'reject', digest: digestOfSigned(reject('ana', revision([AUTOMATIC]))), by: 'person:ana' }],
      'entry 4: too late to be lodged',
    ],
    ['a cancel after the end', [start(1), failed(1), ended('failed'), stop], 'entry 6: the action had ended before it'],
    ['anything after the end', [start(1), failed(1), ended('failed'), start(1, 2)], 'entry 6: the action had ended before it'],
  ];
  test.each(stories.map(([name, story, why, plans]) => ({ name, story, why, plans })))('$name', ({ story, why, plans }) => {
    expect(verdict(story, plans)).toMatch(why);
  });

  test.each<[string, Body[], string | RegExp]>([
    ['steps without a consumption', [start(1)], 'entry 2: nothing had been consumed'],
    ['an end without a consumption', [ended('succeeded')], 'entry 2: an action under review ends like this only by a denial'],
    ['expired before its time', [closed('expired')], 'entry 2: expired before its time'],
    [
      'a signed cancel that does not end it',
      [stop, { kind: 'stale', digest: revision([AUTOMATIC, AUTOMATIC]).digest, code: 'policy_stale' }],
      /^entry 3: a cancel lodged before execution/,
    ],
    ['a cancel ends it as something else', [stop, closed('rejected')], /^entry 3: a cancel lodged before execution/],
    [
      'cancelled in the name of somebody who signed nothing',
      [closed('cancelled', 'person:dana')],
      'entry 2: cancelled in the name of somebody whose cancel is not on record',
    ],
    ['an unsigned cancel on record before it began', [unsignedStop], 'entry 2: lodged outside the review'],
    [
      'denied as if it had never been sealed',
      [{ kind: 'denied', request: digestOfSigned(STOP), status: 'denied', reason: { code: 'rule_denies', text: '' } }],
      'entry 2: denied like this only before its first seal',
    ],
    [
      'stale in another digest',
      [{ kind: 'stale', digest: digestOfSigned(STOP), code: 'policy_stale' }],
      'entry 2: nothing of this digest was under review',
    ],
  ])('%s', (_name, story, why) => {
    expect(verdict(story, undefined, false)).toMatch(why);
  });

  test('denied after it went stale, under review: nothing ran', () => {
    expect(verdict([ended('denied', 'policy_stale')], undefined, false)).toBe('denied');
    expect(verdict([stop, closed('cancelled', 'agent:ap-agent')], undefined, false)).toBe('cancelled');
  });

  test('resolved by fewer people than the rule asks, or one of them twice', () => {
    const both = { people: ['cleo', 'eva'], quorum: 2 };
    const by = (...people: string[]): string =>
      verdict([start(1), unknown(1), said(1, 'did_not', people), ended('failed')], undefined, true, both);
    expect(by('cleo', 'eva')).toBe('failed');
    expect(by('eva')).toBe('entry 5: not by enough of the people the rule names');
    expect(by('eva', 'eva')).toBe('entry 5: not by enough of the people the rule names');
  });
});
