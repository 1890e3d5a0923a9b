import { digestOf } from './hash.js';
import { agentIdSchema, personIdSchema } from './ids.js';
import type { AgentId, Digest, KeyId, PersonId } from './ids.js';
import type { PublicKey } from './keys.js';
import { problemsOf } from './policy/fields.js';
import { Findings } from './problem.js';
import type { Problem } from './problem.js';
import { checkRoster } from './roster/check.js';
import { rosterFileSchema } from './roster/schema.js';
import type { FileAgent, FileKey, RosterFile } from './roster/schema.js';
import { readYaml } from './yaml.js';

/** A public key and its time, in ms. The end of its person or agent is folded into `until`, so that no reader can forget it. */
export interface RosterKey {
  readonly key: PublicKey;
  readonly from?: number | undefined;
  readonly until?: number | undefined;
}
export interface Person {
  readonly id: PersonId;
  readonly name: string;
  readonly keys: readonly RosterKey[];
  readonly until?: number | undefined;
}
export interface Agent {
  readonly id: AgentId;
  readonly owner: PersonId;
  readonly keys: readonly RosterKey[];
  /** SHA-256 of its bearer key; an agent has this or keys. */
  readonly bearer?: Digest | undefined;
  readonly propose: readonly string[];
  readonly until?: number | undefined;
  /** What each API process lets through: proposals a minute, and actions under way at once. */
  readonly limits: { readonly perMinute: number; readonly pending: number };
}
/** What an agent may without a word in the roster. */
export const DEFAULT_LIMITS = { perMinute: 60, pending: 200 } as const;

export interface Executor {
  readonly name: string;
  readonly runs: readonly string[];
  readonly keys: readonly RosterKey[];
  /** Where it takes signed stop messages without API and Temporal: `https://host:port`. */
  readonly door?: string | undefined;
}

