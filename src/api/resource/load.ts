import type { ActionResource } from '../../domain/http.js';
import type { ActionId } from '../../domain/ids.js';
import type { Roster } from '../../domain/roster.js';
import type { Snapshot } from '../../domain/review/snapshot.js';
import type { Api } from '../api.js';
import { notFound } from '../problem.js';
import { describe, type Described } from '../temporal/describe.js';
import { snapshotOf } from '../temporal/snapshot.js';
import { untilClosed } from '../temporal/waits.js';
import { resourceOf, staleResource } from './resource.js';

export interface Loaded {
  readonly described: Described;
  /** Undefined: no worker answered. */
  readonly snapshot: Snapshot | undefined;
  readonly resource: ActionResource;
}

/** One action as it stands. Throws 404, or `temporal_unavailable`. */
export async function load(api: Pick<Api, 'client' | 'log'>, id: ActionId, roster: Roster): Promise<Loaded> {
  const asked = snapshotOf(api, id);
  const described = await describe(api.client, id);
  if (described === undefined) throw notFound();
  let snapshot = await asked;
  // Asked side by side, the run may have closed between the two answers; a closed one no longer moves.
  if (described.run !== 'running' && snapshot?.outcome.final === false) snapshot = await snapshotOf(api, id);
  const resource = snapshot === undefined ? staleResource(described) : resourceOf(described, snapshot, roster, Date.now());
  return { described, snapshot, resource };
}

/** Loads it, and again once its run is closed or `ms` are over, unless there is nothing to wait for. */
export async function loadAfter(api: Api, id: ActionId, roster: Roster, ms: number, caller: AbortSignal): Promise<Loaded> {
  const until = Date.now() + ms;
  const loaded = await load(api, id, roster);
  const { resource } = loaded;
  if (ms === 0 || resource.outcome.final || resource.openQuestions.length > 0 || !resource.running) return loaded;
  return api.waits.run(caller, async (signal) => {
    await untilClosed(api.client, id, until - Date.now(), signal);
    return load(api, id, roster);
  });
}
