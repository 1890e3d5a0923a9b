const MOST_LISTS = 1_000;
const MOST_ENDS = 32;

/**
 * Where pages of a list ended lately: counting through all that waits, to find where a page could end, costs more than the page. Only guesses: what a
 * remembered window holds now is read whole or not used at all.
 */
export class Windows {
  private readonly ends = new Map<string, readonly number[]>();

  /** The remembered ends (ms) behind `from`, nearest first; `from` undefined: from the beginning of time. */
  after(list: string, from: number | undefined): readonly number[] {
    return (this.ends.get(list) ?? []).filter((end) => from === undefined || end > from).sort((a, b) => a - b);
  }

  /** Forgets what was remembered longest ago, of a list and of all lists. */
  remember(list: string, end: number): void {
    const ends = [...(this.ends.get(list) ?? []).filter((each) => each !== end), end].slice(-MOST_ENDS);
    this.ends.delete(list);
    const [oldest] = this.ends.keys();
    if (this.ends.size >= MOST_LISTS && oldest !== undefined) this.ends.delete(oldest);
    this.ends.set(list, ends);
  }
}
