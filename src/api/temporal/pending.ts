import type { Client } from '@temporalio/client';
import { STATUSES, type Status } from '../../domain/outcome.js';
import { attributes } from '../../temporal/attributes.js';
import { WORKFLOW_TYPES } from '../../temporal/names.js';
import type { Gauge } from '../metrics.js';
import { within } from './calls.js';

/** However often somebody scrapes, visibility is asked no more often than this. */
const FRESH_MS = 15_000;
/** Nor more often than this while it does not answer. */
const FAILED_MS = 5_000;
const LOOK_MS = 5_000;
const OPEN = (Object.keys(STATUSES) as Status[]).filter((status) => !STATUSES[status].final);
/** Halving 100 days this often comes down to a second and a half. */
const HALVINGS = 23;
const LONGEST_MS = 100 * 24 * 3_600_000;
const FEW = 100;

interface Seen {
  readonly pending: ReadonlyMap<Status, number>;
  readonly overdue: number;
  readonly oldestMs: number;
}

/**
 * How many actions are open, by status, how old the oldest undecided one is, and how many are past their time: by Temporal's visibility, so they are the
 * worker's claims, seconds old. At most 32 queries each 15 s, whatever is asked of this API; while Temporal does not answer there is none of it but `up 0`.
 */
export class Pending {
  private seen: Seen | undefined;
  private looking: Promise<void> | undefined;
  private failed = false;
  private next = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly client: Client,
    private readonly now: () => number = () => Date.now(),
  ) {}

  async gauges(): Promise<Gauge[]> {
    if (this.now() >= this.next) {
      this.looking ??= this.look().finally(() => (this.looking = undefined));
      await this.looking;
    }
    const up = { name: 'keyturn_visibility_up', help: "1: Temporal's visibility answered.", values: [{ value: this.failed ? 0 : 1 }] };
    if (this.seen === undefined || this.failed) return [up];
    const { pending, overdue, oldestMs } = this.seen;
    return [
      up,
      {
        name: 'keyturn_actions_open',
        help: 'Actions that have not ended, by status.',
        values: OPEN.map((status) => ({ labels: { status }, value: pending.get(status) ?? 0 })),
      },
      { name: 'keyturn_actions_overdue', help: 'Open actions, not begun, a minute past their deadline.', values: [{ value: overdue }] },
      {
        name: 'keyturn_oldest_pending_seconds',
        help: 'Age of the oldest action that waits for people; 0: none waits.',
        values: [{ value: Math.round(oldestMs / 1_000) }],
      },
    ];
  }

  private async look(): Promise<void> {
    const at = this.now();
    try {
      this.seen = await within(this.client, LOOK_MS, async () => {
        const counts = await Promise.all(OPEN.map(async (status) => [status, await this.count(is(status))] as const));
        const late = `${attributes.deadline.name} < '${new Date(at - 60_000).toISOString()}'`;
        const waiting = ['awaiting_approval', 'approved'] as const;
        const overdue = await Promise.all(waiting.map((status) => this.count(`${is(status)} AND ${late}`)));
        return {
          pending: new Map(counts),
          overdue: overdue.reduce((sum, each) => sum + each, 0),
          oldestMs: await this.oldest(new Map(counts).get('awaiting_approval') ?? 0, at),
        };
      });
      this.failed = false;
      this.next = at + FRESH_MS;
    } catch {
      // Said by the gauge itself; readyz says why.
      this.failed = true;
      this.next = this.now() + FAILED_MS;
    }
  }

  /** SQL visibility gives the newest first and no other order, so the oldest are found by halving the time until few are left to list. */
  private async oldest(waiting: number, now: number): Promise<number> {
    let [from, to, left] = [now - LONGEST_MS, now, waiting];
    for (let i = 0; i < HALVINGS && left > FEW; i++) {
      const middle = Math.floor((from + to) / 2);
      const older = await this.count(before(middle));
      if (older === 0) from = middle;
      else [to, left] = [middle, older];
    }
    if (left === 0) return 0;
    const { executions } = await this.client.workflowService.listWorkflowExecutions({
      namespace: this.client.options.namespace,
      query: `${RUNNING} AND ${before(to)}`,
      pageSize: FEW,
    });
    const starts = (executions ?? []).map(({ startTime }) => Number(startTime?.seconds ?? 0) * 1_000);
    return starts.length === 0 ? 0 : Math.max(0, now - Math.min(...starts));
  }

  private async count(condition: string): Promise<number> {
    const { count } = await this.client.workflowService.countWorkflowExecutions({
      namespace: this.client.options.namespace,
      query: `${RUNNING} AND ${condition}`,
    });
    return Number(count ?? 0);
  }
}

const RUNNING = `WorkflowType = '${WORKFLOW_TYPES.agentAction}' AND ExecutionStatus = 'Running'`;
const is = (status: Status): string => `${attributes.status.name} = '${status}'`;
const before = (ms: number): string => `${is('awaiting_approval')} AND StartTime <= '${new Date(ms).toISOString()}'`;
