import { digestOfSigned } from '../../src/domain/dsse.js';
import { buildEvidence } from '../../src/domain/evidence/build.js';
import { verifyEvidence } from '../../src/domain/evidence/verify.js';
import { parseRoster, type Roster } from '../../src/domain/roster.js';
import { useNativeCrypto } from '../../src/files/native-crypto.js';
import { HandLedger, OPENED, seal, sealedPeople } from './hand-made.js';
import { approve } from './messages.js';
import { rosterText, type RosterOptions } from './rules-fixture.js';
import { snapshotOf } from './snapshots.js';

/** The roster evidence is checked against. Throws where the text does not parse. */
export function readersRoster(options: RosterOptions = {}): Roster {
  const read = parseRoster(rosterText(options), 'roster.yaml');
  if (!read.ok) throw new Error(read.problems.map((problem) => problem.text).join('\n'));
  return read.roster;
}

/** The smallest file of an action that ran: one vote, one step. */
export function smallestEvidence(): Uint8Array {
  const revision = seal({ stages: [{ name: 'finance', from: ['ana'], quorum: 1, remind: [], escalate: [] }] });
  const vote = approve('ana', revision);
  const ledger = new HandLedger(revision.id);
  ledger.sealed(revision, 'request', OPENED, sealedPeople(['ana']));
  ledger.ran(revision, [digestOfSigned(vote)], OPENED + 1_000);
  return buildEvidence(snapshotOf({ id: revision.id, entries: ledger.entries, revisions: [revision], decisions: [vote] }));
}

const LETTER = /[A-Za-z]/;
/** Another character where one stands: a bit, the case, a digit for a letter and a letter for a digit. */
const changes = (byte: number): number[] => {
  const other = LETTER.test(String.fromCharCode(byte)) ? 0x37 : 0x62;
  return [...new Set([byte ^ 1, byte ^ 0x20, other])].filter((each) => each !== byte);
};

/** Tries every change of every byte in a part of a good file; returns those after which it still verifies, in words. */
export function survivors(good: Uint8Array, from: number, to: number): { readonly tried: number; readonly survived: string[] } {
  // Tens of thousands of files: by the signature check processes use.
  useNativeCrypto();
  const roster = readersRoster();
  const survived: string[] = [];
  let tried = 0;
  for (let at = from; at < to; at++) {
    const byte = good[at] ?? 0;
    for (const change of changes(byte)) {
      const bad = Uint8Array.from(good);
      bad[at] = change;
      tried++;
      if (verifyEvidence(bad, roster).ok) survived.push(`byte ${at}: ${String.fromCharCode(byte)} → ${String.fromCharCode(change)}`);
    }
  }
  return { tried, survived };
}
