import { buildEvidence } from '../../src/domain/evidence/build.js';
import { parseRoster, type Roster } from '../../src/domain/roster.js';
import { approve } from '../helpers/messages.js';
import { rosterText } from '../helpers/rules-fixture.js';
import { snapshotOf } from '../helpers/snapshots.js';
import { ask, World } from '../helpers/world.js';

export const roster = (): Roster => {
  const read = parseRoster(rosterText(), 'roster.yaml');
  if (!read.ok) throw new Error('roster');
  return read.roster;
};

/** An action that ran, by a real executor on a ledger in memory; its evidence file. */
export async function ranOnce(): Promise<{ world: World; evidence: Uint8Array }> {
  const world = await World.open();
  const revision = await world.propose();
  const decisions = [approve('ana', revision), approve('ben', revision)];
  await world.run(revision, decisions);
  const { entries } = await ask(world.executor, 'report', { actionId: revision.id, have: 0 });
  return { world, evidence: buildEvidence(snapshotOf({ id: revision.id, entries, revisions: [revision], decisions })) };
}
