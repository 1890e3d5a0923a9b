import { readRoster, Watched } from '../files/rules.js';
import type { Roster } from '../domain/roster.js';
import type { Log } from './api.js';
import { refused } from './problem.js';

/** The roster as it stands on disk, read again when it changes. Throws `roster_invalid` while it is broken; what exactly is wrong goes to the log. */
export function rosterReader(file: string, log: Log): () => Promise<Roster> {
  const watched = new Watched([file], () => readRoster(file));
  // `Watched` answers whoever comes while it reads with what it had before, at first nothing: so all share one reading.
  let reading: ReturnType<typeof watched.current> | undefined;
  return async () => {
    reading ??= watched.current().finally(() => {
      reading = undefined;
    });
    const current = await reading;
    if (current.ok) return current.value;
    log.error({ file, problem: current.text }, 'the roster cannot be used');
    throw refused('roster_invalid', "The API's roster file is invalid: nobody is known until it is mended. Its log says where.");
  };
}
