import { beforeAll, describe, expect, test } from '@jest/globals';
import { endProvenBy, provenOutcome, trustIn, trustInType } from '../../src/api/resource/proven.js';
import { resourceOf, staleResource } from '../../src/api/resource/resource.js';
import type { Described } from '../../src/api/temporal/describe.js';
import { readPayload, type Signed } from '../../src/domain/dsse.js';
import { actionLineSchema, actionSchema } from '../../src/domain/http.js';
import type { JsonObject } from '../../src/domain/json.js';
import { END_STATUSES, outcomeOf, type EndStatus, type Outcome } from '../../src/domain/outcome.js';
import { parseRoster, type Roster } from '../../src/domain/roster.js';
import type { Snapshot } from '../../src/domain/review/snapshot.js';
import { approve, request } from '../helpers/messages.js';
import { rosterText } from '../helpers/rules-fixture.js';
import { EXECUTOR, signerOf } from '../helpers/signers.js';
import { snapshotOf } from '../helpers/snapshots.js';
import { ask, World } from '../helpers/world.js';

function rosterOf(text: string): Roster {
  const read = parseRoster(text, 'roster.yaml');
  if (!read.ok) throw new Error('roster');
  return read.roster;
}
const ROSTER = rosterOf(rosterText());
const now = Date.UTC(2026, 5, 1, 9);

