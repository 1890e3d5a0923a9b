import type Database from 'libsql';
import { z } from 'zod';

const rowSchema = z.strictObject({
  operation: z.enum(['payment', 'refund', 'reservation', 'settlement', 'release', 'fence']),
  request: z.string(),
  answer: z.string(),
  entry: z.string().nullable(),
});
/** What a key was used for: one effect with its answer and the entry it made or changed, or a fence. */
export type KeyUse = z.infer<typeof rowSchema>;
export type Operation = Exclude<KeyUse['operation'], 'fence'>;

/** The bank's memory of idempotency keys. Each is used once, for ever, across all operations. */
export class Keys {
  static readonly DDL = `
    CREATE TABLE IF NOT EXISTS idempotency (
      key       TEXT PRIMARY KEY,
      operation TEXT NOT NULL,
      request   TEXT NOT NULL,
      answer    TEXT NOT NULL,
      entry     TEXT REFERENCES entry (id)
    ) STRICT, WITHOUT ROWID;`;

  constructor(private readonly db: Database.Database) {}

  find(key: string): KeyUse | undefined {
    // Not `get`: libsql adds a `_metadata` member to the row it gives.
    const [row] = this.db.prepare('SELECT operation, request, answer, entry FROM idempotency WHERE key = ?').all(key);
    return row === undefined ? undefined : rowSchema.parse(row);
  }

  record(key: string, use: KeyUse): void {
    this.db
      .prepare('INSERT INTO idempotency (key, operation, request, answer, entry) VALUES (?, ?, ?, ?, ?)')
      .run(key, use.operation, use.request, use.answer, use.entry);
  }

  /** From here on nothing can happen under this key. */
  fence(key: string): void {
    this.record(key, { operation: 'fence', request: '', answer: '', entry: null });
  }
}
