import { describe, expect, test } from '@jest/globals';
import { digestOfSigned, type Signed } from '../../src/domain/dsse.js';
import { buildEvidence } from '../../src/domain/evidence/build.js';
import { verifyEvidence } from '../../src/domain/evidence/verify.js';
import { toMs } from '../../src/domain/instant.js';
import { parseRoster, type Roster } from '../../src/domain/roster.js';
import { viewV1 } from '../../src/domain/view/v1.js';
import { approve, delegation, modify, onSeatOf, reject, withdraw, type SealedRevision } from '../helpers/messages.js';
import { policyText, rosterText, TestRules, type RosterOptions } from '../helpers/rules-fixture.js';
import { keyOfPerson, signerOf } from '../helpers/signers.js';
import { snapshotOf } from '../helpers/snapshots.js';
import { held, HOUR, MINUTE, World } from '../helpers/world.js';
import { refusal } from './ready.js';

const DELEGATES = '[group:finance-leads]';
/** Two of finance; they may hand over to the leads, which is eva. */
async function ready(delegates: string | undefined = DELEGATES): Promise<{ world: World; sealed: SealedRevision }> {
  const rules = new TestRules(policyText(delegates === undefined ? {} : { delegates }), rosterText());
  const world = await World.open({ rules });
  return { world, sealed: await world.propose() };
}
const by = (sealed: SealedRevision, from: string, to = 'eva') => {
  const at = toMs(sealed.envelope.sealedAt);
  return { forge: onSeatOf(from, delegation(from, to, { at: at - HOUR, until: at + HOUR })) };
};
const evaFor = (from: string, sealed: SealedRevision): Signed => approve('eva', sealed, by(sealed, from));

function rosterOf(options: RosterOptions = {}): Roster {
  const read = parseRoster(rosterText(options), 'roster.yaml');
  if (!read.ok) throw new Error('no roster');
  return read.roster;
}

