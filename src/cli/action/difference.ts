import { canonicalize, type Json } from '../../domain/json.js';
import type { Envelope } from '../../domain/objects/envelope.js';
import { pointerEntries } from '../../domain/pointer.js';
import { viewV1 } from '../../domain/view/v1.js';
import { inert } from '../text/inert.js';

export interface Difference {
  readonly at: string;
  readonly was: string;
  readonly now: string;
}

/** The parameters that differ, by pointer, as inert text. */
export function differences(before: Json, after: Json): Difference[] {
  const [old, young] = [new Map(pointerEntries(before)), new Map(pointerEntries(after))];
  const text = (value: Json | undefined, none: string): string => (value === undefined ? none : inert(canonicalize(value)));
  return [...new Set([...young.keys(), ...old.keys()])]
    .map((at) => ({ at: inert(at), was: text(old.get(at), '(absent)'), now: text(young.get(at), '(removed)') }))
    .filter(({ was, now }) => was !== now);
}

const PARTS = {
  sentence: 'the sentence',
  changes: 'what changes',
  touches: 'what it touches',
  warnings: 'the warnings',
  precondition: "the target's state",
  undo: 'how it is undone',
  held: 'why it is held',
  stages: 'who is asked',
  delegates: 'to whom it may be handed over',
  neverCounted: 'who never counts',
  deadlines: 'the deadlines',
} as const;

/** What else of the view differs, in words. */
export function otherDifferences(before: Envelope, after: Envelope): string[] {
  const [old, young] = [viewV1(before), viewV1(after)];
  return (Object.keys(PARTS) as (keyof typeof PARTS)[])
    .filter((part) => canonicalize(old[part] ?? null) !== canonicalize(young[part] ?? null))
    .map((part) => PARTS[part]);
}
