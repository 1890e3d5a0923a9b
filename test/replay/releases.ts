/**
 * Which histories were recorded at each release (`npm run histories -- <release>`), under `test/histories/<release>`. Somebody's actions were begun by that
 * code and still wait: a line may be added, and of what was released none is ever taken out.
 */
export const RELEASES: Readonly<Record<string, readonly string[]>> = {
  '0.1.0': [
    'cancelled_in_temporal',
    'compensated',
    'expired',
    'modified',
    'rejected',
    'stale_then_agreed',
    'succeeded',
    'unknown_then_resolved',
    'withdrawn_then_cancelled',
  ],
};
