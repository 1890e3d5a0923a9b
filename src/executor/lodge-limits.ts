import { refuse, type Refusal } from '../domain/codes.js';
import type { LodgedRow } from './ledger/rows.js';

const HOUR_MS = 60 * 60_000;
/** Of one author on one action. More rejections than withdrawals: the last word of somebody who keeps changing his mind is always a no. */
const MOST_OF_ACTION = { reject: 200, withdraw: 100, cancel: 20 } as const;
/** Of one person in an hour, each for itself: so that no key fills the ledger, and freezing takes nothing from thawing. */
const MOST_STOPS_AN_HOUR = 60;

/** Why one more message of this author is not put on record; `rows` are those of its action. Undefined: welcome. */
export function tooManyOnAction(rows: readonly LodgedRow[], object: keyof typeof MOST_OF_ACTION, by: string): Refusal | undefined {
  const most = MOST_OF_ACTION[object];
  const had = rows.filter((row) => row.object === object && row.by_whom === by).length;
  return had < most
    ? undefined
    : refuse('rate_limited', `${by} has ${had} on record as "${object}" of this action, and ${most} is the most`);
}

/** The same for freezes and thaws; `now` in ms. */
export function tooManyStops(rows: readonly LodgedRow[], object: 'freeze' | 'thaw', by: string, now: number): Refusal | undefined {
  const had = rows.filter((row) => row.object === object && row.by_whom === by && row.at > now - HOUR_MS).length;
  return had < MOST_STOPS_AN_HOUR
    ? undefined
    : refuse('rate_limited', `${by} has put ${had} on record as "${object}" within the hour, and ${MOST_STOPS_AN_HOUR} is the most`);
}
