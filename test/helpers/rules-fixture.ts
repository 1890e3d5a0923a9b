import { utf8 } from '../../src/domain/bytes.js';
import { sha256 } from '../../src/domain/hash.js';
import { parsePolicy } from '../../src/domain/policy/parse.js';
import { problemText, type Problem } from '../../src/domain/problem.js';
import { parseRoster } from '../../src/domain/roster.js';
import type { Rules } from '../../src/executor/executor.js';
import { AGENT, API, EXECUTOR, keyOfPerson } from './signers.js';

export const DEPLOYMENT = 'acme-test';
export const PEOPLE = ['ana', 'ben', 'cleo', 'dana', 'eva'] as const;
/** The types the bank's executor runs: `types.ts` defines them. */
export const TYPES = ['payments.transfer', 'payments.batch', 'payments.by-hand', 'payments.blind', 'payments.final'] as const;

export interface RosterOptions {
  readonly version?: number;
  readonly groups?: Readonly<Record<string, readonly string[]>>;
  /** Lines of YAML in place of a person's usual one, by person: `{ name: ana, keys: [] }`. */
  readonly people?: Readonly<Record<string, string>>;
  /** Lines of YAML under `agents:` in place of the usual two. */
  readonly agents?: readonly string[];
  readonly runs?: readonly string[];
  /** YAML of the executor's keys in place of its usual one. */
  readonly executorKeys?: string;
  /** Further top-level lines. */
  readonly more?: string;
}

const GROUPS = { finance: ['ana', 'ben', 'cleo'], 'finance-leads': ['eva'], security: ['cleo', 'eva'] };

/** The lines of the usual two; `more` are further fields of both. */
export const usualAgents = (more = ''): readonly string[] =>
  [
    `ap-agent: { owner: dana, key: '${AGENT.key.text}', propose: [payments.*]`,
    `bearer-agent: { owner: dana, bearer: 'sha256:${sha256(utf8('bearer'))}', propose: [payments.*]`,
  ].map((line) => `${line}${more === '' ? '' : `, ${more}`} }`);

/** roster.yaml: dana owns `ap-agent` (signs itself) and `bearer-agent` (vouched for by the API). */
export function rosterText({
  version = 1,
  groups = {},
  people = {},
  agents,
  runs = TYPES,
  executorKeys = `'${EXECUTOR.key.text}'`,
  more = '',
}: RosterOptions = {}): string {
  const line = (person: string): string =>
    `  ${person}: ${people[person] ?? `{ name: ${person}, keys: ['${keyOfPerson(person).key.text}'] }`}`;
  return `schema: keyturn/roster@1
version: ${version}
deployment: ${DEPLOYMENT}
people:
${[...new Set([...PEOPLE, ...Object.keys(people)])].map(line).join('\n')}
groups:
${Object.entries({ ...GROUPS, ...groups })
  .map(([name, members]) => `  ${name}: [${members.join(', ')}]`)
  .join('\n')}
agents:
${(agents ?? usualAgents()).map((agent) => `  ${agent}`).join('\n')}
api: { key: '${API.key.text}' }
executors:
  bank: { runs: [${runs.join(', ')}], keys: [${executorKeys}] }
${more}`;
}

export interface PolicyOptions {
  readonly version?: number;
  readonly type?: string;
  /** YAML of the list under `stages:`. */
  readonly stages?: string;
  readonly approveWithin?: string;
  readonly executeWithin?: string;
  readonly rejections?: number;
  readonly resolve?: string;
  /** Types of deny rules, which stand after the hold rule. */
  readonly deny?: readonly string[];
  /** A condition on the hold rule, and one of a deny rule for the same type. */
  readonly when?: string;
  readonly denyWhen?: string;
  readonly delegates?: string;
  readonly stop?: string;
  /** YAML of rules that stand before the hold rule. */
  readonly first?: string;
  /** Further lines of the hold rule. */
  readonly more?: readonly string[];
  /** YAML of what previews are told. */
  readonly data?: string;
}

export const TWO_OF_FINANCE = '[{ name: finance, from: [group:finance], quorum: 2 }]';
export const ONE_OF_FINANCE = '[{ name: finance, from: [group:finance], quorum: 1 }]';

/** One of finance lets it run at once; one of security, but for who did so, reviews it afterwards: eva, or cleo. */
export const BREAK_GLASS = {
  stages: ONE_OF_FINANCE,
  executeWithin: '10m',
  more: ['breakGlass: { review: { from: [group:security], quorum: 1 }, reviewWithin: 72h }'],
} as const;

/** policy.yaml with one hold rule: two of finance within 24 h, to start within 30 min; eva resolves; security freezes, two of it thaw. */
export function policyText(options: PolicyOptions = {}): string {
  const {
    version = 1,
    type = 'payments.*',
    stages = TWO_OF_FINANCE,
    approveWithin = '24h',
    executeWithin = '30m',
    rejections = 1,
  } = options;
  const {
    resolve = '{ from: [group:finance-leads], quorum: 1 }',
    deny = [],
    stop = '{ freeze: [group:security], thaw: { from: [group:security], quorum: 2 } }',
  } = options;
  return `schema: keyturn/policy@1
version: ${version}
rules:
${options.first ?? ''}  - name: vendor payments
    match: { type: ${type} }
${options.when === undefined ? '' : `    when: '${options.when}'\n`}    effect: hold
    because: Money leaves the company.
    stages: ${stages}
    approveWithin: ${approveWithin}
    executeWithin: ${executeWithin}
    rejections: ${rejections}
    resolve: ${resolve}
${options.delegates === undefined ? '' : `    delegates: ${options.delegates}\n`}${(options.more ?? []).map((line) => `    ${line}\n`).join('')}${options.denyWhen === undefined ? '' : `  - { name: never so, match: { type: ${type} }, when: '${options.denyWhen}', effect: deny, because: Never so. }\n`}${deny.map((each) => `  - { name: never ${each}, match: { type: ${each} }, effect: deny, because: Never. }`).join('\n')}
stop: ${stop}
${options.data === undefined ? '' : `data: ${options.data}\n`}`;
}

const must = <T extends { ok: boolean }>(read: T | { ok: false; problems: readonly Problem[] }): Extract<T, { ok: true }> => {
  if (!read.ok && 'problems' in read) throw new Error(read.problems.map(problemText).join('\n'));
  return read as Extract<T, { ok: true }>;
};

/** Policy and roster of a test's executor, changed at will; what does not parse throws where it is set. */
export class TestRules {
  private current: Extract<Rules, { ok: true }>;
  private broken: string | undefined;

  constructor(policy = policyText(), roster = rosterText()) {
    this.current = {
      ok: true,
      policy: must(parsePolicy(policy, 'policy.yaml')).policy,
      roster: must(parseRoster(roster, 'roster.yaml')).roster,
    };
  }
  setPolicy(options: PolicyOptions): void {
    this.current = { ...this.current, policy: must(parsePolicy(policyText(options), 'policy.yaml')).policy };
  }
  setRoster(options: RosterOptions): void {
    this.current = { ...this.current, roster: must(parseRoster(rosterText(options), 'roster.yaml')).roster };
  }
  /** From now on the files are invalid, until `mend`. */
  break(text = 'policy.yaml:1: nonsense'): void {
    this.broken = text;
  }
  mend(): void {
    this.broken = undefined;
  }
  read(): Rules {
    return this.broken === undefined ? this.current : { ok: false, text: this.broken };
  }
}
