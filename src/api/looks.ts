import { digestOfSigned, readPayload, type Signed } from '../domain/dsse.js';
import type { Digest, PersonId } from '../domain/ids.js';
import { envelopeSchema } from '../domain/objects/envelope.js';

const MOST = 20_000;

/**
 * Who read which revision through this API, and since when: for the guard `minView`. A quality guard of this API alone: what it forgets, by a restart or
 * because it remembers no more than so many, is read again.
 */
export class Looks {
  /** `person digest` → ms of the first answered read. */
  private readonly first = new Map<string, number>();
  /** How long a revision must have been read, in ms; 0: its rule does not say. */
  private readonly wanted = new Map<Digest, number>();

  /** These revisions are known from now on; `reader` was shown the newest. `now` in ms. */
  saw(envelopes: readonly Signed[], reader: PersonId | undefined, now: number): void {
    const digest = envelopes.map((signed) => this.learn(signed)).at(-1);
    if (digest === undefined || reader === undefined) return;
    const name = `${reader} ${digest}`;
    if ((this.wanted.get(digest) ?? 0) > 0 && !this.first.has(name)) remember(this.first, name, now);
  }

  private learn(signed: Signed): Digest {
    const digest = digestOfSigned(signed);
    if (this.wanted.has(digest)) return digest;
    const envelope = envelopeSchema.safeParse(readPayload('envelope', signed));
    if (envelope.success) remember(this.wanted, digest, envelope.data.guards.minView ?? 0);
    return digest;
  }

  /** False: this API has not seen this revision yet. */
  knows = (digest: Digest): boolean => this.wanted.has(digest);

  /** How long this person still has to wait before approving, and what the rule asks for, in ms; undefined: not at all. */
  left(
    person: PersonId,
    digest: Digest,
    now: number,
  ): { readonly wait: number; readonly minView: number; readonly read: boolean } | undefined {
    const minView = this.wanted.get(digest) ?? 0;
    const since = this.first.get(`${person} ${digest}`);
    const wait = since === undefined ? minView : since + minView - now;
    return wait > 0 ? { wait, minView, read: since !== undefined } : undefined;
  }
}

/** The oldest is forgotten first. */
function remember<K>(map: Map<K, number>, name: K, value: number): void {
  const [oldest] = map.keys();
  if (map.size >= MOST && oldest !== undefined) map.delete(oldest);
  map.set(name, value);
}
