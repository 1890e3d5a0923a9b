import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE_MS = 90_000;

/** Trying again would not help. */
export class Unrecoverable extends Error {}

/** Tries until there is a value, whatever is down meanwhile; gives up after a minute and a half. */
export async function insist<T>(what: string, attempt: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + PATIENCE_MS;
  let last = '';
  for (;;) {
    try {
      const value = await attempt();
      if (value !== undefined) return value;
    } catch (error) {
      if (error instanceof Unrecoverable) throw error;
      last = `: ${error instanceof Error ? error.message : 'no error'}`;
    }
    if (Date.now() > end) throw new Error(`in vain: ${what}${last}`);
    await sleep(100);
  }
}
