import fc from 'fast-check';
import { POLICIES, ROSTERS } from './settings.js';

/** What a hostile coordinator, hostile clocks and a failing world may do, in any order. Indices are taken modulo what there is. */
export type Command =
  | { readonly do: 'propose'; readonly type: number; readonly key: number; readonly by: 'agent' | 'stranger' | 'damaged' }
  | {
      readonly do: 'say';
      readonly action: number;
      readonly back: number;
      readonly person: number;
      readonly verdict: Verdict;
      readonly ago: number;
      readonly forge: Forge;
    }
  | { readonly do: 'object'; readonly action: number; readonly person: number; readonly lodged: boolean }
  | { readonly do: 'edit'; readonly action: number; readonly person: number }
  | {
      readonly do: 'race';
      readonly action: number;
      readonly person: number;
      readonly against: 'object' | 'edit' | 'freeze' | 'cancel';
      readonly later: number;
    }
  | { readonly do: 'agree'; readonly action: number; readonly people: number }
  | Order
  | { readonly do: 'twice'; readonly orders: readonly Order[] }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'policy' | 'roster'; readonly n: number }
  | { readonly do: 'break' | 'mend' | 'target' | 'type' | 'crash' }
  | {
      readonly do: 'bank';
      readonly run: readonly RunScript[];
      readonly undo: readonly UndoScript[];
      readonly probe: readonly ProbeScript[];
    }
  | { readonly do: 'release'; readonly effect: boolean }
  | { readonly do: 'freeze' | 'thaw'; readonly person: number }
  | { readonly do: 'cancel'; readonly action: number; readonly honest: boolean }
  | { readonly do: 'resolve'; readonly action: number; readonly lie: boolean };
export type Verdict = 'approve' | 'reject' | 'withdraw' | 'modify';
export type Forge = 'none' | 'damaged' | 'other_key' | 'view' | 'person' | 'garbage';
type RunScript = 'ok' | 'not_started' | 'failed' | 'lost_before' | 'lost_after' | 'hangs';
type UndoScript = 'ok' | 'lost_before' | 'lost_after' | 'failed';
type ProbeScript = 'honest' | 'throws' | 'unknown' | 'garbage';

/** Calls of the five activities. `show`: which of the messages at hand go along. */
export type Order =
  | { readonly do: 'advance'; readonly action: number; readonly back: number; readonly show: Show; readonly stop: boolean }
  | { readonly do: 'lodge'; readonly action: number; readonly message: number }
  | {
      readonly do: 'close';
      readonly action: number;
      readonly reason: 'expired' | 'execution_expired' | 'rejected' | 'cancelled';
      readonly show: Show;
    }
  | { readonly do: 'modify'; readonly action: number; readonly message: number }
  | { readonly do: 'reseal' | 'seal_again'; readonly action: number; readonly back: number };
export type Show = { readonly which: 'all' | 'approvals' | 'none' | 'doubled' } | { readonly which: 'some'; readonly mask: number };

const small = fc.nat({ max: 3 });
const back = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constant(1) },
  { weight: 1, arbitrary: fc.constant(99) },
);
const show: fc.Arbitrary<Show> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ which: 'approvals' as const }) },
  { weight: 3, arbitrary: fc.constantFrom({ which: 'all' as const }, { which: 'none' as const }, { which: 'doubled' as const }) },
  { weight: 2, arbitrary: fc.record({ which: fc.constant('some' as const), mask: fc.nat({ max: 255 }) }) },
);
const rarely = fc.integer({ min: 0, max: 9 }).map((n) => n === 0);

const advance: fc.Arbitrary<Order> = fc.record({ do: fc.constant('advance' as const), action: small, back, show, stop: rarely });
const order: fc.Arbitrary<Order> = fc.oneof(
  { weight: 8, arbitrary: advance },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('lodge' as const), action: small, message: fc.nat({ max: 30 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('close' as const),
      action: small,
      reason: fc.constantFrom(
        'expired' as const,
        'expired' as const,
        'execution_expired' as const,
        'rejected' as const,
        'rejected' as const,
        'cancelled' as const,
      ),
      show,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('modify' as const), action: small, message: fc.nat({ max: 30 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('reseal' as const, 'seal_again' as const), action: small, back }) },
);
const scripts = <T extends string>(...all: T[]): fc.Arbitrary<T[]> => fc.array(fc.constantFrom(...all), { maxLength: 3 });
const MINUTE = 60_000;

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('propose' as const),
      type: fc.nat({ max: 2 }),
      key: small,
      by: fc.constantFrom('agent' as const, 'agent' as const, 'agent' as const, 'stranger' as const, 'damaged' as const),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('say' as const),
      action: small,
      back,
      person: fc.nat({ max: 4 }),
      verdict: fc.constantFrom<Verdict>('approve', 'approve', 'approve', 'reject', 'withdraw', 'modify'),
      ago: fc.constantFrom(0, 0, MINUTE, -MINUTE, -3 * MINUTE, 60 * MINUTE),
      forge: fc.oneof(
        { weight: 4, arbitrary: fc.constant<Forge>('none') },
        { weight: 2, arbitrary: fc.constantFrom<Forge>('damaged', 'damaged', 'other_key', 'view', 'person', 'garbage') },
      ),
    }),
  },
  { weight: 9, arbitrary: fc.record({ do: fc.constant('agree' as const), action: small, people: fc.integer({ min: 2, max: 4 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('object' as const), action: small, person: fc.nat({ max: 2 }), lodged: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('edit' as const), action: small, person: fc.nat({ max: 4 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('race' as const),
      action: small,
      person: fc.nat({ max: 2 }),
      later: fc.nat({ max: 120 }),
      against: fc.constantFrom('object' as const, 'object' as const, 'edit' as const, 'freeze' as const, 'cancel' as const),
    }),
  },
  { weight: 14, arbitrary: order },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('twice' as const), orders: fc.array(order, { minLength: 2, maxLength: 3 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.constantFrom(1_000, 2 * MINUTE, 10 * MINUTE, 31 * MINUTE, 61 * MINUTE, 25 * 60 * MINUTE, -MINUTE),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('policy' as const), n: fc.nat({ max: POLICIES.length - 1 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('roster' as const), n: fc.nat({ max: ROSTERS.length - 1 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'break' as const,
        'mend' as const,
        'mend' as const,
        'target' as const,
        'target' as const,
        'type' as const,
        'type' as const,
      ),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
  {
    weight: 7,
    arbitrary: fc.record({
      do: fc.constant('bank' as const),
      run: scripts('ok', 'not_started', 'failed', 'lost_before', 'lost_after', 'hangs', 'hangs'),
      undo: scripts('ok', 'lost_before', 'lost_after', 'failed'),
      probe: scripts('honest', 'honest', 'throws', 'unknown', 'garbage'),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('release' as const), effect: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('freeze' as const, 'thaw' as const, 'thaw' as const), person: fc.nat({ max: 4 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), action: small, honest: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('resolve' as const), action: small, lie: rarely }) },
);

/** There is always something to be hostile about. */
const proposals: readonly Command[] = [0, 1, 2].map((type) => ({ do: 'propose', type, key: type, by: 'agent' }));

export const commands = (maxLength: number): fc.Arbitrary<Command[]> =>
  fc.array(command, { minLength: 1, maxLength, size: 'max' }).map((list) => [...proposals, ...list]);
