import { ed25519 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import { ed25519KeyText, passkeyText } from '../../src/domain/keys.js';

/** policy.yaml and roster.yaml as text: nothing is read here, so that tests of the reading load whatever it does. */

const seed = (name: string): Uint8Array => Uint8Array.from({ length: 32 }, (_, i) => name.charCodeAt(i % name.length) ^ (i * 7));
/** One key a name, always the same. */
export const keyText = (name: string): string => ed25519KeyText(ed25519.getPublicKey(seed(name)));
export const passkey = (name: string, credential = name): string => passkeyText(seed(credential), p256.getPublicKey(seed(name), false));

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

/** The rules of a policy, indented as a list. */
export const policyText = (rules: string, rest = ''): string => `schema: keyturn/policy@1\nversion: 1\nrules:\n${rules}${rest}`;

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
