import type { Digest } from '../ids.js';
import { toMs } from '../instant.js';
import type { Entry } from '../objects/entry.js';
import type { Status } from '../outcome.js';
import { demand } from './broken.js';
import type { Link } from './chain.js';
import { Execution } from './execution.js';
import type { Seal } from './seals.js';

type Of<K extends Entry['kind']> = Extract<Entry, { kind: K }>;
const STATUS = { executing: 'executing', undoing: 'compensating', unknown: 'outcome_unknown', partial: 'compensation_failed' } as const;
/** What people lodge about one action while it is under review. */
const OF_ACTIONS: readonly string[] = ['reject', 'withdraw', 'cancel'];
const SEALED_FROM = { request: 'new', modify: 'awaiting', reseal: 'stale' } as const;

/**
 * Reads the entries as the story they tell and finds any the ledger could not have written where it stands (§5, §7). Returns where they leave an
 * action that has not ended. Says nothing of who agreed. Throws `Broken`.
 */
export function replay(links: readonly Link[], seals: ReadonlyMap<Digest, Seal>, warn: (text: string) => void): Status {
  const story = new Story(seals, warn);
  for (const [i, { entry, step }] of links.entries()) story.tell(entry, step, links[i - 1]?.entry);
  return story.status;
}

/** From the first seal to consumption or the end; what comes after consumption is told to `Execution`. */
class Story {
  private phase: 'new' | 'awaiting' | 'stale' | 'ended' = 'new';
  private execution: Execution | undefined;
  private newest: Digest | null = null;
  /** The newest envelope, if it is in the file. */
  private seal: Seal | undefined;
  private revision = 0;
  private reviewed = false;
  private at = '';

  constructor(
    private readonly seals: ReadonlyMap<Digest, Seal>,
    private readonly warn: (text: string) => void,
  ) {}

  get status(): Status {
    const { execution } = this;
    return execution === undefined ? 'awaiting_approval' : STATUS[execution.state];
  }

  tell(entry: Entry, at: string, before: Entry | undefined): void {
    this.at = at;
    if (this.phase === 'ended') return this.afterEnd(entry);
    // Written in one transaction.
    this.must(before?.kind !== 'executing' || entry.kind === 'step_started', 'execution begins with its first step');
    if (this.execution !== undefined) return this.executed(this.execution, entry);
    this.must(
      before?.kind !== 'lodged' || before.object !== 'cancel' || entry.kind === 'closed',
      'a cancel lodged before execution ends the action',
    );
    switch (entry.kind) {
      case 'sealed':
        return this.sealed(entry);
      case 'stale':
        this.must(this.phase === 'awaiting' && entry.digest === this.newest, 'nothing of this digest was under review');
        this.phase = 'stale';
        return;
      case 'lodged':
        this.must(this.isUnderReview && entry.digest !== null, 'lodged outside the review');
        this.must(entry.object !== 'review', 'reviewed before it ended');
        return this.must(OF_ACTIONS.includes(entry.object), `a ${entry.object} belongs to no action`);
      case 'executing':
        return this.consumed(entry);
      case 'restored':
        return this.restored(entry);
      case 'denied':
        this.must(this.phase === 'new', 'denied like this only before its first seal');
        return this.finish();
      case 'closed':
        return this.closed(entry, before);
      case 'ended':
        this.must(this.isUnderReview && entry.status === 'denied', 'an action under review ends like this only by a denial');
        return this.finish();
      default:
        return this.must(false, 'nothing had been consumed');
    }
  }

  /** The post-review of what ran by a break-glass rule, and nothing else (§6.10). */
  private afterEnd(entry: Entry): void {
    const isReview = entry.kind === 'lodged' ? entry.object === 'review' : entry.kind === 'reviewed';
    this.must(isReview && this.execution !== undefined, 'the action had ended before it');
    this.must(!this.reviewed, 'its post-review was on record before it');
    this.reviewed = entry.kind === 'reviewed';
  }

  private must(holds: boolean, text: string): void {
    demand(holds, this.at, text);
  }
  private finish(): void {
    this.phase = 'ended';
  }
  private get isUnderReview(): boolean {
    return this.phase === 'awaiting' || this.phase === 'stale';
  }

  private sealed(entry: Of<'sealed'>): void {
    this.must(this.phase === SEALED_FROM[entry.cause] && entry.revision === this.revision + 1, 'no such revision was due');
    this.seal = this.seals.get(entry.digest);
    if (this.seal === undefined) this.warn(`${this.at}: the envelope of revision ${entry.revision} is not in the file`);
    else demand(this.seal.envelope.parent === this.newest, this.seal.step, 'does not name the revision before it as its parent');
    this.newest = entry.digest;
    this.revision = entry.revision;
    this.phase = 'awaiting';
  }

  private consumed(entry: Of<'executing'>): void {
    this.must(this.phase === 'awaiting' && entry.digest === this.newest, 'consumed, but not the newest revision under review');
    demand(this.seal !== undefined, this.at, 'the envelope that was executed is not in the file');
    // What was sealed before a restore never runs.
    this.must(this.seal.envelope.epoch === entry.epoch, 'sealed in an earlier epoch than it ran in');
    this.execution = new Execution(this.seal.envelope, this.at);
  }

  /** Pending when the ledger was restored: it may have run since the backup. Nothing says that people agreed to it. */
  private restored(entry: Of<'restored'>): void {
    this.must(this.isUnderReview, 'nothing was under review');
    demand(this.seal !== undefined, this.at, 'the envelope that was in doubt is not in the file');
    this.execution = new Execution(this.seal.envelope, this.at);
    this.execution.tell(entry, this.at);
    this.warn(`${this.at}: the ledger was restored while it waited for people; what it says of its end is what people found out`);
  }

  private executed(execution: Execution, entry: Entry): void {
    execution.tell(entry, this.at);
    if (entry.kind === 'ended') this.finish();
  }

  private closed({ status, at, reason }: Of<'closed'>, before: Entry | undefined): void {
    // Before any seal it can only be cancelled.
    this.must(this.isUnderReview || status === 'cancelled', 'nothing was under review');
    if (status === 'expired' && this.seal !== undefined)
      this.must(toMs(at) >= toMs(this.seal.envelope.approveBy), 'expired before its time');
    const lodged = before?.kind === 'lodged' && before.object === 'cancel' ? before.by : undefined;
    this.must(lodged === undefined || status === 'cancelled', 'a cancel lodged before execution ends the action');
    if (status === 'cancelled')
      this.must(reason.by === (lodged ?? 'unsigned'), 'cancelled in the name of somebody whose cancel is not on record');
    if (status === 'cancelled' && lodged === undefined)
      this.warn(`${this.at}: cancelled without a signature, by somebody who may cancel in Temporal`);
    this.finish();
  }
}
