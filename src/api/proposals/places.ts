import type { Client } from '@temporalio/client';
import type { Agent } from '../../domain/roster.js';
import { Limited } from '../limits.js';
import { countRunning } from '../temporal/list.js';

/** How old a count may be, and how long visibility may take to know of a run that was started. */
const COUNT_GOOD_FOR_MS = 3_000;
const VISIBLE_AFTER_MS = 10_000;
const RETRY_S = 10;

interface Known {
  count: Promise<number>;
  at: number;
  /** When this process started runs, or tried to. */
  opened: { readonly at: number }[];
}

/**
 * The most actions of one agent that may be under way at once (attack case 77). Counted by Temporal's visibility, which lags, so what this process
 * started of late is added: at worst an action counts twice for some seconds, never not at all. Other API processes' newest are missed for as long.
 */
export class Places {
  private readonly agents = new Map<string, Known>();

  constructor(
    private readonly client: Client,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Takes a place, or throws `rate_limited`. Give it back if nothing was started. Throws `temporal_unavailable` if it cannot be counted. */
  async take({ id, limits }: Agent): Promise<() => void> {
    const known = this.known(id);
    const { count } = known;
    const counted = await count.catch((error: unknown) => {
      if (known.count === count) known.at = Number.NEGATIVE_INFINITY;
      throw error;
    });
    known.opened = known.opened.filter(({ at }) => at > known.at - VISIBLE_AFTER_MS);
    if (counted + known.opened.length >= limits.pending)
      throw new Limited(
        'pending',
        `${id} has ${limits.pending} actions under way, which is the most; nothing was opened, and the key is not used up`,
        RETRY_S,
      );
    const place = { at: this.now() };
    known.opened.push(place);
    return () => {
      known.opened = known.opened.filter((each) => each !== place);
    };
  }

  private known(agent: string): Known {
    const before = this.agents.get(agent);
    const now = this.now();
    if (before === undefined) {
      const fresh: Known = { count: countRunning(this.client, agent), at: now, opened: [] };
      this.agents.set(agent, fresh);
      return fresh;
    }
    if (now - before.at > COUNT_GOOD_FOR_MS) {
      before.count = countRunning(this.client, agent);
      before.at = now;
    }
    return before;
  }
}
