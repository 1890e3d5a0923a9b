import type { BreakGlass } from '../break-glass.js';
import type { PersonId } from '../ids.js';
import type { PublicKey } from '../keys.js';
import { MAX_PEOPLE } from '../objects/envelope.js';
import type { Exclusion, Stage } from '../objects/envelope.js';
import { barAt, peopleAt, satisfiable } from '../quorum.js';
import { peopleOf } from '../roster.js';
import type { Roster } from '../roster.js';
import { PolicyError } from './policy-error.js';
import type { AllowRule, HoldRule, Refs, StageSpec } from './schema.js';

/** A rule's ladder with people in the place of groups: what the envelope seals. */
export interface Ladder {
  readonly stages: Stage[];
  readonly resolve: { readonly people: PersonId[]; readonly quorum: number };
  /** Empty: nobody may hand over. */
  readonly delegates: PersonId[];
  /** Of a break-glass rule. */
  readonly review?: BreakGlass;
}

/** Throws `PolicyError` where a name is missing from the roster, or more people are asked than an envelope can hold. */
export function ladderOf(rule: HoldRule, roster: Roster, now: number): Ladder {
  const people = (refs: Refs): PersonId[] => named(rule, roster, refs, now);
  const stages = rule.stages.map((spec) => stageOf(spec, people));
  const { from, quorum } = rule.resolve ?? { from: rule.stages.flatMap(refsOf), quorum: 1 };
  const resolvers = people(from);
  const { breakGlass } = rule;
  const reviewers = people(breakGlass?.review.from ?? []);
  const delegates = people(rule.delegates ?? []);
  const asked = new Set([...everybody(stages), ...resolvers, ...delegates, ...reviewers]);
  if (asked.size > MAX_PEOPLE) throw new PolicyError(`rule "${rule.name}" asks ${asked.size} people; at most ${MAX_PEOPLE} can be sealed`);
  return {
    stages,
    resolve: { people: resolvers, quorum },
    delegates,
    ...(breakGlass === undefined
      ? {}
      : { review: { people: reviewers, quorum: breakGlass.review.quorum, reviewWithin: breakGlass.reviewWithin } }),
  };
}

/** The same, or why it cannot be made. */
export function ladderOrWhy(rule: HoldRule, roster: Roster, now: number): Ladder | string {
  try {
    return ladderOf(rule, roster, now);
  } catch (error) {
    if (error instanceof PolicyError) return error.message;
    throw error;
  }
}

function named(rule: { readonly name: string }, roster: Roster, refs: Refs, now: number): PersonId[] {
  const found = peopleOf(roster, refs, now);
  if (!found.ok) throw new PolicyError(`rule "${rule.name}" names ${found.missing}, which the roster does not have`);
  return found.people;
}

/** Who resolves what an allow rule let run. Throws `PolicyError` where there are too few, or more than an envelope can hold. */
export function resolversOf(rule: AllowRule, roster: Roster, now: number): Ladder['resolve'] {
  const people = named(rule, roster, rule.resolve.from, now);
  const { quorum } = rule.resolve;
  if (people.length < quorum) throw new PolicyError(`rule "${rule.name}" needs ${quorum} to resolve, it names ${people.length}`);
  if (people.length > MAX_PEOPLE)
    throw new PolicyError(`rule "${rule.name}" asks ${people.length} people; at most ${MAX_PEOPLE} can be sealed`);
  return { people, quorum };
}

/** All whom a stage may ever ask. */
export const refsOf = (stage: StageSpec): Refs => [...stage.from, ...stage.escalate.flatMap((tier) => tier.to)];
export const everybody = (stages: readonly Stage[]): PersonId[] =>
  [...new Set(stages.flatMap((stage) => [...peopleAt(stage, Infinity)]))].sort();

function stageOf(spec: StageSpec, people: (refs: Refs) => PersonId[]): Stage {
  const from = people(spec.from);
  const escalate = spec.escalate.flatMap(({ after, to, quorum }): Stage['escalate'] => {
    const circle = people(to);
    if (circle.length > 0) return [quorum === undefined ? { after, to: circle } : { after, to: circle, quorum }];
    // A tier whose people have all left asks nobody (attack case 63); the bar it raises must hold all the same.
    if (quorum === undefined) return [];
    if (from.length === 0) throw new PolicyError(`stage ${spec.name} has nobody left to ask`);
    return [{ after, to: from, quorum }];
  });
  return { name: spec.name, from, quorum: spec.quorum, remind: [...spec.remind], escalate };
}

