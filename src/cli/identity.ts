import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Signer } from '../domain/dsse.js';
import { agentIdSchema, personIdSchema } from '../domain/ids.js';
import { holderOf, type Roster } from '../domain/roster.js';
import { readKeyFile, signerFrom } from '../files/key-files.js';
import { CliError, hasCode, usage } from './errors.js';
import type { Session } from './session.js';

/** Who acts, with the private key to prove it. */
export interface Author {
  readonly kind: 'person' | 'agent';
  readonly id: string;
  readonly deployment: string;
  readonly signer: Signer;
}

/**
 * The person at this machine: `me` of the configuration, or, with a development roster only, whoever `--as` names.
 * The key must be one the roster lists for that very person: better told here than refused there.
 */
export async function person(session: Session, as?: string): Promise<Author> {
  const workspace = await session.workspace();
  const { config, root, rosterFile } = workspace;
  const roster = await workspace.roster();
  if (as !== undefined && !roster.development)
    throw usage(
      `--as works only with a development roster, and ${rosterFile} is none`,
      'Leave it out: you sign as "me" of .keyturn/config.json.',
    );
  const id = personIdSchema.safeParse(as ?? config.me).data;
  if (id === undefined || !roster.people.has(id))
    throw usage(
      as === undefined && config.me === undefined
        ? `it is not known who you are: ${join(root, '.keyturn', 'config.json')} names no "me"`
        : `"${as ?? config.me ?? ''}" is nobody in ${rosterFile}`,
      `Name one of: ${[...roster.people.keys()].join(', ')}.`,
    );
  const file = as === undefined && config.key !== undefined ? resolve(root, config.key) : join(keysFolder(root), `${id}.key`);
  const signer = await signerIn(file, `Make one with \`keyturn keys new ${file}\` and have its public half put into roster.yaml.`);
  const holder = holderOf(roster, signer.key.id);
  if (holder?.kind !== 'person' || holder.id !== id)
    throw new CliError(
      'key_invalid',
      `${file} is not a key of ${id} in ${rosterFile}`,
      `Have ${signer.key.text} put into roster.yaml for ${id}.`,
    );
  return { kind: 'person', id, deployment: roster.deployment, signer };
}

/** An agent whose key is here: the one named, else that of `KEYTURN_AGENT_KEY`, else the only one in `.keyturn/keys`. */
export async function agent(session: Session, named?: string): Promise<Author> {
  const found = await agentIfAny(session, named);
  if (found !== undefined) return found;
  const { root, rosterFile } = await session.workspace();
  throw usage(
    named === undefined ? `no single agent has its key in ${keysFolder(root)}` : `no key of agent ${named} is here`,
    `Name one of ${rosterFile} with --as-agent, with its key in ${join(keysFolder(root), 'agent-<id>.key')} or in KEYTURN_AGENT_KEY.`,
  );
}

/** As `agent`; undefined where no key is at hand. */
export async function agentIfAny(session: Session, named?: string): Promise<Author | undefined> {
  const workspace = await session.workspace();
  const { root } = workspace;
  const roster = await workspace.roster();
  const given = session.env['KEYTURN_AGENT_KEY'];
  const signers = given === undefined ? await keysOf(root, named) : [signerFrom(given, 'KEYTURN_AGENT_KEY')];
  const agents = signers.flatMap((signer) => asAgent(roster, signer, named));
  return agents.length === 1 ? agents[0] : undefined;
}

function asAgent(roster: Roster, signer: Signer, named?: string): Author[] {
  const holder = holderOf(roster, signer.key.id);
  if (holder?.kind !== 'agent' || (named !== undefined && holder.id !== named)) return [];
  return [{ kind: 'agent', id: holder.id, deployment: roster.deployment, signer }];
}

async function keysOf(root: string, named?: string): Promise<Signer[]> {
  const files = await readdir(keysFolder(root)).catch(() => []);
  const wanted = files.filter((file) => /^agent-.*\.key$/.test(file) && (named === undefined || file === `agent-${named}.key`));
  if (named !== undefined && !agentIdSchema.safeParse(named).success) return [];
  return Promise.all(wanted.map((file) => readKeyFile(join(keysFolder(root), file))));
}

export const keysFolder = (root: string): string => join(root, '.keyturn', 'keys');

async function signerIn(file: string, remedy: string): Promise<Signer> {
  try {
    return await readKeyFile(file);
  } catch (error) {
    const why = hasCode(error, 'ENOENT') ? `there is no private key at ${file}` : error instanceof Error ? error.message : String(error);
    throw new CliError('key_invalid', why, remedy);
  }
}
