import { mkdir, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import type { ChildProcess } from 'node:child_process';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { bankBook, Outside } from '../demo/outside.js';
import { makeFolder } from '../demo/people.js';
import { Processes, until } from '../demo/processes.js';
import { actionListSchema } from '../src/domain/http.js';
import { useNativeCrypto } from '../src/files/native-crypto.js';
import { openClient } from '../src/temporal/connection.js';
import { freePort } from '../src/temporal/free-port.js';
import { startBareWorker } from './bare-process.js';
import { bareContender, idOf, KeyturnContender } from './contenders.js';
import { MemoryMeter } from './memory.js';
import { Notices } from './notices.js';
import { at, each, median, round, timed } from './numbers.js';

/**
 * So many actions that wait for people, held by one worker that keeps few of them in memory: its memory while they come, decisions on actions it has put
 * out of memory, and the pages reviewers read; beside a bare workflow on the same server whose worker keeps as few. Prints one JSON object and a line;
 * exits 1 on a shortfall. `--actions 20000` is the full size.
 */
const { values: given } = parseArgs({
  options: {
    actions: { type: 'string', default: '2000' },
    cached: { type: 'string', default: '500' },
    rounds: { type: 'string', default: '100' },
    minutes: { type: 'string', default: '40' },
  },
});
const [ACTIONS, CACHED, ROUNDS] = [Number(given.actions), Number(given.cached), Number(given.rounds)];
const LIMITS = { decisionP99Ms: 1_000, pageP50Ms: 150, memoryGrowth: 1.25 };
const AT_ONCE = 20;
const FINISHED = 5;
if (ACTIONS < 2 * CACHED + 2 * ROUNDS)
  throw new Error('--actions must be more than twice --cached and --rounds together: else nothing is put out of memory');

useNativeCrypto();
const dir = resolve('.keyturn', 'scale');
await rm(dir, { recursive: true, force: true });
await mkdir(dir, { recursive: true });
const password = randomBytes(16).toString('hex');
const processes = new Processes(dir, await freePort(), password, false);
const notices = new Notices(join(dir, '.keyturn', 'notices.jsonl'));
const bareNoticesFile = join(dir, 'bare-notices.jsonl');
const bareNotices = new Notices(bareNoticesFile);
let bareProcess: ChildProcess | undefined;
const endAll = async (): Promise<void> => {
  notices.close();
  bareNotices.close();
  bareProcess?.kill('SIGTERM');
  await processes.stopAll();
};
const giveUp = (why: string) => () => {
  console.log(`bench:scale: SHORT: ${why}`);
  void endAll().finally(() => process.exit(1));
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, giveUp(signal));
setTimeout(giveUp(`not done in ${given.minutes} minutes`), Number(given.minutes) * 60_000).unref();

try {
  const url = `http://127.0.0.1:${processes.apiPort}`;
  const cast = await makeFolder(dir, url);
  await processes.initLedger();
  await processes.startTemporal();
  await processes.startBank();
  const [worker] = await Promise.all([
    processes.startWorker(['--cached', String(CACHED)]),
    processes.startExecutor(),
    processes.startApi(),
  ]);
  bareProcess = await startBareWorker({
    TEMPORAL_ADDRESS: processes.temporalAddress,
    BANK_URL: processes.bankUrl,
    BANK_PASSWORD: password,
    BARE_NOTICES: bareNoticesFile,
    BARE_CACHED: String(CACHED),
  });
  const { client, connection } = await openClient({ connectionOptions: { address: processes.temporalAddress }, namespace: 'default' });
  const [outside, ours, bare] = [new Outside(url, cast), new KeyturnContender(cast, notices), bareContender(bareNotices)];

  // The oldest are looked at now and decided on last: by then the worker has long put them out of memory.
  const early = Array.from({ length: 2 * ROUNDS }, (_, i) => `early-${i}`);
  const rest = Array.from({ length: ACTIONS - early.length }, (_, i) => `later-${i}`);
  const votes = new Map<string, readonly (() => Promise<void>)[]>();
  const signed: (() => Promise<void>)[] = [];
  let held = 0;
  const memory = new MemoryMeter(worker.pid, () => held);
  const began = performance.now();
  await each(early, AT_ONCE, async (vendor) => {
    const id = await ours.start(client, vendor);
    const decision = await ours.approval(client, id, 'ana');
    if (signed.length < ROUNDS)
      signed.push(async () => {
        const { code, status } = await outside.send(id, decision);
        if (status !== 200) throw new Error(`a decision was answered with ${status} ${code}`);
      });
    else votes.set(vendor, [() => ours.send(client, id, decision)]);
    held++;
  });
  await each(rest, AT_ONCE, async (vendor) => {
    await ours.start(client, vendor);
    held++;
  });
  const seconds = (performance.now() - began) / 1_000;
  const figures = memory.end();

  const bareVotes: (() => Promise<void>)[] = [];
  await each(
    Array.from({ length: 2 * CACHED + ROUNDS }, (_, i) => `bare-${i}`),
    AT_ONCE,
    async (vendor) => {
      const [first] = await bare.propose(client, vendor);
      if (first !== undefined && bareVotes.length < ROUNDS) bareVotes.push(first);
    },
  );

  // What is asked of visibility is there when visibility has it all.
  const everything = `WorkflowType = 'agentAction' AND KeyturnAwaiting = 'ben'`;
  const counted = async (): Promise<number> => (await client.workflow.count(everything)).count;
  await until(`visibility has ${ACTIONS} actions`, async () => (await counted()) >= ACTIONS, 60_000);

  const times = {
    http: [] as number[],
    update: [] as number[],
    bare: [] as number[],
    inbox: [] as number[],
    next: [] as number[],
    list: [] as number[],
  };
  const bareList: number[] = [];
  const page = async (path: string): Promise<string | null> => {
    const answer = await outside.get('ben', path);
    if (answer.status !== 200) throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`);
    const { actions, next } = actionListSchema.parse(await answer.json());
    if (actions.length === 0) throw new Error(`GET ${path} is empty`);
    return next;
  };
  for (let i = 0; i < ROUNDS; i++) {
    let next: string | null = null;
    times.inbox.push(await timed(async () => (next = await page('/v1/inbox'))));
    if (next !== null) times.next.push(await timed(() => page(`/v1/inbox?next=${String(next)}`)));
    times.list.push(await timed(() => page('/v1/actions?status=awaiting_approval')));
    bareList.push(
      await timed(() =>
        client.workflowService.listWorkflowExecutions({ namespace: 'default', query: `WorkflowType = 'bareApproval'`, pageSize: 50 }),
      ),
    );
  }
  const updates = [...votes.values()].flat();
  for (let i = 0; i < ROUNDS; i++) {
    // One person decides: the API takes two decisions a second of each (src/api/limits.ts), and more rounds than its burst may be asked for.
    await pause(500);
    const [http, update, plain] = [signed[i], updates[i], bareVotes[i]];
    if (http !== undefined) times.http.push(await timed(http));
    if (update !== undefined) times.update.push(await timed(update));
    if (plain !== undefined) times.bare.push(await timed(plain));
  }

  // Held for so long, they still end as they should: the second approval, and each paid once.
  const finished = early.slice(0, FINISHED);
  await each(finished, FINISHED, async (vendor) => {
    await ours.send(client, idOf(vendor), await ours.approval(client, idOf(vendor), 'ben'));
    await ours.finish(client, vendor);
  });
  const book = await bankBook(processes.bankUrl);
  const paid = finished.filter((vendor) => book.filter((entry) => entry.vendor === vendor).length === 1).length;
  const strays = book.length - paid;
  await connection.close();

  const spread = (ms: readonly number[]): { readonly p50Ms: number; readonly p99Ms: number; readonly of: number } => ({
    p50Ms: round(median(ms), 0),
    p99Ms: round(at(ms, 0.99), 0),
    of: ms.length,
  });
  const result = {
    actions: held,
    cached: CACHED,
    heldPerSecond: round(held / seconds, 1),
    workerMemory: { ...figures, limit: LIMITS.memoryGrowth },
    decisionOnEvicted: {
      http: spread(times.http),
      update: spread(times.update),
      bareUpdate: spread(times.bare),
      p50Ratio: round(median(times.update) / median(times.bare)),
      limitP99Ms: LIMITS.decisionP99Ms,
    },
    pages: {
      inbox: spread(times.inbox),
      inboxNext: spread(times.next),
      list: spread(times.list),
      bareList: spread(bareList),
      limitP50Ms: LIMITS.pageP50Ms,
    },
    finished: { of: finished.length, paidOnce: paid, strays },
  };
  const short = [
    ...(held === ACTIONS ? [] : [`${held} of ${ACTIONS} held`]),
    // Elsewhere than on Linux there are no figures, and nothing is claimed.
    ...(figures.growth > LIMITS.memoryGrowth ? [`memory grew by ${figures.growth}`] : []),
    ...(process.platform === 'linux' && !Number.isFinite(figures.growth) ? ['no figures of the memory'] : []),
    ...[result.decisionOnEvicted.http, result.decisionOnEvicted.update].flatMap(({ p99Ms }) =>
      p99Ms < LIMITS.decisionP99Ms ? [] : [`a decision's p99 is ${p99Ms} ms`],
    ),
    ...[result.pages.inbox, result.pages.inboxNext, result.pages.list].flatMap(({ p50Ms }) =>
      p50Ms < LIMITS.pageP50Ms ? [] : [`a page's p50 is ${p50Ms} ms`],
    ),
    ...(paid === finished.length && strays === 0 ? [] : [`${paid} of ${finished.length} paid once, ${strays} strays`]),
  ];
  console.log(JSON.stringify({ ok: short.length === 0, ...result }, null, 2));
  console.log(
    short.length > 0
      ? `bench:scale: SHORT: ${short.join('; ')}`
      : `bench:scale: ok: ${held} actions held by one worker that keeps ${CACHED}: memory ${figures.lastQuarterMib} MiB (${figures.growth} times that of the ` +
          `second quarter), a decision on an evicted one p99 ${result.decisionOnEvicted.http.p99Ms} ms, inbox p50 ${result.pages.inbox.p50Ms} ms, list p50 ` +
          `${result.pages.list.p50Ms} ms`,
  );
  process.exitCode = short.length === 0 ? 0 : 1;
} finally {
  await endAll();
}