/** Who is who, with which keys (§9). People and keys are never deleted, only given `until`. */
export interface Roster {
  readonly version: number;
  /** SHA-256 of the canonical JSON of the file's content: comments and layout do not count. */
  readonly digest: Digest;
  readonly deployment: string;
  readonly development: boolean;
  readonly selfApproval: boolean;
  readonly webauthn: { readonly rpId: string; readonly origins: string[] };
  readonly people: ReadonlyMap<PersonId, Person>;
  /** Members as the file has them: a person's id, or `group:<name>`. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
  readonly agents: ReadonlyMap<AgentId, Agent>;
  readonly apiKeys: readonly RosterKey[];
  readonly executors: ReadonlyMap<string, Executor>;
}

export type RosterRead = { readonly ok: true; readonly roster: Roster } | { readonly ok: false; readonly problems: Problem[] };

/** Reads roster.yaml. All of it is valid, or none of it counts: `roster_invalid`, each problem with its line and what to write. */
export function parseRoster(text: string, file: string): RosterRead {
  const yaml = readYaml(text, file, 'roster_invalid');
  if (!yaml.ok) return yaml;
  const read = rosterFileSchema.safeParse(yaml.value);
  if (!read.success)
    return { ok: false, problems: problemsOf(read.error.issues, { file, code: 'roster_invalid', value: yaml.value, at: yaml.at }) };
  const findings = new Findings(file, 'roster_invalid', yaml.at);
  checkRoster(read.data, findings);
  const { problems } = findings;
  return problems.length > 0 ? { ok: false, problems } : { ok: true, roster: rosterOf(read.data, digestOf(yaml.value)) };
}

function rosterOf(file: RosterFile, digest: Digest): Roster {
  const people = Object.entries(file.people).map(([name, person]): [PersonId, Person] => {
    const id = personIdSchema.parse(name);
    return [id, { id, name: person.name, keys: keysUntil(person.keys, person.until), until: person.until }];
  });
  const agents = Object.entries(file.agents ?? {}).map(([name, agent]): [AgentId, Agent] => {
    const id = agentIdSchema.parse(name);
    const { key, owner, propose, until } = agent;
    const bearer = key !== undefined && 'bearer' in key ? key.bearer : agent.bearer;
    const keys = key === undefined || 'bearer' in key ? (agent.keys ?? []) : [key];
    return [
      id,
      { id, owner, keys: keysUntil(keys, until), bearer, propose, until, limits: { ...DEFAULT_LIMITS, ...given(agent.limits ?? {}) } },
    ];
  });
  return {
    version: file.version,
    digest,
    deployment: file.deployment,
    development: file.development ?? false,
    selfApproval: file.selfApproval ?? false,
    webauthn: file.webauthn ?? { rpId: 'localhost', origins: ['http://localhost:7878'] },
    people: new Map(people),
    groups: new Map(Object.entries(file.groups ?? {})),
    agents: new Map(agents),
    apiKeys: [...(file.api?.key === undefined ? [] : [file.api.key]), ...(file.api?.keys ?? [])],
    executors: new Map(Object.entries(file.executors ?? {}).map(([name, executor]) => [name, { name, ...executor }])),
  };
}

const given = ({ perMinute, pending }: NonNullable<FileAgent['limits']>): Partial<Agent['limits']> => ({
  ...(perMinute === undefined ? {} : { perMinute }),
  ...(pending === undefined ? {} : { pending }),
});

const keysUntil = (keys: readonly FileKey[], end: number | undefined): RosterKey[] =>
  keys.map((key) => (end === undefined ? key : { ...key, until: Math.min(key.until ?? end, end) }));

/** Whose key it is. The time is not asked here: see `keyValidAt`. */
export type Holder =
  | { readonly kind: 'person'; readonly id: PersonId; readonly key: RosterKey }
  | { readonly kind: 'agent'; readonly id: AgentId; readonly key: RosterKey }
  | { readonly kind: 'api'; readonly key: RosterKey }
  | { readonly kind: 'executor'; readonly name: string; readonly key: RosterKey };

/** At most one: a key is enrolled once in the whole roster. Nobody holds a key that was not named. */
export function holderOf(roster: Roster, keyId: KeyId | undefined): Holder | undefined {
  const among = (keys: readonly RosterKey[]): RosterKey | undefined => keys.find(({ key }) => key.id === keyId);
  for (const { id, keys } of roster.people.values()) {
    const key = among(keys);
    if (key !== undefined) return { kind: 'person', id, key };
  }
  for (const { id, keys } of roster.agents.values()) {
    const key = among(keys);
    if (key !== undefined) return { kind: 'agent', id, key };
  }
  for (const { name, keys } of roster.executors.values()) {
    const key = among(keys);
    if (key !== undefined) return { kind: 'executor', name, key };
  }
  const key = among(roster.apiKeys);
  return key === undefined ? undefined : { kind: 'api', key };
}

/** `from` inclusive, `until` exclusive. */
export const keyValidAt = (key: RosterKey, ms: number): boolean =>
  ms >= (key.from ?? Number.NEGATIVE_INFINITY) && ms < (key.until ?? Number.POSITIVE_INFINITY);

export type PeopleFound = { readonly ok: true; readonly people: PersonId[] } | { readonly ok: false; readonly missing: string };

/**
 * The people behind `person:x` and `group:x`: by id, never by display name; nested groups flattened (attack cases 9, 10), each person once, sorted;
 * those past their `until` left out. A name the roster lacks is an answer of its own, never an empty group.
 */
export function peopleOf(roster: Roster, refs: readonly string[], now: number): PeopleFound {
  const found = new Set<PersonId>();
  const open = [...refs];
  const seen = new Set<string>();
  for (let ref = open.pop(); ref !== undefined; ref = open.pop()) {
    if (seen.has(ref)) continue;
    seen.add(ref);
    if (ref.startsWith('group:')) {
      const members = roster.groups.get(ref.slice('group:'.length));
      if (members === undefined) return { ok: false, missing: ref };
      open.push(...members.map((member) => (member.startsWith('group:') ? member : `person:${member}`)));
    } else {
      const person = ref.startsWith('person:') ? roster.people.get(ref.slice('person:'.length) as PersonId) : undefined;
      if (person === undefined) return { ok: false, missing: ref };
      if (person.until === undefined || now < person.until) found.add(person.id);
    }
  }
  return { ok: true, people: [...found].sort() };
}

/** The one executor that runs a type; undefined: nobody does. */
export const executorOf = (roster: Roster, type: string): Executor | undefined =>
  [...roster.executors.values()].find(({ runs }) => runs.includes(type));
