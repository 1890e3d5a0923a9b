import type { Migration } from '../migrate.js';

/** Same text for SQLite and PostgreSQL. Times are ms since 1970. */
const TABLES = [
  `CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)`,
  `CREATE TABLE action (
    id TEXT PRIMARY KEY, state TEXT NOT NULL, status TEXT NOT NULL, request TEXT NOT NULL, content TEXT NOT NULL, type TEXT NOT NULL, agent TEXT NOT NULL,
    digest TEXT, head TEXT, entries BIGINT NOT NULL, stales BIGINT NOT NULL, execute_by BIGINT, stop TEXT, cause TEXT, opened_at BIGINT NOT NULL)`,
  `CREATE INDEX action_content ON action (content)`,
  `CREATE TABLE envelope (digest TEXT PRIMARY KEY, action_id TEXT NOT NULL, revision BIGINT NOT NULL, view TEXT NOT NULL, signed TEXT NOT NULL, made_by TEXT NOT NULL)`,
  `CREATE UNIQUE INDEX envelope_revision ON envelope (action_id, revision)`,
  `CREATE TABLE step (
    action_id TEXT NOT NULL, n BIGINT NOT NULL, phase TEXT NOT NULL, state TEXT NOT NULL, attempt BIGINT NOT NULL, idempotency_key TEXT NOT NULL,
    lease_owner TEXT, lease_until BIGINT, since BIGINT, PRIMARY KEY (action_id, n, phase))`,
  `CREATE TABLE lodged (digest TEXT PRIMARY KEY, action_id TEXT, object TEXT NOT NULL, by_whom TEXT NOT NULL, signed TEXT NOT NULL, at BIGINT NOT NULL)`,
  `CREATE INDEX lodged_action ON lodged (action_id)`,
  `CREATE TABLE entry (seq BIGINT PRIMARY KEY, action_id TEXT, n BIGINT, digest TEXT NOT NULL, signed TEXT NOT NULL)`,
  `CREATE INDEX entry_action ON entry (action_id, n)`,
];

export const first: Migration = {
  name: '001-first',
  async apply(sql) {
    for (const statement of TABLES) await sql.run(statement);
  },
};
