import { randomUUID } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { FileRefused, problemText } from '../domain/problem.js';
import type { Roster } from '../domain/roster.js';
import { readPolicy, readRoster } from '../files/rules.js';
import { secretOf } from '../files/secrets.js';
import { endSoon, lifeOfProcess } from '../files/process-life.js';
import { installRuntime } from '../temporal/runtime.js';
import type { ActionType } from './define-action.js';
import { openDoor } from './door/door.js';
import { Messenger } from './door/messenger.js';
import type { Executor } from './executor.js';
import { executorIdentity } from './identity.js';
import type { Database } from './ledger/database.js';
import { LedgerRefused } from './ledger/database.js';
import { openLedger } from './ledger/ledger.js';
import { liveRules } from './live-rules.js';
import { counted, executorMetrics, watchRules } from './metrics.js';
import { stayConnected, type Connected, type Means } from './stay-connected.js';

export interface ExecutorOptions {
  readonly actions: readonly ActionType[];
  /** The folder with policy.yaml, roster.yaml and .keyturn. Left out: `KEYTURN_DIR`, else the folder of the program. */
  readonly dir?: string;
  /**
   * Where to open this executor's own door for signed stop messages, as `127.0.0.1:7879` (docs/stopping.md). Left out: `KEYTURN_DOOR`, else none is
   * opened. With a door it starts, and stays, without Temporal.
   */
  readonly door?: string;
}

/**
 * Runs an executor until it is told to stop. Reads policy.yaml and roster.yaml, takes its key from `KEYTURN_EXECUTOR_KEY` or `.keyturn/keys`,
 * its name from the roster entry with that key, its ledger from `KEYTURN_LEDGER` (a path or a postgres:// address) or `.keyturn/ledger.db`; both variables
 * may be given as files (see `secretOf`).
 * Ends the process with exit code 1 and a plain message when it cannot start safely.
 */
export const startExecutor = (options: ExecutorOptions): Promise<void> => startWith(options);

/** The same, by other `means` of reaching Temporal than the real ones. */
export async function startWith(options: ExecutorOptions, means?: Means): Promise<void> {
  try {
    await run(options, means);
  } catch (error) {
    const text =
      error instanceof FileRefused
        ? error.problems.map(problemText).join('\n')
        : error instanceof LedgerRefused
          ? `${error.code}: ${error.message}`
          : error instanceof Error
            ? error.message
            : String(error);
    console.error(`executor: not started\n${text}`);
    process.exitCode = 1;
  }
}

async function run({ actions, dir: given, door: at = process.env['KEYTURN_DOOR'] }: ExecutorOptions, means?: Means): Promise<void> {
  const meter = installRuntime();
  const life = lifeOfProcess();
  const dir = resolve(given ?? process.env['KEYTURN_DIR'] ?? dirname(process.argv[1] ?? '.'));
  const files = { roster: join(dir, 'roster.yaml'), policy: join(dir, 'policy.yaml') };
  const roster = await readRoster(files.roster);
  await readPolicy(files.policy, roster, Date.now());
  if (roster.development && process.env['KEYTURN_DEVELOPMENT'] !== '1')
    throw new Error('roster.yaml says development: true. Set KEYTURN_DEVELOPMENT=1 to run it so, or remove the line.');
  const { name, signer } = await executorIdentity(roster, dir);
  const types = typesOf(actions, roster, name);
  const database = await openDatabase(secretOf('KEYTURN_LEDGER')?.text ?? join(dir, '.keyturn', 'ledger.db'));
  const ledger = await openLedger(database, roster.deployment, signer);
  for (const step of ledger.steps) console.error(`executor ${name}: ledger brought to ${step}`);
  if (ledger.restored !== undefined)
    console.error(
      `executor ${name}: ledger restored on ${ledger.restored.at} from a backup of ${ledger.restored.backupAt}; frozen until people have thawed it`,
    );
  const metrics = executorMetrics(meter, name);
  const uncounted: Executor = {
    name,
    signer,
    ledger,
    types,
    rules: liveRules(ledger, files, signer.key.id),
    now: () => Date.now(),
    owner: `${name}-${process.pid}-${randomUUID()}`,
    inFlight: new Set(),
    previewFailures: new Map(),
    log: (event, detail) => console.error(`executor ${name}: ${event} ${JSON.stringify(detail)}`),
  };
  const executor = counted(uncounted, metrics);
  const stopWatching = watchRules(executor, metrics);
  try {
    await serve(executor, life, { at, named: roster.executors.get(name)?.door }, means);
  } finally {
    stopWatching();
    await ledger.close();
    endSoon();
  }
}

/** By its own door, if it is to have one, and by Temporal: until the process is to end. */
async function serve(
  executor: Executor,
  life: AbortSignal,
  { at, named }: { readonly at: string | undefined; readonly named: string | undefined },
  means?: Means,
): Promise<void> {
  const rules = await executor.rules();
  if (!rules.ok) throw new Error(rules.text);
  const { name, types, ledger } = executor;
  const messenger = new Messenger(executor);
  // Before Temporal: the brake works without it.
  const door = at === undefined ? undefined : await openDoor({ at, executor, onStands: (id, signed) => messenger.tell(id, signed) });
  if (door !== undefined) executor.log('door open', { url: door.url });
  else if (named !== undefined)
    executor.log('no door', { text: `roster.yaml says it is at ${named}, but none is opened: set KEYTURN_DOOR, as 127.0.0.1:7879` });
  let told = false;
  try {
    const onReady: Connected['onReady'] = async (client) => {
      if (door !== undefined) await messenger.connected(client);
      const { deployment } = ledger.identity;
      if (!told) console.log(JSON.stringify({ keyturn: 'executor', name, pid: process.pid, runs: [...types.keys()], deployment }));
      told = true;
    };
    await stayConnected({ executor, life, patient: door !== undefined, onReady }, means);
  } finally {
    messenger.end();
    await door?.close();
  }
}

function typesOf(actions: readonly ActionType[], roster: Roster, name: string): Map<string, ActionType> {
  const types = new Map(actions.map((action) => [action.name, action]));
  if (types.size !== actions.length) throw new Error('Two actions of one name.');
  const runs = roster.executors.get(name)?.runs ?? [];
  for (const type of types.keys())
    if (!runs.includes(type))
      throw new Error(`roster.yaml does not let executor ${name} run ${type}. Add it under executors: ${name}: runs.`);
  for (const type of runs)
    if (!types.has(type)) throw new Error(`roster.yaml says executor ${name} runs ${type}, but this program defines no such action.`);
  return types;
}

/** Loads only the database driver that is asked for. */
export async function openDatabase(where: string, options: { readonly create: boolean } = { create: false }): Promise<Database> {
  if (/^postgres(?:ql)?:\/\//.test(where)) return (await import('./ledger/postgres.js')).openPostgres(where);
  return (await import('./ledger/sqlite.js')).openSqlite(where, options);
}
