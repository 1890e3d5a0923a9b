import type { Signer } from '../../src/domain/dsse.js';
import { DEPLOYMENT, PEOPLE } from '../helpers/rules-fixture.js';
import { AGENT, keyOfPerson } from '../helpers/signers.js';
import { TYPES, type TypeName } from './types.js';

const NAMES = Object.keys(TYPES) as TypeName[];

/** One executor a lane, each with all types under its own name, and a door of its own where one is given. */
export function chaosRoster(executors: Readonly<Record<string, Signer>>, doors: Readonly<Record<string, string>> = {}): string {
  const door = (lane: string): string => (doors[lane] === undefined ? '' : `, door: 'http://${doors[lane]}'`);
  return `schema: keyturn/roster@1
version: 1
deployment: ${DEPLOYMENT}
people:
${PEOPLE.map((person) => `  ${person}: { name: ${person}, keys: ['${keyOfPerson(person).key.text}'] }`).join('\n')}
groups: { finance: [ana, ben, cleo], leads: [cleo, eva] }
agents:
  ap-agent: { owner: dana, key: '${AGENT.key.text}', propose: [${NAMES.map((name) => `${name}.*`).join(', ')}], limits: { perMinute: 10000, pending: 10000 } }
executors:
${Object.entries(executors)
  .map(
    ([lane, { key }]) => `  ${lane}: { runs: [${NAMES.map((name) => `${name}.${lane}`).join(', ')}], keys: ['${key.text}']${door(lane)} }`,
  )
  .join('\n')}
`;
}

const APPROVE_WITHIN: Partial<Record<TypeName, string>> = { hasty: '2s' };

const GLASS = `
    breakGlass: { review: { from: [person:eva], quorum: 1 }, reviewWithin: 1h }`;

/** Two of finance agree; both leads say what became of a step nobody can tell about. */
export function chaosPolicy(): string {
  const rule = (name: TypeName): string =>
    name === 'forbidden'
      ? `  - { name: ${name}, match: { type: ${name}.* }, effect: deny, because: Never. }`
      : `  - name: ${name}
    match: { type: ${name}.* }
    effect: hold
    because: Money leaves the company.
    from: [group:finance]
    quorum: 2
    approveWithin: ${APPROVE_WITHIN[name] ?? '10m'}
    executeWithin: 5m
    resolve: { from: [group:leads], quorum: 2 }${name === 'glass' ? GLASS : ''}`;
  return `schema: keyturn/policy@1\nversion: 1\nrules:\n${NAMES.map(rule).join('\n')}\nstop: { freeze: [group:leads], thaw: { from: [group:leads], quorum: 2 } }\n`;
}
