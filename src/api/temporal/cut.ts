/** How few and how many a window may hold. */
export interface Few {
  readonly least: number;
  readonly most: number;
}

const DAY_MS = 86_400_000;
/** Halving all of time comes down to a millisecond in fewer. */
const MAX_LOOKS = 120;
/** Between these a year has four digits (ms). */
export const FIRST = -62_167_219_200_000;
export const LAST = 253_402_300_799_999;

/**
 * Where to end a window that begins at `from` (ms; undefined: at the beginning of time), so that it holds few: `count(to)` says how many lie before `to`.
 * `hints` are some moments that occur. Undefined: without an end, as there are too few. It may hold more than few only where it is a millisecond long.
 */
export async function cut(
  count: (to: number) => Promise<number>,
  from: number | undefined,
  hints: readonly number[],
  { least, most }: Few,
  now: number,
): Promise<number | undefined> {
  let low: Look | undefined = from === undefined ? undefined : { at: from, n: 0 };
  let high: Look | undefined;
  let step = DAY_MS;
  const [nearest, farthest] = [Math.min(...hints), Math.max(...hints)];
  // How close the ones to be cut off may lie, by those that lie behind them.
  let perMs = hints.length / Math.max(1, farthest - nearest);
  const wanted = (least + most) / 2;
  for (let look = 0; look < MAX_LOOKS; look++) {
    let at: number;
    if (look === 0 && hints.length > 0 && (low === undefined || nearest + 1 > low.at)) at = nearest + 1;
    else if (high === undefined) {
      if (low !== undefined && low.at >= LAST) return undefined;
      at = Math.min(LAST, (low?.at ?? now) + step);
      step *= 2;
    } else if (low === undefined) {
      if (high.at <= FIRST) return high.at;
      const guess = Math.round(high.at - (high.n - wanted) / perMs);
      at = Math.max(FIRST, Math.min(high.at - 1, look % 2 === 1 ? guess : high.at - step));
      step *= 4;
    } else if (high.at - low.at <= 1) return high.at;
    else at = Math.min(high.at - 1, Math.max(low.at + 1, Math.round(between(low, high, wanted, perMs, look))));
    const n = await count(at);
    if (n >= least && n <= most) return at;
    if (n < least) low = { at, n };
    else {
      if (high !== undefined && high.n > n) perMs = (high.n - n) / (high.at - at);
      high = { at, n };
    }
  }
  return high?.at;
}

interface Look {
  readonly at: number;
  readonly n: number;
}

/** In turn: as dense as behind, which finds the edge of a crowd; evenly spread; and the middle, which is never far wrong. */
function between(low: Look, high: Look, wanted: number, perMs: number, look: number): number {
  if (look % 3 === 1) return high.at - (high.n - wanted) / perMs;
  return low.at + (high.at - low.at) * (look % 3 === 2 ? (wanted - low.n) / (high.n - low.n) : 0.5);
}
