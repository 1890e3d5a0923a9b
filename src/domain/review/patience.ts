const SHARE = 10;
const MOST_MS = 10 * 60_000;

/**
 * How long to wait before asking again about what has stood still since `since`, all in ms: a tenth of the time it has lasted, at most ten minutes. A freeze or
 * an unknown outcome may last for days, and each question makes a run's history longer, which Temporal ends at 51,200 events.
 */
export const patienceMs = (since: number, now: number): number => Math.min(MOST_MS, Math.max(0, now - since) / SHARE);
