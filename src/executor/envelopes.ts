import { readPayload, type Signed } from '../domain/dsse.js';
import { ringOf, type KeyRing, type Sealed } from '../domain/admit.js';
import { entrySchema, type Entry, type EntryKind, type SealedPeople } from '../domain/objects/entry.js';
import { envelopeSchema } from '../domain/objects/envelope.js';
import type { ActionId, KeyId } from '../domain/ids.js';
import type { Roster } from '../domain/roster.js';
import type { PersonKey } from '../domain/admit.js';
import type { LedgerTransaction } from './ledger/ledger.js';
import {
  readAction,
  readEnvelopes,
  readLodged,
  readSteps,
  readStops,
  type ActionRow,
  type EnvelopeRow,
  type LodgedRow,
  type RunRow,
  type StepRow,
  type UndoRow,
} from './ledger/rows.js';

const MAX_OPENED = 200;

/** All the ledger holds on one action, read in one transaction. */
export interface Book {
  readonly action: ActionRow;
  /** Oldest first; the last is the newest revision. Empty for denied actions and tombstones. */
  readonly revisions: readonly (Sealed & { readonly signed: Signed; readonly madeBy: string })[];
  readonly steps: readonly StepRow[];
  readonly lodged: readonly LodgedRow[];
  /** Freezes and thaws of the whole ledger. */
  readonly stops: readonly LodgedRow[];
}

export type Revision = Book['revisions'][number];

/** What a whole ledger holds. Throws where it does not: the book is damaged, and nothing goes on by it. */
export function must<T>(found: T | undefined | null, what = 'a row is missing'): T {
  if (found === undefined || found === null) throw new Error(`the ledger is damaged: ${what}`);
  return found;
}

/** The newest revision of an action that was sealed. */
export const newestOf = ({ action, revisions }: Book): Revision => must(revisions.at(-1), `${action.id} has no revision`);

/** The two rows of a step that began. */
export function rowsOf({ action, steps }: Book, n: number): { readonly run: RunRow; readonly undo: UndoRow } {
  const of = steps.filter((row) => row.n === n);
  const what = `step ${n} of ${action.id} lacks a row`;
  const isRun = (row: StepRow): row is RunRow => row.phase === 'run';
  const isUndo = (row: StepRow): row is UndoRow => row.phase === 'undo';
  return { run: must(of.find(isRun), what), undo: must(of.find(isUndo), what) };
}

/** The action as it is by now. */
export const readAgain = async (tx: LedgerTransaction, { action }: Book): Promise<Book> => must(await readBook(tx, action.id));

export async function readBook(tx: LedgerTransaction, id: ActionId): Promise<Book | undefined> {
  const action = await readAction(tx.sql, id);
  if (action === undefined) return undefined;
  const envelopes = await readEnvelopes(tx.sql, id);
  return {
    action,
    revisions: envelopes.map(openRow),
    steps: await readSteps(tx.sql, id),
    lodged: await readLodged(tx.sql, id),
    stops: await readStops(tx.sql),
  };
}

function openRow(row: EnvelopeRow): Sealed & { signed: Signed; madeBy: string } {
  return { envelope: openEnvelope(row.signed), digest: row.digest, view: row.view, signed: row.signed, madeBy: row.made_by };
}

/** Throws on an envelope that does not parse: this ledger wrote it, so the book is damaged. */
export const openEnvelope = remembered((signed) => envelopeSchema.parse(readPayload('envelope', signed)));
const openEntry = remembered((signed) => entrySchema.parse(readPayload('entry', signed)));

/** An action is read several times in a row. Known by all their bytes, so that what is remembered is what was read; bounded. */
function remembered<T>(open: (signed: Signed) => T): (signed: Signed) => T {
  const known = new Map<string, T>();
  return (signed) => {
    const name = `${signed.payloadType} ${signed.payload}`;
    const value = known.get(name) ?? open(signed);
    if (known.size >= MAX_OPENED) known.clear();
    known.set(name, value);
    return value;
  };
}

/** The keys a revision was sealed with. */
export async function sealedRing(tx: LedgerTransaction, book: Book): Promise<KeyRing> {
  return ringOf(await sealedPeople(tx, book));
}

export async function sealedPeople(tx: LedgerTransaction, book: Book): Promise<SealedPeople> {
  const { digest } = newestOf(book);
  const sealed = await lastEntry(tx, book.action.id, 'sealed', (entry) => entry.digest === digest);
  return must(sealed, `no sealed entry of ${book.action.id}`).people;
}

type EntryOf<K extends EntryKind> = Extract<Entry, { kind: K }>;

/** The action's newest entry of a kind. */
export async function lastEntry<K extends EntryKind>(
  tx: LedgerTransaction,
  id: ActionId,
  kind: K,
  where: (entry: EntryOf<K>) => boolean = () => true,
): Promise<EntryOf<K> | undefined> {
  const isWanted = (entry: Entry): entry is EntryOf<K> => entry.kind === kind;
  for (const signed of (await tx.entriesFrom(id, 0)).reverse()) {
    const entry = openEntry(signed);
    if (isWanted(entry) && where(entry)) return entry;
  }
  return undefined;
}

/** Everybody's keys by the present roster; who has left by `now` (ms) is not in it. */
export function rosterRing(roster: Roster, now: number): KeyRing {
  const ring = new Map<KeyId, PersonKey>();
  for (const person of roster.people.values()) {
    if (person.until !== undefined && now >= person.until) continue;
    for (const { key, from, until } of person.keys)
      ring.set(key.id, {
        person: person.id,
        key: () => key,
        ...(from === undefined ? {} : { from }),
        ...(until === undefined ? {} : { until }),
      });
  }
  return ring;
}
