import { describe, expect, test } from '@jest/globals';
import type { UndoPlan } from '../../src/domain/objects/envelope.js';
import {
  ACTION_STATES,
  due,
  endOfUndo,
  inDoubt,
  resolveStep,
  type Due,
  type ResolveVerdict,
  type RunState,
  type SagaState,
  type StepState,
  type UndoState,
} from '../../src/domain/saga.js';

const AUTOMATIC: UndoPlan = { undo: 'automatic' };
const NOW = 1_000;

const step = (n: number, run: RunState, more: Partial<StepState> = {}): StepState => ({
  n,
  run,
  attempt: 1,
  undo: 'pending',
  leased: false,
  ...more,
});
const saga = (state: SagaState['state'], steps: readonly StepState[], more: Partial<SagaState> = {}): SagaState => ({
  state,
  steps,
  plans: [AUTOMATIC, AUTOMATIC],
  stop: false,
  frozen: false,
  executeBy: NOW + 1,
  ...more,
});

describe('the one next thing', () => {
  const done = step(1, 'done');
  const table: [string, SagaState, Due][] = [
    ['under review', saga('awaiting', []), { do: 'review' }],
    ['stale', saga('stale', []), { do: 'reseal' }],
    ['ended', saga('ended', [done]), { do: 'nothing' }],
    ['consumed, nothing begun', saga('executing', []), { do: 'run', step: 1, attempt: 1 }],
    ['a step under way', saga('executing', [step(1, 'started', { leased: true })]), { do: 'wait', code: 'busy' }],
    ['a step nobody holds any more', saga('executing', [step(1, 'started', { attempt: 2 })]), { do: 'probe', step: 1, attempt: 2 }],
    [
      'a step nobody holds, after a cancel: what became of it comes first',
      saga('executing', [step(1, 'started')], { stop: true }),
      { do: 'probe', step: 1, attempt: 1 },
    ],
    [
      'a step nobody holds, late and frozen: likewise',
      saga('executing', [step(1, 'started')], { frozen: true, executeBy: 0 }),
      { do: 'probe', step: 1, attempt: 1 },
    ],
    ['one done, one to go', saga('executing', [done]), { do: 'run', step: 2, attempt: 1 }],
    [
      'one done, the time to start over: what began goes on',
      saga('executing', [done], { executeBy: 0 }),
      { do: 'run', step: 2, attempt: 1 },
    ],
    ['one done, frozen', saga('executing', [done], { frozen: true }), { do: 'wait', code: 'frozen' }],
    ['one done, cancelled', saga('executing', [done], { stop: true }), { do: 'turn_back', why: 'cancelled' }],
    [
      'one done, cancelled and frozen: undo goes on',
      saga('executing', [done], { stop: true, frozen: true }),
      { do: 'turn_back', why: 'cancelled' },
    ],
    ['all done', saga('executing', [done, step(2, 'done')]), { do: 'succeed' }],
    ['all done, cancelled too late', saga('executing', [done, step(2, 'done')], { stop: true }), { do: 'succeed' }],
    ['not started, in time', saga('executing', [step(1, 'not_started', { attempt: 3 })]), { do: 'run', step: 1, attempt: 4 }],
    [
      'not started, at the last moment',
      saga('executing', [step(1, 'not_started')], { executeBy: NOW }),
      { do: 'turn_back', why: 'execution_late' },
    ],
    [
      'not started, cancelled',
      saga('executing', [step(1, 'not_started')], { stop: true, executeBy: 0 }),
      { do: 'turn_back', why: 'cancelled' },
    ],
    ['not started, frozen', saga('executing', [step(1, 'not_started')], { frozen: true }), { do: 'wait', code: 'frozen' }],
    ['failed, should not be seen here', saga('executing', [step(1, 'failed')]), { do: 'person', step: 1 }],
    ['outcome unknown', saga('unknown', [done, step(2, 'unknown')]), { do: 'person', step: 2 }],
    ['turning back: the last that is done', saga('undoing', [done, step(2, 'done'), step(3, 'failed')]), { do: 'undo', step: 2 }],
    [
      'turning back: an undo under way',
      saga('undoing', [step(1, 'done', { undo: 'started', leased: true })]),
      { do: 'wait', code: 'busy' },
    ],
    ['turning back: an undo nobody holds is repeated', saga('undoing', [step(1, 'done', { undo: 'started' })]), { do: 'undo', step: 1 }],
    ['turning back: the one before', saga('undoing', [done, step(2, 'done', { undo: 'done' })]), { do: 'undo', step: 1 }],
    [
      'turning back: all undone',
      saga('undoing', [step(1, 'done', { undo: 'done' }), step(2, 'failed')]),
      { do: 'finish_undo', undone: true },
    ],
    ['turning back: nothing had been done', saga('undoing', [step(1, 'failed')]), { do: 'finish_undo', undone: false }],
    ['turning back, frozen or late: undo goes on', saga('undoing', [done], { frozen: true, executeBy: 0 }), { do: 'undo', step: 1 }],
    ['an undo that failed waits for a person', saga('partial', [done, step(2, 'done', { undo: 'failed' })]), { do: 'person', step: 2 }],
  ];
  test.each(table.map(([name, state, expected]) => ({ name, state, expected })))('$name', ({ state, expected }) => {
    expect(due(state, NOW)).toEqual(expected);
  });

  test('total: an answer for every state there can be, and no forward step while stopped, frozen, turned back or ended', () => {
    const runs: RunState[] = ['started', 'not_started', 'done', 'failed', 'unknown'];
    const undos: UndoState[] = ['pending', 'started', 'done', 'failed', 'unknown'];
    for (const state of ACTION_STATES)
      for (const first of runs)
        for (const second of [undefined, ...runs])
          for (const undo of undos)
            for (const flags of [0, 1, 2, 3, 4, 5, 6, 7]) {
              const steps = [
                step(1, first, { undo }),
                ...(second === undefined ? [] : [step(2, second, { undo, leased: (flags & 4) !== 0 })]),
              ];
              const next = due(saga(state, steps, { stop: (flags & 1) !== 0, frozen: (flags & 2) !== 0 }), NOW);
              if (next.do === 'run') expect([state, flags & 3]).toEqual(['executing', 0]);
              if (next.do === 'undo') expect([state, steps[next.step - 1]?.run]).toEqual(['undoing', 'done']);
              if (next.do === 'succeed') expect(steps.every(({ run }) => run === 'done') || second === 'done').toBe(true);
              if (next.do === 'finish_undo')
                expect(steps.filter(({ run, undo: undone }) => run === 'done' && undone !== 'done')).toEqual([]);
            }
  });
});

