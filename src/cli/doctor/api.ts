import { inert } from '../text/inert.js';
import { fine, problem, wordsOf, type Finding } from './finding.js';

/** A signed read is good for a minute: clocks further apart than half of that are trouble. */
const MOST_SKEW_MS = 30_000;

export async function apiServer(url: string, now: () => number): Promise<Finding[]> {
  const remedy = 'Start it with `keyturn dev` or `keyturn api`, or name another with --url.';
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5_000) });
    const skew = Math.abs(Date.parse(response.headers.get('date') ?? '') - now());
    const clock =
      skew > MOST_SKEW_MS ? [problem('clock', `the API's clock is ${Math.round(skew / 1_000)} s away from yours`, 'Set both by NTP.')] : [];
    if (response.ok) return [fine('api', `${url} is ready`), ...clock];
    const body: unknown = await response.json().catch(() => undefined);
    const detail = typeof body === 'object' && body !== null && 'detail' in body ? inert(String(body.detail)) : '';
    return [
      problem('api', `${url} answers ${response.status} ${detail}`.trim(), 'Look at its log; it needs roster.yaml and Temporal.'),
      ...clock,
    ];
  } catch (error) {
    return [problem('api', `${url} does not answer (${inert(wordsOf(error))})`, remedy)];
  }
}
