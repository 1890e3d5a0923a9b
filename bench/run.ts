import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, stat } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { Client } from '@temporalio/client';
import { bankBook } from '../demo/outside.js';
import { makeFolder } from '../demo/people.js';
import { Processes } from '../demo/processes.js';
import { useNativeCrypto } from '../src/files/native-crypto.js';
import { openClient } from '../src/temporal/connection.js';
import { freePort } from '../src/temporal/free-port.js';
import { packageRoot } from '../src/temporal/paths.js';
import { startBareWorker } from './bare-process.js';
import { bareContender, idOf, KeyturnContender, type Contender } from './contenders.js';
import { CpuMeter } from './cpu-meter.js';
import { Notices } from './notices.js';
import { median, round } from './numbers.js';

/**
 * Side by side in one run, on one server and one bank: Keyturn against a bare workflow that runs one activity, waits for two Updates and pays by a
 * second activity. All clients do the same: start, be told by a line in a file that it waits, read by one query what is to be agreed to, send two
 * Updates, take the result. The bare workflow runs twice: all in one process, and `apart`, with the activities in a process of their own, as who keeps
 * credentials away from workflow code has them. Prints one JSON object and a line; exits 1 on a shortfall. Times are ratios: absolute ones depend on the
 * machine.
 */
const LATENCY_ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 100);
const THROUGHPUT = { actions: Number(process.env['BENCH_ACTIONS'] ?? 200), atOnce: 20, rounds: 3 };
const LIMITS = { latencyRatio: 1.5, throughputRatio: 0.6, events: 45, helpMs: 200, bundleBytes: 1_700_000 };

const dir = resolve('.keyturn', 'bench');
useNativeCrypto();
await rm(dir, { recursive: true, force: true });
await mkdir(dir, { recursive: true });
const password = randomBytes(16).toString('hex');
const processes = new Processes(dir, await freePort(), password, false);

const notices = new Notices(join(dir, '.keyturn', 'notices.jsonl'));
const bareNoticesFile = join(dir, 'bare-notices.jsonl');
const bareNotices = new Notices(bareNoticesFile);

async function latency(contender: Contender, client: Client, vendor: string): Promise<number> {
  const votes = await contender.propose(client, vendor);
  const [first, last] = votes;
  await first?.();
  await new Promise((done) => setTimeout(done, 100));
  const sent = performance.timeOrigin + performance.now();
  await last?.();
  await contender.finish(client, vendor);
  const paid = (await bankBook(processes.bankUrl)).find((entry) => entry.vendor === vendor) as { at: number } | undefined;
  if (paid === undefined) throw new Error(`${vendor} was not paid`);
  // The book has whole milliseconds: on average half of one is cut off.
  return paid.at + 0.5 - sent;
}

async function throughput(contender: Contender, client: Client, name: string): Promise<number> {
  let next = 0;
  const began = performance.now();
  const one = async (): Promise<void> => {
    while (next < THROUGHPUT.actions) {
      const vendor = `${name}-${next++}`;
      for (const vote of await contender.propose(client, vendor)) await vote();
      await contender.finish(client, vendor);
    }
  };
  await Promise.all(Array.from({ length: THROUGHPUT.atOnce }, one));
  return THROUGHPUT.actions / ((performance.now() - began) / 1000);
}

async function helpMs(): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 7; i++) {
    const began = performance.now();
    await once(spawn(process.execPath, [join(packageRoot, 'dist/src/cli/main.js'), '--help'], { stdio: 'ignore' }), 'exit');
    times.push(performance.now() - began);
  }
  return median(times);
}

/** The SDK wants an inline source map in the bundle: counted without it. */
async function bundleBytes(): Promise<number> {
  const { readFile } = await import('node:fs/promises');
  const path = join(packageRoot, 'dist/workflow-bundle.js');
  const code = await readFile(path, 'utf8');
  return (await stat(path)).size - (code.length - code.lastIndexOf('//# sourceMappingURL='));
}

const allPids = (): Record<string, readonly number[]> => ({
  temporal: [processes.pid('temporal')],
  bank: [processes.pid('bank')],
  worker: [processes.pid('worker')],
  executor: [processes.pid('executor')],
  bareWorkers: bareProcesses.map((each) => each.pid ?? 0),
  client: [process.pid],
});

const bareProcesses: ChildProcess[] = [];
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    for (const child of bareProcesses) child.kill('SIGKILL');
    void processes.stopAll().finally(() => process.exit(1));
  });
