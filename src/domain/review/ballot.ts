import type { Sealed } from '../admit.js';
import type { Digest, PersonId } from '../ids.js';
import { toInstant, toMs, type Instant } from '../instant.js';
import { authorOf, awaitingAt, ladderOf, progress, progressByStage, tally, type Tally, type Vote } from '../tally.js';

/** The votes of an action, and what they amount to under its newest revision. Pure: time is an argument in ms. */
export class Ballot {
  private readonly votes: Vote[] = [];
  private newest: Sealed | undefined;
  /** Forgotten whenever the votes or the newest revision change. */
  private counted: Tally | undefined;

  /** From now on they are counted under this revision. */
  turnTo(newest: Sealed): void {
    this.newest = newest;
    this.counted = undefined;
  }
  cast(vote: Vote): void {
    this.votes.push(vote);
    this.counted = undefined;
  }
  takeBack(digest: Digest): void {
    const at = this.votes.findIndex((vote) => vote.digest === digest);
    if (at >= 0) this.votes.splice(at, 1);
    this.counted = undefined;
  }
  has(digest: Digest): boolean {
    return this.votes.some((vote) => vote.digest === digest);
  }
  /** Whether this vote is of this person, or was made by this person for another. */
  isOf(digest: Digest, person: PersonId): boolean {
    return this.votes.some((vote) => vote.digest === digest && [vote.person, authorOf(vote)].includes(person));
  }
  /** Of every vote, in order of arrival. */
  digests(): Digest[] {
    return this.votes.map(({ digest }) => digest);
  }

  count(): Tally {
    if (this.newest === undefined) return { approvals: [], rejections: [], rejected: false };
    this.counted ??= tally(ladderOf(this.newest.envelope), this.newest.digest, this.votes);
    return this.counted;
  }
  awaiting(now: number): PersonId[] {
    return this.newest === undefined ? [] : awaitingAt(ladderOf(this.newest.envelope), this.count(), now);
  }
  progress(now?: number): { readonly have: number; readonly need: number } {
    return this.newest === undefined ? { have: 0, need: 0 } : progress(ladderOf(this.newest.envelope), this.count(), now);
  }
  progressByStage(now: number): ReturnType<typeof progressByStage> {
    return this.newest === undefined ? [] : progressByStage(ladderOf(this.newest.envelope), this.count(), now);
  }
  /** Until when it may start, once enough agreed; until when they may agree, before. */
  deadline(): Instant | null {
    const { quorum } = this.count();
    if (this.newest === undefined) return null;
    const { approveBy, openedAt } = this.newest.envelope;
    return quorum === undefined ? approveBy : toInstant(Math.max(quorum.executeBy, toMs(openedAt)));
  }
}
