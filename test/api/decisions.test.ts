import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseRoster } from '../../src/domain/roster.js';
import { verifyEvidence } from '../../src/domain/evidence/verify.js';
import { utf8 } from '../../src/domain/bytes.js';
import { digestOfSigned } from '../../src/domain/dsse.js';
import { actionEventsSchema, messageAnswerSchema, problemSchema, type MessageAnswer } from '../../src/domain/http.js';
import { approve, cancel, modify, reject, request, resolve, withdraw } from '../helpers/messages.js';
import { keyOfPerson } from '../helpers/signers.js';
import { Desk, readHeader, refusalOf, sealedOf, type Answer } from './desk.js';

const at = () => ({ at: Date.now() });
const said = (answer: Answer): MessageAnswer => messageAnswerSchema.parse(answer.body);

describe('decisions over HTTP, on a real Temporal server', () => {
  let desk: Desk;
  beforeAll(async () => {
    desk = await Desk.open();
  });
  afterAll(() => desk.stop());

  test('two agree, it runs once; a repeat keeps its fate, anything later is too late', async () => {
    const sealed = await desk.held();
    const ana = approve('ana', sealed, at());
    const first = await desk.decide(ana);
    expect(first.status).toBe(200);
    expect(said(first)).toMatchObject({
      id: sealed.id,
      digest: digestOfSigned(ana),
      fate: { state: 'counted' },
      judged: true,
      status: 'awaiting_approval',
      progress: { have: 1, need: 2 },
    });
    expect(refusalOf(await desk.decide(approve('ana', sealed, at())))).toBe('409 seat_taken');
    expect(refusalOf(await desk.decide(approve('eva', sealed, at())))).toBe('403 not_eligible');
    // The agent's owner, whom the action never asks, so that its envelope does not even hold her key.
    expect(refusalOf(await desk.decide(approve('dana', sealed, at())))).toBe('403 self_approval');
    expect((await desk.decide(approve('ben', sealed, at()))).status).toBe(200);
    const ended = await desk.when(sealed.id, ({ outcome }) => outcome.final);
    expect(ended.outcome).toMatchObject({ status: 'succeeded', effect: 'done', final: true, result: { cents: 480_000 } });
    expect(desk.rig.bank.effectsOf(sealed.id)).toEqual(['run']);
    expect(said(await desk.decide(ana))).toMatchObject({ fate: { state: 'counted' } });
    expect(refusalOf(await desk.decide(approve('cleo', sealed, at())))).toBe('409 action_ended');
    expect(refusalOf(await desk.post(`/v1/actions/${sealed.id}/cancel`, cancel(sealed.id, at())))).toBe('409 action_ended');
  });

  test('6.6 a modify is answered once it is a revision; the old one is stale', async () => {
    const sealed = await desk.held();
    await desk.decide(approve('ben', sealed, at()));
    const changed = await desk.decide(modify('ana', sealed, { '/cents': 100 }, at()));
    expect(changed.status).toBe(200);
    expect(said(changed)).toMatchObject({ fate: { state: 'counted' }, progress: { have: 0, need: 2 } });
    expect(refusalOf(await desk.decide(approve('ben', sealed, at())))).toBe('412 revision_stale');
    const second = sealedOf(await desk.action(sealed.id));
    expect(second.envelope.revision).toBe(2);
    expect(refusalOf(await desk.decide(approve('ana', second, at())))).toBe('403 editor_excluded');
    const refused = await desk.decide(modify('ben', second, { '/vendor': 'Shell Co' }, at()));
    expect(refused.status).toBeGreaterThanOrEqual(400);
    expect(problemSchema.parse(refused.body).detail).not.toBe('');
  });

  test('a rejection is answered once the ledger holds it, and a withdrawal likewise', async () => {
    const sealed = await desk.held();
    const first = approve('ana', sealed, at());
    await desk.decide(first);
    const back = await desk.decide(withdraw('ana', sealed, first, at()));
    expect(said(back)).toMatchObject({ fate: { state: 'stands' }, progress: { have: 0, need: 2 } });
    const no = await desk.decide(reject('cleo', sealed, at()));
    expect(no.status).toBe(200);
    expect(said(no).fate).toEqual({ state: 'stands' });
    expect((await desk.when(sealed.id, ({ outcome }) => outcome.final)).outcome).toMatchObject({ status: 'rejected', effect: 'none' });
  });

  test('the owner cancels; an outsider does not', async () => {
    const { id } = await desk.held();
    const path = `/v1/actions/${id}/cancel`;
    expect(refusalOf(await desk.post(path, cancel(id, { ...at(), by: keyOfPerson('ana') }, 'person:ana')))).toBe('401 credential_invalid');
    expect(refusalOf(await desk.post(path, cancel(id, at(), 'person:dana')))).toBe('401 credential_invalid');
    const answer = await desk.post(path, cancel(id, { ...at(), by: keyOfPerson('dana') }, 'person:dana'));
    expect(said(answer)).toMatchObject({ fate: { state: 'stands' }, outcome: { status: 'cancelled', effect: 'none', final: true } });
  });

  test('an update id that somebody used up with another message does not swallow the decision', async () => {
    const sealed = await desk.held();
    const mine = approve('ana', sealed, at());
    // With access to the namespace, and knowing the digest: another person's decision under my decision's id.
    const other = approve('ben', sealed, at());
    await desk.rig.client.workflow.getHandle(sealed.id).executeUpdate('decision', { args: [other], updateId: digestOfSigned(mine) });
    const answer = await desk.decide(mine);
    expect(said(answer)).toMatchObject({ digest: digestOfSigned(mine), fate: { state: 'counted' } });
    const { decisions } = await desk.action(sealed.id);
    expect(decisions.map(({ person }) => person).sort()).toEqual(['ana', 'ben']);
  });

  test('worker down: recorded and not yet counted; counted once a worker is back', async () => {
    const sealed = await desk.held();
    await desk.decide(approve('ana', sealed, at()));
    await desk.rig.stopWorker();
    const ben = approve('ben', sealed, at());
    const answer = await desk.decide(ben);
    expect(answer.status).toBe(202);
    expect(said(answer)).toMatchObject({ fate: { state: 'waiting' }, judged: false, status: 'awaiting_approval' });
    const path = answer.headers.get('location') ?? '';
    expect(said(await desk.get('ben', path))).toMatchObject({ digest: digestOfSigned(ben), fate: { state: 'waiting' }, judged: false });
    // A vote that only the sealed list can refuse is recorded too; its author learns why it did not count.
    const eva = approve('eva', sealed, at());
    expect((await desk.decide(eva)).status).toBe(202);
    expect(refusalOf(await desk.get('ben', `/v1/actions/${sealed.id}/decisions/${'0'.repeat(64)}`))).toBe('404 request_invalid');
    await desk.rig.startWorker();
    expect((await desk.when(sealed.id, ({ outcome }) => outcome.final)).outcome.status).toBe('succeeded');
    expect(said(await desk.get('ben', path))).toMatchObject({ fate: { state: 'counted' }, judged: true, outcome: { effect: 'done' } });
    expect(said(await desk.get('eva', `/v1/actions/${sealed.id}/decisions/${digestOfSigned(eva)}`)).fate).toMatchObject({
      state: 'refused',
      code: 'not_eligible',
    });
    expect(desk.rig.bank.effectsOf(sealed.id)).toEqual(['run']);
  });

  test('executor away: a no is taken and waits for the ledger; 202 says so', async () => {
    const sealed = await desk.held();
    await desk.rig.stopExecutor();
    const no = reject('ana', sealed, at());
    const answer = await desk.decide(no);
    expect(answer.status).toBe(202);
    expect(said(answer)).toMatchObject({ fate: { state: 'waiting' }, judged: true });
    await desk.rig.startExecutor();
    expect((await desk.when(sealed.id, ({ outcome }) => outcome.final)).outcome.status).toBe('rejected');
    expect(said(await desk.get('ana', answer.headers.get('location') ?? '')).fate).toEqual({ state: 'stands' });
  });

  test('nobody knows what became of a step: the people the rule names resolve it', async () => {
    desk.rig.bank.plan({ run: ['lost_before'] });
    const sealed = await desk.held({ type: 'payments.blind' });
    const { id } = sealed;
    await desk.decide(approve('ana', sealed, at()));
    await desk.decide(approve('ben', sealed, at()));
    const path = `/v1/actions/${id}/resolutions`;
    expect((await desk.when(id, ({ outcome }) => outcome.status === 'outcome_unknown')).outcome).toMatchObject({
      effect: 'unknown',
      final: false,
    });
    const answer = await desk.post(path, resolve('eva', id, 1, 'did_not', at()));
    expect(said(answer).fate).toEqual({ state: 'stands' });
    expect((await desk.when(id, ({ outcome }) => outcome.final)).outcome).toMatchObject({ status: 'failed', effect: 'none' });
  });

  test('a resolve by somebody the rule does not name is refused, and the action stays readable', async () => {
    desk.rig.bank.plan({ run: ['lost_before'] });
    const sealed = await desk.held({ type: 'payments.blind' });
    await desk.decide(approve('ana', sealed, at()));
    await desk.decide(approve('ben', sealed, at()));
    await desk.when(sealed.id, ({ outcome }) => outcome.status === 'outcome_unknown');
    const path = `/v1/actions/${sealed.id}/resolutions`;
    expect(refusalOf(await desk.post(path, resolve('ana', sealed.id, 1, 'did_not', at())))).toBe('403 not_eligible');
    expect((await desk.action(sealed.id)).stale).toBe(false);
    await desk.post(path, resolve('eva', sealed.id, 1, 'happened', at()));
    expect((await desk.when(sealed.id, ({ outcome }) => outcome.final)).outcome).toMatchObject({ status: 'succeeded', effect: 'done' });
  });

  test('events as JSON and as a stream that ends with the action', async () => {
    const sealed = await desk.held();
    const path = `/v1/actions/${sealed.id}/events`;
    const stream = desk.get('agent', path, { accept: 'text/event-stream' });
    await desk.decide(approve('ana', sealed, at()));
    await desk.decide(approve('ben', sealed, at()));
    await desk.when(sealed.id, ({ outcome }) => outcome.final);
    const { events } = actionEventsSchema.parse((await desk.get('agent', path)).body);
    expect(events.map(({ kind }) => kind)).toEqual(['sealed', 'approve', 'approve', 'executing', 'step_started', 'step_done', 'ended']);
    const text = String((await stream).body);
    for (const { id } of events) expect(text.split(`id: ${id}\n`)).toHaveLength(2);
    expect(text).toMatch(/event: end\ndata: \{.*"effect":"done".*\}\n\n$/);
    const rest = String((await desk.get('agent', path, { accept: 'text/event-stream', 'last-event-id': events[4]?.id ?? '' })).body);
    expect(rest.match(/^event: \w+/gm)).toEqual(['event: step_done', 'event: ended', 'event: end']);
  });

  test('the evidence of an action verifies offline', async () => {
    const sealed = await desk.held();
    await desk.decide(approve('ana', sealed, at()));
    await desk.decide(approve('ben', sealed, at()));
    await desk.when(sealed.id, ({ outcome }) => outcome.final);
    const answer = await desk.get('agent', `/v1/actions/${sealed.id}/evidence`);
    expect(answer.headers.get('content-disposition')).toContain(`${sealed.id}.json`);
    const read = parseRoster(await readFile(join(desk.rig.dir, 'roster.yaml'), 'utf8'), 'roster.yaml');
    if (!read.ok) throw new Error('roster');
    const raw = await fetch(`${desk.url}/v1/actions/${sealed.id}/evidence`, {
      headers: readHeader(keyOfPerson('ana'), `/v1/actions/${sealed.id}/evidence`),
    });
    expect(verifyEvidence(utf8(await raw.text()), read.roster)).toMatchObject({ ok: true });
  });

  test('a decision before the seal waits and counts after it is sealed, if it binds it', async () => {
    await desk.rig.stopExecutor();
    const { id, signed } = request();
    await desk.post('/v1/actions', signed);
    const other = await desk.rig.sealed(desk.rig.client.workflow.getHandle([...desk.ids][0] ?? ''), 1);
    const early = approve('ana', other, { ...at(), forge: { actionId: id } });
    expect((await desk.decide(early, id)).status).toBe(202);
    await desk.rig.startExecutor();
    await desk.when(id, ({ outcome }) => outcome.status === 'awaiting_approval');
    expect(said(await desk.get('ana', `/v1/actions/${id}/decisions/${digestOfSigned(early)}`)).fate).toMatchObject({
      state: 'refused',
      code: 'revision_stale',
    });
  });
});
