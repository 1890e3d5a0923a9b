import type { Life } from './part.js';

/** What happened to a part, to be told. */
export type News =
  | { readonly kind: 'died'; readonly pid: number; readonly why: string }
  | { readonly kind: 'restarted'; readonly pid: number; readonly was: number; readonly ms: number }
  | { readonly kind: 'failed'; readonly why: string; readonly againInMs: number };

const FIRST_TRIES = 3;
const SHORTEST_MS = 250;
const LONGEST_MS = 10_000;
/** Who lives this long did not die of its start. */
const HEALTHY_MS = 10_000;

/** Keeps one part alive: whatever ends it, it is started again, until it is asked to stop. */
export class Keeper {
  private life: Life | undefined;
  /** Aborted: no more starts, and one under way ends. */
  private readonly end = new AbortController();
  private asked = false;
  private pause = SHORTEST_MS;

  constructor(
    readonly name: string,
    private readonly start: (signal: AbortSignal) => Promise<Life>,
    private readonly tell: (news: News) => void,
  ) {}

  get pid(): number {
    return this.life?.pid ?? 0;
  }

  /** The first start. Throws when it failed three times: then something is wrong that trying does not mend. */
  async begin(): Promise<Life> {
    for (let tries = 1; ; tries++) {
      try {
        return this.watch(await this.next());
      } catch (error) {
        if (tries >= FIRST_TRIES || this.isStopping) throw error;
        await this.rest(error);
      }
    }
  }

  async stop(): Promise<void> {
    this.asked = true;
    // What is ready ends politely, for it may be in the middle of something; what is only starting, at once.
    await this.life?.stop();
    this.end.abort();
  }
  kill(): void {
    this.asked = true;
    this.life?.kill();
    this.end.abort();
  }

  /** A start that ended too late is undone: nobody would stop that life any more. */
  private async next(): Promise<Life> {
    this.end.signal.throwIfAborted();
    const life = await this.start(this.end.signal);
    if (this.isStopping) {
      life.kill();
      throw new Error(`${this.name} was stopped while it started`);
    }
    return life;
  }

  private watch(life: Life): Life {
    this.life = life;
    const since = performance.now();
    void life.ended.then((why) => {
      if (this.isStopping) return;
      if (performance.now() - since > HEALTHY_MS) this.pause = SHORTEST_MS;
      this.tell({ kind: 'died', pid: life.pid, why });
      void this.again(life.pid);
    });
    return life;
  }

  private async again(was: number): Promise<void> {
    const from = performance.now();
    while (!this.isStopping) {
      try {
        const life = this.watch(await this.next());
        return this.tell({ kind: 'restarted', pid: life.pid, was, ms: performance.now() - from });
      } catch (error) {
        if (this.isStopping) return;
        await this.rest(error);
      }
    }
  }

  /** Read anew: it changes while something is awaited. */
  private get isStopping(): boolean {
    return this.asked;
  }

  private async rest(error: unknown): Promise<void> {
    this.tell({ kind: 'failed', why: error instanceof Error ? error.message : String(error), againInMs: this.pause });
    await new Promise((done) => setTimeout(done, this.pause));
    this.pause = Math.min(this.pause * 2, LONGEST_MS);
  }
}
