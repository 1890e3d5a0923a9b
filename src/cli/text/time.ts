const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long in the words of a clock on the wall, from ms: `2 d 3 h`, `23 h 59 min`, `4 min`, `12 s`. Rounded down: nobody is promised time there is not. */
export function spell(ms: number): string {
  const part = (size: number, over: number): number => Math.floor((ms % over) / size);
  if (ms >= DAY) return `${Math.floor(ms / DAY)} d ${part(HOUR, DAY)} h`;
  if (ms >= HOUR) return `${Math.floor(ms / HOUR)} h ${part(MINUTE, HOUR)} min`;
  if (ms >= MINUTE) return `${Math.floor(ms / MINUTE)} min`;
  return `${Math.max(0, Math.floor(ms / 1_000))} s`;
}

/** `2026-06-01 09:00:00 UTC`: one clock for everybody who decides. */
export const atUtc = (instant: string): string => `${instant.slice(0, 10)} ${instant.slice(11, 19)} UTC`;

export const leftUntil = (instant: string, now: number): string => {
  const left = Date.parse(instant) - now;
  return left > 0 ? `${spell(left)} left` : 'no time left';
};
