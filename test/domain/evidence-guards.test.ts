import { describe, expect, test } from '@jest/globals';
import { digestOfSigned, type Signed } from '../../src/domain/dsse.js';
import { buildEvidence } from '../../src/domain/evidence/build.js';
import { verifyEvidence } from '../../src/domain/evidence/verify.js';
import type { Envelope } from '../../src/domain/objects/envelope.js';
import { Authenticator } from '../helpers/authenticator.js';
import { readersRoster } from '../helpers/flips.js';
import { envelope, HandLedger, MINUTE, OPENED, seal, sealedPeople } from '../helpers/hand-made.js';
import { approve, type SealedRevision } from '../helpers/messages.js';
import { keyOfPerson } from '../helpers/signers.js';
import { snapshotOf } from '../helpers/snapshots.js';

const PASSKEY = new Authenticator('ana');
const ROSTER = { people: { ana: `{ name: ana, keys: ['${keyOfPerson('ana').key.text}', '${PASSKEY.key.text}'] }` } };

/** What evidence says of an executor that ran this at `at` on these votes, whatever its guards. */
function verdict(
  guards: Partial<Envelope['guards']>,
  votes: (revision: SealedRevision) => Signed[] = (revision) => [approve('ana', revision), approve('ben', revision)],
  at = OPENED + MINUTE,
): string {
  const revision = seal({ guards: { ...envelope().guards, ...guards } });
  const ledger = new HandLedger(revision.id);
  const decisions = votes(revision);
  ledger.sealed(revision, 'request', OPENED, sealedPeople(undefined, { ana: [PASSKEY.key.text] }));
  ledger.ran(revision, decisions.map(digestOfSigned), at);
  const file = buildEvidence(snapshotOf({ id: revision.id, entries: ledger.entries, revisions: [revision], decisions }));
  const found = verifyEvidence(file, readersRoster(ROSTER));
  return found.ok ? 'verifies' : found.text;
}

describe('evidence asks the guards again', () => {
  test('independent: passkeys alone do not do', () => {
    const web = (revision: SealedRevision): Signed[] => [approve('ana', revision, { by: PASSKEY }), approve('ben', revision)];
    expect(verdict({ independent: 1 }, web)).toBe('verifies');
    expect(verdict({ independent: 2 }, web)).toBe('the counted decisions do not meet the sealed rule');
    expect(verdict({ independent: 2 })).toBe('verifies');
  });
  test('minTime: not before the seal + minTime', () => {
    expect(verdict({ minTime: MINUTE })).toBe('verifies');
    expect(verdict({ minTime: MINUTE + 1 })).toBe('executed before the minimum time since the seal was over');
  });
});
