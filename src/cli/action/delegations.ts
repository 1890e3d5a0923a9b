import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readDelegation } from '../../domain/delegation.js';
import { keyIdOfSigned, signedSchema, verifySigned, type Signed } from '../../domain/dsse.js';
import type { PersonId } from '../../domain/ids.js';
import { toMs } from '../../domain/instant.js';
import { parseStrict } from '../../domain/json.js';
import type { Delegation } from '../../domain/objects/delegation.js';
import { matchesType } from '../../domain/policy/match.js';
import { holderOf, keyValidAt, type Roster } from '../../domain/roster.js';
import { CliError } from '../errors.js';
import { inert } from '../text/inert.js';
import { atUtc } from '../text/time.js';
import type { Workspace } from '../workspace.js';

/** A delegation of this folder that is in force and good by its roster. */
export interface HandedOver {
  readonly delegation: Delegation;
  readonly signed: Signed;
}

export const delegationsFolder = (root: string): string => join(root, '.keyturn', 'delegations');

/** What was handed over to this person, the longest in force first. Files that are none, of others, or over, are passed over. `now` in ms. */
export async function handedOverTo(me: string, { root }: Workspace, roster: Roster, now: number): Promise<HandedOver[]> {
  const folder = delegationsFolder(root);
  const files = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.json')).sort();
  const read = await Promise.all(files.map(async (name) => readSigned(await readFile(join(folder, name), 'utf8').catch(() => ''))));
  return read
    .flatMap((signed) => (signed === undefined ? [] : inForce(signed, me, roster, now)))
    .sort((a, b) => toMs(b.delegation.until) - toMs(a.delegation.until));
}

function readSigned(text: string): Signed | undefined {
  try {
    return signedSchema.safeParse(parseStrict(text)).data;
  } catch {
    return undefined;
  }
}

function inForce(signed: Signed, me: string, roster: Roster, now: number): HandedOver[] {
  const delegation = readDelegation(signed);
  if (delegation === undefined || delegation.to !== me || delegation.deployment !== roster.deployment) return [];
  if (now < toMs(delegation.issuedAt) || now >= toMs(delegation.until)) return [];
  const keyId = keyIdOfSigned(signed);
  const holder = keyId === undefined ? undefined : holderOf(roster, keyId);
  if (holder?.kind !== 'person' || holder.id !== delegation.from) return [];
  const valid = keyValidAt(holder.key, toMs(delegation.issuedAt)) && keyValidAt(holder.key, now);
  return valid && verifySigned('delegation', signed, holder.key.key, roster.webauthn) ? [{ delegation, signed }] : [];
}

/** Does it cover this type? */
export const covers = ({ delegation }: HandedOver, type: string): boolean =>
  delegation.types === undefined || delegation.types.some((pattern) => matchesType(pattern, type));

/** The member of a decision that `--for` stands for; nothing without it. `type` undefined: without the API nobody knows it. Throws `delegation_invalid` where no file of this folder covers it. */
export async function onSeatOf(
  from: string | undefined,
  type: string | undefined,
  { me, workspace, roster, now }: { readonly me: string; readonly workspace: Workspace; readonly roster: Roster; readonly now: number },
): Promise<{ readonly delegation?: { readonly from: PersonId; readonly signed: Signed } }> {
  if (from === undefined) return {};
  const found = (await handedOverTo(me, workspace, roster, now)).find(
    (each) => each.delegation.from === from && (type === undefined || covers(each, type)),
  );
  if (found !== undefined) return { delegation: { from: found.delegation.from, signed: found.signed } };
  throw new CliError(
    'delegation_invalid',
    `no delegation from ${inert(from)} to ${me} in ${delegationsFolder(workspace.root)} covers ${type === undefined ? 'this' : inert(type)} now`,
    `Have ${inert(from)} make one: keyturn delegate --to ${me} --until <date>; put its file there.`,
  );
}

/** `ana until 2026-12-24 00:00:00 UTC`. */
export const inWords = ({ delegation }: HandedOver): string => `${delegation.from} until ${atUtc(delegation.until)}`;
