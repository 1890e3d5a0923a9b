import { ringOf, type KeyRing, type PersonKey } from '../admit.js';
import { keyIdOfSigned, type Signed } from '../dsse.js';
import type { KeyId, PersonId } from '../ids.js';
import type { SealedPeople } from '../objects/entry.js';
import { holderOf, keyValidAt, type Roster } from '../roster.js';
import { Broken, demand, wordsOf } from './broken.js';

/** The keys a seal names. Throws `Broken` where they are no keys. */
export function sealedRing(people: SealedPeople, step: string): KeyRing {
  try {
    return ringOf(people);
  } catch (error) {
    throw new Broken(step, wordsOf(error));
  }
}

/** The key the executor sealed is this person's in the reader's own roster too, and was valid at each of these times (ms). Throws `Broken`. */
export function demandEnrolled(signed: Signed, person: PersonId, at: readonly number[], roster: Roster, step: string): void {
  const holder = holderOf(roster, keyIdOfSigned(signed));
  demand(holder?.kind === 'person' && holder.id === person, step, `its key is not ${person}'s in this roster`);
  demand(
    at.every((ms) => keyValidAt(holder.key, ms)),
    step,
    `the key of ${person} was not valid then, by this roster`,
  );
}

/** Everybody's keys, each with its time. */
export function rosterRing(roster: Roster): KeyRing {
  const ring = new Map<KeyId, PersonKey>();
  for (const { id, keys } of roster.people.values())
    for (const { key, from, until } of keys) ring.set(key.id, { person: id, key: () => key, from, until });
  return ring;
}
