import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { LedgerRefused, type Database } from '../../src/executor/ledger/database.js';
import { initLedger } from '../../src/executor/ledger/ledger.js';
import { openPostgres } from '../../src/executor/ledger/postgres.js';
import { LEASE_MS } from '../../src/executor/executor.js';
import { approve, type SealedRevision } from '../helpers/messages.js';
import { query, startPostgres, type TestPostgres } from '../helpers/postgres.js';
import { DEPLOYMENT } from '../helpers/rules-fixture.js';
import { makeExecutor, SECOND, World } from '../helpers/world.js';

let server: TestPostgres | undefined;
const opened: Database[] = [];
beforeAll(async () => {
  server = await startPostgres();
});
afterEach(async () => {
  for (const database of opened.splice(0)) await database.close();
});
afterAll(() => server?.stop());
const newDatabase = (): Promise<string> => server?.createDatabase() ?? Promise.reject(new Error('no server'));
async function open(address: string): Promise<Database> {
  const database = await openPostgres(address);
  opened.push(database);
  return database;
}

describe('ledger_invalid', () => {
  const refusal = async (address: string): Promise<string> => {
    const error = await openPostgres(address).catch((each: unknown) => each);
    if (!(error instanceof LedgerRefused)) throw new Error(`not refused: ${String(error)}`);
    expect(error.code).toBe('ledger_invalid');
    return error.message;
  };
  test('synchronous_commit=off, by the connection or by the database', async () => {
    const address = await newDatabase();
    expect(await refusal(`${address}&options=${encodeURIComponent('-c synchronous_commit=off')}`)).toContain('synchronous_commit');
    await query(address, `ALTER DATABASE ${new URL(address.replace('@/', '@x/')).pathname.slice(1)} SET synchronous_commit = off`);
    expect(await refusal(address)).toContain('Set it to on');
  });
  test('a server that does not answer, a database that is not there', async () => {
    expect(await refusal('postgres://keyturn@127.0.0.1:1/nothing')).toContain('does not answer');
    expect(await refusal((await newDatabase()).replace(/ledger_\d+/, 'nothing'))).toContain('does not answer');
  });
});

/** Two executors, each with its own connections and its own process's memory, on one ledger. */
async function pair(
  type = 'payments.transfer',
): Promise<{ one: World; two: World; sealed: SealedRevision; votes: ReturnType<typeof approve>[] }> {
  const address = await newDatabase();
  const database = await open(address);
  await initLedger(database, DEPLOYMENT);
  const one = await World.open({ database });
  const two = one.beside(await makeExecutor({ database: await open(address), clock: one.clock, types: one.types, rules: one.rules }));
  const sealed = await one.propose({ type });
  return { one, two, sealed, votes: [approve('ana', sealed), approve('ben', sealed)] };
}
const untilHanging = async ({ bank }: World): Promise<void> => {
  while (!bank.isHanging) await new Promise((later) => setTimeout(later, 5));
};

describe('two executors on one ledger', () => {
  test('6.12 forty orders from both consume once, and every step runs once', async () => {
    const { one, two, sealed, votes } = await pair('payments.batch');
    for (let round = 0; round < 4; round++)
      await Promise.all(Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? one : two).advance(sealed, votes)));
    await one.run(sealed, votes);
    expect(one.outcome(sealed.id).status).toBe('succeeded');
    expect(one.kinds(sealed.id).filter((kind) => kind === 'executing')).toHaveLength(1);
    expect(one.bank.callsOf('run')).toEqual(['reserve', 'send', 'notify'].map((step) => `${sealed.id}/${step}/run/1`));
    expect(one.bank.callsOf('probe')).toEqual([]);
  });

  test('a live lease of the other answers busy; renewed, it holds; lapsed, it is probed, and the late answer counts for nothing', async () => {
    const { one, two, sealed, votes } = await pair();
    one.bank.plan({ run: ['hangs'] });
    const zombie = one.advance(sealed, votes);
    await untilHanging(one);
    one.clock.pass(LEASE_MS - 1);
    expect(await two.advance(sealed, votes)).toMatchObject({ kind: 'wait', code: 'busy' });
    expect(one.bank.callsOf('probe')).toEqual([]);
    one.clock.pass(1);
    expect(await two.run(sealed, votes)).toEqual({ kind: 'end' });
    one.bank.release();
    expect(await zombie).toMatchObject({ kind: 'wait', code: 'busy' });
    expect(one.bank.callsOf('run')).toEqual([1, 2].map((n) => `${sealed.id}/run/run/${n}`));
    expect(one.bank.effectsOf(sealed.id)).toEqual(['run']);
    await two.report(sealed.id);
    expect(two.outcome(sealed.id).status).toBe('succeeded');
  });

  test('a lease renewed after it was read as lapsed is not taken over', async () => {
    const { one, two, sealed, votes } = await pair();
    one.bank.plan({ run: ['hangs'] });
    const running = one.advance(sealed, votes);
    await untilHanging(one);
    one.clock.pass(LEASE_MS);
    const { transaction } = two.executor.ledger;
    let reads = 0;
    two.executor.ledger.transaction = async (work) => {
      // Between its look at the row and its own move the holder renews.
      if (++reads === 2)
        await one.database.transaction((sql) =>
          sql.run('UPDATE step SET lease_until = ? WHERE lease_owner IS NOT NULL', one.clock.ms + LEASE_MS),
        );
      return transaction.call(two.executor.ledger, work) as ReturnType<typeof work>;
    };
    expect(await two.advance(sealed, votes)).toMatchObject({ kind: 'wait', code: 'busy' });
    expect(one.bank.callsOf('probe')).toEqual([]);
    one.bank.release();
    expect(await running).toEqual({ kind: 'end' });
  });

  test('two seals and two closes at once: one of each, and both tell the same', async () => {
    const { one, two, sealed } = await pair();
    const results = await Promise.all([one.close(sealed.id, 'cancelled'), two.close(sealed.id, 'cancelled')]);
    for (const result of results) expect(['end', 'refused']).toContain(result.kind);
    await Promise.all([one.report(sealed.id), two.report(sealed.id)]);
    expect(one.kinds(sealed.id)).toEqual(['sealed', 'closed']);
    expect(two.kinds(sealed.id)).toEqual(['sealed', 'closed']);
  });

  test('a connection that dies is an error of its call alone; the ledger goes on', async () => {
    const { one, sealed, votes } = await pair();
    await one.database
      .transaction((sql) => sql.all('SELECT pg_terminate_backend(pg_backend_pid())'))
      .then(
        () => expect('the connection').toBe('dead'),
        (error: unknown) => expect(String(error)).toMatch(/terminat|connection/i),
      );
    one.clock.pass(SECOND);
    expect(await one.advance(sealed, votes)).toEqual({ kind: 'end' });
  });
});
