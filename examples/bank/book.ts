import Database from 'libsql';
import { Accounts } from './accounts.js';
import { Entries } from './entries.js';
import { Keys } from './keys.js';

/** The bank's own SQLite file: what it says is what happened, whatever became of the answer. */
export class Book {
  readonly accounts: Accounts;
  readonly entries: Entries;
  readonly keys: Keys;
  private readonly db: Database.Database;

  constructor(path: string) {
    this.db = new Database(path);
    this.db.pragma('busy_timeout = 5000');
    this.db.pragma('journal_mode = WAL');
    this.db.pragma('synchronous = FULL');
    this.db.pragma('foreign_keys = ON');
    this.db.exec(Entries.DDL + Keys.DDL + Accounts.DDL);
    this.accounts = new Accounts(this.db);
    this.entries = new Entries(this.db);
    this.keys = new Keys(this.db);
  }

  /** All of `work` or nothing: takes the write lock first, so that what it reads is still so when it writes. */
  atomically<T>(work: () => T): T {
    return this.db.transaction(work).immediate();
  }

  close(): void {
    this.db.close();
  }
}
