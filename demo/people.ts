import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Signer } from '../src/domain/dsse.js';
import { newPrivateKey, writeKeyFile } from '../src/files/key-files.js';
import { packageRoot } from '../src/temporal/paths.js';

export const DEPLOYMENT = 'demo';
export const TYPES = ['payments.transfer', 'payments.urgent', 'payments.escrow'];
const PEOPLE = { ana: 'Ana Lima', ben: 'Ben Okoro', cleo: 'Cleo Brandt', dana: 'Dana Weiss', eva: 'Eva Sund' } as const;
export type Person = keyof typeof PEOPLE;

/** Everybody's keys: in files a development roster lets this machine hold. */
export interface Cast {
  readonly people: Readonly<Record<Person, Signer>>;
  readonly agentKey: string;
}

/** Writes a fresh folder: keys, roster.yaml, policy.yaml, config. Everyone gets an own key; only the executor's process will get the bank's password. */
export async function makeFolder(dir: string, url: string): Promise<Cast> {
  const keys = join(dir, '.keyturn', 'keys');
  await mkdir(keys, { recursive: true, mode: 0o700 });
  const people = {} as Record<Person, Signer>;
  for (const person of Object.keys(PEOPLE) as Person[]) people[person] = await writeKeyFile(join(keys, `${person}.key`));
  const api = await writeKeyFile(join(keys, 'api.key'));
  const executor = await writeKeyFile(join(keys, 'executor-bank.key'));
  const agentKey = newPrivateKey();
  const agent = await writeKeyFile(join(keys, 'agent-ap-agent.key'), agentKey);
  const lines = [
    'schema: keyturn/roster@1',
    'version: 1',
    `deployment: ${DEPLOYMENT}`,
    'development: true',
    'people:',
    ...Object.entries(PEOPLE).map(([id, name]) => `  ${id}: { name: ${name}, keys: ["${people[id as Person].key.text}"] }`),
    'groups: { finance: [ana, ben, cleo], finance-leads: [eva] }',
    `agents: { ap-agent: { owner: dana, key: "${agent.key.text}", propose: [payments.*] } }`,
    `api: { key: "${api.key.text}" }`,
    `executors: { bank: { runs: [${TYPES.join(', ')}], keys: ["${executor.key.text}"] } }`,
  ];
  await writeFile(join(dir, 'roster.yaml'), `${lines.join('\n')}\n`);
  await copyFile(join(packageRoot, 'examples', 'payments', 'policy.yaml'), join(dir, 'policy.yaml'));
  await writeFile(join(dir, '.keyturn', 'config.json'), `${JSON.stringify({ url, me: 'ana' }, null, 2)}\n`);
  return { people, agentKey };
}