describe('6.3 delegation at the executor', () => {
  test('sealed with the people and their keys, shown; a delegate and another person make it run', async () => {
    const { world, sealed } = await ready();
    expect(sealed.envelope.delegates).toEqual(['eva']);
    expect(viewV1(sealed.envelope).delegates).toEqual(['eva']);
    const [entry] = world.entries(sealed.id);
    expect(entry?.kind === 'sealed' && entry.people.map(({ person }) => person)).toEqual(['ana', 'ben', 'cleo', 'eva']);
    const votes = [evaFor('ana', sealed), approve('ben', sealed)];
    expect(await world.advance(sealed, votes)).toEqual({ kind: 'end' });
    expect(world.bank.effectsOf(sealed.id)).toEqual(['run']);
  });
  test('attack: one seat, whoever of the two votes; one delegate of two people', async () => {
    const { world, sealed } = await ready();
    const missing = { kind: 'ask', code: 'quorum_missing', check: 11 };
    expect(await refusal(world, sealed, [evaFor('ana', sealed), approve('ana', sealed)])).toEqual(missing);
    expect(await refusal(world, sealed, [evaFor('ana', sealed), evaFor('ben', sealed)])).toEqual(missing);
    expect(await refusal(world, sealed, [evaFor('ana', sealed), evaFor('ben', sealed), approve('ana', sealed)])).toEqual(missing);
    expect(await world.advance(sealed, [evaFor('ana', sealed), approve('cleo', sealed)])).toEqual({ kind: 'end' });
  });
  test('attack: a rule that lets nobody hand over; a delegation nobody signed', async () => {
    const { world, sealed } = await ready('[person:dana]');
    expect(await refusal(world, sealed, [evaFor('ana', sealed), approve('ben', sealed)])).toMatchObject({
      code: 'delegation_invalid',
      check: 8,
    });
    const other = await ready();
    const at = toMs(other.sealed.envelope.sealedAt);
    const own = delegation('ana', 'eva', { at, until: at + HOUR, by: keyOfPerson('eva') });
    const forged = approve('eva', other.sealed, { forge: onSeatOf('ana', own) });
    expect(await refusal(other.world, other.sealed, [forged, approve('ben', other.sealed)])).toMatchObject({
      code: 'delegation_invalid',
      check: 6,
    });
  });
  test('attack: a delegation that is over by the time it would run', async () => {
    const { world, sealed } = await ready();
    const votes = [evaFor('ana', sealed), approve('ben', sealed)];
    world.clock.pass(HOUR);
    expect(await refusal(world, sealed, votes)).toMatchObject({ code: 'delegation_invalid', check: 6 });
  });
  test('7.9 attack 46: the delegator’s key or place, or the delegate’s, is gone: approver_stale', async () => {
    const gone = (person: string): RosterOptions => ({
      version: 2,
      people: { [person]: `{ name: x, keys: ['${keyOfPerson(person).key.text}'], until: '2026-06-01T09:10:00.000Z' }` },
    });
    const newKey = (person: string): RosterOptions => ({
      version: 2,
      people: { [person]: `{ name: x, keys: ['${signerOf('new').key.text}'] }` },
    });
    for (const roster of [
      gone('ana'),
      newKey('ana'),
      newKey('eva'),
      { version: 2, groups: { finance: ['ben', 'cleo', 'dana'] } },
      { version: 2, groups: { 'finance-leads': ['dana'] } },
    ]) {
      const { world, sealed } = await ready();
      world.clock.pass(10 * MINUTE);
      world.rules.setRoster(roster);
      const votes = [evaFor('ana', sealed), approve('ben', sealed)];
      expect(await refusal(world, sealed, votes)).toEqual({ kind: 'ask', code: 'approver_stale', check: 9 });
      expect(await world.advance(sealed, [...votes, approve('cleo', sealed)])).toEqual({ kind: 'end' });
    }
  });
  test('6.9 attack 31: a present rule that lets nobody hand over any more', async () => {
    const { world, sealed } = await ready();
    world.rules.setPolicy({ version: 2 });
    expect(await world.advance(sealed, [evaFor('ana', sealed), approve('ben', sealed)])).toEqual({ kind: 'reseal', code: 'policy_stale' });
    expect(world.bank.callsOf('run')).toEqual([]);
  });
  test('6.6 a modify by a delegate: neither of the two counts on what came of it', async () => {
    const { world, sealed } = await ready();
    const second = held(await world.modify(sealed.id, modify('eva', sealed, { '/cents': 82_000 }, by(sealed, 'ana'))));
    expect(second.envelope.contributors).toEqual(['ana', 'eva']);
    expect(await refusal(world, second, [approve('ana', second), approve('ben', second)])).toMatchObject({
      code: 'editor_excluded',
      check: 8,
    });
    expect(await refusal(world, second, [evaFor('cleo', second), approve('ben', second)])).toMatchObject({
      code: 'editor_excluded',
      check: 8,
    });
    expect(await world.advance(second, [approve('cleo', second), approve('ben', second)])).toEqual({ kind: 'end' });
  });
  test('a "no" for somebody is on record, ends it, and is taken back by the one it was said for', async () => {
    const { world, sealed } = await ready();
    const no = reject('eva', sealed, by(sealed, 'ana'));
    expect(await world.lodge(sealed.id, no)).toMatchObject({ kind: 'stands' });
    expect(await refusal(world, sealed, [approve('ben', sealed), approve('cleo', sealed)])).toMatchObject({ code: 'rejection_standing' });
    expect(await world.lodge(sealed.id, withdraw('ana', sealed, no))).toMatchObject({ kind: 'stands' });
    expect(await world.advance(sealed, [approve('ben', sealed), approve('cleo', sealed)])).toEqual({ kind: 'end' });

    const other = await ready();
    await other.world.lodge(other.sealed.id, reject('eva', other.sealed, by(other.sealed, 'ana')));
    expect(await other.world.close(other.sealed.id, 'rejected')).toEqual({ kind: 'end' });
    expect(other.world.outcome(other.sealed.id).reason).toMatchObject({ code: 'rejected', text: 'Not this vendor.', by: 'person:eva' });
  });
});

describe('the evidence of a delegation', () => {
  const evidenceOf = async (): Promise<{ bytes: Uint8Array; votes: readonly Signed[] }> => {
    const { world, sealed } = await ready();
    const votes = [evaFor('ana', sealed), approve('ben', sealed)];
    expect(await world.advance(sealed, votes)).toEqual({ kind: 'end' });
    const entries = await world.executor.ledger.transaction((tx) => tx.entriesFrom(sealed.id, 0));
    return { bytes: buildEvidence(snapshotOf({ id: sealed.id, entries, revisions: [sealed], decisions: votes })), votes };
  };
  test('verifies offline, and says on whose seat who decided', async () => {
    const { bytes, votes } = await evidenceOf();
    const [first] = votes;
    const verdict = verifyEvidence(bytes, rosterOf());
    expect(verdict).toMatchObject({ ok: true });
    expect(verdict.ok && verdict.counted).toContainEqual({ person: 'ana', by: 'eva', digest: first && digestOfSigned(first) });
  });
  test('attack: the reader’s own roster does not know the key that handed over', async () => {
    const { bytes } = await evidenceOf();
    const roster = rosterOf({ people: { ana: `{ name: ana, keys: ['${signerOf('other').key.text}'] }` } });
    expect(verifyEvidence(bytes, roster)).toMatchObject({
      ok: false,
      step: expect.stringMatching(/^decision [12], its delegation/) as unknown,
    });
  });
});
