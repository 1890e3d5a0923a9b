import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Roster } from '../../domain/roster.js';
import { readSchema } from '../../executor/ledger/migrate.js';
import { openDatabase } from '../../executor/start-executor.js';
import { secretOf } from '../../files/secrets.js';
import type { Workspace } from '../workspace.js';
import { fine, problem, wordsOf, type Finding } from './finding.js';

/** Whether the book is there and of this deployment; a running executor holds it alone, which is as it should be. */
export async function ledgerFile({ root }: Workspace, roster: Roster, env: NodeJS.ProcessEnv): Promise<Finding> {
  try {
    const where = secretOf('KEYTURN_LEDGER', env)?.text ?? join(root, '.keyturn', 'ledger.db');
    if (!/^postgres/.test(where) && !existsSync(where)) return fine('ledger', 'not here: only the executor needs it');
    const database = await openDatabase(where);
    try {
      const rows = await database.transaction((sql) => sql.all('SELECT key, value FROM meta'));
      const meta = new Map(rows.map((row) => [String(row['key']), String(row['value'])]));
      readSchema(meta.get('schema'));
      const deployment = meta.get('deployment') ?? 'none';
      if (deployment !== roster.deployment)
        return problem(
          'ledger',
          `it belongs to deployment ${deployment}`,
          `Use the ledger of ${roster.deployment}, or correct roster.yaml.`,
        );
      return fine('ledger', `${meta.get('seq') ?? '0'} entries, epoch ${meta.get('epoch') ?? '?'}; no executor holds it`);
    } finally {
      await database.close();
    }
  } catch (error) {
    if (/locked|busy/i.test(wordsOf(error))) return fine('ledger', 'held by a running executor');
    return problem('ledger', wordsOf(error), 'Make one with `keyturn ledger init`, or point KEYTURN_LEDGER to the right one.');
  }
}
