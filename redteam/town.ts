import { createHash, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DEPLOYMENT, TYPES } from '../demo/people.js';
import type { Signed, Signer } from '../src/domain/dsse.js';
import { toInstant } from '../src/domain/instant.js';
import { newPrivateKey, signerFrom, writeKeyFile } from '../src/files/key-files.js';

/** Everybody's private keys, as text. The runner alone has all of them; an attacker's process is handed the one it is said to hold. */
export interface Town {
  readonly people: Readonly<Record<Name, string>>;
  /** Ana's second key, and one of Fay's that ended. */
  readonly phone: string;
  readonly ended: string;
  readonly agents: Readonly<Record<Agent, string>>;
  readonly bearer: string;
  readonly api: string;
  readonly executor: string;
}
const PEOPLE = ['ana', 'ben', 'cleo', 'dana', 'eva', 'fay', 'gus', 'hal'] as const;
export type Name = (typeof PEOPLE)[number];
const AGENTS = { 'ap-agent': 'dana', 'cold-agent': 'dana', splitter: 'gus', 'twin-one': 'hal', 'twin-two': 'hal' } as const;
export type Agent = keyof typeof AGENTS;

export const signer = (key: string): Signer => signerFrom(key, 'the red team');
const keys = <K extends string>(names: readonly K[]): Record<K, string> =>
  Object.fromEntries(names.map((name) => [name, newPrivateKey()])) as Record<K, string>;

/** Writes a fresh folder with keys, roster, policy and configuration. */
export async function makeTown(dir: string, url: string): Promise<Town> {
  const town: Town = {
    people: keys(PEOPLE),
    phone: newPrivateKey(),
    ended: newPrivateKey(),
    agents: keys(Object.keys(AGENTS) as Agent[]),
    bearer: randomBytes(24).toString('hex'),
    api: newPrivateKey(),
    executor: newPrivateKey(),
  };
  const folder = join(dir, '.keyturn', 'keys');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // What each part of the product itself holds; people and agents are elsewhere.
  await writeKeyFile(join(folder, 'api.key'), town.api);
  await writeKeyFile(join(folder, 'executor-bank.key'), town.executor);
  await writeKeyFile(join(folder, 'cleo.key'), town.people.cleo);
  await writeFile(join(dir, 'roster.yaml'), rosterText(town, 1));
  await writeFile(join(dir, 'policy.yaml'), policyText(1));
  await writeFile(join(dir, '.keyturn', 'config.json'), `${JSON.stringify({ url, me: 'cleo' })}\n`);
  return town;
}

/** All attacks come from a few agents within minutes: they are to meet what they are aimed at, not the API's rate. */
const ROOM = 'limits: { perMinute: 10000, pending: 10000 }';

/** In version 2 Fay's key has ended. */
export function rosterText(town: Town, version: 1 | 2): string {
  const text = (key: string): string => `"${signer(key).key.text}"`;
  const more: Partial<Record<Name, string[]>> = {
    ana: [text(town.phone)],
    fay: [`{ key: ${text(town.ended)}, until: 2026-01-31T09:30:00.000Z }`],
  };
  const own = (name: Name): string =>
    version === 2 && name === 'fay' ? `{ key: ${text(town.people.fay)}, until: 2026-01-31T09:30:00.000Z }` : text(town.people[name]);
  return `${[
    'schema: keyturn/roster@1',
    `version: ${version}`,
    `deployment: ${DEPLOYMENT}`,
    'development: true',
    'people:',
    ...PEOPLE.map((name) => `  ${name}: { name: ${name}, keys: [${[own(name), ...(more[name] ?? [])].join(', ')}] }`),
    'groups: { finance: [ana, ben, cleo, dana, fay], finance-leads: [eva] }',
    'agents:',
    ...Object.entries(AGENTS).map(
      ([agent, owner]) => `  ${agent}: { owner: ${owner}, key: ${text(town.agents[agent as Agent])}, propose: [payments.*], ${ROOM} }`,
    ),
    `  erp-agent: { owner: dana, bearer: "sha256:${createHash('sha256').update(town.bearer).digest('hex')}", propose: [payments.*], ${ROOM} }`,
    `api: { key: ${text(town.api)} }`,
    `executors: { bank: { runs: [${TYPES.join(', ')}], keys: [${text(town.executor)}] } }`,
  ].join('\n')}\n`;
}

/** Vendors the second policy is about. */
export const LATER = { tightened: 'policy-tightened', denied: 'deny-added', rolledBack: 'policy-rolled-back' } as const;
const ALLOWED = `    executeWithin: 30m
    resolve: { from: [group:finance-leads], quorum: 1 }`;

