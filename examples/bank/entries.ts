import type Database from 'libsql';
import { entrySchema, type Entry, type Transfer } from './wire.js';

const ID_PREFIX = { payment: 'pay', reservation: 'res' } as const;
const COLUMNS = `id, kind, cents, vendor, iban, state, at, key`;

/** Money paid or reserved, one row each; the numbers in their ids count up across kinds. */
export class Entries {
  static readonly DDL = `
    CREATE TABLE IF NOT EXISTS entry (
      number INTEGER PRIMARY KEY,
      id     TEXT NOT NULL UNIQUE,
      kind   TEXT NOT NULL CHECK (kind IN ('payment', 'reservation')),
      cents  INTEGER NOT NULL CHECK (cents > 0),
      vendor TEXT NOT NULL,
      iban   TEXT NOT NULL,
      state  TEXT NOT NULL CHECK (state IN ('paid', 'refunded', 'reserved', 'settled', 'released')),
      at     INTEGER NOT NULL,
      key    TEXT NOT NULL UNIQUE
    ) STRICT;
    CREATE INDEX IF NOT EXISTS entry_iban ON entry (iban);`;

  constructor(private readonly db: Database.Database) {}

  /** Rows are never deleted, so the next number is one more than the last. */
  add(kind: Entry['kind'], { vendor, iban, cents }: Transfer, key: string): Entry {
    const row = this.db.prepare('SELECT COALESCE(MAX(number), 0) + 1 AS next FROM entry').get() as { next: number };
    const id = `${ID_PREFIX[kind]}_${String(row.next).padStart(4, '0')}`;
    const state = kind === 'payment' ? 'paid' : 'reserved';
    const entry: Entry = { id, kind, cents, vendor, iban, state, at: Date.now(), key };
    this.db
      .prepare(`INSERT INTO entry (number, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`)
      .run(row.next, id, kind, cents, vendor, iban, state, entry.at, key);
    return entry;
  }

  find(id: string): Entry | undefined {
    // Not `get`: libsql adds a `_metadata` member to the row it gives.
    const [row] = this.db.prepare(`SELECT ${COLUMNS} FROM entry WHERE id = ?`).all(id);
    return row === undefined ? undefined : entrySchema.parse(row);
  }

  setState(id: string, state: Entry['state']): void {
    this.db.prepare('UPDATE entry SET state = ? WHERE id = ?').run(state, id);
  }

  all(): Entry[] {
    return this.db
      .prepare(`SELECT ${COLUMNS} FROM entry ORDER BY number`)
      .all()
      .map((row) => entrySchema.parse(row));
  }

  /** What has arrived on the account: reserved money has not, refunded and released money has left again. */
  arrived(iban: string): number {
    const sql = `SELECT COALESCE(SUM(cents), 0) AS cents FROM entry WHERE iban = ? AND state IN ('paid', 'settled')`;
    return (this.db.prepare(sql).get(iban) as { cents: number }).cents;
  }
}
