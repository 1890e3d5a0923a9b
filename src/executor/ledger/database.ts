/** The little SQL both databases share: `?` placeholders, text and integer columns only. */
export type Value = string | number | null;
export type Row = Readonly<Record<string, Value>>;

export interface Sql {
  all(sql: string, ...values: Value[]): Promise<Row[]>;
  /** Returns how many rows changed: 0 means the compare of a compare-and-set failed. */
  run(sql: string, ...values: Value[]): Promise<number>;
}

export interface Database {
  readonly kind: 'sqlite' | 'postgres';
  /** One serialisable transaction: all of it, or none if `work` throws. Durable once it resolves. Never nested. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  /** One view of everything, to read only. On PostgreSQL no executor waits for it. */
  snapshot<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** A ledger that cannot be used: missing, foreign, locked by another executor, not durable. Code `ledger_invalid`. */
export class LedgerRefused extends Error {
  override readonly name = 'LedgerRefused';
  readonly code = 'ledger_invalid';
}
