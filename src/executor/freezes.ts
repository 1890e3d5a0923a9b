import { readPayload } from '../domain/dsse.js';
import { freezeSchema, thawSchema, type Freeze } from '../domain/objects/stop.js';
import { thawRule } from '../domain/policy/evaluate.js';
import type { Policy } from '../domain/policy/schema.js';
import type { Roster } from '../domain/roster.js';
import type { LodgedRow } from './ledger/rows.js';

export interface ActiveFreeze {
  readonly digest: string;
  /** A person, or `a restore`, which is no person's id. */
  readonly by: string;
  readonly reason: string;
  readonly covers: (action: { readonly type: string; readonly agent: string }) => boolean;
}

/** By whom, where nobody but a restore froze. */
const RESTORE = 'a restore';
export const byRestore = ({ by }: ActiveFreeze): boolean => by === RESTORE;

/**
 * The freezes in force: lodged and not thawed by enough distinct people; a restore freezes everything until it is thawed alike. Who may thaw is asked of the present policy,
 * so that people who left the group cannot have thawed in advance. `now` in ms.
 */
export function activeFreezes(stops: readonly LodgedRow[], policy: Policy, roster: Roster, now: number): ActiveFreeze[] {
  const { people, quorum } = thawRule(policy, roster, now);
  const thaws = stops.filter((row) => row.object === 'thaw').map((row) => thawSchema.parse(readPayload('thaw', row.signed)));
  return stops
    .filter((row) => row.object === 'freeze' || row.object === 'restore')
    .filter(
      (row) => new Set(thaws.filter((thaw) => thaw.freeze === row.digest && people.includes(thaw.by)).map((thaw) => thaw.by)).size < quorum,
    )
    .map((row) => {
      if (row.object === 'restore')
        return { digest: row.digest, by: RESTORE, reason: 'the ledger was restored from a backup', covers: () => true };
      const freeze = freezeSchema.parse(readPayload('freeze', row.signed));
      return { digest: row.digest, by: freeze.by, reason: freeze.reason, covers: (action) => covers(freeze, action) };
    });
}

function covers({ scope }: Freeze, action: { readonly type: string; readonly agent: string }): boolean {
  if ('all' in scope) return true;
  return 'type' in scope ? scope.type === action.type : scope.agent === action.agent;
}
