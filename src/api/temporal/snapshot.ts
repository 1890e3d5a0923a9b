import type { Client } from '@temporalio/client';
import { snapshotSchema, type Snapshot } from '../../domain/review/snapshot.js';
import { PATIENCE_MS, within } from './calls.js';

/**
 * What the workflow says of itself; claims, but for what the executor signed. Undefined: no worker answered in time, or what answered is no run of
 * ours. Whether Temporal itself is there, `describe` tells.
 */
export async function snapshotOf(client: Client, id: string, ms = PATIENCE_MS): Promise<Snapshot | undefined> {
  try {
    const raw = await within(client, ms, () => client.workflow.getHandle(id).query<unknown>('action'));
    const snapshot = snapshotSchema.safeParse(raw);
    return snapshot.success && snapshot.data.id === id ? snapshot.data : undefined;
  } catch {
    return undefined;
  }
}
