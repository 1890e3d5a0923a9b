import { Worker } from 'node:worker_threads';

/**
 * What hangs, told by this process's own time: it may be stopped from outside, or get little of a busy machine, and no mutant must be called hanging for it.
 * A wait is counted in turns of the event loop; a loop without end in processor time, by a thread beside it which ends the process.
 */
const TURN_MS = 100;
const MOST_CPU_MS = 60_000;

const beside = `
const { workerData } = require('node:worker_threads');
const { writeFileSync } = require('node:fs');
const progress = new Int32Array(workerData.progress);
let last = -1;
let since = process.cpuUsage();
setInterval(() => {
  const now = Atomics.load(progress, 0);
  const { user, system } = process.cpuUsage(since);
  if (now !== last) { last = now; since = process.cpuUsage(); }
  else if (Atomics.load(progress, 1) === 1 && (user + system) / 1000 > ${MOST_CPU_MS}) {
    writeFileSync(workerData.file + Atomics.load(progress, 2), '');
    process.kill(process.pid, 'SIGKILL');
  }
}, 500);
`;

export class Hangs extends Error {}

/** `file`: the start of a file's name; with the number of the mutant that never came back it is left for the process after this one. */
export function watchdog(file) {
  const shared = new SharedArrayBuffer(12);
  const progress = new Int32Array(shared);
  const thread = new Worker(beside, { eval: true, workerData: { progress: shared, file } });
  thread.unref();
  return {
    begins(mutant) {
      Atomics.store(progress, 2, Number(mutant));
      Atomics.store(progress, 1, 1);
      Atomics.add(progress, 0, 1);
    },
    goesOn: () => Atomics.add(progress, 0, 1),
    ends: () => Atomics.store(progress, 1, 0),
  };
}

let failNow;
for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.on(event, (error) => failNow?.(Object.assign(new Error(`${event}: ${String(error)}`), { cause: error })));
}

/** Runs a body; throws what it throws, what it leaves uncaught, or `Hangs` when it has not ended after so many turns. */
export async function watched(body, turns) {
  let timer;
  const otherwise = new Promise((_, reject) => {
    failNow = reject;
    let left = turns;
    timer = setInterval(() => {
      if (--left < 0) reject(new Hangs(`no end after ${turns} turns`));
    }, TURN_MS);
  });
  otherwise.catch(() => undefined);
  try {
    await Promise.race([body(), otherwise]);
  } finally {
    clearInterval(timer);
    failNow = undefined;
  }
}
