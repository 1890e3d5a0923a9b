import type { Client } from '@temporalio/client';
import { within } from './calls.js';
import { withReserve } from './gate.js';

const PROBE_MS = 2_000;
const GOOD_FOR_MS = 1_000;

/** Whether Temporal answers for our namespace: one question at a time and one a second, however many ask. Anybody may ask, so it must cost nothing. */
export class Probe {
  private answer: Promise<boolean> | undefined;
  private until = Number.POSITIVE_INFINITY;

  constructor(
    private readonly client: Client,
    private readonly now: () => number = () => performance.now(),
  ) {}

  answers(): Promise<boolean> {
    if (this.answer === undefined || this.now() >= this.until) {
      this.until = Number.POSITIVE_INFINITY;
      this.answer = this.ask().finally(() => (this.until = this.now() + GOOD_FOR_MS));
    }
    return this.answer;
  }

  private async ask(): Promise<boolean> {
    const { client } = this;
    try {
      // An API that is full is still ready: taken out of rotation it could not take a stop either.
      await withReserve(() =>
        within(client, PROBE_MS, () => client.workflowService.describeNamespace({ namespace: client.options.namespace })),
      );
      return true;
    } catch {
      // Why is of no use to a load balancer, and nothing for anybody.
      return false;
    }
  }
}
