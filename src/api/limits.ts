import { refuse } from '../domain/codes.js';
import type { Agent } from '../domain/roster.js';
import { Buckets } from '../http/buckets.js';
import { Refused } from '../http/problem.js';

/** Which limit refused: a label of the metric `keyturn_api_limited_total`. */
export type LimitName = 'proposals' | 'pending' | 'reads' | 'decisions' | 'stops' | 'strangers' | 'waits' | 'temporal';

/** Refused before anything was asked of Temporal or opened. `seconds`: when it is worth another try. */
export class Limited extends Refused {
  constructor(
    readonly limit: LimitName,
    text: string,
    seconds: number,
    code: 'rate_limited' | 'temporal_unavailable' = 'rate_limited',
  ) {
    super(refuse(code, text), { headers: { 'retry-after': String(Math.max(1, Math.ceil(seconds))) } });
  }
}

const READS = { perMinute: 600, burst: 200 };
const DECISIONS = { perMinute: 120, burst: 60 };
/** Reject, withdraw, cancel and freeze: a bucket of their own, which no flood of anything else empties. */
const STOPS = { perMinute: 120, burst: 60 };
const STRANGERS = { perMinute: 60, burst: 60 };

/**
 * How often one caller may come, in the memory of this process: several API processes multiply it. Counted by who signed, after the signature was
 * checked; what bears no valid credential counts for the address of its connection, so that nobody else pays for it.
 */
export class Limits {
  private readonly proposals = new Buckets({ perMinute: 60, burst: 60 });
  private readonly reads = new Buckets(READS);
  private readonly decisions = new Buckets(DECISIONS);
  private readonly stops = new Buckets(STOPS);
  private readonly strangers = new Buckets(STRANGERS);

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** A minute's worth may come at once. Seconds to wait, or undefined. */
  proposal({ id, limits }: Agent): number | undefined {
    const { perMinute } = limits;
    return this.proposals.take(id, this.now(), { perMinute, burst: perMinute });
  }
  /** `who`: `person:ana`, `agent:ap-agent`. */
  read(who: string): void {
    this.charge('reads', this.reads, who, 'reads');
  }
  decision(who: string): void {
    this.charge('decisions', this.decisions, who, 'decisions');
  }
  stop(who: string): void {
    this.charge('stops', this.stops, who, 'rejections, withdrawals, cancels and freezes');
  }
  /** The same for a key that is known and one that is not: nothing can be told from it. */
  stranger(from: string): Limited | undefined {
    const wait = this.strangers.take(from, this.now());
    return wait === undefined
      ? undefined
      : new Limited('strangers', 'too many messages without a valid credential from this address', wait);
  }

  private charge(limit: LimitName, buckets: Buckets, who: string, what: string): void {
    const wait = buckets.take(who, this.now());
    if (wait !== undefined) throw new Limited(limit, `too many ${what} of ${who}; this one was not judged`, wait);
  }
}
