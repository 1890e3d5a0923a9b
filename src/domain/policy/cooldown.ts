import { digestOf } from '../hash.js';
import type { AgentId, Digest, PersonId } from '../ids.js';
import { toInstant } from '../instant.js';
import type { JsonObject } from '../json.js';
import type { Roster } from '../roster.js';

/** The digest equal content is found by: agent, type and parameters as the type's schema reads them (§6.13). */
export const contentOf = (agent: string, type: string, params: JsonObject): Digest => digestOf([agent, type, params]);

/** The same content as any agent of this owner would have proposed it: a second agent is no way around a "no". */
export const contentsOf = (roster: Roster, owner: PersonId, agent: AgentId, type: string, params: JsonObject): Digest[] => {
  const agents = [...roster.agents.values()].filter((each) => each.owner === owner).map(({ id }) => id);
  return [...new Set([agent, ...agents])].map((each) => contentOf(each, type, params));
};

/** An equal action that people rejected; `at` in ms, by the ledger's clock. */
export interface Rejected {
  readonly at: number;
  readonly text: string;
  readonly by: string | undefined;
}

/** Why equal content is refused at `now` (ms): who rejected it, why, and from when it may be proposed again. Undefined: nothing stands against it. */
export function coolingDown(rejected: readonly Rejected[], cooldown: number, now: number): string | undefined {
  const last = rejected.filter(({ at }) => now < at + cooldown).sort((a, b) => b.at - a.at)[0];
  if (last === undefined) return undefined;
  const who = last.by === undefined ? '' : ` by ${last.by}`;
  const again = toInstant(last.at + cooldown);
  return `equal content was rejected${who} at ${toInstant(last.at)}: ${last.text}; it may be proposed again from ${again}`;
}
