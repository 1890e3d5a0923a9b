import type { Signed } from '../../src/domain/dsse.js';
import type { ActionId, Digest } from '../../src/domain/ids.js';
import type { Activity, AdvanceInput, CloseReason, ResultOf } from '../../src/domain/objects/answer.js';
import type { Entry } from '../../src/domain/objects/entry.js';
import type { Outcome, Status } from '../../src/domain/outcome.js';
import { endOf, extendReceipt, readAnswer, type Receipt } from '../../src/domain/receipt.js';
import { advance } from '../../src/executor/advance.js';
import { close } from '../../src/executor/close.js';
import type { ActionType } from '../../src/executor/define-action.js';
import type { Executor } from '../../src/executor/executor.js';
import type { Database } from '../../src/executor/ledger/database.js';
import { initLedger, openLedger } from '../../src/executor/ledger/ledger.js';
import { openSqlite } from '../../src/executor/ledger/sqlite.js';
import { lodge } from '../../src/executor/lodge.js';
import { report } from '../../src/executor/report.js';
import { seal } from '../../src/executor/seal.js';
import { FakeBank } from './fake-bank.js';
import { openSealed, request, type Proposal, type SealedRevision } from './messages.js';
import { DEPLOYMENT, TestRules } from './rules-fixture.js';
import { EXECUTOR } from './signers.js';
import { bankTypes } from './types.js';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

/** A clock that moves only when told. */
export class TestClock {
  constructor(public ms = Date.UTC(2026, 5, 1, 9)) {}
  readonly now = (): number => this.ms;
  pass(ms: number): void {
    this.ms += ms;
  }
}

export interface ExecutorOptions {
  readonly database: Database;
  readonly clock: TestClock;
  readonly types: ReadonlyMap<string, ActionType>;
  readonly rules?: TestRules;
}

let executors = 0;

/** An executor over an initialised database, as a process newly started: nothing in flight, an owner of its own. */
export async function makeExecutor({ database, clock, types, rules = new TestRules() }: ExecutorOptions): Promise<Executor> {
  const ledger = await openLedger(database, DEPLOYMENT, EXECUTOR);
  return {
    name: 'bank',
    signer: EXECUTOR,
    ledger,
    types,
    rules: async () => rules.read(),
    now: clock.now,
    owner: `executor-${++executors}`,
    inFlight: new Set(),
    previewFailures: new Map(),
    log: () => undefined,
  };
}

/** An empty ledger of the test's deployment in memory. */
export async function memoryLedger(): Promise<Database> {
  const database = openSqlite(':memory:', { create: true });
  await initLedger(database, DEPLOYMENT);
  return database;
}

const ACTIVITIES = { seal, advance, lodge, close, report } as const;
export const TRUST = { deployment: DEPLOYMENT, keys: [EXECUTOR.key] };

export interface Told<A extends Activity> {
  readonly result: ResultOf<A>;
  readonly status: Status | null;
  readonly entries: readonly Signed[];
}

/** Calls one activity and believes the answer only as a workflow would: signed by the executor, for this question. Throws otherwise. */
export async function ask<A extends Activity>(
  executor: Executor,
  activity: A,
  input: { readonly actionId: ActionId | null; readonly [member: string]: unknown },
): Promise<Told<A>> {
  const signed = await ACTIVITIES[activity](executor, input);
  const read = readAnswer(activity, input.actionId, input, signed, TRUST);
  if (read === undefined)
    throw new Error(`no valid answer to ${activity}: ${Buffer.from(signed.payload, 'base64url').toString().slice(0, 2_000)}`);
  return { result: read.result, status: read.answer.status, entries: read.answer.entries };
}

export interface WorldOptions {
  readonly database?: Database;
  readonly rules?: TestRules;
  readonly types?: (bank: FakeBank) => Map<string, ActionType>;
}

/** One executor, its ledger, its fake bank, and the receipts it gave, each verified as it grows. */
export class World {
  readonly receipts = new Map<ActionId, Receipt>();
  readonly statuses = new Map<ActionId, Status | null>();
  private constructor(
    readonly database: Database,
    readonly clock: TestClock,
    readonly rules: TestRules,
    readonly bank: FakeBank,
    readonly types: Map<string, ActionType>,
    public executor: Executor,
  ) {}

