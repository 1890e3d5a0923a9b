import { toMs } from './instant.js';
import type { Envelope } from './objects/envelope.js';

/**
 * Before this moment (ms) nothing starts (§6.7): so long after the newest seal as its rule says, or as the present one does, whichever is later.
 * Votes may come earlier; no agent can shorten it.
 */
export const floorOf = ({ sealedAt, guards }: Envelope, presentMinTime = 0): number =>
  toMs(sealedAt) + Math.max(guards.minTime, presentMinTime);