describe('§5 what a person says of the step that waits', () => {
  const unknown = (n: number): SagaState => saga('unknown', n === 1 ? [step(1, 'unknown')] : [step(1, 'done'), step(2, 'unknown')]);
  const partial = saga('partial', [step(1, 'done'), step(2, 'done', { undo: 'failed' })]);
  type Resolved = ReturnType<typeof resolveStep>;
  const table: [string, SagaState, number, ResolveVerdict, Resolved][] = [
    ['it happened, the last step: whole', unknown(2), 2, 'happened', { run: 'done', undo: 'pending', next: 'executing' }],
    [
      'it happened, not the last: no forward step starts after it',
      unknown(1),
      1,
      'happened',
      { run: 'done', undo: 'pending', next: 'undoing' },
    ],
    ['it did not', unknown(2), 2, 'did_not', { run: 'not_started', undo: 'pending', next: 'undoing' }],
    ['it is undone by hand', unknown(2), 2, 'undone_by_hand', { run: 'done', undo: 'done', next: 'undoing' }],
    ['a failed undo: undone by hand', partial, 2, 'undone_by_hand', { run: 'done', undo: 'done', next: 'undoing' }],
    ['a failed undo: it had never happened', partial, 2, 'did_not', { run: 'not_started', undo: 'failed', next: 'undoing' }],
    ['a failed undo: that it happened is known', partial, 2, 'happened', undefined],
    ['another step', unknown(2), 1, 'happened', undefined],
    ['a step that is none', unknown(2), 3, 'did_not', undefined],
    ['nobody waits: executing', saga('executing', [step(1, 'started')]), 1, 'happened', undefined],
    ['nobody waits: undoing', saga('undoing', [step(1, 'done')]), 1, 'undone_by_hand', undefined],
    ['nobody waits: ended', saga('ended', [step(1, 'unknown')]), 1, 'did_not', undefined],
    ['nobody waits: under review', saga('awaiting', []), 1, 'happened', undefined],
  ];
  test.each(table.map(([name, state, n, verdict, expected]) => ({ name, state, n, verdict, expected })))(
    '$name',
    ({ state, n, verdict, expected }) => {
      expect(resolveStep(state, n, verdict)).toEqual(expected);
    },
  );

  test('after it no forward step is due', () => {
    for (const verdict of ['happened', 'did_not', 'undone_by_hand'] as const) {
      for (const n of [1, 2]) {
        const before = unknown(n);
        const said = resolveStep(before, n, verdict);
        if (said === undefined) throw new Error('it waited');
        const steps = before.steps.map((each) => (each.n === n ? { ...each, run: said.run, undo: said.undo } : each));
        expect(due({ ...before, state: said.next, steps }, NOW).do).not.toBe('run');
      }
    }
  });
});

test('§5 the end of an undo: compensated if anything was done, else cancelled or failed by its cause', () => {
  const cause = (code: 'cancelled' | 'failed' | 'execution_late'): Parameters<typeof endOfUndo>[1] => ({ code, text: '' });
  expect(endOfUndo(true, cause('cancelled'))).toBe('compensated');
  expect(endOfUndo(true, cause('failed'))).toBe('compensated');
  expect(endOfUndo(false, cause('cancelled'))).toBe('cancelled');
  expect(endOfUndo(false, cause('failed'))).toBe('failed');
  expect(endOfUndo(false, cause('execution_late'))).toBe('failed');
});

test('a restore leaves in doubt the first step that is not surely done, or the last', () => {
  const { plans } = saga('executing', []);
  const at = (...steps: ReturnType<typeof step>[]) => inDoubt({ steps, plans });
  expect(plans).toHaveLength(2);
  expect(at()).toEqual({ step: 1, attempt: 1 });
  expect(at(step(1, 'started', { attempt: 3 }))).toEqual({ step: 1, attempt: 3 });
  expect(at(step(1, 'not_started', { attempt: 2 }))).toEqual({ step: 1, attempt: 2 });
  expect(at(step(1, 'done', { attempt: 2 }))).toEqual({ step: 2, attempt: 1 });
  expect(at(step(1, 'done'), step(2, 'unknown', { attempt: 4 }))).toEqual({ step: 2, attempt: 4 });
  expect(at(step(1, 'done'), step(2, 'done', { attempt: 5 }))).toEqual({ step: 2, attempt: 5 });
});