  static async open({ database, rules = new TestRules(), types = bankTypes }: WorldOptions = {}): Promise<World> {
    const [clock, bank, ledger] = [new TestClock(), new FakeBank(), database ?? (await memoryLedger())];
    const all = types(bank);
    return new World(ledger, clock, rules, bank, all, await makeExecutor({ database: ledger, clock, types: all, rules }));
  }

  /** The same world as another executor on the same ledger sees it. */
  beside(executor: Executor, database: Database = this.database): World {
    return new World(database, this.clock, this.rules, this.bank, this.types, executor);
  }

  /** The executor's process dies and a new one starts on the same ledger; what the old one had begun may still finish. */
  async restart(): Promise<void> {
    this.executor = await makeExecutor({ database: this.database, clock: this.clock, types: this.types, rules: this.rules });
  }

  private async tell<A extends Activity>(activity: A, id: ActionId | null, input: Readonly<Record<string, unknown>>): Promise<ResultOf<A>> {
    const receipt = id === null ? [] : (this.receipts.get(id) ?? []);
    const { result, status, entries } = await ask(this.executor, activity, { actionId: id, have: receipt.length, ...input });
    if (id === null) return result;
    const now = this.receipts.get(id) ?? [];
    const grown = now.length === receipt.length ? extendReceipt(receipt, id, entries, TRUST) : now;
    if (grown === undefined) throw new Error(`the entries of ${id} do not follow one another`);
    this.receipts.set(id, grown);
    this.statuses.set(id, status);
    return result;
  }

  seal = (id: ActionId, signed: Signed): Promise<ResultOf<'seal'>> => this.tell('seal', id, { request: signed });
  modify = (id: ActionId, signed: Signed): Promise<ResultOf<'seal'>> => this.tell('seal', id, { modify: signed });
  reseal = (id: ActionId, stale: Digest): Promise<ResultOf<'seal'>> => this.tell('seal', id, { reseal: stale });
  lodge = (id: ActionId | null, signed: Signed): Promise<ResultOf<'lodge'>> => this.tell('lodge', id, { signed });
  close = (id: ActionId, reason: CloseReason, decisions: readonly Signed[] = []): Promise<ResultOf<'close'>> =>
    this.tell('close', id, { reason, decisions });
  report = (id: ActionId): Promise<ResultOf<'report'>> => this.tell('report', id, {});
  advance = (
    { id, digest }: Pick<SealedRevision, 'id' | 'digest'>,
    decisions: readonly Signed[] = [],
    more: Pick<AdvanceInput, 'stop'> = {},
  ): Promise<ResultOf<'advance'>> => this.tell('advance', id, { digest, decisions, ...more });

  /** Seals a proposal. Throws unless it is held. */
  async propose(proposal: Proposal = {}): Promise<SealedRevision> {
    const { id, signed } = request(proposal);
    return held(await this.seal(id, signed));
  }

  /** Advances until the executor wants something of somebody: `again` and `busy` are followed, with the clock. */
  async run(
    sealed: Pick<SealedRevision, 'id' | 'digest'>,
    decisions: readonly Signed[] = [],
    more: Pick<AdvanceInput, 'stop'> = {},
  ): Promise<ResultOf<'advance'>> {
    for (let i = 0; i < 100; i++) {
      const result = await this.advance(sealed, decisions, more);
      if (result.kind === 'wait' && result.code === 'busy') this.clock.pass(SECOND);
      else if (result.kind !== 'again') return result;
    }
    throw new Error('a hundred advances and no end');
  }

  /** The end the receipt proves. Throws while there is none. */
  outcome(id: ActionId): Outcome {
    const end = endOf(id, this.receipts.get(id) ?? []);
    if (end === undefined) throw new Error(`${id} has not ended: ${this.kinds(id).join(' ')}`);
    return end;
  }
  entries = (id: ActionId): Entry[] => (this.receipts.get(id) ?? []).map(({ entry }) => entry);
  kinds = (id: ActionId): string[] => this.entries(id).map(({ kind }) => kind);
}

/** The revision a seal gave. Throws on any other answer. */
export function held(result: ResultOf<'seal'>): SealedRevision {
  if (result.kind !== 'sealed') throw new Error(`not sealed: ${JSON.stringify(result)}`);
  return openSealed(result);
}
