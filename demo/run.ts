#!/usr/bin/env node
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { euros } from '../examples/payments/types.js';
import { Keyturn } from '../src/client/index.js';
import { temporalBinary } from '../src/temporal/binary.js';
import { freePort, isPortFree } from '../src/temporal/free-port.js';
import { bankBook, Outside } from './outside.js';
import { DEPLOYMENT, makeFolder } from './people.js';
import { Processes } from './processes.js';
import { reporter } from './report.js';
import type { Stage } from './stage.js';
import { storyAttacked, storyEvidence, storyUndone } from './stories-broken.js';
import { storyModified, storyRefused } from './stories-changed.js';
import { storyHeld, storyKilled } from './stories-held.js';

const API_PORT = 7_878;
const STORIES = [storyHeld, storyKilled, storyModified, storyRefused, storyUndone, storyAttacked, storyEvidence];

const json = process.argv.includes('--json');
const keep = process.argv.includes('--keep');
const report = reporter(json);

const dir = resolve('.keyturn', 'demo');
await rm(dir, { recursive: true, force: true });
await mkdir(dir, { recursive: true });
report.say('Keyturn demo: a real Temporal server, real processes, a small real bank.');
report.say('Everything stays on 127.0.0.1. Files are left in .keyturn/demo.');
report.say();
const binary = await temporalBinary({ log: (line) => report.say(`  ${line}`) });
const serverVersion = /Server (\S+?)[,)]/.exec((await promisify(execFile)(binary.path, ['--version'])).stdout)?.[1] ?? binary.version;

const started = Date.now();
const apiPort = (await isPortFree(API_PORT)) ? API_PORT : await freePort();
const url = `http://127.0.0.1:${apiPort}`;
const bankPassword = randomBytes(16).toString('hex');
const processes = new Processes(dir, apiPort, bankPassword, keep);

let stopping: Promise<number[]> | undefined;
const stopAll = (): Promise<number[]> => (stopping ??= processes.stopAll());
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stopAll().then(() => process.exit(130)));

let told = 0;
try {
  const cast = await makeFolder(dir, url);
  await processes.initLedger();
  await processes.startTemporal();
  await processes.startBank();
  await Promise.all([processes.startWorker(), processes.startExecutor(), processes.startApi()]);
  const pid = (part: Parameters<typeof processes.pid>[0]): string => `pid ${processes.pid(part)}`;
  report.say(`  ${`temporal ${serverVersion}`.padEnd(16)} ${pid('temporal').padEnd(12)} worker    ${pid('worker')}`);
  report.say(`  ${'bank (own book)'.padEnd(16)} ${pid('bank').padEnd(12)} executor  ${pid('executor')}  holds the bank's password`);
  report.say(`  ${`api :${apiPort}`.padEnd(16)} ${pid('api').padEnd(12)} agent     has none of these, only its own key`);

  const stage: Stage = {
    dir,
    report,
    processes,
    outside: new Outside(url, cast),
    agent: new Keyturn({ url, deployment: DEPLOYMENT, agent: 'ap-agent', key: cast.agentKey }),
    cast,
    temporalBinary: binary.path,
    bankPassword,
    ids: new Map(),
    notices: async (id) => {
      const lines = (await readFile(join(dir, '.keyturn', 'notices.jsonl'), 'utf8')).trim().split('\n');
      return lines.map((line) => JSON.parse(line) as { event: string; actionId: string }).filter((notice) => notice.actionId === id);
    },
  };
  for (const story of STORIES) {
    const failed = report.failures;
    await story(stage);
    if (report.failures === failed) told++;
  }
  report.say();
  report.say("  The bank's book, asked of the bank itself:");
  const book = await bankBook(processes.bankUrl);
  for (const entry of book)
    report.say(`    ${entry.id}   EUR ${euros(entry.cents).slice(4).padStart(9)}   ${entry.vendor.padEnd(12)} ${entry.state}`);
  const ran = book.filter((entry) => entry.state === 'paid').length;
  const undone = book.filter((entry) => entry.state === 'released').length;
  report.say();
  report.claim(
    `6 actions: ${ran} ran, each once. ${undone} undone. ${6 - ran - undone} never ran. ${report.refused} attempts refused.`,
    'the book and the refusals',
    { paid: 2, released: 1, entries: 3, refused: 6 },
    { paid: ran, released: undone, entries: book.length, refused: report.refused },
  );

  if (keep) {
    report.say();
    report.say(`  left running: web UI ${processes.uiAddress ?? ''}   api ${url}`);
    report.say('  Ctrl-C stops everything.');
    await new Promise<void>((done) => process.once('SIGINT', done));
  }
  const left = await stopAll();
  report.claim('', 'processes left running', [], left);
  report.end({ book, seconds: (Date.now() - started) / 1000 });
} catch (error) {
  await stopAll();
  console.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
  report.end({ book: [], error: String(error) });
  process.exit(1);
}
const seconds = Math.round((Date.now() - started) / 1000);
report.say();
report.say(
  report.failures === 0
    ? `OK in ${seconds} s. ${told} of ${STORIES.length} stories as expected. Every process is stopped.`
    : `FAILED: ${report.failures} claims were wrong; ${told} of ${STORIES.length} stories as expected.`,
);
report.say();
report.say('  npm run demo -- --keep   the same, left running with the Temporal Web UI');
report.say('  npm run dev              your turn: propose, inbox, show, approve');
process.exitCode = report.failures === 0 ? 0 : 1;
