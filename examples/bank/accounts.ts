import type Database from 'libsql';

/** Which accounts take no more money. */
export class Accounts {
  static readonly DDL = `CREATE TABLE IF NOT EXISTS closed_account (iban TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;`;

  constructor(private readonly db: Database.Database) {}

  isClosed(iban: string): boolean {
    return this.db.prepare('SELECT 1 FROM closed_account WHERE iban = ?').get(iban) !== undefined;
  }

  setClosed(iban: string, closed: boolean): void {
    const sql = closed ? 'INSERT OR IGNORE INTO closed_account (iban) VALUES (?)' : 'DELETE FROM closed_account WHERE iban = ?';
    this.db.prepare(sql).run(iban);
  }
}
