import type { Client } from '@temporalio/client';
import { z } from 'zod';
import { readPayload, signedSchema, type Signed } from '../domain/dsse.js';
import type { JsonObject } from '../domain/json.js';
import { manifestSchema, type Manifest } from '../domain/objects/manifest.js';
import { signedByAny } from '../domain/receipt.js';
import { keyValidAt, type Executor, type Roster } from '../domain/roster.js';
import { manifestId, WORKFLOW_TYPES } from '../temporal/names.js';
import { issuesOf } from './read-body.js';
import { firstInput } from './temporal/history.js';

const FRESH_MS = 5_000;

interface Read {
  readonly signed: Signed;
  readonly manifest: Manifest;
}

/** What the executors run, as each signed it at its start: from history, with no worker or executor alive (§13). */
export class Manifests {
  private cached: { readonly roster: Roster; readonly at: number; readonly read: Promise<readonly Read[]> } | undefined;

  constructor(private readonly client: Client) {}

  /** One a known executor, each verified against the roster. Throws what Temporal throws. */
  async all(roster: Roster): Promise<readonly Read[]> {
    const now = Date.now();
    const { cached } = this;
    if (cached !== undefined && cached.roster === roster && now - cached.at < FRESH_MS) return cached.read;
    const read = Promise.all([...roster.executors.values()].map((executor) => this.read(executor, roster, now))).then((all) => all.flat());
    this.cached = { roster, at: now, read };
    read.catch(() => {
      this.cached = undefined;
    });
    return read;
  }

  private async read(executor: Executor, roster: Roster, now: number): Promise<Read[]> {
    const first = await firstInput(this.client, manifestId(executor.name));
    if (first?.type !== WORKFLOW_TYPES.executorManifest) return [];
    const signed = signedSchema.safeParse(first.input);
    const manifest = manifestSchema.safeParse(signed.success ? readPayload('manifest', signed.data) : undefined);
    if (!signed.success || !manifest.success) return [];
    if (manifest.data.deployment !== roster.deployment || manifest.data.executor !== executor.name) return [];
    const keys = executor.keys.filter((key) => keyValidAt(key, now)).map(({ key }) => key);
    return signedByAny('manifest', signed.data, keys) ? [{ signed: signed.data, manifest: manifest.data }] : [];
  }

  /** What is wrong with these parameters by the type's own schema; undefined: nothing, or nobody here knows. */
  async paramsProblem(roster: Roster, type: string, params: JsonObject): Promise<string | undefined> {
    const read = await this.all(roster).catch((): readonly Read[] => []);
    const found = read.flatMap(({ manifest }) => manifest.types).find(({ name }) => name === type);
    return found === undefined ? undefined : misfit(found.schema, params);
  }
}

/** A schema that zod cannot read from JSON Schema is left to the executor, which has the real one. */
function misfit(schema: JsonObject, params: JsonObject): string | undefined {
  try {
    const parsed = z.fromJSONSchema(schema).safeParse(params);
    return parsed.success ? undefined : issuesOf(parsed.error);
  } catch {
    return undefined;
  }
}
