import { test } from '@jest/globals';
import { startPostgres } from '../helpers/postgres.js';
import { openPostgres } from '../../src/executor/ledger/postgres.js';
test('pg', async () => {
  const pg = await startPostgres();
  const db = await openPostgres(await pg.createDatabase());
  console.log(await db.transaction((sql) => sql.all('select version() as v, 9007199254740991::bigint as n')));
  await db.close(); await pg.stop();
});
