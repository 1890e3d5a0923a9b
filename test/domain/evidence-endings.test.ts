import { describe, expect, test } from '@jest/globals';
import type { Signed } from '../../src/domain/dsse.js';
import { buildEvidence } from '../../src/domain/evidence/build.js';
import { verifyEvidence, type EvidenceVerdict } from '../../src/domain/evidence/verify.js';
import type { ActionId } from '../../src/domain/ids.js';
import { readersRoster } from '../helpers/flips.js';
import { approve, cancel, modify, reject, request, resolve, withdraw, type Proposal, type SealedRevision } from '../helpers/messages.js';
import { ONE_OF_FINANCE, policyText, TestRules } from '../helpers/rules-fixture.js';
import { API } from '../helpers/signers.js';
import { snapshotOf } from '../helpers/snapshots.js';
import { ask, HOUR, held, SECOND, World } from '../helpers/world.js';

interface Story {
  readonly revisions?: readonly SealedRevision[];
  readonly decisions?: readonly Signed[];
  readonly messages?: readonly Signed[];
  readonly request?: Signed;
}

/** What the executor's own ledger gives, through a snapshot, back into a verdict. */
async function verdictOf(world: World, id: ActionId, story: Story): Promise<EvidenceVerdict> {
  const { entries } = await ask(world.executor, 'report', { actionId: id, have: 0 });
  return verifyEvidence(buildEvidence(snapshotOf({ id, entries, revisions: [], ...story })), readersRoster());
}
async function approved(proposal: Proposal = {}, world?: World): Promise<{ world: World; revision: SealedRevision; decisions: Signed[] }> {
  const opened = world ?? (await World.open());
  const revision = await opened.propose(proposal);
  opened.clock.pass(SECOND);
  return { world: opened, revision, decisions: [approve('ana', revision), approve('ben', revision)] };
}
const good = (status: string, effect: string, counted = 2): object => ({
  ok: true,
  outcome: { status, effect },
  counted: { length: counted },
});

