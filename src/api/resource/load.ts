import type { Client } from '@temporalio/client';
import type { Ended } from '../../domain/ended.js';
import type { ActionResource } from '../../domain/http.js';
import type { ActionId } from '../../domain/ids.js';
import type { Roster } from '../../domain/roster.js';
import type { Snapshot } from '../../domain/review/snapshot.js';
import type { Api } from '../api.js';
import { notFound } from '../problem.js';
import { describe, type Described } from '../temporal/describe.js';
import { firstInput, returned } from '../temporal/history.js';
import { snapshotOf } from '../temporal/snapshot.js';
import { pause, untilClosed } from '../temporal/waits.js';
import { endProvenBy, trustInType } from './proven.js';
import { requestOf, resourceOf, staleResource } from './resource.js';

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
  const resource =
    snapshot === undefined
      ? staleResource(described, await provenByResult(api.client, described, roster))
      : resourceOf(described, snapshot, roster, Date.now());
  return { described, snapshot, resource };
}

/** The end of a completed run, where the receipt it returned proves one: no worker need live for that. */
async function provenByResult(client: Client, { line, run }: Described, roster: Roster): Promise<Ended | undefined> {
  if (run !== 'completed') return undefined;
  const [started, ended] = await Promise.all([firstInput(client, line.id), returned(client, line.id)]);
  const request = requestOf({ id: line.id, request: started?.input });
  if (request === undefined || ended === undefined) return undefined;
  const outcome = endProvenBy(line.id, ended.receipt, trustInType(roster, request.type));
  return outcome === undefined ? undefined : { ...outcome, receipt: ended.receipt };
}

/** Loads it, and again once its run is closed, a question is open or `ms` are over, unless there is nothing to wait for. */
export async function loadAfter(
  api: Api,
  before: Described,
  roster: Roster,
  ms: number,
  { who, signal: caller }: { readonly who: string; readonly signal: AbortSignal },
): Promise<Loaded> {
  const { id } = before.line;
  const until = Date.now() + ms;
  const loaded = await load(api, id, roster);
  const { resource } = loaded;
  if (ms === 0 || resource.outcome.final || resource.openQuestions.length > 0 || !resource.running) return loaded;
  return api.waits.run(who, caller, async (signal) => {
    const over = new AbortController();
    const ended = AbortSignal.any([signal, over.signal]);
    try {
      const closed = untilClosed(api.client, id, until - Date.now(), ended);
      return await Promise.race([closed.then(() => load(api, id, roster)), untilAsked(api, before, roster, ended)]);
    } finally {
      over.abort();
    }
  });
}

const LOOK_MS = 1_000;

/** Resolves with the action once a question is open, or it has ended while its run goes on for a post-review; else never. Only what happened since is looked at: a quiet run costs no query. */
async function untilAsked(api: Api, before: Described, roster: Roster, signal: AbortSignal): Promise<Loaded> {
  let seen = before.events;
  while (!signal.aborted) {
    await pause(LOOK_MS, signal);
    const described = await describe(api.client, before.line.id).catch(() => undefined);
    if (described === undefined || described.events === seen) continue;
    const loaded = await load(api, described.line.id, roster).catch(() => undefined);
    if (loaded?.snapshot === undefined) continue;
    seen = described.events;
    if (loaded.resource.openQuestions.length > 0 || loaded.resource.outcome.final) return loaded;
  }
  return new Promise<never>(() => undefined);
}
