import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalize } from '../../src/domain/json.js';
import { parseRoster } from '../../src/domain/roster.js';
import { verifyEvidence } from '../../src/domain/evidence/verify.js';
import { utf8 } from '../../src/domain/bytes.js';
import { actionListSchema } from '../../src/domain/http.js';
import { approve, delegation, onSeatOf, reject, withdraw, type SealedRevision } from '../helpers/messages.js';
import { keyOfPerson } from '../helpers/signers.js';
import { Desk, refusalOf } from './desk.js';

const at = () => ({ at: Date.now() });
const HOUR = 3_600_000;
const toEva = (from: string, more = {}) => delegation(from, 'eva', { at: Date.now() - 1_000, until: Date.now() + HOUR, ...more });
const evaFor = (from: string, sealed: SealedRevision, signed = toEva(from)) =>
  approve('eva', sealed, { ...at(), forge: onSeatOf(from, signed) });

describe('delegation, on a real Temporal server', () => {
  let desk: Desk;
  beforeAll(async () => {
    desk = await Desk.open({ policy: { delegates: '[group:finance-leads]' } });
  });
  afterAll(() => desk.stop());

  test('eva decides for ana, ben for himself: it runs once, and the evidence proves who decided for whom', async () => {
    const sealed = await desk.held();
    const list = actionListSchema.parse((await desk.get('eva', '/v1/inbox?for=ana')).body);
    expect(list.actions.map(({ id }) => id)).toContain(sealed.id);
    expect(refusalOf(await desk.get('agent', '/v1/inbox?for=ana'))).toBe('403 not_a_reviewer');
    expect((await desk.decide(evaFor('ana', sealed))).status).toBe(200);
    const half = await desk.action(sealed.id);
    expect(half.decisions).toMatchObject([{ person: 'eva', for: 'ana', verdict: 'approve', fate: { state: 'counted' } }]);
    expect([half.progress, half.awaiting]).toEqual([{ have: 1, need: 2 }, ['ben', 'cleo']]);
    expect(refusalOf(await desk.decide(approve('ana', sealed, at())))).toBe('409 seat_taken');
    expect(refusalOf(await desk.decide(evaFor('ben', sealed)))).toBe('409 seat_taken');
    expect((await desk.decide(approve('ben', sealed, at()))).status).toBe(200);
    expect((await desk.when(sealed.id, ({ outcome }) => outcome.final)).outcome).toMatchObject({ status: 'succeeded', effect: 'done' });
    expect(desk.rig.bank.effectsOf(sealed.id)).toEqual(['run']);
    const roster = parseRoster(await readFile(join(desk.rig.dir, 'roster.yaml'), 'utf8'), 'roster.yaml');
    if (!roster.ok) throw new Error('no roster');
    const { body } = await desk.get('ana', `/v1/actions/${sealed.id}/evidence`);
    const verdict = verifyEvidence(utf8(`${canonicalize(body)}\n`), roster.roster);
    expect(verdict.ok && verdict.counted.map(({ person, by }) => [person, by ?? null]).sort()).toEqual([
      ['ana', 'eva'],
      ['ben', null],
    ]);
  });

  test('attack: forged, expired, for other types, to somebody else: refused at the door, with what to do', async () => {
    const sealed = await desk.held();
    const refused = async (signed: Parameters<Desk['decide']>[0]) => refusalOf(await desk.decide(signed));
    expect(await refused(evaFor('ana', sealed, toEva('ana', { by: keyOfPerson('eva') })))).toBe('403 delegation_invalid');
    expect(await refused(evaFor('ana', sealed, toEva('ana', { at: Date.now() - HOUR, until: Date.now() })))).toBe('403 delegation_invalid');
    expect(await refused(evaFor('ana', sealed, toEva('ana', { types: ['cloud.*'] })))).toBe('403 delegation_invalid');
    expect(await refused(evaFor('ana', sealed, toEva('cleo')))).toBe('403 delegation_invalid');
    // Handed on by one to whom it was handed; dana, the owner, through eva.
    const on = delegation('eva', 'ben', { at: Date.now() - 1_000, until: Date.now() + HOUR });
    expect(await refused(approve('ben', sealed, { ...at(), forge: onSeatOf('eva', on) }))).toBe('403 delegation_invalid');
    expect(await refused(evaFor('dana', sealed))).toBe('403 delegation_invalid');
    expect((await desk.action(sealed.id)).progress).toEqual({ have: 0, need: 2 });
  });

  test('the delegator overrules: withdraws what was done for her, or says no', async () => {
    const sealed = await desk.held();
    const yes = evaFor('ana', sealed);
    await desk.decide(yes);
    expect((await desk.decide(withdraw('ana', sealed, yes, at()))).status).toBe(200);
    expect((await desk.action(sealed.id)).progress).toEqual({ have: 0, need: 2 });
    await desk.decide(evaFor('ana', sealed));
    expect((await desk.decide(reject('ana', sealed, at()))).status).toBe(200);
    expect((await desk.when(sealed.id, ({ outcome }) => outcome.final)).outcome).toMatchObject({ status: 'rejected', effect: 'none' });
  });
});
