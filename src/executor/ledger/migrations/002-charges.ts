import type { Migration } from '../migrate.js';

/** What actions that began took out of budgets: `what` is a JSON pointer, or '' for the action itself. Times are ms since 1970. */
export const charges: Migration = {
  name: '002-charges',
  async apply(sql) {
    await sql.run(`CREATE TABLE charge (
      action_id TEXT NOT NULL, rule TEXT NOT NULL, agent TEXT NOT NULL, owner TEXT NOT NULL, what TEXT NOT NULL, amount BIGINT NOT NULL, at BIGINT NOT NULL,
      PRIMARY KEY (action_id, rule, what))`);
    await sql.run('CREATE INDEX charge_rule ON charge (rule, what, at)');
  },
};