describe('evidence of what a real executor wrote verifies, whatever the end', () => {
  test('succeeded; the two who counted are named, a third vote and a refused modify are only claimed', async () => {
    const { world, revision, decisions } = await approved();
    const others = [approve('cleo', revision), modify('cleo', revision, { '/cents': 1 })];
    await world.run(revision, decisions);
    const verdict = await verdictOf(world, revision.id, { revisions: [revision], decisions: [...others, ...decisions] });
    expect(verdict).toMatchObject({ ...good('succeeded', 'done'), warnings: [] });
    expect(verdict.ok && verdict.counted.map(({ person }) => person).sort()).toEqual(['ana', 'ben']);
  });

  test('compensated after step 3 failed, and after a signed cancel in between', async () => {
    const first = await approved({ type: 'payments.batch' });
    first.world.bank.plan({ run: ['ok', 'ok', 'failed'] });
    await first.world.run(first.revision, first.decisions);
    const failed = await verdictOf(first.world, first.revision.id, { revisions: [first.revision], decisions: first.decisions });
    expect(failed).toMatchObject(good('compensated', 'undone'));

    const { world, revision, decisions } = await approved({ type: 'payments.batch' });
    await world.advance(revision, decisions);
    const stop = cancel(revision.id, { at: world.clock.ms });
    await world.lodge(revision.id, stop);
    await world.run(revision, decisions);
    const stopped = await verdictOf(world, revision.id, { revisions: [revision], decisions, messages: [stop] });
    expect(stopped).toMatchObject({ ...good('compensated', 'undone'), warnings: [] });
  });

  test('failed at the first step; tried again after it did not start', async () => {
    const { world, revision, decisions } = await approved();
    world.bank.plan({ run: ['not_started', 'not_started', 'failed'] });
    await world.run(revision, decisions);
    expect(await verdictOf(world, revision.id, { revisions: [revision], decisions })).toMatchObject(good('failed', 'none'));
  });

  test('a step that never started in time is turned back: nothing took effect', async () => {
    const { world, revision, decisions } = await approved();
    world.bank.plan({ run: ['not_started'] });
    await world.advance(revision, decisions);
    world.clock.pass(HOUR);
    await world.run(revision, decisions);
    expect(await verdictOf(world, revision.id, { revisions: [revision], decisions })).toMatchObject(good('failed', 'none'));
  });

  test.each([
    ['happened', 'succeeded', 'done'],
    ['did_not', 'failed', 'none'],
    ['undone_by_hand', 'compensated', 'undone'],
  ] as const)('outcome unknown, resolved as %s: %s', async (said, status, effect) => {
    const { world, revision, decisions } = await approved({ type: 'payments.blind' });
    world.bank.plan({ run: ['lost_after'] });
    await world.run(revision, decisions);
    const waiting = await verdictOf(world, revision.id, { revisions: [revision], decisions });
    expect(waiting).toMatchObject(good('outcome_unknown', 'unknown'));
    world.clock.pass(SECOND);
    const finding = resolve('eva', revision.id, 1, said, { at: world.clock.ms });
    await world.lodge(revision.id, finding);
    await world.run(revision, decisions);
    const verdict = await verdictOf(world, revision.id, { revisions: [revision], decisions, messages: [finding] });
    expect(verdict).toMatchObject({ ...good(status, effect), warnings: [] });
    const without = await verdictOf(world, revision.id, { revisions: [revision], decisions });
    expect(without).toMatchObject({ ok: true, warnings: [expect.stringContaining("the executor's word alone")] });
  });

  test('an undo by hand waits for a person: partial, then compensated', async () => {
    const { world, revision, decisions } = await approved({ type: 'payments.by-hand' });
    world.bank.plan({ run: ['ok', 'failed'] });
    await world.run(revision, decisions);
    expect(await verdictOf(world, revision.id, { revisions: [revision], decisions })).toMatchObject(good('compensation_failed', 'partial'));
    const finding = resolve('eva', revision.id, 1, 'undone_by_hand', { at: world.clock.ms });
    await world.lodge(revision.id, finding);
    await world.run(revision, decisions);
    const verdict = await verdictOf(world, revision.id, { revisions: [revision], decisions, messages: [finding] });
    expect(verdict).toMatchObject({ ...good('compensated', 'undone'), warnings: [] });
  });

  test('expired, execution_expired, rejected, cancelled: nothing ran, nobody counted', async () => {
    const expired = await approved();
    expired.world.clock.pass(25 * HOUR);
    await expired.world.close(expired.revision.id, 'expired');
    expect(await verdictOf(expired.world, expired.revision.id, { revisions: [expired.revision] })).toMatchObject(
      good('expired', 'none', 0),
    );

    const late = await approved();
    late.world.clock.pass(HOUR);
    await late.world.close(late.revision.id, 'execution_expired', late.decisions);
    const lateVerdict = await verdictOf(late.world, late.revision.id, { revisions: [late.revision], decisions: late.decisions });
    expect(lateVerdict).toMatchObject(good('execution_expired', 'none', 0));

    const rejected = await approved();
    const no = reject('cleo', rejected.revision);
    await rejected.world.lodge(rejected.revision.id, no);
    await rejected.world.close(rejected.revision.id, 'rejected');
    const noVerdict = await verdictOf(rejected.world, rejected.revision.id, { revisions: [rejected.revision], decisions: [no] });
    expect(noVerdict).toMatchObject({ ...good('rejected', 'none', 0), warnings: [] });

    const cancelled = await approved();
    const stop = cancel(cancelled.revision.id, { at: cancelled.world.clock.ms });
    await cancelled.world.lodge(cancelled.revision.id, stop);
    const stopVerdict = await verdictOf(cancelled.world, cancelled.revision.id, { revisions: [cancelled.revision], messages: [stop] });
    expect(stopVerdict).toMatchObject({ ...good('cancelled', 'none', 0), warnings: [] });
  });

  test("cancelled in Temporal, before or after the seal: nobody's signature, and it says so", async () => {
    const { world, revision } = await approved();
    await world.close(revision.id, 'cancelled');
    const verdict = await verdictOf(world, revision.id, { revisions: [revision] });
    expect(verdict).toMatchObject({
      ok: true,
      outcome: { status: 'cancelled' },
      warnings: [expect.stringContaining('entry 2: cancelled without a signature, by somebody who may cancel in Temporal')],
    });

    const { id } = request({ idempotencyKey: 'never sealed' });
    await world.close(id, 'cancelled');
    expect(await verdictOf(world, id, {})).toMatchObject({ ok: true, outcome: { status: 'cancelled' } });
  });

  test('denied before any seal: the request stands in the file', async () => {
    const world = await World.open({ rules: new TestRules(policyText({ deny: ['payments.transfer'] })) });
    const { id, signed } = request({});
    await world.seal(id, signed);
    expect(await verdictOf(world, id, { request: signed })).toMatchObject({ ...good('denied', 'none', 0), warnings: [] });
    expect(await verdictOf(world, id, { request: request({}).signed })).toMatchObject({
      ok: true,
      warnings: [expect.stringContaining('entry 1: the request that was denied is not in the file')],
    });
  });

  test('modified, a rejection withdrawn, then approved by others: two revisions hold together', async () => {
    const world = await World.open({ rules: new TestRules(policyText({ stages: ONE_OF_FINANCE })) });
    const first = await world.propose();
    const no = reject('ben', first);
    const change = modify('ana', first, { '/cents': 470_000 });
    await world.lodge(first.id, no);
    world.clock.pass(SECOND);
    const second = held(await world.modify(first.id, change));
    const back = withdraw('ben', first, no, { at: world.clock.ms });
    await world.lodge(first.id, back);
    const yes = approve('cleo', second, { at: world.clock.ms });
    await world.run(second, [yes]);
    const decisions = [no, change, back, yes];
    const verdict = await verdictOf(world, first.id, { revisions: [first, second], decisions });
    expect(verdict).toMatchObject({ ok: true, outcome: { status: 'succeeded' }, counted: [{ person: 'cleo' }], warnings: [] });

    const afterReset = await verdictOf(world, first.id, { revisions: [second], decisions });
    expect(afterReset).toMatchObject({ ok: true, outcome: { status: 'succeeded' }, counted: [{ person: 'cleo' }] });
    expect(afterReset.ok && afterReset.warnings.length).toBeGreaterThan(0);
  });

  test('stale and sealed again: approvals of the second seal count', async () => {
    const { world, revision, decisions } = await approved();
    world.bank.version = 2;
    await world.run(revision, decisions);
    const second = held(await world.reseal(revision.id, revision.digest));
    const again = [approve('ana', second), approve('cleo', second)];
    await world.run(second, again);
    const verdict = await verdictOf(world, revision.id, { revisions: [revision, second], decisions: [...decisions, ...again] });
    expect(verdict).toMatchObject({ ...good('succeeded', 'done'), warnings: [] });
  });

  test('a vouched request is said to be one', async () => {
    const { world, revision, decisions } = await approved({ agent: 'bearer-agent', by: API });
    await world.run(revision, decisions);
    const verdict = await verdictOf(world, revision.id, { revisions: [revision], decisions });
    expect(verdict).toMatchObject({
      ok: true,
      warnings: [expect.stringContaining('the request is vouched for by the API, not signed by bearer-agent')],
    });
  });

  test('under review: no end yet, and it says so', async () => {
    const { world, revision, decisions } = await approved();
    expect(await verdictOf(world, revision.id, { revisions: [revision], decisions })).toMatchObject({
      ok: true,
      outcome: { status: 'awaiting_approval', final: false },
      counted: [],
      warnings: [expect.stringContaining('the file holds no end: the action may have moved on since')],
    });
  });
});
