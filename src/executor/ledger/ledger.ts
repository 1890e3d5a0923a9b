import { randomBytes } from 'node:crypto';
import { canonicalize } from '../../domain/json.js';
import { digestOfSigned, readPayload, type Signed, type Signer } from '../../domain/dsse.js';
import { restoreSchema, type Restore } from '../../domain/objects/restore.js';
import { entrySchema, type EntryBody } from '../../domain/objects/entry.js';
import { toInstant } from '../../domain/instant.js';
import { LedgerRefused, type Database, type Sql } from './database.js';
import { readAction, readEntries, readStops } from './rows.js';
import { createTables, migrate, type Migration } from './migrate.js';
import { MIGRATIONS } from './migrations/all.js';
import type { ActionId } from '../../domain/ids.js';

/** Who a ledger is: named in every envelope, entry and answer, so that nothing sealed in one runs by another. */
export interface LedgerIdentity {
  readonly deployment: string;
  readonly ledger: string;
  readonly epoch: number;
}

/** Makes an empty ledger. Throws `LedgerRefused` where there is one already: an old book is never overwritten. */
export async function initLedger(
  database: Database,
  deployment: string,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<LedgerIdentity> {
  const identity: LedgerIdentity = { deployment, ledger: randomBytes(16).toString('hex'), epoch: 1 };
  try {
    await database.transaction(async (sql) => {
      await createTables(sql, migrations);
      const meta = { schema: migrations.length, deployment, ledger: identity.ledger, epoch: 1, seq: 0 };
      for (const [key, value] of Object.entries(meta)) await sql.run('INSERT INTO meta (key, value) VALUES (?, ?)', key, String(value));
    });
  } catch (error) {
    throw new LedgerRefused(`No new ledger was made here: ${error instanceof Error ? error.message : String(error)}`);
  }
  return identity;
}

/**
 * Opens an existing ledger of this deployment, and brings one of an earlier release to this build's schema first: in one transaction, under the lock every
 * writer takes. Throws `LedgerRefused` if it is missing, foreign, damaged or of a newer build.
 */
export async function openLedger(
  database: Database,
  deployment: string,
  signer: Signer,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<Ledger> {
  const { identity, steps, restored } = await database.transaction(async (sql) => {
    const meta = await readMeta(sql);
    const found = identityOf(meta, deployment);
    const taken = await migrate(sql, meta.get('schema'), migrations);
    return { identity: found, steps: taken, restored: await restoreOf(sql, found) };
  });
  return new Ledger(database, identity, signer, steps, String(migrations.length), restored);
}

function identityOf(meta: ReadonlyMap<string, string>, deployment: string): LedgerIdentity {
  if (meta.get('deployment') !== deployment)
    throw new LedgerRefused(
      `The ledger belongs to deployment ${meta.get('deployment') ?? 'none'}, the roster names ${deployment}. Use the ledger of this deployment.`,
    );
  const ledger = meta.get('ledger') ?? '';
  const epoch = Number(meta.get('epoch'));
  if (!/^[0-9a-f]{32}$/.test(ledger) || !Number.isSafeInteger(epoch) || epoch < 1)
    throw new LedgerRefused("The ledger's meta table is damaged.");
  return { deployment, ledger, epoch };
}

/** What began this epoch. An epoch that no restore on record began would be one without its freeze. */
async function restoreOf(sql: Sql, { ledger, epoch }: LedgerIdentity): Promise<Restore | undefined> {
  if (epoch === 1) return undefined;
  const restores = (await readStops(sql)).filter((row) => row.object === 'restore').map((row) => readPayload('restore', row.signed));
  const found = restores.map((each) => restoreSchema.parse(each)).find((each) => each.ledger === ledger && each.epoch === epoch);
  if (found === undefined) throw new LedgerRefused(`The ledger says epoch ${epoch}, but holds no restore that began it.`);
  return found;
}

export async function readMeta(sql: Sql): Promise<Map<string, string>> {
  try {
    return new Map((await sql.all('SELECT key, value FROM meta')).map((row) => [String(row['key']), String(row['value'])]));
  } catch (error) {
    throw new LedgerRefused(
      `This is no Keyturn ledger (${error instanceof Error ? error.message : String(error)}). Make one: keyturn ledger init`,
    );
  }
}

/** Append-only entries with one writer. What may follow what is in `transitions.ts`; this class keeps the chain. */
export class Ledger {
  constructor(
    private readonly database: Database,
    readonly identity: LedgerIdentity,
    private readonly signer: Signer,
    /** The steps of the schema it took when it was opened. */
    readonly steps: readonly string[],
    private readonly schema: string,
    /** What began its epoch; undefined for one that was never restored. */
    readonly restored?: Restore,
  ) {}

  get kind(): Database['kind'] {
    return this.database.kind;
  }

  async transaction<T>(work: (tx: LedgerTransaction) => Promise<T>): Promise<T> {
    let written: readonly EntryBody[] = [];
    const result = await this.database.transaction(async (sql) => {
      if (this.database.kind === 'postgres') await this.stillOurs(sql);
      const tx = new LedgerTransaction(sql, this.identity, this.signer);
      written = tx.written;
      return work(tx);
    });
    for (const entry of written) this.watcher?.(entry);
    return result;
  }

  /** Reads what is committed, at one moment, and writes nothing. On PostgreSQL it waits for no writer and keeps none waiting. */
  snapshot<T>(work: (tx: LedgerTransaction) => Promise<T>): Promise<T> {
    return this.database.snapshot(async (sql) => {
      if (this.database.kind === 'postgres') await this.stillOurs(sql);
      return work(new LedgerTransaction(sql, this.identity, this.signer));
    });
  }

  /** `watcher` is told of each entry this process wrote, once it is committed. It must not throw. */
  watch(watcher: (entry: EntryBody) => void): void {
    this.watcher = watcher;
  }
  private watcher: ((entry: EntryBody) => void) | undefined;

  /** Another executor on this database may be of a newer build and have brought it to a schema whose rules this process does not keep. SQLite has one executor. */
  private async stillOurs(sql: Sql): Promise<void> {
    const [row] = await sql.all("SELECT value FROM meta WHERE key = 'schema'");
    if (row?.['value'] !== this.schema)
      throw new LedgerRefused(
        `A newer build has brought the ledger from schema ${this.schema} to ${String(row?.['value'])}: stop this executor.`,
      );
  }

  close(): Promise<void> {
    return this.database.close();
  }
}

export class LedgerTransaction {
  /** What this transaction appended, in order. */
  readonly written: EntryBody[] = [];

  constructor(
    readonly sql: Sql,
    private readonly identity: LedgerIdentity,
    private readonly signer: Signer,
  ) {}

  /** Signs and appends one entry, linked to the last of the ledger and the last of its action. The action's row must exist. `now` in ms. */
  async append(body: EntryBody, now: number): Promise<void> {
    const seq = Number(await this.meta('seq')) + 1;
    const head = await this.meta('head');
    const action = body.actionId === null ? undefined : await readAction(this.sql, body.actionId);
    if (body.actionId !== null && action === undefined) throw new Error(`no action row for an entry of ${body.actionId}`);
    const entry = entrySchema.parse({
      ...body,
      v: 1,
      ...this.identity,
      seq,
      prev: head ?? null,
      prevOfAction: action?.head ?? null,
      at: toInstant(now),
    });
    const signed = this.signer.sign('entry', entry);
    const digest = digestOfSigned(signed);
    await this.sql.run(
      'INSERT INTO entry (seq, action_id, n, digest, signed) VALUES (?, ?, ?, ?, ?)',
      seq,
      body.actionId,
      action?.entries ?? null,
      digest,
      canonicalize(signed),
    );
    await this.sql.run('UPDATE meta SET value = ? WHERE key = ?', String(seq), 'seq');
    await this.setMeta('head', digest);
    if (body.actionId !== null) await this.sql.run('UPDATE action SET head = ?, entries = entries + 1 WHERE id = ?', digest, body.actionId);
    this.written.push(body);
  }

  async meta(key: string): Promise<string | undefined> {
    const rows = await this.sql.all('SELECT value FROM meta WHERE key = ?', key);
    return rows[0] === undefined ? undefined : String(rows[0]['value']);
  }

  async setMeta(key: string, value: string): Promise<void> {
    if ((await this.sql.run('UPDATE meta SET value = ? WHERE key = ?', value, key)) === 0)
      await this.sql.run('INSERT INTO meta (key, value) VALUES (?, ?)', key, value);
  }

  entriesFrom(id: ActionId, have: number): Promise<Signed[]> {
    return readEntries(this.sql, id, have);
  }
}
