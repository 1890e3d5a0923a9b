import { z } from 'zod';

/** A moment as text: UTC, milliseconds, 24 characters. One form per moment, so that signed bytes have no second spelling. */
export const instantSchema = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'expected a UTC time such as 2026-01-31T09:30:00.000Z')
  .refine((text) => {
    const ms = Date.parse(text);
    return Number.isFinite(ms) && new Date(ms).toISOString() === text;
  }, 'no such moment')
  .brand<'Instant'>();
export type Instant = z.infer<typeof instantSchema>;

/** Milliseconds since 1970. */
export const toMs = (instant: Instant): number => Date.parse(instant);
export const toInstant = (ms: number): Instant => new Date(ms).toISOString() as Instant;

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION = /^([1-9][0-9]{0,8})(ms|s|m|h|d)$/;
export const MAX_DURATION_MS = 90 * 86_400_000;

/** `30m`, `8h`, `7d` as milliseconds; undefined when it is none, or over 90 days. */
export function parseDuration(text: string): number | undefined {
  const match = DURATION.exec(text);
  if (match === null) return undefined;
  const ms = Number(match[1]) * (UNITS[String(match[2])] ?? Number.NaN);
  return ms <= MAX_DURATION_MS ? ms : undefined;
}

/** The largest unit that divides it: 1800000 → `30m`. */
export function durationText(ms: number): string {
  for (const [unit, size] of Object.entries(UNITS).reverse()) if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  return `${ms}ms`;
}
