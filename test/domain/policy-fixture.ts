import { agentIdSchema, personIdSchema } from '../../src/domain/ids.js';
import type { AgentId, PersonId } from '../../src/domain/ids.js';
import { parsePublicKey } from '../../src/domain/keys.js';
import type { PublicKey } from '../../src/domain/keys.js';
import { evaluatePolicy } from '../../src/domain/policy/evaluate.js';
import type { Asked, Denied, Passed, Ruling } from '../../src/domain/policy/evaluate.js';
import { parsePolicy } from '../../src/domain/policy/parse.js';
import type { Policy } from '../../src/domain/policy/schema.js';
import { problemText } from '../../src/domain/problem.js';
import { parseRoster } from '../../src/domain/roster.js';
import type { Roster } from '../../src/domain/roster.js';
import { policyText, ROSTER_TEXT } from './rule-texts.js';

export { denyRule, holdRule, keyText, passkey, personLine, policyText, ROSTER_TEXT } from './rule-texts.js';

/** The tests' present: 2026-06-01T00:00:00.000Z. */
export const NOW = Date.UTC(2026, 5, 1);
export const HOUR = 3_600_000;

export function keyOf(text: string): PublicKey {
  const key = parsePublicKey(text);
  if (key === undefined) throw new Error('the test made a bad key');
  return key;
}

export const person = (id: string): PersonId => personIdSchema.parse(id);
export const agent = (id: string): AgentId => agentIdSchema.parse(id);
export function rosterOf(text: string): Roster {
  const read = parseRoster(text, 'roster.yaml');
  if (!read.ok) throw new Error(read.problems.map(problemText).join('\n'));
  return read.roster;
}
export const ROSTER = rosterOf(ROSTER_TEXT);

export function policyOf(rules: string, rest = ''): Policy {
  const read = parsePolicy(policyText(rules, rest), 'policy.yaml');
  if (!read.ok) throw new Error(read.problems.map(problemText).join('\n'));
  return read.policy;
}

export const ASKED: Asked = {
  type: 'payments.transfer',
  agent: agent('ap-agent'),
  owner: person('dana'),
  onBehalfOf: null,
  params: {},
  preview: undefined,
  editors: [],
  request: 'signed',
  undo: [{ undo: 'automatic' }],
  spent: 'nothing',
};

export const rule = (policy: Policy, asked: Partial<Asked> = {}, roster: Roster = ROSTER, now = NOW): Ruling =>
  evaluatePolicy(policy, roster, { ...ASKED, ...asked }, now);

export function held(ruling: Ruling): Passed {
  if (ruling.effect === 'deny') throw new Error(`denied: ${ruling.code} ${ruling.text}`);
  if (ruling.effect === 'allow') throw new Error('let run');
  return ruling;
}
export function denied(ruling: Ruling): Denied {
  if (ruling.effect !== 'deny') throw new Error(ruling.effect);
  return ruling;
}
