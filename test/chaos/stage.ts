import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client, Connection } from '@temporalio/client';
import { Bank } from '../../examples/bank/client.js';
import { BankAdmin } from '../../examples/bank/admin.js';
import { parseRoster, type Roster } from '../../src/domain/roster.js';
import { newPrivateKey, signerFrom } from '../../src/files/key-files.js';
import { openClient } from '../../src/temporal/connection.js';
import { loadWorkflowBundle } from '../../src/temporal/bundle.js';
import { freePort } from '../../src/temporal/free-port.js';
import { startDevServer, type DevServer } from '../../src/temporal/dev-server.js';
import { Child } from './child.js';
import { Lane } from './lane.js';
import { chaosPolicy, chaosRoster } from './rules.js';

/** So many executors on this ledger, which is there already. */
export interface Crew {
  readonly members: number;
  readonly ledger: string;
}

const BANK_PASSWORD = 'only-the-executors-know';

/** A real Temporal server, a real bank with its own book, a workflow worker and one executor a lane, each a process of its own. */
export class Stage {
  private constructor(
    readonly dir: string,
    private server: DevServer,
    private readonly temporal: { readonly connection: Connection; readonly client: Client },
    private readonly bankProcess: Child,
    private readonly worker: Child,
    readonly lanes: readonly Lane[],
    readonly bank: Bank,
    readonly admin: BankAdmin,
    readonly roster: Roster,
  ) {}

  /** With `doors` every executor opens its own, on a port that stays the same. With `crew` a lane has that many executors, all of them on one ledger. */
  static async open(lanes: number, { doors = false, crew }: { readonly doors?: boolean; readonly crew?: Crew } = {}): Promise<Stage> {
    const dir = await mkdtemp(join(tmpdir(), 'keyturn-chaos-'));
    const keys = Object.fromEntries(Array.from({ length: lanes }, (_, i) => [`lane${i + 1}`, newPrivateKey()]));
    const signers = Object.fromEntries(Object.entries(keys).map(([lane, key]) => [lane, signerFrom(key, lane)]));
    const places = doors ? await Promise.all(Object.keys(keys).map(async (lane) => [lane, `127.0.0.1:${await freePort()}`] as const)) : [];
    const doorOf = Object.fromEntries(places);
    const roster = parseRoster(chaosRoster(signers, doorOf), 'roster.yaml');
    if (!roster.ok) throw new Error(roster.problems.map(({ text }) => text).join('\n'));
    await writeFile(join(dir, 'roster.yaml'), chaosRoster(signers, doorOf));
    await writeFile(join(dir, 'policy.yaml'), chaosPolicy());
    // Once here, not once a worker.
    const [server] = await Promise.all([startDevServer({ dbFilename: join(dir, 'temporal.db') }), loadWorkflowBundle()]);
    const temporal = await openClient({ connectionOptions: { address: server.address }, namespace: 'default' });
    const bank = new Child('bank', 'examples/bank/service.ts', { BANK_BOOK: join(dir, 'bank.db'), BANK_PASSWORD }, dir);
    const bankUrl = String((await bank.start())['listening']);
    const env = { TEMPORAL_ADDRESS: server.address, KEYTURN_DIR: dir, BANK_URL: bankUrl, BANK_PASSWORD };
    const worker = new Child('worker', 'test/chaos/workflow-worker.ts', { TEMPORAL_ADDRESS: server.address, KEYTURN_DIR: dir }, dir);
    const [, ...opened] = await Promise.all([
      worker.start(),
      ...Object.entries(keys).flatMap(([name, key]) => {
        const lane = { name, dir, key, env: { ...env, ...(doorOf[name] === undefined ? {} : { KEYTURN_DOOR: doorOf[name] }) } };
        if (crew === undefined) return [Lane.open(lane)];
        return Array.from({ length: crew.members }, (_, i) =>
          Lane.open({ ...lane, shared: { ledger: crew.ledger, member: `${name}-${i + 1}` } }),
        );
      }),
    ]);
    const [client, admin] = [new Bank(bankUrl, BANK_PASSWORD), new BankAdmin(bankUrl, BANK_PASSWORD)];
    return new Stage(dir, server, temporal, bank, worker, opened, client, admin, roster.roster);
  }

  get client(): Client {
    return this.temporal.client;
  }
  get address(): string {
    return this.server.address;
  }

  async killWorker(): Promise<void> {
    await this.worker.kill();
  }
  async startWorker(): Promise<void> {
    await this.worker.start();
  }

  async killServer(): Promise<void> {
    const gone = new Promise((done) => this.server.child.once('exit', done));
    this.server.child.kill('SIGKILL');
    await gone;
  }
  /** On the same file and port. */
  async startServer(): Promise<void> {
    const port = Number(this.server.address.split(':').at(-1));
    this.server = await startDevServer({ dbFilename: join(this.dir, 'temporal.db'), port });
  }

  async close(): Promise<void> {
    await Promise.all([...this.lanes.map((lane) => lane.close()), this.worker.kill(), this.bankProcess.kill()]);
    await this.temporal.connection.close();
    await this.server.stop();
    await rm(this.dir, { recursive: true, force: true });
  }
}
