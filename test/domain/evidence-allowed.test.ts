import { describe, expect, test } from '@jest/globals';
import { digestOfSigned } from '../../src/domain/dsse.js';
import { buildEvidence } from '../../src/domain/evidence/build.js';
import { verifyEvidence } from '../../src/domain/evidence/verify.js';
import { readersRoster } from '../helpers/flips.js';
import { HandLedger, OPENED, seal, sealedPeople } from '../helpers/hand-made.js';
import { approve, type SealedRevision } from '../helpers/messages.js';
import { policyText, TestRules } from '../helpers/rules-fixture.js';
import { snapshotOf } from '../helpers/snapshots.js';
import { ask, held, World } from '../helpers/world.js';

const FIRST =
  '  - { name: small, match: { type: payments.transfer }, effect: allow, because: Small., budget: [{ per: agent, within: 24h, limit: 1 }], executeWithin: 5m, resolve: { from: [group:finance-leads], quorum: 1 } }\n';
const verdictOf = async (
  world: World,
  revisions: readonly SealedRevision[],
  decisions: Parameters<typeof snapshotOf>[0]['decisions'] = [],
) => {
  const id = revisions[0]?.id;
  if (id === undefined) throw new Error('no revision');
  const { entries } = await ask(world.executor, 'report', { actionId: id, have: 0 });
  return verifyEvidence(buildEvidence(snapshotOf({ id, entries, revisions, decisions })), readersRoster());
};

describe('evidence of what the policy let run', () => {
  test('verifies with nobody counted', async () => {
    const world = await World.open({ rules: new TestRules(policyText({ first: FIRST })) });
    const sealed = await world.propose();
    await world.run(sealed);
    expect(await verdictOf(world, [sealed])).toMatchObject({ ok: true, outcome: { status: 'succeeded' }, counted: [], warnings: [] });
  });

  test('verifies where the budget went to another one, and people agreed later than it could have started', async () => {
    const world = await World.open({ rules: new TestRules(policyText({ first: FIRST })) });
    const [first, second] = [await world.propose(), await world.propose()];
    await world.run(first);
    await world.run(second);
    const again = held(await world.reseal(second.id, second.digest));
    world.clock.pass(3_600_000);
    const decisions = [approve('ana', again, { at: world.clock.ms }), approve('ben', again, { at: world.clock.ms })];
    await world.run(again, decisions);
    expect(await verdictOf(world, [second, again], decisions)).toMatchObject({
      ok: true,
      outcome: { status: 'succeeded' },
      counted: { length: 2 },
    });
  });

  test.each([
    ['a held action executed with no votes', {}, 'the counted decisions do not meet the sealed rule'],
    [
      'a vouched request under a rule for signed ones',
      { standing: 'vouched', guards: { ...seal().envelope.guards, request: 'signed' } },
      'disagrees|takes only signed requests|vouched',
    ],
  ] as const)('attack 1: %s does not verify', (_name, changes, why) => {
    const revision = seal(changes);
    const ledger = new HandLedger(revision.id);
    ledger.append(
      { kind: 'sealed', digest: revision.digest, revision: 1, view: revision.view, cause: 'request', people: sealedPeople() },
      OPENED,
    );
    ledger.append({ kind: 'executing', digest: revision.digest, decisions: [] }, OPENED + 1_000);
    const verdict = verifyEvidence(
      buildEvidence(snapshotOf({ id: revision.id, entries: ledger.entries, revisions: [revision], decisions: [] })),
      readersRoster(),
    );
    expect(verdict).toMatchObject({ ok: false, text: expect.stringMatching(why) });
    expect(digestOfSigned(revision.signed)).toBe(revision.digest);
  });
});
