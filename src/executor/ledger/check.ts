import { digestOfSigned, keyIdOfSigned, readPayload, verifySigned, type ObjectKind, type Signed } from '../../domain/dsse.js';
import type { Digest } from '../../domain/ids.js';
import { toMs, type Instant } from '../../domain/instant.js';
import { entrySchema, type Entry } from '../../domain/objects/entry.js';
import { envelopeSchema } from '../../domain/objects/envelope.js';
import { holderOf, keyValidAt, type Roster } from '../../domain/roster.js';
import { viewDigestOf } from '../../domain/view/v1.js';
import type { EntryRow, EnvelopeRow, LedgerSource } from './source.js';

export type LedgerReport =
  | { readonly ok: true; readonly entries: number; readonly envelopes: number }
  | { readonly ok: false; readonly step: string; readonly text: string };

/** The first thing that does not hold, and where. */
class Broken extends Error {
  constructor(
    readonly step: string,
    readonly text: string,
  ) {
    super(text);
  }
}
function demand(holds: boolean, step: string, text: string): asserts holds {
  if (!holds) throw new Broken(step, text);
}

/**
 * Checks a whole book: entries numbered without a gap, each linked to the one before it and to the one before it of its action, each signed by an executor
 * of the roster with a key valid then; every sealed envelope there, signed, and named by its entry; nothing cut off behind the head the book names.
 */
export async function checkLedger(source: LedgerSource, roster: Roster): Promise<LedgerReport> {
  try {
    const meta = await source.meta();
    const { count, sealed } = await checkEntries(source, roster, meta);
    return { ok: true, entries: count, envelopes: await checkEnvelopes(source, roster, sealed) };
  } catch (error) {
    if (error instanceof Broken) return { ok: false, step: error.step, text: error.text };
    if (error instanceof Error && error.name === 'ZodError')
      return { ok: false, step: 'rows', text: 'a row is not what this build writes' };
    throw error;
  }
}

interface Sealed {
  readonly actionId: string;
  readonly view: Digest;
}

async function checkEntries(
  source: LedgerSource,
  roster: Roster,
  meta: ReadonlyMap<string, string>,
): Promise<{ count: number; sealed: Map<string, Sealed> }> {
  demand(meta.get('deployment') === roster.deployment, 'meta', `the book is of deployment ${meta.get('deployment') ?? 'none'}`);
  const sealed = new Map<string, Sealed>();
  const lastOf = new Map<string, Digest>();
  let count = 0;
  let epoch = 1;
  let last: Digest | null = null;
  for await (const row of source.entries()) {
    const step = `entry ${row.seq}`;
    demand(row.seq === count + 1, step, `entry ${count + 1} is missing before it`);
    const entry = readEntry(row, step);
    demand(entry.ledger === meta.get('ledger') && entry.deployment === roster.deployment, step, 'of another ledger or deployment');
    // Nothing but a restore, on record as the first entry of its epoch, begins one.
    const begins = entry.kind === 'lodged' && entry.object === 'restore' && entry.epoch > epoch;
    demand(entry.epoch === epoch || begins, step, 'of another epoch, which no restore began');
    epoch = entry.epoch;
    demand(entry.prev === last, step, 'does not follow the entry before it: one is missing, added or changed');
    const before = entry.actionId === null ? null : (lastOf.get(entry.actionId) ?? null);
    demand(entry.prevOfAction === before, step, "does not follow its action's entry before it");
    signedByExecutor('entry', row.signed, roster, entry.at, step);
    last = digestOfSigned(row.signed);
    if (entry.actionId !== null) lastOf.set(entry.actionId, last);
    if (entry.kind === 'sealed') sealed.set(entry.digest, { actionId: entry.actionId, view: entry.view });
    count++;
  }
  demand(Number(meta.get('epoch')) === epoch, 'meta', `the book says epoch ${meta.get('epoch') ?? 'none'}, its entries ${epoch}`);
  demand(Number(meta.get('seq')) === count && (meta.get('head') ?? null) === last, 'meta', 'entries are missing at the end of the book');
  return { count, sealed };
}

function readEntry({ seq, actionId, digest, signed }: EntryRow, step: string): Entry {
  const read = entrySchema.safeParse(readPayload('entry', signed));
  demand(read.success, step, 'not an entry: see the schema of entry v1');
  demand(
    read.data.seq === seq && read.data.actionId === actionId && digestOfSigned(signed) === digest,
    step,
    'its row says other than its bytes',
  );
  return read.data;
}

async function checkEnvelopes(source: LedgerSource, roster: Roster, sealed: ReadonlyMap<string, Sealed>): Promise<number> {
  const seen = new Set<string>();
  for await (const row of source.envelopes()) {
    checkEnvelope(row, sealed.get(row.digest), roster);
    seen.add(row.digest);
  }
  for (const [digest, { actionId }] of sealed) demand(seen.has(digest), `envelope ${digest.slice(0, 12)}`, `of ${actionId} is missing`);
  return seen.size;
}

function checkEnvelope({ digest, actionId, view, signed }: EnvelopeRow, entry: Sealed | undefined, roster: Roster): void {
  const step = `envelope ${digest.slice(0, 12)}`;
  demand(entry !== undefined && entry.actionId === actionId && entry.view === view, step, 'no entry names it so');
  const read = envelopeSchema.safeParse(readPayload('envelope', signed));
  demand(read.success && digestOfSigned(signed) === digest, step, 'its bytes are not those its entry names');
  demand(read.data.actionId === actionId && viewDigestOf(read.data) === view, step, 'of another action, or not what people were shown');
  signedByExecutor('envelope', signed, roster, read.data.sealedAt, step);
}

function signedByExecutor(kind: ObjectKind, signed: Signed, roster: Roster, at: Instant, step: string): void {
  const keyId = keyIdOfSigned(signed);
  const holder = keyId === undefined ? undefined : holderOf(roster, keyId);
  demand(holder?.kind === 'executor', step, 'its key belongs to no executor of this roster');
  demand(keyValidAt(holder.key, toMs(at)), step, `the key of executor ${holder.name} was not valid then`);
  demand(verifySigned(kind, signed, holder.key.key), step, 'its signature is not by the executor over these bytes');
}