/** By break-glass one of two lets it run; this attack's must start at once. */
export const AT_ONCE_MS = 1_000;
const ON_CALL = (executeWithin: string, when: string, name: string): string => `  - name: ${name}
    match: { type: payments.transfer }
    when: ${when}
    effect: hold
    because: It cannot wait for two.
    stages: [{ name: on-call, from: [person:ana, person:ben], quorum: 1 }]
    breakGlass: { review: { from: [group:finance-leads, person:ana], quorum: 1 }, reviewWithin: 72h }
    approveWithin: 24h
    executeWithin: ${executeWithin}
`;
const BY_BREAK_GLASS =
  ON_CALL(`${AT_ONCE_MS}ms`, 'action.params.vendor == "break-glass-too-late"', 'at once') +
  ON_CALL('10m', 'action.params.vendor.startsWith("break-glass")', 'on call');

/** What runs without people does so within a budget; version 2 denies one vendor and asks three people about another. */
export function policyText(version: 1 | 2): string {
  const later = `  - name: no longer paid
    match: { type: payments.transfer }
    when: action.params.vendor in ["${LATER.denied}", "${LATER.rolledBack}"]
    effect: deny
    because: This vendor is no longer paid.
  - name: asked of three
    match: { type: payments.transfer }
    when: action.params.vendor == "${LATER.tightened}"
    effect: hold
    because: This vendor was paid twice before.
    stages: [{ name: finance, from: [group:finance], quorum: 3 }]
    approveWithin: 24h
    executeWithin: 30m
`;
  return `schema: keyturn/policy@1
version: ${version}
rules:
${version === 1 ? '' : later}  - name: small change
    match: { type: payments.urgent, agent: ap-agent }
    effect: allow
    because: Cheap to lose.
    request: vouched
    budget: [{ per: agent, within: 1h, limit: 100 }]
${ALLOWED}
  - name: small sums
    match: { type: payments.urgent }
    effect: allow
    because: A small sum is cheap to lose.
    budget: [{ per: owner, within: 1h, sum: /cents, limit: 100000 }]
${ALLOWED}
  - name: small reservations
    match: { type: payments.escrow }
    effect: allow
    because: The agent itself must have signed it.
    budget: [{ per: agent, within: 1h, limit: 100 }]
${ALLOWED}
  - name: urgent payments
    match: { type: payments.urgent }
    effect: hold
    because: What is over the budget is asked of people.
    stages: [{ name: finance, from: [group:finance], quorum: 2 }]
    approveWithin: 24h
    executeWithin: 30m
${BY_BREAK_GLASS}  - name: vendor payments
    match: { type: payments.transfer }
    effect: hold
    because: Money leaves the company and is hard to get back.
    stages: [{ name: finance, from: [group:finance], quorum: 2 }]
    delegates: [person:cleo, person:gus]
    approveWithin: 24h
    executeWithin: 30m
stop: { freeze: [group:finance-leads], thaw: { from: [group:finance-leads], quorum: 1 } }
`;
}

/** What a decision is about, as anybody who reads the namespace knows it. */
export interface Target {
  readonly id: string;
  readonly digest: string | null;
  readonly revision: number;
  readonly view: string | null;
}

/** A decision of `person` by whatever key: an honest vote, or a forged one. `keyId` is what its bytes name. */
export const decision = (
  by: Signer,
  person: string,
  { id, digest, revision, view }: Target,
  { keyId = by.key.id, at = Date.now(), ...verdict }: { keyId?: string; at?: number; [member: string]: unknown } = {},
): Signed =>
  by.sign('decision', {
    v: 1,
    deployment: DEPLOYMENT,
    actionId: id,
    digest,
    revision,
    view,
    person,
    keyId,
    nonce: randomBytes(16).toString('hex'),
    issuedAt: toInstant(at),
    verdict: 'approve',
    ...verdict,
  });

/** The right to decide for `from`, handed over to `to` for an hour. */
export const delegation = (by: Signer, from: string, to: string): Signed =>
  by.sign('delegation', {
    v: 1,
    deployment: DEPLOYMENT,
    from,
    to,
    nonce: randomBytes(16).toString('hex'),
    issuedAt: toInstant(Date.now() - 1_000),
    until: toInstant(Date.now() + 3_600_000),
  });

/** The same bytes under the name of another key: what a forger who lacks that key can make. */
export const renamed = (signed: Signed, keyid: string): Signed => {
  const [signature] = signed.signatures;
  return signature === undefined ? signed : { ...signed, signatures: [{ ...signature, keyid: keyid as typeof signature.keyid }] };
};

export const forgedVotes = (by: Signer, target: Target, keyIds: Readonly<Record<string, string>>): Signed[] =>
  ['ana', 'ben'].map((person) => {
    const keyId = keyIds[person] ?? '';
    return renamed(decision(by, person, target, { keyId }), keyId);
  });
