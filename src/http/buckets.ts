import { isFull, take, type Bucket, type Rate } from '../domain/rate.js';

const MOST_NAMES = 10_000;
/** All newcomers share this one while there are too many names to keep apart: a flood of addresses gets no more than one address. */
const THE_REST = '\0rest';

/** Token buckets by name, in the memory of this process, and never more of them than `most`. */
export class Buckets {
  private readonly buckets = new Map<string, { readonly bucket: Bucket; readonly rate: Rate }>();

  constructor(
    private readonly rate: Rate,
    private readonly most = MOST_NAMES,
  ) {}

  /** Takes one token of this name. Undefined: taken; else how many seconds to wait. `now` in ms. */
  take(name: string, now: number, rate = this.rate): number | undefined {
    if (!this.buckets.has(name) && this.buckets.size >= this.most) this.forgetFull(now);
    const own = this.buckets.has(name) || this.buckets.size < this.most;
    const key = own ? name : THE_REST;
    const taken = take(this.buckets.get(key)?.bucket, rate, now);
    if (!taken.ok) return Math.max(1, Math.ceil(taken.waitMs / 1_000));
    this.buckets.set(key, { bucket: taken.bucket, rate });
    return undefined;
  }

  private forgetFull(now: number): void {
    for (const [name, { bucket, rate }] of this.buckets) if (isFull(bucket, rate, now)) this.buckets.delete(name);
  }
}

/** The name of a remote address: of IPv6 the network of 64 bits, for whoever has one of its addresses has them all. */
export function nameOfAddress(address: string | undefined): string {
  if (address === undefined) return 'unknown';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('%')[0]?.toLowerCase().split('::') ?? [];
  const groups = head === '' ? [] : head.split(':');
  const rest = tail === undefined || tail === '' ? [] : tail.split(':');
  const all = tail === undefined ? groups : [...groups, ...Array<string>(Math.max(0, 8 - groups.length - rest.length)).fill('0'), ...rest];
  return `${all
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}
