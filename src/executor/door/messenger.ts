import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { PAYLOAD_TYPES, type Signed } from '../../domain/dsse.js';
import type { ActionId } from '../../domain/ids.js';
import type { Executor } from '../executor.js';
import { readLodgedSince } from '../ledger/rows.js';

const PATIENCE_MS = 3_000;
const RETRY_MS = 2_000;
const MOST_OWED = 1_000;
/** What was lodged before this process started may have come by the door while Temporal was away: its run is told at the start. */
const LOOK_BACK_MS = 24 * 60 * 60_000;

interface Owed {
  readonly actionId: ActionId;
  readonly signed: Signed;
}

/**
 * Tells the runs of actions what came by the door, so that they end at once and show why: the same signed message, as the signal Temporal keeps. The
 * ledger has decided already; a run that is never told is refused at its next order. Nothing here is waited for.
 */
export class Messenger {
  private readonly owed = new Map<string, Owed>();
  private client: Client | undefined;
  private timer: NodeJS.Timeout | undefined;
  private sending = false;
  private ended = false;

  constructor(private readonly executor: Executor) {}

  /** Notes it, and sends it now if Temporal is there. */
  tell(actionId: ActionId, signed: Signed): void {
    const [oldest] = this.owed.keys();
    if (oldest !== undefined && this.owed.size >= MOST_OWED) this.owed.delete(oldest);
    this.owed.set(`${actionId} ${signed.payload}`, { actionId, signed });
    this.later(0);
  }

  /** Temporal is there: from now on messages are sent, first those owed from before. */
  async connected(client: Client): Promise<void> {
    const isFirst = this.client === undefined;
    this.client = client;
    if (isFirst)
      for (const { actionId, signed } of await this.executor.ledger.transaction((tx) =>
        readLodgedSince(tx.sql, this.executor.now() - LOOK_BACK_MS, MOST_OWED),
      ))
        this.owed.set(`${actionId} ${signed.payload}`, { actionId, signed });
    this.later(0);
  }

  end(): void {
    this.ended = true;
    clearTimeout(this.timer);
  }

  private later(ms: number): void {
    if (this.ended || this.sending || this.owed.size === 0 || this.client === undefined) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.sendAll(), ms);
    this.timer.unref();
  }

  private async sendAll(): Promise<void> {
    this.sending = true;
    try {
      for (const [name, owed] of [...this.owed]) {
        if (this.ended || !(await this.send(owed))) break;
        this.owed.delete(name);
      }
    } finally {
      this.sending = false;
      this.later(RETRY_MS);
    }
  }

  /** False: not now. A run that is closed or was never started needs no telling. */
  private async send({ actionId, signed }: Owed): Promise<boolean> {
    const { client } = this;
    if (client === undefined) return false;
    const door = signed.payloadType === PAYLOAD_TYPES.decision ? 'decision' : 'lodge';
    try {
      await client.withDeadline(Date.now() + PATIENCE_MS, () => client.workflow.getHandle(actionId).signal(door, signed));
      return true;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return true;
      this.executor.log('a run is not told yet what came by the door', {
        actionId,
        error: error instanceof Error ? error.message : String(error),
      });
      return false;
    }
  }
}