/** §5: an end is an end only when the ledger says so; a workflow, whoever runs it, is not believed. */
describe('an end is shown only if its entries prove it', () => {
  let succeeded: Snapshot;
  let held: Snapshot;
  beforeAll(async () => {
    const world = await World.open();
    const sealed = await world.propose();
    const entriesNow = async (): Promise<readonly Signed[]> =>
      (await ask(world.executor, 'report', { actionId: sealed.id, have: 0 })).entries;
    held = {
      ...snapshotOf({ id: sealed.id, entries: await entriesNow(), revisions: [sealed] }),
      outcome: outcomeOf(sealed.id, 'awaiting_approval', { code: 'awaiting_approval', text: 'none' }),
    };
    await world.run(sealed, [approve('ana', sealed), approve('ben', sealed)]);
    succeeded = snapshotOf({ id: sealed.id, entries: await entriesNow(), revisions: [sealed] });
  });
  const shown = (snapshot: Snapshot, roster = ROSTER): Outcome =>
    provenOutcome(snapshot, trustIn(roster, 'payments.transfer', snapshot), roster, now);
  const claiming = (snapshot: Snapshot, status: EndStatus): Snapshot => ({
    ...snapshot,
    outcome: outcomeOf(snapshot.id, status, { code: status, text: 'claimed' }),
  });

  test('the ledger ended it, whatever the workflow says of it', () => {
    expect(shown(succeeded)).toMatchObject({ status: 'succeeded', effect: 'done', final: true });
    for (const status of END_STATUSES) expect(shown(claiming(succeeded, status)).status).toBe('succeeded');
  });

  test.each(END_STATUSES)('a claim to have %s without an entry is no end', (status) => {
    expect(shown(claiming(held, status))).toMatchObject({
      status: 'awaiting_approval',
      effect: 'none',
      final: false,
      reason: { code: 'receipt_invalid' },
    });
    expect(shown(claiming({ ...succeeded, entries: succeeded.entries.slice(0, -2) }, status))).toMatchObject({
      status: 'executing',
      effect: 'in_progress',
      final: false,
    });
    expect(shown(claiming({ ...held, entries: [] }, status)).final).toBe(false);
  });

  test('an entry that the executor did not sign, or of another action, or out of order, proves nothing', () => {
    const last = succeeded.entries.at(-1);
    if (last === undefined) throw new Error('no entries');
    const body = readPayload('entry', last) as JsonObject;
    const rest = succeeded.entries.slice(0, -1);
    const forged: readonly (readonly Signed[])[] = [
      [...rest, signerOf('stranger').sign('entry', body)],
      [...rest, EXECUTOR.sign('answer', body)],
      [...rest, EXECUTOR.sign('entry', { ...body, deployment: 'other' })],
      [...rest, EXECUTOR.sign('entry', { ...body, actionId: request().id })],
      succeeded.entries.slice(1),
      [...succeeded.entries].reverse(),
      [...rest.slice(0, -1), last],
    ];
    for (const entries of forged)
      expect(shown(claiming({ ...succeeded, entries: [...entries] }, 'succeeded'))).toMatchObject({
        final: false,
        reason: { code: 'receipt_invalid' },
      });
  });

  test('keys of another executor prove nothing; a key past its end still proves what it signed', () => {
    expect(shown(succeeded, rosterOf(rosterText().replace(EXECUTOR.key.text, signerOf('executor:new').key.text))).final).toBe(false);
    const kept = rosterText().replace(
      `keys: ['${EXECUTOR.key.text}']`,
      `keys: ['${signerOf('executor:new').key.text}', { key: '${EXECUTOR.key.text}', until: 2026-05-01T00:00:00.000Z }]`,
    );
    expect(shown(succeeded, rosterOf(kept)).final).toBe(true);
  });

  test('nothing written: final only where this roster too knows nobody behind the request, or nobody who runs the type', () => {
    const denied = (signed: unknown): Snapshot => claiming({ ...held, entries: [], envelopes: [], request: signed }, 'denied');
    const good = request().signed;
    expect(shown(denied(good)).final).toBe(false);
    expect(shown(denied({ not: 'signed' })).final).toBe(true);
    expect(shown(denied(request({ by: signerOf('stranger') }).signed)).final).toBe(true);
    expect(shown(denied(good), rosterOf(rosterText({ runs: ['payments.batch'] }))).final).toBe(true);
    expect(shown(claiming(denied(request({ by: signerOf('stranger') }).signed), 'cancelled')).final).toBe(false);
  });

  test('without a worker no listed end is one, and none looks like an effect', () => {
    const line = actionLineSchema.parse({
      id: held.id,
      status: 'evaluating',
      type: 't',
      agent: 'a',
      risk: null,
      rule: null,
      awaiting: [],
      deadline: null,
      startedAt: '2026-06-01T09:00:00.000Z',
    });
    for (const status of END_STATUSES) {
      const { outcome, stale } = actionSchema.parse(staleResource({ line: { ...line, status }, run: 'completed' }, undefined));
      expect(outcome.final).toBe(false);
      expect(['none', 'in_progress']).toContain(outcome.effect);
      expect(stale).toBe(true);
    }
    const trust = trustInType(ROSTER, 'payments.transfer');
    const outcome = endProvenBy(succeeded.id, succeeded.entries, trust);
    if (outcome === undefined) throw new Error('its own receipt proves no end');
    const proven = staleResource({ line: { ...line, status: 'evaluating' }, run: 'completed' }, { ...outcome, receipt: succeeded.entries });
    expect(actionSchema.parse(proven)).toMatchObject({
      stale: true,
      outcome: { status: 'succeeded', final: true },
      entries: succeeded.entries,
    });
    // A result that anybody with the namespace can write proves nothing but by its entries.
    expect(endProvenBy(succeeded.id, succeeded.entries.slice(0, -1), trust)).toBeUndefined();
    expect(endProvenBy(succeeded.id, succeeded.entries.slice(1), trust)).toBeUndefined();
    expect(endProvenBy(request().id, succeeded.entries, trust)).toBeUndefined();
    expect(endProvenBy(succeeded.id, succeeded.entries, trustInType(ROSTER, 'no.such'))).toBeUndefined();
    const closed: Pick<Described, 'line' | 'run'> = { line, run: 'terminated' };
    expect(staleResource(closed, undefined).outcome.reason.text).toContain('terminated');
    expect(actionSchema.parse(resourceOf(closed, held, ROSTER, now)).outcome).toMatchObject({ status: 'awaiting_approval', final: false });
    expect(resourceOf(closed, succeeded, ROSTER, now).outcome.final).toBe(true);
  });

  test('a sentence is shown only from an envelope the executor signed', () => {
    const described: Pick<Described, 'line' | 'run'> = {
      line: actionLineSchema.parse({
        id: held.id,
        status: 'awaiting_approval',
        type: 'payments.transfer',
        agent: 'ap-agent',
        risk: null,
        rule: null,
        awaiting: [],
        deadline: null,
        startedAt: '2026-06-01T09:00:00.000Z',
      }),
      run: 'running',
    };
    const [envelope] = held.envelopes;
    if (envelope === undefined) throw new Error('no envelope');
    const body = readPayload('envelope', envelope) as JsonObject;
    expect(resourceOf(described, held, ROSTER, now).sentence).toBe('Pay ACME EUR 4800.00');
    const forged = signerOf('stranger').sign('envelope', { ...body, summary: 'Pay ACME EUR 1.00' });
    expect(resourceOf(described, { ...held, envelopes: [forged] }, ROSTER, now).sentence).toBeNull();
  });
});
