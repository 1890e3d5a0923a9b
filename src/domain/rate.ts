/** How often something may happen: so many a minute on the long run, so many at once. */
export interface Rate {
  readonly perMinute: number;
  readonly burst: number;
}

/** A token bucket: what is left in it, and when that was true, in ms. */
export interface Bucket {
  readonly left: number;
  readonly at: number;
}

/** Taken one out, or how long until there is one, in ms. */
export type Taken = { readonly ok: true; readonly bucket: Bucket } | { readonly ok: false; readonly waitMs: number };

const MINUTE_MS = 60_000;

/** What is in a bucket now; a clock that was set back fills nothing and takes nothing. `now` in ms. */
const leftAt = ({ left, at }: Bucket, { perMinute, burst }: Rate, now: number): number =>
  Math.min(burst, left + (Math.max(0, now - at) * perMinute) / MINUTE_MS);

/** One more, if the rate allows it now. Undefined: nothing was taken before. Pure and total; `now` in ms. */
export function take(bucket: Bucket | undefined, rate: Rate, now: number): Taken {
  const left = bucket === undefined ? rate.burst : leftAt(bucket, rate, now);
  if (left >= 1) return { ok: true, bucket: { left: left - 1, at: now } };
  return { ok: false, waitMs: rate.perMinute > 0 ? Math.ceil(((1 - left) * MINUTE_MS) / rate.perMinute) : MINUTE_MS };
}

/** A full bucket is as good as none. */
export const isFull = (bucket: Bucket, rate: Rate, now: number): boolean => leftAt(bucket, rate, now) >= rate.burst;