/** Who could never vote on an action sealed now: no key of theirs, or none of this algorithm, is valid before its deadline. */
export function withoutKey(
  people: readonly PersonId[],
  roster: Roster,
  now: number,
  approveWithin: number,
  algorithm?: PublicKey['algorithm'],
): PersonId[] {
  const usable = (id: PersonId): boolean =>
    (roster.people.get(id)?.keys ?? []).some(
      ({ key, from, until }) =>
        (algorithm === undefined || key.algorithm === algorithm) && (until ?? Infinity) > now && (from ?? -Infinity) < now + approveWithin,
    );
  return people.filter((id) => !usable(id));
}

/** Why a rule can never be met, and what to write instead. */
export interface Unmeetable {
  readonly text: string;
  readonly write: string;
}

/** §6.2: why the quorums can never be met by distinct people who count, with the count; undefined when they can. */
export function unmeetable(
  rule: HoldRule,
  ladder: Ladder,
  roster: Roster,
  exclusions: readonly Exclusion[],
  now: number,
): Unmeetable | undefined {
  const asked = everybody(ladder.stages);
  const keyless = withoutKey(asked, roster, now, rule.approveWithin);
  const out = new Set([...exclusions.map(({ person }) => person), ...keyless]);
  const passkeyOnly = new Set(withoutKey(asked, roster, now, rule.approveWithin, 'ed25519'));
  const meets = (person: PersonId): boolean => !passkeyOnly.has(person);
  if (!satisfiable(ladder.stages, out, { need: 0, meets })) {
    const left = exclusions
      .filter(({ person }) => asked.includes(person))
      .map(({ person, why }) => `${person} does not count: ${WHY[why]}`);
    const lacking = keyless.length === 0 ? [] : [`no valid key: ${names(keyless)}`];
    const text = [`rule "${rule.name}" ${shortfall(ladder.stages, asked, out)}`, ...left, ...lacking].join('; ');
    return { text, write: 'lower quorums, or more people' };
  }
  const { independent } = rule.guards;
  if (!satisfiable(ladder.stages, out, { need: independent, meets })) {
    const able = asked.filter((person) => !out.has(person) && meets(person));
    const wanted = `needs ${independent} independent ${independent === 1 ? 'approval' : 'approvals'}, by Ed25519 keys`;
    return {
      text: `rule "${rule.name}" ${wanted}: of those who may count only ${able.length === 0 ? 'nobody' : names(able)} could give one`,
      write: 'a lower independent, or keys made by keyturn keys new for more of them',
    };
  }
  const { people, quorum } = ladder.resolve;
  return people.length >= quorum
    ? undefined
    : { text: `rule "${rule.name}" needs ${quorum} to resolve, it names ${people.length}`, write: 'lower quorums, or more people' };
}

/**
 * §6.10: why nobody could review it, whoever let it run: the post-review needs as many people whom no stage asks. `out` never count either: the agent's
 * owner, the person acted for, editors. Undefined: enough are left, or the rule is no break-glass rule.
 */
export function unreviewable(
  rule: HoldRule,
  { stages, delegates, review }: Ladder,
  roster: Roster,
  out: readonly (PersonId | null)[],
  now: number,
): string | undefined {
  if (review === undefined) return undefined;
  // A delegate may let it run as well.
  const asked = [...everybody(stages), ...delegates];
  const others = review.people.filter((person) => !asked.includes(person) && !out.includes(person));
  const keyless = withoutKey(others, roster, now, rule.approveWithin);
  const left = others.filter((person) => !keyless.includes(person));
  if (left.length >= review.quorum) return undefined;
  const whom = left.length === 0 ? 'nobody' : names(left);
  return `rule "${rule.name}" is break-glass and needs ${review.quorum} to review it whom none of its stages asks; left: ${whom}`;
}

function shortfall(stages: readonly Stage[], asked: readonly PersonId[], out: ReadonlySet<PersonId>): string {
  const needed = stages.reduce((sum, stage) => sum + barAt(stage, Infinity), 0);
  const each = stages.map((stage) => {
    const circle = [...peopleAt(stage, Infinity)].filter((person) => !out.has(person)).sort();
    return `stage ${stage.name} ${barAt(stage, Infinity)} of ${circle.length === 0 ? 'nobody' : names(circle)}`;
  });
  return `needs ${needed} distinct ${needed === 1 ? 'person' : 'people'}, ${asked.filter((person) => !out.has(person)).length} may count: ${each.join(', ')}`;
}

/** A refusal is one readable sentence, also where a stage asks a hundred. */
const names = (people: readonly PersonId[]): string =>
  people.length <= 8 ? people.join(' ') : `${people.slice(0, 8).join(' ')} and ${people.length - 8} more`;

const WHY: Readonly<Record<Exclusion['why'], string>> = {
  owner: 'owns the agent',
  on_behalf_of: 'is acted for',
  editor: 'modified the action',
};
