import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { digestOfSigned, readPayload, signedSchema, verifySigned } from '../../src/domain/dsse.js';
import { actionIdOf, type ActionId } from '../../src/domain/ids.js';
import { parseStrict } from '../../src/domain/json.js';
import { entrySchema, type Entry } from '../../src/domain/objects/entry.js';
import { LedgerRefused, type Database } from '../../src/executor/ledger/database.js';
import { initLedger, openLedger } from '../../src/executor/ledger/ledger.js';
import { readAction, readSteps } from '../../src/executor/ledger/rows.js';
import { transitions } from '../../src/executor/ledger/transitions.js';
import { approve } from '../helpers/messages.js';
import { DEPLOYMENT } from '../helpers/rules-fixture.js';
import { EXECUTOR } from '../helpers/signers.js';
import { World } from '../helpers/world.js';
import { dump, KINDS, type Place } from './ledger/databases.js';
import { BECAUSE, LEASE, newAction, newSeal, NOW, STATES } from './ledger/states.js';

const idOf = (name: string): ActionId => actionIdOf(DEPLOYMENT, 'ap-agent', name);
const [A, B] = [idOf('a'), idOf('b')];

describe.each(KINDS)('$kind: the ledger', (kind) => {
  const opened: Database[] = [];
  beforeAll(() => kind.start());
  afterEach(async () => {
    for (const database of opened.splice(0)) await database.close();
  });
  afterAll(() => kind.stop());

  async function open(place: Place): Promise<Database> {
    const database = await place.open();
    opened.push(database);
    return database;
  }
  async function fresh() {
    const place = await kind.place();
    const database = await open(place);
    const identity = await initLedger(database, DEPLOYMENT);
    return { place, database, identity, ledger: await openLedger(database, DEPLOYMENT, EXECUTOR) };
  }
  const entries = (database: Database): Promise<{ entry: Entry; digest: string }[]> =>
    database.transaction(async (sql) =>
      (await sql.all('SELECT signed FROM entry ORDER BY seq')).map((row) => {
        const signed = signedSchema.parse(parseStrict(String(row['signed'])));
        expect(verifySigned('entry', signed, EXECUTOR.key)).toBe(true);
        return { entry: entrySchema.parse(readPayload('entry', signed)), digest: digestOfSigned(signed) };
      }),
    );

  test('entries are linked: seq without a gap, prev through the ledger, prevOfAction through each action', async () => {
    const { database, ledger, identity } = await fresh();
    await ledger.transaction(async (tx) => {
      await transitions.open(tx, newAction(A), newSeal(A, 1), NOW);
      await transitions.deny(tx, newAction(B), BECAUSE, NOW);
      await tx.append({ kind: 'lodged', actionId: null, object: 'freeze', digest: newSeal(A, 1).digest, by: 'person:cleo' }, NOW);
    });
    await ledger.transaction((tx) => transitions.revise(tx, A, newSeal(A, 1).digest, 'awaiting', newSeal(A, 2), NOW + 1));
    const all = await entries(database);
    expect(all.map(({ entry }) => [entry.seq, entry.kind])).toEqual([
      [1, 'sealed'],
      [2, 'denied'],
      [3, 'lodged'],
      [4, 'sealed'],
    ]);
    expect(all.map(({ entry }) => entry.prev)).toEqual([null, ...all.slice(0, -1).map(({ digest }) => digest)]);
    expect(all.map(({ entry }) => entry.prevOfAction)).toEqual([null, null, null, all[0]?.digest]);
    expect(all.every(({ entry }) => entry.deployment === DEPLOYMENT && entry.ledger === identity.ledger && entry.epoch === 1)).toBe(true);
    const since = await ledger.transaction((tx) => tx.entriesFrom(A, 1));
    expect(since.map(digestOfSigned)).toEqual([all[3]?.digest]);
  });

  test('a throw takes back the whole transaction, entries and chain included', async () => {
    const { database, ledger } = await fresh();
    await ledger.transaction((tx) => STATES.started(tx, A));
    const before = await dump(database);
    const failing = ledger.transaction(async (tx) => {
      await transitions.stepDone(tx, A, 1, 1, LEASE.owner, null, undefined, NOW);
      await transitions.open(tx, newAction(B), newSeal(B, 1), NOW);
      throw new Error('power cut');
    });
    await expect(failing).rejects.toThrow('power cut');
    expect(await dump(database)).toBe(before);
    // And the book still goes on.
    await ledger.transaction((tx) => transitions.stepDone(tx, A, 1, 1, LEASE.owner, null, undefined, NOW));
    expect((await entries(database)).map(({ entry }) => entry.seq)).toEqual([1, 2, 3, 4]);
  });

  test('an error of the database takes back the whole transaction too', async () => {
    const { database, ledger } = await fresh();
    const before = await dump(database);
    await expect(
      ledger.transaction(async (tx) => {
        await transitions.open(tx, newAction(A), newSeal(A, 1), NOW);
        await tx.sql.run('INSERT INTO nowhere (a) VALUES (1)');
      }),
    ).rejects.toThrow();
    expect(await dump(database)).toBe(before);
  });

  test('transactions follow one another, however many start at once', async () => {
    const { database } = await fresh();
    const count = async (): Promise<void> => {
      await database.transaction(async (sql) => {
        const [row] = await sql.all("SELECT value FROM meta WHERE key = 'seq'");
        await new Promise((later) => setTimeout(later, 2));
        await sql.run("UPDATE meta SET value = ? WHERE key = 'seq'", String(Number(row?.['value']) + 1));
      });
    };
    await Promise.all(Array.from({ length: 25 }, count));
    const [row] = await database.transaction((sql) => sql.all("SELECT value FROM meta WHERE key = 'seq'"));
    expect(row?.['value']).toBe('25');
  });

  test('closed and opened again it is the same book, and rows read as they were written', async () => {
    const { database, ledger, place } = await fresh();
    await ledger.transaction(async (tx) => {
      await STATES.undo_started(tx, A);
      await transitions.tombstone(tx, B, BECAUSE, NOW);
    });
    const before = await dump(database);
    await database.close();
    opened.splice(0);
    const again = await open(place);
    expect(await dump(again)).toBe(before);
    const book = await (
      await openLedger(again, DEPLOYMENT, EXECUTOR)
    ).transaction(async (tx) => ({ a: await readAction(tx.sql, A), b: await readAction(tx.sql, B), steps: await readSteps(tx.sql, A) }));
    expect(book).toMatchObject({
      a: { state: 'undoing', status: 'compensating', cause: BECAUSE, execute_by: NOW + 1, opened_at: NOW, entries: 5 },
      b: { state: 'ended', status: 'cancelled', cause: BECAUSE, request: '', digest: null, entries: 1 },
      steps: [
        { n: 1, phase: 'run', state: 'done', lease_owner: null, since: NOW },
        { n: 1, phase: 'undo', state: 'started', lease_owner: LEASE.owner, lease_until: LEASE.until, idempotency_key: `${A}/reserve/undo` },
      ],
    });
  });

  test('ledger_invalid: no ledger, another deployment, another schema, a damaged one', async () => {
    const refusal = async (database: Database, deployment = DEPLOYMENT): Promise<LedgerRefused> => {
      const error = await openLedger(database, deployment, EXECUTOR).catch((each: unknown) => each);
      if (!(error instanceof LedgerRefused)) throw new Error(`not refused: ${String(error)}`);
      expect(error.code).toBe('ledger_invalid');
      return error;
    };
    expect((await refusal(await open(await kind.place()))).message).toContain('keyturn ledger init');
    const { database } = await fresh();
    expect((await refusal(database, 'acme-prod')).message).toContain('acme-prod');
    for (const [key, bad] of [
      ['epoch', '0'],
      ['epoch', 'x'],
      ['ledger', 'short'],
      ['schema', '99'],
    ] as const) {
      const [row] = await database.transaction((sql) => sql.all('SELECT value FROM meta WHERE key = ?', key));
      const set = (value: string): Promise<number> =>
        database.transaction((sql) => sql.run('UPDATE meta SET value = ? WHERE key = ?', value, key));
      await set(bad);
      await refusal(database);
      await set(String(row?.['value']));
    }
    await openLedger(database, DEPLOYMENT, EXECUTOR);
  });

  test('a ledger is made once: an old book is never overwritten', async () => {
    const { database, ledger } = await fresh();
    await ledger.transaction((tx) => STATES.done(tx, A));
    const before = await dump(database);
    await expect(initLedger(database, DEPLOYMENT)).rejects.toBeInstanceOf(LedgerRefused);
    expect(await dump(database)).toBe(before);
  });

  test('6.12 an executor over it: twenty orders at once consume once; after a restart it is still consumed', async () => {
    const { database } = await fresh();
    const world = await World.open({ database });
    const sealed = await world.propose({ type: 'payments.batch' });
    const votes = [approve('ana', sealed), approve('ben', sealed)];
    await Promise.all(Array.from({ length: 20 }, () => world.advance(sealed, votes)));
    await world.restart();
    expect(await world.run(sealed, votes)).toEqual({ kind: 'end' });
    await world.report(sealed.id);
    expect(world.kinds(sealed.id).filter((each) => each === 'executing')).toHaveLength(1);
    expect(world.bank.callsOf('run')).toHaveLength(3);
    expect(world.bank.effectsOf(sealed.id)).toEqual(['reserve', 'send', 'notify']);
  });
});
