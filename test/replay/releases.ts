/**
 * Which histories were recorded at each release (`npm run histories -- <release>`), under `test/histories/<release>`. Somebody's actions were begun by that
 * code and still wait: a line may be added, and of what was released none is ever taken out.
 */
export const RELEASES: Readonly<Record<string, readonly string[]>> = {
  '0.1.0': [
    'allowed',
    'asked_and_answered',
    'break_glass_reviewed',
    'cancelled_in_temporal',
    'compensated',
    'delegated',
    'expired',
    'modified',
    'over_budget_then_agreed',
    'rejected',
    'stale_then_agreed',
    'succeeded',
    'unknown_then_resolved',
    'withdrawn_then_cancelled',
  ],
};
