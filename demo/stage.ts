import type { Keyturn } from '../src/client/index.js';
import type { Outside } from './outside.js';
import type { Cast } from './people.js';
import type { Processes } from './processes.js';
import type { Report } from './report.js';
import { row } from './report.js';
import type { Seen } from './outside.js';

/** What every story is given. */
export interface Stage {
  readonly dir: string;
  readonly report: Report;
  readonly processes: Processes;
  readonly outside: Outside;
  readonly agent: Keyturn;
  readonly cast: Cast;
  readonly temporalBinary: string;
  readonly bankPassword: string;
  /** What the worker told people of one action, from its own file. */
  readonly notices: (id: string) => Promise<readonly { readonly event: string }[]>;
  /** Ids by the story that made them. */
  readonly ids: Map<string, string>;
}

export const short = (id: string): string => id.slice(0, 8);

/** A message and what came of it, claimed. */
export function claimFate(
  stage: Stage,
  who: string,
  what: string,
  seen: Seen,
  expected: { readonly code: string; readonly have?: number; readonly need?: number },
  shown?: string,
): void {
  const word = WORDS[seen.code] ?? 'REFUSED';
  if (word === 'REFUSED') stage.report.countRefusal();
  const rest = shown ?? (word === 'REFUSED' ? seen.code : seen.have === null ? '' : `${seen.have} of ${seen.need ?? '?'}`);
  const counted = expected.have === undefined ? {} : { have: expected.have, need: expected.need };
  const saw = expected.have === undefined ? {} : { have: seen.have, need: seen.need };
  stage.report.claim(
    row(who, what, `${word.padEnd(9)} ${rest}`),
    `${who} ${what}`,
    { code: expected.code, ...counted },
    { code: seen.code, ...saw },
  );
}
const WORDS: Readonly<Record<string, string>> = { counted: 'counted', waiting: 'recorded', stands: 'stands' };
