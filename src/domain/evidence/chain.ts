import { digestOfSigned, keyIdOfSigned, readPayload, verifySigned, type Signed } from '../dsse.js';
import { fromBase64Url } from '../bytes.js';
import { sha256 } from '../hash.js';
import type { Digest } from '../ids.js';
import { toMs } from '../instant.js';
import type { PublicKey } from '../keys.js';
import { entrySchema, type Entry } from '../objects/entry.js';
import { holderOf, keyValidAt, type Roster } from '../roster.js';
import { Broken, demand } from './broken.js';
import type { Evidence } from './schema.js';

/** One entry with what was found out about it; its number is its place in the file, from 1. */
export interface Link {
  readonly step: string;
  readonly digest: Digest;
  readonly entry: Entry;
  readonly signed: Signed;
  readonly executor: string;
  readonly key: PublicKey;
}

/** An executor's key of the roster, valid at `at` (ms), that this object names. Says nothing of the signature. */
export function executorKeyOf(
  signed: Signed,
  roster: Roster,
  at: number,
  step: string,
): { readonly name: string; readonly key: PublicKey } {
  const holder = holderOf(roster, keyIdOfSigned(signed));
  demand(holder?.kind === 'executor', step, 'its key belongs to no executor of this roster');
  demand(keyValidAt(holder.key, at), step, `the key of executor ${holder.name} was not valid then`);
  // Found out before any curve is touched.
  for (const { sig, passkey } of signed.signatures)
    demand(passkey === undefined && bytesIn(sig, step, NO_SIGNATURE).length === 64, step, NO_SIGNATURE);
  return { name: holder.name, key: holder.key.key };
}
const NO_SIGNATURE = 'its signature is no Ed25519 signature';

/**
 * The entries of one action in one unbroken chain of one ledger and one executor: everything about them but their signatures and their meaning.
 * Throws `Broken`.
 */
export function readChain(evidence: Evidence, roster: Roster): Link[] {
  const links: Link[] = [];
  for (const [i, signed] of evidence.entries.entries()) {
    const step = `entry ${i + 1}`;
    const read = entrySchema.safeParse(readPayload('entry', signed));
    demand(read.success, step, 'not an entry: see the schema of entry v1');
    const entry = read.data;
    demand(entry.deployment === evidence.deployment, step, `of deployment ${entry.deployment}, not ${evidence.deployment}`);
    demand(entry.actionId === evidence.actionId, step, 'of another action');
    const before = links.at(-1);
    demand(entry.prevOfAction === (before?.digest ?? null), step, 'does not follow the entry before it: one is missing, added or changed');
    if (before !== undefined) follows(entry, before, step);
    demand((entry.seq === 1) === (entry.prev === null), step, "only a ledger's first entry has none before it");
    const { name, key } = executorKeyOf(signed, roster, toMs(entry.at), step);
    if (before !== undefined) demand(before.executor === name, step, `by executor ${name}, the one before by ${before.executor}`);
    links.push({ step, digest: digestOfSigned(signed), entry, signed, executor: name, key });
  }
  return links;
}

function follows(entry: Entry, before: Link, step: string): void {
  demand(entry.ledger === before.entry.ledger, step, 'of another ledger than the entry before');
  demand(entry.epoch >= before.entry.epoch, step, 'of an earlier epoch than the entry before');
  demand(entry.seq > before.entry.seq, step, 'its number in the ledger does not rise');
  demand(
    (entry.seq === before.entry.seq + 1) === (entry.prev === before.digest),
    step,
    'its link to the ledger fits neither its number nor the entry before',
  );
}

/** The newest first: its bytes name all before it, so that what was changed is found with one signature. Throws `Broken`. */
export function checkSignatures(links: readonly Link[]): void {
  for (const { signed, key, step } of [...links].reverse())
    demand(verifySigned('entry', signed, key), step, 'its signature is not by the executor over these bytes');
}

/** The bytes a text of the file stands for. Throws `Broken`, with these words, on a text that stands for none. */
export function bytesIn(text: string, step: string, words: string): Uint8Array {
  try {
    return fromBase64Url(text);
  } catch {
    throw new Broken(step, words);
  }
}

/** The digest an object of the file is known by. Throws `Broken` on bytes that are none. */
export const digestIn = ({ payload }: Signed, step: string): Digest =>
  sha256(bytesIn(payload, step, 'its payload is not unpadded base64url'));
