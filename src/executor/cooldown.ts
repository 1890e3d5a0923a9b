import type { ActionId } from '../domain/ids.js';
import { toMs } from '../domain/instant.js';
import type { Envelope } from '../domain/objects/envelope.js';
import { contentsOf, coolingDown, type Rejected } from '../domain/policy/cooldown.js';
import type { Roster } from '../domain/roster.js';
import { lastEntry, must } from './envelopes.js';
import type { LedgerTransaction } from './ledger/ledger.js';
import { readRejected } from './ledger/rows.js';

/** The longer of both rules, the sealed and the present one: relaxing a rule frees nothing that was sealed under it. */
export const longerOf = (sealed: number | undefined, present: number | undefined): number => Math.max(sealed ?? 0, present ?? 0);

/**
 * Why equal content is refused now (§6.13): people rejected it less than `cooldown` ms ago, by the entries of this ledger, whichever agent of the same
 * owner asks. Undefined: nothing stands against it.
 */
export async function cooling(
  tx: LedgerTransaction,
  roster: Roster,
  { actionId, agent, owner, type, params }: Envelope,
  cooldown: number,
  now: number,
): Promise<string | undefined> {
  if (cooldown <= 0) return undefined;
  const rows = await readRejected(tx.sql, contentsOf(roster, owner, agent, type.name, params), actionId);
  return coolingDown(await Promise.all(rows.map((row) => rejectionOf(tx, row.id))), cooldown, now);
}

async function rejectionOf(tx: LedgerTransaction, id: ActionId): Promise<Rejected> {
  const { at, reason } = must(await lastEntry(tx, id, 'closed'), `nothing says why ${id} was closed`);
  return { at: toMs(at), text: reason.text, by: reason.by };
}
