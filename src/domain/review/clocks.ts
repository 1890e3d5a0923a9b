import { toMs } from '../instant.js';
import type { Envelope } from '../objects/envelope.js';

/** What a clock rings for. `n` counts reminders of a stage and tiers of its escalation from 1. Times in ms. */
export type Ring =
  | { readonly kind: 'remind'; readonly stage: number; readonly n: number; readonly at: number }
  | { readonly kind: 'escalate'; readonly stage: number; readonly n: number; readonly at: number }
  | { readonly kind: 'expire'; readonly at: number };

/** All rings of an envelope, earliest first. Offsets run from the first seal; no revision moves them (§6.8). Bounded by the policy's schema. */
export function ringsOf(envelope: Envelope): Ring[] {
  const opened = toMs(envelope.openedAt);
  const rings: Ring[] = [{ kind: 'expire', at: toMs(envelope.approveBy) }];
  for (const [stage, { remind, escalate }] of envelope.stages.entries()) {
    for (const [i, offset] of remind.entries()) rings.push({ kind: 'remind', stage, n: i + 1, at: opened + offset });
    for (const [i, tier] of escalate.entries()) rings.push({ kind: 'escalate', stage, n: i + 1, at: opened + tier.after });
  }
  return rings.sort((a, b) => a.at - b.at || a.kind.localeCompare(b.kind));
}

/** Where an action stands among its rings. A next revision sets it anew. */
export class Clock {
  private rings: Ring[] = [];
  private rung = 0;

  /** Whatever is past rings no more, but expiry always rings. */
  set(envelope: Envelope, now: number): void {
    this.rings = ringsOf(envelope);
    this.rung = this.rings.findIndex((ring) => ring.kind === 'expire' || ring.at > now);
  }
  next(): Ring | undefined {
    return this.rings[this.rung];
  }
  rang(): void {
    this.rung++;
  }
  /** What has not rung yet, earliest first. */
  left(): readonly Ring[] {
    return this.rings.slice(this.rung);
  }
}
