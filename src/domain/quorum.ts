import type { Digest, PersonId } from './ids.js';
import type { Stage } from './objects/envelope.js';

/** A vote that may fill a seat: one live approval of one person. Times in ms. */
export interface Seat {
  readonly person: PersonId;
  readonly digest: Digest;
  readonly issuedAt: number;
  /** Made by an Ed25519 key, which only the command line holds (§2). */
  readonly independent: boolean;
}

/** How many of those counted must be of a kind: `independent: 2`. */
export interface Demand<P> {
  readonly need: number;
  readonly meets: (person: P) => boolean;
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
export function seatMost<P>(people: readonly P[], bars: readonly number[], fits: (person: P, stage: number) => boolean): (P | undefined)[] {
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

/**
 * Those who fill every stage, and of whom enough meet the demand; or undefined when no assignment does. Nobody needed is no agreement (attack case 1).
 * Who meets the demand is seated first: a seat once given is moved, never taken back, so no full assignment has more of them.
 */
export function assign<P>(
  people: readonly P[],
  bars: readonly number[],
  fits: (person: P, stage: number) => boolean,
  demand: Demand<P>,
): ReadonlySet<P> | undefined {
  const places = bars.reduce((sum, bar) => sum + bar, 0);
  if (places === 0 || places > people.length) return undefined;
  const seated = seatMost(firstThose(people, demand), bars, fits).filter((person) => person !== undefined);
  return seated.length === places && seated.filter(demand.meets).length >= demand.need ? new Set(seated) : undefined;
}

/** Where nothing is demanded the order stays: whoever agreed first is counted. */
const firstThose = <P>(people: readonly P[], { need, meets }: Demand<P>): readonly P[] =>
  need === 0 ? people : [...people.filter(meets), ...people.filter((person) => !meets(person))];

/**
 * §6.2: can the highest bar ever be met by all who may ever be asked, without those excluded? Those who meet the demand must be enough at the lowest
 * bar too: a bar that only a deadline raises is nothing to count on.
 */
export function satisfiable(stages: readonly Stage[], excluded: ReadonlySet<PersonId>, demand: Demand<PersonId>): boolean {
  const end = Number.POSITIVE_INFINITY;
  const circles = stages.map((stage) => peopleAt(stage, end));
  const everybody = [...new Set(circles.flatMap((circle) => [...circle]))].filter((person) => !excluded.has(person));
  const fits = (person: PersonId, stage: number): boolean => circles[stage]?.has(person) ?? false;
  const lowest = stages.map(({ quorum }) => quorum);
  const highest = stages.map((stage) => barAt(stage, end));
  return (
    assign(everybody, highest, fits, demand) !== undefined &&
    seatMost(everybody.filter(demand.meets), lowest, fits).filter((person) => person !== undefined).length >= demand.need
  );
}

/** The moment the rule was met and by whom, or undefined. */
export interface QuorumReached {
  readonly at: number;
  readonly counted: readonly Seat[];
}

/**
 * Is the rule met? Asked at each vote's own time, so that neither arrival order nor downtime changes the answer (§6.7, §6.11): the rule is met
 * at the first vote at which everybody who had voted by then fills the bars that held then, with `independent` of the seats independent. A later,
 * higher bar does not undo that. `openedAt` in ms: all offsets run from the first seal.
 */
export function quorumReached(
  stages: readonly Stage[],
  openedAt: number,
  seats: readonly Seat[],
  independent: number,
): QuorumReached | undefined {
  const ordered = [...seats].sort((a, b) => a.issuedAt - b.issuedAt || (a.digest < b.digest ? -1 : 1));
  for (const [i, last] of ordered.entries()) {
    const voted = ordered.slice(0, i + 1);
    const bars = stages.map((stage) => barAt(stage, last.issuedAt - openedAt));
    const seated = assign(voted, bars, fitsOf(stages, openedAt), demandOf(independent));
    if (seated !== undefined) return { at: last.issuedAt, counted: voted.filter((seat) => seated.has(seat)) };
  }
  return undefined;
}

const demandOf = (need: number): Demand<Seat> => ({ need, meets: (seat) => seat.independent });

/** A vote fits a stage that asked its author by the time it was made. */
const fitsOf =
  (stages: readonly Stage[], openedAt: number) =>
  (seat: Seat, stage: number): boolean => {
    const definition = stages[stage];
    return definition !== undefined && peopleAt(definition, seat.issuedAt - openedAt).has(seat.person);
  };

/**
 * For people to read, stage by stage: places filled of the places there are at `now` (ms), by an assignment that fills most. Places kept for independent
 * votes stay free.
 */
export function filledByStage(
  stages: readonly Stage[],
  openedAt: number,
  seats: readonly Seat[],
  independent: number,
  now: number,
): { readonly have: number; readonly need: number }[] {
  const bars = stages.map((stage) => barAt(stage, now - openedAt));
  const seated = seatMost(firstThose(seats, demandOf(independent)), bars, fitsOf(stages, openedAt));
  let others = Math.max(0, seated.length - independent);
  let from = 0;
  return bars.map((need) => {
    const here = seated.slice(from, from + need).filter((seat) => seat !== undefined && (seat.independent || others-- > 0));
    from += need;
    return { have: here.length, need };
  });
}

/** The same, all stages together. */
export function filledAt(
  stages: readonly Stage[],
  openedAt: number,
  seats: readonly Seat[],
  independent: number,
  now: number,
): { readonly have: number; readonly need: number } {
  const each = filledByStage(stages, openedAt, seats, independent, now);
  return { have: each.reduce((sum, { have }) => sum + have, 0), need: each.reduce((sum, { need }) => sum + need, 0) };
}