try {
  const cast = await makeFolder(dir, 'http://127.0.0.1:7878');
  await processes.initLedger();
  await processes.startTemporal();
  await processes.startBank();
  await Promise.all([processes.startWorker(), processes.startExecutor()]);
  const roles: Readonly<Record<string, string>>[] = [
    {},
    { BARE_QUEUE: 'apart', BARE_ROLE: 'workflow' },
    { BARE_QUEUE: 'apart-hands', BARE_ROLE: 'activities' },
  ];
  for (const role of roles)
    bareProcesses.push(
      await startBareWorker({
        TEMPORAL_ADDRESS: processes.temporalAddress,
        BANK_URL: processes.bankUrl,
        BANK_PASSWORD: password,
        BARE_NOTICES: bareNoticesFile,
        ...role,
      }),
    );
  const { client, connection } = await openClient({ connectionOptions: { address: processes.temporalAddress }, namespace: 'default' });
  const contenders = {
    bare: bareContender(bareNotices),
    apart: bareContender(bareNotices, 'apart', 'apart-hands'),
    keyturn: new KeyturnContender(cast, notices),
  };
  type Name = keyof typeof contenders;
  const all = Object.entries(contenders) as [Name, Contender][];

  // All are warmed up, for these are processes that live for weeks; then turn and turn about, so that a slow minute of the machine slows all.
  for (const [name, contender] of all) await throughput(contender, client, `warm-${name}`);
  const times: Record<Name, number[]> = { bare: [], apart: [], keyturn: [] };
  for (let i = 0; i < LATENCY_ROUNDS; i++)
    for (const [name, contender] of all) times[name].push(await latency(contender, client, `lat-${name}-${i}`));
  const rates: Record<Name, number[]> = { bare: [], apart: [], keyturn: [] };
  const spent: Record<Name, CpuMeter> = { bare: new CpuMeter(allPids()), apart: new CpuMeter(allPids()), keyturn: new CpuMeter(allPids()) };
  for (let i = 0; i < THROUGHPUT.rounds; i++)
    for (const [name, contender] of all)
      rates[name].push(await spent[name].during(() => throughput(contender, client, `thr-${name}-${i}`)));
  const history = await client.workflow.getHandle(idOf('lat-keyturn-0')).fetchHistory();
  await connection.close();

  const result = {
    lastApprovalToEffect: {
      bareMs: round(median(times.bare), 1),
      apartMs: round(median(times.apart), 1),
      keyturnMs: round(median(times.keyturn), 1),
      p50Ratio: round(median(times.keyturn) / median(times.bare)),
      p50RatioToApart: round(median(times.keyturn) / median(times.apart)),
      limit: LIMITS.latencyRatio,
      rounds: LATENCY_ROUNDS,
    },
    finishedActionsPerSecond: {
      bare: round(median(rates.bare), 1),
      apart: round(median(rates.apart), 1),
      keyturn: round(median(rates.keyturn), 1),
      ratio: round(median(rates.keyturn) / median(rates.bare)),
      ratioToApart: round(median(rates.keyturn) / median(rates.apart)),
      limit: LIMITS.throughputRatio,
      atOnce: THROUGHPUT.atOnce,
    },
    cpuMsPerAction: Object.fromEntries(all.map(([name]) => [name, spent[name].per(THROUGHPUT.rounds * THROUGHPUT.actions)])),
    eventsOfA2of3Approval: { events: history.events?.length ?? 0, limit: LIMITS.events },
    help: { ms: round(await helpMs(), 0), limit: LIMITS.helpMs },
    workflowBundle: { bytes: await bundleBytes(), limit: LIMITS.bundleBytes },
  };
  const ok =
    result.lastApprovalToEffect.p50Ratio <= LIMITS.latencyRatio &&
    result.finishedActionsPerSecond.ratio >= LIMITS.throughputRatio &&
    result.eventsOfA2of3Approval.events <= LIMITS.events &&
    result.help.ms < LIMITS.helpMs &&
    result.workflowBundle.bytes < LIMITS.bundleBytes;
  console.log(JSON.stringify({ ok, ...result }, null, 2));
  const { lastApprovalToEffect: latencies, finishedActionsPerSecond: rate, eventsOfA2of3Approval: history2of3 } = result;
  console.log(
    `bench:ratios: ${ok ? 'ok' : 'SHORT'}: last approval to effect ${latencies.p50Ratio} (at most ${LIMITS.latencyRatio}), finished actions ${rate.ratio} ` +
      `(at least ${LIMITS.throughputRatio}) of a bare workflow's in one process (in two: ${latencies.p50RatioToApart}, ${rate.ratioToApart}); ${history2of3.events} events (at most ${LIMITS.events})`,
  );
  process.exitCode = ok ? 0 : 1;
} finally {
  notices.close();
  bareNotices.close();
  for (const child of bareProcesses) child.kill('SIGTERM');
  await processes.stopAll();
}
