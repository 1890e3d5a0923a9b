import { existsSync, readFileSync, renameSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Transition } from '../../src/executor/ledger/transitions.js';

/**
 * What an executor does to itself at one transition of one action. `before` the commit of its transaction: SIGKILL. `after` it: it stands still with
 * that action, until it is killed from outside or let go, so that one kill meets many actions, each right after another transition.
 */
export interface Order {
  readonly transition: Transition;
  readonly when: 'before' | 'after';
}

/** A transition that ran in a transaction, and of which action. */
export interface Ran {
  readonly transition: Transition;
  readonly id: string;
}

const DONE = '.done';
const GO = 'go';
const fileOf = (dir: string, id: string): string => join(dir, `${id}.json`);

export const giveOrder = (dir: string, id: string, order: Order): Promise<void> => writeFile(fileOf(dir, id), JSON.stringify(order));
export const isCarriedOut = (dir: string, id: string): boolean => existsSync(fileOf(dir, id) + DONE);
/** Lets the executor go on wherever it stands still. */
export const letGo = (dir: string): Promise<void> => writeFile(join(dir, GO), '');

/** Carries out the order for one of these actions, if there is one for this very moment. */
export async function obey(dir: string, ran: readonly Ran[], when: Order['when']): Promise<void> {
  for (const { transition, id } of ran) {
    const file = fileOf(dir, id);
    if (!existsSync(file)) continue;
    const order = JSON.parse(readFileSync(file, 'utf8')) as Order;
    if (order.transition !== transition || order.when !== when) continue;
    // Once only, and known to the test even though this process says nothing any more.
    renameSync(file, file + DONE);
    if (when === 'before') die();
    while (!existsSync(join(dir, GO))) await sleep(20);
  }
}

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  // Not one more instruction of the program, should the signal take its time.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
