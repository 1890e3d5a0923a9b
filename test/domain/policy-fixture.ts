import { ed25519 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import { agentIdSchema, personIdSchema } from '../../src/domain/ids.js';
import type { AgentId, PersonId } from '../../src/domain/ids.js';
import { ed25519KeyText, parsePublicKey, passkeyText } from '../../src/domain/keys.js';
import type { PublicKey } from '../../src/domain/keys.js';
import { evaluatePolicy } from '../../src/domain/policy/evaluate.js';
import type { Asked, Denied, Passed, Ruling } from '../../src/domain/policy/evaluate.js';
import { parsePolicy } from '../../src/domain/policy/parse.js';
import type { Policy } from '../../src/domain/policy/schema.js';
import { problemText } from '../../src/domain/problem.js';
import { parseRoster } from '../../src/domain/roster.js';
import type { Roster } from '../../src/domain/roster.js';

/** The tests' present: 2026-06-01T00:00:00.000Z. */
export const NOW = Date.UTC(2026, 5, 1);
export const HOUR = 3_600_000;

const seed = (name: string): Uint8Array => Uint8Array.from({ length: 32 }, (_, i) => name.charCodeAt(i % name.length) ^ (i * 7));
/** One key a name, always the same. */
export const keyText = (name: string): string => ed25519KeyText(ed25519.getPublicKey(seed(name)));
export const passkey = (name: string, credential = name): string => passkeyText(seed(credential), p256.getPublicKey(seed(name), false));

export function keyOf(text: string): PublicKey {
  const key = parsePublicKey(text);
  if (key === undefined) throw new Error('the test made a bad key');
  return key;
}

export const person = (id: string): PersonId => personIdSchema.parse(id);
export const agent = (id: string): AgentId => agentIdSchema.parse(id);
export const personLine = (id: string): string => `  ${id}: { name: ${id}, keys: ['${keyText(id)}'] }`;

export const ROSTER_TEXT = `schema: keyturn/roster@1
version: 3
deployment: acme-dev
people:
${['ana', 'ben', 'cleo', 'dana', 'eve', 'finn'].map(personLine).join('\n')}
groups:
  finance: [ana, ben, cleo]
  finance-leads: [eve]
  security: [finn, eve]
  everyone: [group:finance, group:security]
agents:
  ap-agent: { owner: dana, key: '${keyText('ap-agent')}', propose: [payments.*] }
api: { key: '${keyText('api')}' }
executors:
  bank: { runs: [payments.transfer, payments.refund], keys: ['${keyText('bank')}'] }
`;

export function rosterOf(text: string): Roster {
  const read = parseRoster(text, 'roster.yaml');
  if (!read.ok) throw new Error(read.problems.map(problemText).join('\n'));
  return read.roster;
}
export const ROSTER = rosterOf(ROSTER_TEXT);

/** The rules of a policy, indented as a list. */
export const policyText = (rules: string, rest = ''): string => `schema: keyturn/policy@1\nversion: 1\nrules:\n${rules}${rest}`;

export function policyOf(rules: string, rest = ''): Policy {
  const read = parsePolicy(policyText(rules, rest), 'policy.yaml');
  if (!read.ok) throw new Error(read.problems.map(problemText).join('\n'));
  return read.policy;
}

/** A hold rule with one stage; `more` are further lines of the rule. */
export const holdRule = (type: string, from: string, quorum: number, more: readonly string[] = [], name = `hold ${type}`): string =>
  [
    `  - name: ${name}`,
    `    match: { type: ${type} }`,
    '    effect: hold',
    '    because: Money leaves the company.',
    `    from: ${from}`,
    `    quorum: ${quorum}`,
    '    approveWithin: 24h',
    '    executeWithin: 30m',
    ...more.map((line) => `    ${line}`),
    '',
  ].join('\n');

export const denyRule = (match: string, name = 'no'): string => `  - { name: ${name}, match: ${match}, effect: deny, because: Never. }\n`;

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
