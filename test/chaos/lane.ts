import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openSqlite } from '../../src/executor/ledger/sqlite.js';
import { initLedger } from '../../src/executor/ledger/ledger.js';
import { DEPLOYMENT } from '../helpers/rules-fixture.js';
import { Child } from './child.js';

export interface LaneOptions {
  readonly name: string;
  readonly dir: string;
  readonly key: string;
  /** A ledger that is there already and that others share; left out: one of its own. */
  readonly shared?: { readonly ledger: string; readonly member: string };
  readonly env: Readonly<Record<string, string>>;
}

/** One executor with a ledger, types and orders of its own, so that killing it disturbs no other case. A supervisor starts it again whenever it dies. */
export class Lane {
  deaths = 0;
  /** Of every process there was, the last last. */
  readonly pids: number[] = [];
  private closing = false;
  private supervision: Promise<void> = Promise.resolve();
  private constructor(
    readonly name: string,
    readonly orders: string,
    readonly ledger: string,
    private readonly executor: Child,
  ) {}

  static async open({ name, dir, key, shared, env }: LaneOptions): Promise<Lane> {
    const member = shared?.member ?? name;
    const [orders, ledger] = [join(dir, `orders-${member}`), shared?.ledger ?? join(dir, `${name}.db`)];
    await mkdir(orders);
    if (shared === undefined) {
      const database = openSqlite(ledger, { create: true });
      await initLedger(database, DEPLOYMENT);
      await database.close();
    }
    const own = { KEYTURN_EXECUTOR_KEY: key, KEYTURN_LEDGER: ledger, CHAOS_LANE: name, CHAOS_ORDERS: orders };
    const lane = new Lane(name, orders, ledger, new Child(member, 'test/chaos/killable-executor.ts', { ...env, ...own }, dir));
    await lane.start();
    lane.supervision = lane.supervise();
    return lane;
  }

  private async supervise(): Promise<void> {
    for (;;) {
      await this.executor.gone();
      if (this.closing) return;
      this.deaths++;
      // Killed again before it was ready: once more.
      await this.start().catch(() => undefined);
    }
  }

  private async start(): Promise<void> {
    this.pids.push(Number((await this.executor.start())['pid']));
  }

  /** SIGKILL from outside; its supervisor starts it again. */
  kill(): Promise<void> {
    return this.executor.kill();
  }

  /** SIGKILL once more: whatever the ledger holds is what was committed. */
  async close(): Promise<void> {
    this.closing = true;
    await this.executor.kill();
    await this.supervision;
  }
}
