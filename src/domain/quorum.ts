import type { Digest, PersonId } from './ids.js';
import type { Stage } from './objects/envelope.js';

/** A vote that may fill a seat: one live approval of one person. Times in ms. */
export interface Seat {
  readonly person: PersonId;
  readonly digest: Digest;
  readonly issuedAt: number;
}

/** Who may fill a stage at offset `t` (ms since the first seal): its people, and those of every tier whose offset has come. */
export function peopleAt(stage: Stage, t: number): ReadonlySet<PersonId> {
  const people = new Set(stage.from);
  for (const tier of stage.escalate) if (t >= tier.after) for (const person of tier.to) people.add(person);
  return people;
}

/** How many a stage needs at offset `t`: a raised bar holds from its offset, and no tier lowers it (§6.8). */
export function barAt(stage: Stage, t: number): number {
  return stage.escalate.reduce(
    (bar, tier) => (t >= tier.after && tier.quorum !== undefined ? Math.max(bar, tier.quorum) : bar),
    stage.quorum,
  );
}

/**
 * Seats as many distinct people as fit, one seat a person across all stages: a maximum bipartite matching, so order never changes how many (§6.3, §6.8).
 * `bars[i]` places belong to stage i. Returns who sits at which place.
 */
function seatMost<P>(people: readonly P[], bars: readonly number[], fits: (person: P, stage: number) => boolean): (P | undefined)[] {
  const places = bars.flatMap((bar, stage) => Array.from({ length: bar }, () => stage));
  const holder = new Array<P | undefined>(places.length).fill(undefined);
  const seat = (person: P, tried: Set<number>): boolean => {
    for (const [place, stage] of places.entries()) {
      if (tried.has(place) || !fits(person, stage)) continue;
      tried.add(place);
      const sitting = holder[place];
      if (sitting === undefined || seat(sitting, tried)) {
        holder[place] = person;
        return true;
      }
    }
    return false;
  };
  for (const person of people) seat(person, new Set());
  return holder;
}

/** Those who fill every stage, or undefined when no assignment does. Nobody needed is no agreement (attack case 1). */
export function assign<P>(
  people: readonly P[],
  bars: readonly number[],
  fits: (person: P, stage: number) => boolean,
): ReadonlySet<P> | undefined {
  const places = bars.reduce((sum, bar) => sum + bar, 0);
  if (places === 0 || places > people.length) return undefined;
  const seated = seatMost(people, bars, fits).filter((person) => person !== undefined);
  return seated.length === places ? new Set(seated) : undefined;
}

/** §6.2: can the highest bar ever be met by all who may ever be asked, without those excluded? */
export function satisfiable(stages: readonly Stage[], excluded: ReadonlySet<PersonId>): boolean {
  const end = Number.POSITIVE_INFINITY;
  const circles = stages.map((stage) => peopleAt(stage, end));
  const everybody = [...new Set(circles.flatMap((circle) => [...circle]))].filter((person) => !excluded.has(person));
  return (
    assign(
      everybody,
      stages.map((stage) => barAt(stage, end)),
      (person, stage) => circles[stage]?.has(person) ?? false,
    ) !== undefined
  );
}

/** The moment the rule was met and by whom, or undefined. */
export interface QuorumReached {
  readonly at: number;
  readonly counted: readonly Seat[];
}

/**
 * Is the rule met? Asked at each vote's own time, so that neither arrival order nor downtime changes the answer (§6.7, §6.11): the rule is met
 * at the first vote at which everybody who had voted by then fills the bars that held then. A later, higher bar does not undo that.
 * `openedAt` in ms: all offsets run from the first seal.
 */
export function quorumReached(stages: readonly Stage[], openedAt: number, seats: readonly Seat[]): QuorumReached | undefined {
  const ordered = [...seats].sort((a, b) => a.issuedAt - b.issuedAt || (a.digest < b.digest ? -1 : 1));
  for (const [i, last] of ordered.entries()) {
    const voted = ordered.slice(0, i + 1);
    const bars = stages.map((stage) => barAt(stage, last.issuedAt - openedAt));
    const seated = assign(voted, bars, fitsOf(stages, openedAt));
    if (seated !== undefined) return { at: last.issuedAt, counted: voted.filter((seat) => seated.has(seat)) };
  }
  return undefined;
}

/** A vote fits a stage that asked its author by the time it was made. */
const fitsOf =
  (stages: readonly Stage[], openedAt: number) =>
  (seat: Seat, stage: number): boolean => {
    const definition = stages[stage];
    return definition !== undefined && peopleAt(definition, seat.issuedAt - openedAt).has(seat.person);
  };

/** For people to read, stage by stage: places filled of the places there are at `now` (ms), by an assignment that fills most. */
export function filledByStage(
  stages: readonly Stage[],
  openedAt: number,
  seats: readonly Seat[],
  now: number,
): { readonly have: number; readonly need: number }[] {
  const bars = stages.map((stage) => barAt(stage, now - openedAt));
  const seated = seatMost(seats, bars, fitsOf(stages, openedAt));
  let from = 0;
  return bars.map((need) => {
    const have = seated.slice(from, from + need).filter((seat) => seat !== undefined).length;
    from += need;
    return { have, need };
  });
}

/** The same, all stages together. */
export function filledAt(
  stages: readonly Stage[],
  openedAt: number,
  seats: readonly Seat[],
  now: number,
): { readonly have: number; readonly need: number } {
  const each = filledByStage(stages, openedAt, seats, now);
  return { have: each.reduce((sum, { have }) => sum + have, 0), need: each.reduce((sum, { need }) => sum + need, 0) };
}
