import type { Policy } from '../domain/policy/schema.js';
import type { Roster } from '../domain/roster.js';
import { readPolicy, readRoster, Watched } from '../files/rules.js';
import type { Log } from './api.js';
import { Refused, refused } from './problem.js';
import { refuse } from '../domain/codes.js';

/** The API's own copy of the policy, with the roster it is read against. */
export interface Copy {
  readonly policy: Policy;
  readonly roster: Roster;
}

/**
 * Reads policy.yaml again when it or the roster changes. It informs, it decides nothing: the executor has a copy of its own. Throws `policy_invalid` while
 * it is broken, 404 where this API was given none.
 */
export function policyReader(file: string | undefined, rosterFile: string, log: Log): () => Promise<Copy> {
  if (file === undefined) return () => Promise.reject(none());
  const watched = new Watched([file, rosterFile], async (): Promise<Copy> => {
    const roster = await readRoster(rosterFile);
    return { roster, policy: await readPolicy(file, roster, Date.now()) };
  });
  return async () => {
    const current = await watched.current();
    if (current.ok) return current.value;
    log.error({ file, problem: current.text }, 'the copy of the policy cannot be used');
    throw refused('policy_invalid', "The API's copy of the policy is invalid: it says nothing until it is mended. Its log says where.");
  };
}

const none = (): Refused =>
  new Refused(refuse('request_invalid', 'this API was given no copy of the policy'), {
    status: 404,
    remedy: 'Start it with keyturn api --policy policy.yaml, or ask the files: keyturn policy explain.',
  });
