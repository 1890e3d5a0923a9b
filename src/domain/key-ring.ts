import type { KeyId, PersonId } from './ids.js';
import { toMs } from './instant.js';
import { keyIdOfText, parsePublicKey, type PublicKey } from './keys.js';
import type { SealedPeople } from './objects/entry.js';

/** One person's key with its time of validity, in ms: `from` inclusive, `until` exclusive. */
export interface PersonKey {
  readonly person: PersonId;
  /** Undefined: the text's point is not one a key may have; nothing it signed counts. */
  readonly key: () => PublicKey | undefined;
  readonly from?: number | undefined;
  readonly until?: number | undefined;
}
/** Who holds which key, by key id: the sealed people, or the present roster. */
export type KeyRing = ReadonlyMap<KeyId, PersonKey>;

/**
 * The keys a `sealed` entry names, as a ring. A point is checked when its key is first used: of a hundred people two or three decide.
 * Throws `RangeError` on a text that is no key, or one key for two people: such a seal is no seal.
 */
export function ringOf(people: SealedPeople): KeyRing {
  const ring = new Map<KeyId, PersonKey>();
  for (const { person, keys } of people) {
    for (const { key: text, from, until } of keys) {
      const id = keyIdOfText(text);
      if (id === undefined) throw new RangeError(`unusable key of ${person}`);
      if (ring.has(id)) throw new RangeError(`one key for two people: ${id}`);
      const times = { ...(from === undefined ? {} : { from: toMs(from) }), ...(until === undefined ? {} : { until: toMs(until) }) };
      ring.set(id, { person, key: () => parsePublicKey(text), ...times });
    }
  }
  return ring;
}

export const validAt = (key: Pick<PersonKey, 'from' | 'until'>, ms: number): boolean =>
  (key.from === undefined || key.from <= ms) && (key.until === undefined || ms < key.until);
