import type { Client } from '@temporalio/client';
import type { Context } from 'hono';
import type { Signer } from '../domain/dsse.js';
import type { Roster } from '../domain/roster.js';
import type { Limits } from './limits.js';
import type { Looks } from './looks.js';
import type { Manifests } from './manifests.js';
import type { Metrics } from './metrics.js';
import type { Copy } from './policy.js';
import type { Places } from './proposals/places.js';
import type { Pending } from './temporal/pending.js';
import type { Probe } from './temporal/probe.js';
import type { Waits } from './temporal/waits.js';
import type { Windows } from './temporal/windows.js';

/** What pino's logger and a test's array both are. */
export interface Log {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

/** What every handler works with. The API holds no reviewer's key; its own key vouches for bearer agents, no more (§3). */
export interface Api {
  readonly client: Client;
  /** The roster as it stands on disk. Throws `roster_invalid` while the file is broken: never an older one that was good. */
  readonly roster: () => Promise<Roster>;
  /** The API's own copy of the policy, if it was given one. It informs, it decides nothing. */
  readonly policy: () => Promise<Copy>;
  readonly signer: Signer | undefined;
  readonly manifests: Manifests;
  readonly waits: Waits;
  readonly looks: Looks;
  readonly metrics: Metrics;
  readonly limits: Limits;
  readonly places: Places;
  readonly pending: Pending;
  readonly probe: Probe;
  readonly windows: Windows;
  readonly log: Log;
}

export interface Variables {
  /** `from`: the address of the connection; no header is asked. */
  Variables: { requestId: string; route: string; limits: Limits; from: string };
  Bindings: { from?: string };
}
export type Call = Context<Variables>;

/** Path with query as it was sent: what a signed read is for. */
export function pathOf(c: Call): string {
  const url = new URL(c.req.url);
  return url.pathname + url.search;
}
