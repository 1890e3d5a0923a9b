import type { AgentId, PersonId } from '../ids.js';
import type { JsonObject } from '../json.js';
import type { Path } from '../problem.js';
import type { Roster } from '../roster.js';
import type { PreviewFacts } from './condition.js';
import { evaluatePolicy, type Asked, type Ruling } from './evaluate.js';
import { matchesType } from './match.js';
import type { Policy } from './schema.js';

/** An action somebody thinks up, to ask the policy about: no target is looked at, and nothing is known of its undo. */
export interface Given {
  readonly type: string;
  readonly params: JsonObject;
  /** Left out: the first agent of the roster that may propose the type. */
  readonly agent?: string | undefined;
  readonly onBehalfOf?: string | undefined;
  /** What its preview would say. Left out: what rules that read it would say cannot be decided. */
  readonly preview?: PreviewFacts | undefined;
  /** Left out: `signed`. */
  readonly request?: 'signed' | 'vouched' | undefined;
}

/** One of `tests:` in policy.yaml. */
export interface PolicyTest {
  readonly given: Given;
  readonly expect: {
    readonly effect: Ruling['effect'];
    readonly rule?: string | undefined;
    readonly code?: string | undefined;
    /** How many independent votes the rule demands. */
    readonly independent?: number | undefined;
  };
  readonly path: Path;
}

export type TestResult = { readonly test: PolicyTest; readonly expected: string; readonly seen: string; readonly ok: boolean };

/** `now` in ms. Pure; never throws. */
export function runTests(policy: Policy, roster: Roster, now: number): TestResult[] {
  return policy.tests.map((test) => {
    const asked = askedOf(roster, test.given);
    const seen = typeof asked === 'string' ? nothing(asked) : decided(evaluatePolicy(policy, roster, asked, now));
    const { effect, rule, code, independent } = test.expect;
    const demanded = 'guards' in seen ? seen.guards.independent : 0;
    const ok =
      seen.effect === effect &&
      (rule === undefined || rule === ruleOf(seen)) &&
      (code === undefined || code === codeOf(seen)) &&
      (independent === undefined || independent === demanded);
    const votes = (n: number): string => (independent === undefined ? '' : `, independent ${n}`);
    return {
      test,
      ok,
      expected: words(effect, rule, code) + votes(independent ?? 0),
      seen: words(seen.effect, ruleOf(seen), codeOf(seen)) + votes(demanded),
    };
  });
}

/** Who would ask, filled in from the roster; or why nobody could. */
export function askedOf(roster: Roster, { type, params, agent, onBehalfOf, preview, request = 'signed' }: Given): Asked | string {
  const known =
    agent === undefined
      ? [...roster.agents.values()].find(({ propose }) => propose.some((pattern) => matchesType(pattern, type)))
      : roster.agents.get(agent as AgentId);
  if (known === undefined) return agent === undefined ? `no agent of the roster may propose ${type}` : `the roster has no agent ${agent}`;
  if (onBehalfOf !== undefined && !roster.people.has(onBehalfOf as PersonId)) return `the roster has nobody called ${onBehalfOf}`;
  return {
    type,
    params,
    preview,
    agent: known.id,
    owner: known.owner,
    onBehalfOf: (onBehalfOf as PersonId | undefined) ?? null,
    request,
    editors: [],
    undo: [],
    spent: 'nothing',
  };
}

type Seen = Ruling | { readonly effect: 'nothing'; readonly text: string };
const nothing = (text: string): Seen => ({ effect: 'nothing', text });
/** A denial only for want of a preview is none that a test may expect: the executor would have made one. */
const decided = (ruling: Ruling): Seen => ('undecided' in ruling ? nothing(`${ruling.text}; say in given: what it would be`) : ruling);
function ruleOf(seen: Seen): string | undefined {
  if (seen.effect === 'nothing') return seen.text;
  return seen.effect === 'deny' ? seen.rule : seen.rule.name;
}
const codeOf = (seen: Seen): string | undefined => ('code' in seen ? seen.code : undefined);

function words(effect: string, rule: string | undefined, code: string | undefined): string {
  return [effect, ...(code === undefined ? [] : [code]), ...(rule === undefined ? [] : [`by "${rule}"`])].join(' ');
}
