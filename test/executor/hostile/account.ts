import { keyWorks, type NaivePolicy, type NaiveRoster } from './settings.js';

/** A decision as the test made it; `honest`: by its author's own key, about what it names. */
export interface Said {
  readonly person: string;
  readonly verdict: 'approve' | 'reject' | 'withdraw' | 'modify';
  readonly about: string;
  readonly at: number;
  readonly honest: boolean;
  readonly takesBack?: string;
}
/** One revision, with the rules and the world as they were when it was sealed. */
export interface Seal {
  readonly digest: string;
  readonly policy: NaivePolicy;
  readonly roster: NaiveRoster;
  readonly sealedAt: number;
  readonly approveBy: number;
  readonly cents: number;
  readonly bankVersion: number;
  readonly typeVersion: string;
  /** Sealed as one that needs nobody. */
  readonly allowed: boolean;
}
export interface Step {
  readonly key: string;
  state: string;
}
/** What the model knows of one action. */
export interface Action {
  readonly id: string;
  readonly openedAt: number;
  readonly seals: Seal[];
  readonly editors: Set<string>;
  readonly noes: Map<string, string>;
  readonly takenBack: Set<string>;
  cancelled: boolean;
  consumed: Seal | undefined;
  readonly steps: Map<number, Step>;
  readonly keys: Set<string>;
  readonly undone: Set<string>;
  end: string | undefined;
}

export const newAction = (id: string, openedAt: number): Action => ({
  id,
  openedAt,
  seals: [],
  editors: new Set(),
  noes: new Map(),
  takenBack: new Set(),
  cancelled: false,
  consumed: undefined,
  steps: new Map(),
  keys: new Set(),
  undone: new Set(),
  end: undefined,
});

export function must(holds: boolean, text: string): asserts holds {
  if (!holds) throw new Error(text);
}

/** The approvals among these that may count now for a revision: honest, of exactly it, in time, by who neither owns nor edited, with a key that works. */
export function countable(
  action: Action,
  seal: Seal,
  said: readonly (readonly [string, Said | undefined])[],
  present: NaiveRoster,
  now: number,
): Said[] {
  return said.flatMap(([digest, vote]) => {
    if (vote === undefined || !vote.honest || vote.verdict !== 'approve' || vote.about !== seal.digest) return [];
    if (vote.person === 'dana' || action.editors.has(vote.person) || action.takenBack.has(`${vote.person} ${digest}`)) return [];
    if (vote.at >= seal.approveBy || vote.at > now + AHEAD) return [];
    return keyWorks(present, vote.person, vote.at) && keyWorks(present, vote.person, now) ? [vote] : [];
  });
}

/** People whose rejection is on record and not taken back by themselves. */
export const rejecting = ({ noes, takenBack }: Action): number =>
  new Set([...noes].filter(([digest, person]) => !takenBack.has(`${person} ${digest}`)).map(([, person]) => person)).size;

/** A clock may be this far behind a reviewer's. */
export const AHEAD = 120_000;
