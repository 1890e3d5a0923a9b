import { AsyncLocalStorage } from 'node:async_hooks';
import type { Client } from '@temporalio/client';
import { Limited } from '../limits.js';

/** Calls to Temporal at once, of one API process; the last ones are kept for whatever stops something. */
const MOST = 300;
const RESERVE = 50;

const reserved = new AsyncLocalStorage<true>();
const inFlight = new WeakMap<Client, number>();

/** Everything asked of Temporal within may use the reserve: rejections, withdrawals, cancels, freezes. */
export const withReserve = <T>(work: () => Promise<T>): Promise<T> => reserved.run(true, work);

/** Counts a call while it lasts. Throws `temporal_unavailable` when there are too many: nothing was asked then. */
export async function throughGate<T>(client: Client, work: () => Promise<T>): Promise<T> {
  const now = inFlight.get(client) ?? 0;
  if (now >= (reserved.getStore() === true ? MOST : MOST - RESERVE))
    throw new Limited(
      'temporal',
      'This API has as many calls to Temporal under way as it makes at once; this one was not made.',
      2,
      'temporal_unavailable',
    );
  inFlight.set(client, now + 1);
  try {
    return await work();
  } finally {
    inFlight.set(client, (inFlight.get(client) ?? 1) - 1);
  }
}
