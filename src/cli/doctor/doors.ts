import type { Roster } from '../../domain/roster.js';
import { inert } from '../text/inert.js';
import { fine, problem, wordsOf, type Finding } from './finding.js';

/** Whether somebody opens at each executor's own door: the brake for when API and Temporal are down. Who it is, only its signature under a stop tells. */
export function executorDoors({ executors }: Roster): Promise<Finding[]> {
  return Promise.all(
    [...executors.values()].map(async ({ name, door }): Promise<Finding> => {
      const what = `door of ${name}`;
      if (door === undefined) return fine(what, 'none in roster.yaml: stops reach it through API and Temporal only');
      const remedy = `Start that executor with KEYTURN_DOOR=${door.replace(/^https?:\/\//, '')}, or correct roster.yaml.`;
      try {
        const response = await fetch(`${door}/healthz`, { redirect: 'error', signal: AbortSignal.timeout(3_000) });
        return response.ok ? fine(what, `${door} answers`) : problem(what, `${door} answers ${response.status}`, remedy);
      } catch (error) {
        return problem(what, `${door} does not answer (${inert(wordsOf(error))})`, remedy);
      }
    }),
  );
}
