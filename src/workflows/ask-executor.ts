import { log, proxyActivities, proxyLocalActivities, sleep } from '@temporalio/workflow';
import { signedSchema } from '../domain/dsse.js';
import { parsePublicKey, type PublicKey } from '../domain/keys.js';
import type { Activity, ResultOf } from '../domain/objects/answer.js';
import { readAnswer } from '../domain/receipt.js';
import { executorQueue } from '../temporal/names.js';
import { countInvalidReceipt } from './meter.js';
import type { Run } from './run.js';

/** What the worker's own roster says of one deployment: which executors there are and by which keys they speak. */
export interface TrustRoot {
  readonly deployment: string;
  readonly executors: readonly { readonly name: string; readonly runs: readonly string[]; readonly keys: readonly string[] }[];
  /** Where people look at an action; `{id}` in it stands for the action's id. */
  readonly reviewUrl?: string;
}
export interface Trusted {
  readonly deployment: string;
  readonly name: string;
  readonly keys: readonly PublicKey[];
  readonly reviewUrl: string | undefined;
}

interface ExecutorActivities {
  seal(input: unknown): Promise<unknown>;
  advance(input: unknown): Promise<unknown>;
  lodge(input: unknown): Promise<unknown>;
  close(input: unknown): Promise<unknown>;
  report(input: unknown): Promise<unknown>;
}

const { trust } = proxyLocalActivities<{ trust(): Promise<TrustRoot> }>({
  startToCloseTimeout: '5s',
  retry: { maximumInterval: '5s' },
  summary: "which executors the worker's roster trusts",
});

/** A marker in history, so that replay survives a change of keys, and of the address people look at. */
export async function findExecutor(type: string): Promise<Trusted | undefined> {
  const root = await trust();
  const found = root.executors.find((executor) => executor.runs.includes(type));
  if (found === undefined) return undefined;
  return trusted(root, found);
}

const trusted = ({ deployment, reviewUrl }: TrustRoot, { name, keys }: TrustRoot['executors'][number]): Trusted => ({
  deployment,
  name,
  keys: keys.flatMap((text) => parsePublicKey(text) ?? []),
  reviewUrl,
});

const SUMMARIES: Readonly<Record<Activity, string>> = {
  seal: 'seal what is to be reviewed',
  advance: 'check what was agreed to, then do the next due thing',
  lodge: 'put a signed message on record',
  close: 'end what was not consumed',
  report: 'ask what the ledger holds',
};

/**
 * Asks the executor and believes only what it signed for this very question. Anything else, a forged completion included, is `receipt_invalid`:
 * it asks for a report, and then again; every activity is idempotent, so asking twice does nothing twice. So does it at once where the ledger was restored.
 */
export async function ask<A extends Activity>(run: Run, activity: A, body: Readonly<Record<string, unknown>>): Promise<ResultOf<A>> {
  for (let tries = 0; ; tries++) {
    const have = run.entries.length;
    const input = { actionId: run.id, have, ...body };
    const raw = await activityOf(run, activity)(input);
    const signed = signedSchema.safeParse(raw);
    const read = signed.success && run.executor !== undefined ? readAnswer(activity, run.id, input, signed.data, run.executor) : undefined;
    const epoch = read === undefined ? undefined : run.meets(read.answer.epoch);
    if (epoch === 'newer') continue;
    if (read !== undefined && epoch === 'same' && run.extend(have, read.answer.entries, read.answer.status)) return read.result;
    run.receiptsInvalid++;
    countInvalidReceipt();
    log.warn('an answer bore no valid signature of the executor', { code: 'receipt_invalid', activity });
    await sleep(Math.min(500 * 2 ** tries, 10_000), { summary: 'receipt_invalid: ask again' });
    await renewTrust(run);
    if (activity !== 'report') await ask(run, 'report', {});
  }
}

/** The executor may have got a new key since: the worker's roster is asked once more. */
async function renewTrust(run: Run): Promise<void> {
  if (run.executor === undefined) return;
  const root = await trust();
  const found = root.executors.find((executor) => executor.name === run.executor?.name);
  if (found !== undefined) run.executor = trusted(root, found);
}

function activityOf(run: Run, activity: Activity): (input: unknown) => Promise<unknown> {
  return proxyActivities<ExecutorActivities>({
    taskQueue: executorQueue(run.executor?.name ?? ''),
    summary: SUMMARIES[activity],
    startToCloseTimeout: activity === 'advance' ? '10m' : '1m',
    heartbeatTimeout: '4s',
    cancellationType: 'ABANDON',
    retry: { initialInterval: '200ms', maximumInterval: '5s' },
  })[activity];
}
