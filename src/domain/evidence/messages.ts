import { CLOCK_SKEW_MS, type KeyRing } from '../admit.js';
import { readPayload } from '../dsse.js';
import type { PersonId } from '../ids.js';
import { toMs } from '../instant.js';
import type { Entry } from '../objects/entry.js';
import { resolveSchema } from '../objects/stop.js';
import type { Roster } from '../roster.js';
import { readCancel, readResolve } from '../stops.js';
import { Broken, demand } from './broken.js';
import type { Link } from './chain.js';
import type { Filed } from './filed.js';
import { rosterRing } from './people.js';
import type { Seal } from './seals.js';

type Of<K extends Entry['kind']> = Extract<Entry, { kind: K }>;
interface Reader {
  readonly messages: Filed;
  readonly roster: Roster;
  readonly sealed: { readonly seal: Seal | undefined; readonly ring: KeyRing };
  readonly warn: (text: string) => void;
}

/** The signed cancel behind a `lodged` entry, the signed findings behind a `resolved` one. Throws `Broken`. */
export function checkMessage({ entry, step }: Link, reader: Reader): void {
  switch (entry.kind) {
    case 'lodged':
      if (entry.object === 'cancel') checkCancel(entry, step, reader);
      return;
    case 'resolved':
      return checkResolves(entry, step, reader);
    default:
    // Nothing else is made of a message, but for reviews.
  }
}

function checkCancel(entry: Of<'lodged'>, step: string, { messages, roster, sealed, warn }: Reader): void {
  const filed = messages.get(entry.digest);
  if (filed === undefined) return warn(`${step}: the cancel by ${entry.by} is not in the file: the executor's word alone`);
  demand(sealed.seal !== undefined, filed.step, 'the envelope it cancels is not in the file');
  const { actionId, agent } = sealed.seal.envelope;
  const read = readCancel(filed.signed, roster, { actionId, agent }, toMs(entry.at));
  if (!read.ok) throw new Broken(filed.step, `${read.refusal.code}: ${read.refusal.text}`);
  demand(read.value.by === entry.by, step, 'names another author than the cancel it lodged');
}

function checkResolves(entry: Of<'resolved'>, step: string, { messages, roster, sealed, warn }: Reader): void {
  const said = new Set<PersonId>();
  for (const digest of entry.digests) {
    const filed = messages.get(digest);
    if (filed === undefined) {
      warn(`${step}: the finding ${digest.slice(0, 12)} is not in the file: the executor's word alone`);
      continue;
    }
    demand(sealed.seal !== undefined, filed.step, 'the envelope it resolves is not in the file');
    const resolve = resolveSchema.safeParse(readPayload('resolve', filed.signed));
    demand(resolve.success, filed.step, 'not a resolve: see the schema of resolve v1');
    const { by, verdict, step: n, issuedAt } = resolve.data;
    // Found one by one, maybe long before the last of them made the entry: each key is asked of its own time.
    const read = readResolve(filed.signed, sealed.seal.envelope, [sealed.ring, rosterRing(roster)], toMs(issuedAt));
    if (!read.ok) throw new Broken(filed.step, `${read.refusal.code}: ${read.refusal.text}`);
    demand(toMs(issuedAt) <= toMs(entry.at) + CLOCK_SKEW_MS, filed.step, 'dated after the entry that counts it');
    demand(verdict === entry.verdict && n === entry.step && entry.by.includes(by), filed.step, `says something else than ${step}`);
    said.add(by);
  }
  const missing = entry.by.filter((person) => !said.has(person));
  demand(
    missing.length === 0 || entry.digests.some((digest) => !messages.has(digest)),
    step,
    `${missing.join(', ')} signed no such finding`,
  );
}
