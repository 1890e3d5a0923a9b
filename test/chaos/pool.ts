/** Things that one user at a time may have, given out in the order they were asked for. */
export class Pool<T> {
  private readonly free: T[];
  private readonly waiting: ((thing: T) => void)[] = [];

  constructor(things: readonly T[]) {
    this.free = [...things];
  }

  async use<R>(work: (thing: T) => Promise<R>): Promise<R> {
    const thing = this.free.pop() ?? (await new Promise<T>((given) => this.waiting.push(given)));
    try {
      return await work(thing);
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.free.push(thing);
      else next(thing);
    }
  }
}
