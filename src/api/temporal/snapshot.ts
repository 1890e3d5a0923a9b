import { snapshotSchema, type Snapshot } from '../../domain/review/snapshot.js';
import type { Api } from '../api.js';
import { issuesOf } from '../read-body.js';
import { PATIENCE_MS, within } from './calls.js';

/**
 * What the workflow says of itself; claims, but for what the executor signed. Undefined: no worker answered in time, or what answered is no run of
 * ours. Whether Temporal itself is there, `describe` tells.
 */
export async function snapshotOf({ client, log }: Pick<Api, 'client' | 'log'>, id: string): Promise<Snapshot | undefined> {
  let raw: unknown;
  try {
    raw = await within(client, PATIENCE_MS, () => client.workflow.getHandle(id).query<unknown>('action'));
  } catch {
    return undefined;
  }
  const snapshot = snapshotSchema.safeParse(raw);
  if (snapshot.success && snapshot.data.id === id) return snapshot.data;
  log.warn(
    { id, misfit: snapshot.success ? 'another id' : issuesOf(snapshot.error) },
    'a workflow answered with something that is no snapshot',
  );
  return undefined;
}
