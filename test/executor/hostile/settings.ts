import type { PolicyOptions, RosterOptions } from '../../helpers/rules-fixture.js';
import { keyOfPerson } from '../../helpers/signers.js';

/**
 * The rules of the hostile runs, twice: as the files the executor reads, and in the plain terms of the naive model. Times in ms.
 * Nothing here uses the evaluator of src/domain.
 */
export const START = Date.UTC(2026, 5, 1, 9);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

type Group = 'finance' | 'leads';
export interface NaiveStage {
  readonly of: readonly (Group | 'ana' | 'eva')[];
  readonly quorum: number;
  readonly later?: { readonly after: number; readonly of: Group };
}
export interface NaivePolicy {
  readonly file: PolicyOptions;
  /** None: the policy denies. */
  readonly stages: readonly NaiveStage[];
  /** What the policy lets run with nobody asked: payments, so many within so long. */
  readonly allows?: { readonly limit: number; readonly within: number; readonly executeWithin: number };
  readonly rejections: number;
  readonly approveWithin: number;
  readonly executeWithin: number;
}

const finance = (quorum: number): NaiveStage => ({ of: ['finance'], quorum });
const financeText = (quorum: number): string => `[{ name: finance, from: [group:finance], quorum: ${quorum} }]`;
const usual = { rejections: 1, approveWithin: 24 * HOUR, executeWithin: 30 * MINUTE };

export const POLICIES: readonly NaivePolicy[] = [
  { ...usual, file: {}, stages: [finance(2)] },
  { ...usual, file: { version: 2, stages: financeText(1) }, stages: [finance(1)] },
  { ...usual, file: { version: 3, stages: financeText(3) }, stages: [finance(3)] },
  { ...usual, file: { version: 4, deny: ['payments.transfer', 'payments.batch', 'payments.by-hand'] }, stages: [] },
  {
    ...usual,
    file: { version: 5, rejections: 2, approveWithin: '2h', executeWithin: '5m' },
    stages: [finance(2)],
    rejections: 2,
    approveWithin: 2 * HOUR,
    executeWithin: 5 * MINUTE,
  },
  {
    ...usual,
    file: {
      version: 6,
      stages:
        '[{ name: first, from: [group:finance], quorum: 1 }, { name: second, from: [person:ana, group:finance-leads], quorum: 1, escalate: [{ after: 1h, to: [group:finance] }] }]',
    },
    stages: [finance(1), { of: ['ana', 'leads'], quorum: 1, later: { after: HOUR, of: 'finance' } }],
  },
  {
    ...usual,
    file: {
      version: 7,
      first:
        '  - { name: small, match: { type: payments.transfer }, effect: allow, because: Small., budget: [{ per: agent, within: 1h, limit: 1 }], executeWithin: 5m, resolve: { from: [group:finance-leads], quorum: 1 } }\n',
    },
    stages: [finance(2)],
    allows: { limit: 1, within: HOUR, executeWithin: 5 * MINUTE },
  },
];

export interface NaiveRoster {
  readonly file: RosterOptions;
  readonly finance: readonly string[];
  /** When a person's key ends; who is not named keeps it. */
  readonly keyEnds: Readonly<Record<string, number>>;
  /** When a person leaves for good. */
  readonly leaves: Readonly<Record<string, number>>;
}
const isoIn = (ms: number): string => new Date(START + ms).toISOString();
const endingKey = (person: string, ms: number): string =>
  `{ name: ${person}, keys: [{ key: '${keyOfPerson(person).key.text}', until: '${isoIn(ms)}' }] }`;
const leaving = (person: string, ms: number): string =>
  `{ name: ${person}, keys: ['${keyOfPerson(person).key.text}'], until: '${isoIn(ms)}' }`;
const all = ['ana', 'ben', 'cleo'];

export const ROSTERS: readonly NaiveRoster[] = [
  { file: {}, finance: all, keyEnds: {}, leaves: {} },
  { file: { version: 2, groups: { finance: ['ana', 'ben', 'eva'] } }, finance: ['ana', 'ben', 'eva'], keyEnds: {}, leaves: {} },
  { file: { version: 3, people: { ben: endingKey('ben', HOUR) } }, finance: all, keyEnds: { ben: START + HOUR }, leaves: {} },
  { file: { version: 4, people: { ana: leaving('ana', MINUTE) } }, finance: all, keyEnds: {}, leaves: { ana: START + MINUTE } },
  { file: { version: 5, groups: { finance: ['ana', 'ben', 'dana'] } }, finance: ['ana', 'ben', 'dana'], keyEnds: {}, leaves: {} },
];

/** Whom a stage asks of those still there at `now`, `since` ms after the first seal. */
export function asked(stage: NaiveStage, roster: NaiveRoster, now: number, since: number): Set<string> {
  const people = (name: string): readonly string[] => (name === 'finance' ? roster.finance : name === 'leads' ? ['eva'] : [name]);
  const names = [...stage.of, ...(stage.later !== undefined && since >= stage.later.after ? [stage.later.of] : [])];
  return new Set(names.flatMap(people).filter((person) => now < (roster.leaves[person] ?? Infinity)));
}

export const keyWorks = (roster: NaiveRoster, person: string, at: number): boolean =>
  at < (roster.keyEnds[person] ?? Infinity) && at < (roster.leaves[person] ?? Infinity);

/** Whether these votes fill every seat with people of their own: every way to seat them is tried. */
export function fills(
  stages: readonly NaiveStage[],
  votes: readonly { readonly person: string; readonly at: number }[],
  asks: (stage: NaiveStage, person: string, at: number) => boolean,
): boolean {
  const seats = stages.flatMap((stage) => Array.from({ length: stage.quorum }, () => stage));
  const fill = (n: number, taken: readonly string[]): boolean => {
    const stage = seats[n];
    if (stage === undefined) return true;
    return votes.some(({ person, at }) => !taken.includes(person) && asks(stage, person, at) && fill(n + 1, [...taken, person]));
  };
  return stages.length > 0 && fill(0, []);
}
