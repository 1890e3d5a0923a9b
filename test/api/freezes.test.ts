import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { digestOfSigned } from '../../src/domain/dsse.js';
import { stopAnswerSchema } from '../../src/domain/http.js';
import { stopId } from '../../src/temporal/names.js';
import { approve, damaged, freeze, thaw } from '../helpers/messages.js';
import { AGENT, keyOfPerson } from '../helpers/signers.js';
import { Desk, refusalOf } from './desk.js';

const at = (): { at: number } => ({ at: Date.now() });

describe('freeze and thaw over HTTP, on a real Temporal server', () => {
  let desk: Desk;
  beforeAll(async () => {
    desk = await Desk.open();
  });
  afterAll(() => desk.stop());

  const remove = (path: string, body: unknown) => desk.send('DELETE', path, JSON.stringify(body), { 'content-type': 'application/json' });

  test('an agreed action stands still while it is frozen, says so, and runs once enough people have thawed it', async () => {
    const sealed = await desk.held();
    await desk.decide(approve('ana', sealed, at()));
    const stop = freeze('cleo', { type: 'payments.transfer' }, at());
    const answer = await desk.post('/v1/freezes', stop);
    expect(answer.status).toBe(200);
    expect(stopAnswerSchema.parse(answer.body)).toMatchObject({
      digest: digestOfSigned(stop),
      executors: [{ executor: 'bank', state: 'stands' }],
    });
    // Sent again, it stands once.
    expect((await desk.post('/v1/freezes', stop)).status).toBe(200);
    await desk.decide(approve('ben', sealed, at()));
    const held = await desk.when(sealed.id, ({ outcome }) => outcome.reason.text.includes('frozen by'));
    expect(held.outcome).toMatchObject({ status: 'approved', effect: 'none', final: false });
    expect(desk.rig.bank.done.has(`${sealed.id}/run/run/1`)).toBe(false);

    const path = `/v1/freezes/${digestOfSigned(stop)}`;
    expect((await remove(path, thaw('cleo', stop, at()))).status).toBe(200);
    await new Promise((done) => setTimeout(done, 2_500));
    expect((await desk.action(sealed.id)).outcome.final).toBe(false);
    expect((await remove(path, thaw('eva', stop, at()))).status).toBe(200);
    expect((await desk.when(sealed.id, ({ outcome }) => outcome.final)).outcome).toMatchObject({ status: 'succeeded', effect: 'done' });
  });

  test('refused: who may not, what is forged, what is addressed elsewhere, an agent', async () => {
    expect(refusalOf(await desk.post('/v1/freezes', freeze('ana', { all: true }, at())))).toBe('403 not_eligible');
    expect(refusalOf(await desk.post('/v1/freezes', damaged(freeze('cleo', { all: true }, at()))))).toBe('403 signature_invalid');
    expect(refusalOf(await desk.post('/v1/freezes', freeze('cleo', { all: true }, { ...at(), by: keyOfPerson('eva') })))).toBe(
      '403 signature_invalid',
    );
    expect(refusalOf(await desk.post('/v1/freezes', freeze('cleo', { all: true }, { ...at(), by: AGENT })))).toBe('403 not_a_reviewer');
    expect(refusalOf(await desk.post('/v1/freezes', freeze('cleo', { everything: 1 }, at())))).toBe('400 request_invalid');
    const stop = freeze('cleo', { agent: 'nobody' }, at());
    expect(refusalOf(await remove(`/v1/freezes/${'0'.repeat(64)}`, thaw('cleo', stop, at())))).toMatch(/audience_mismatch$/);
    expect(refusalOf(await remove('/v1/freezes/x', thaw('cleo', stop, at())))).toBe('400 request_invalid');
    expect(refusalOf(await desk.send('DELETE', '/v1/freezes'))).toBe('405 request_invalid');
  });

  test('the executor away: 202, kept by Temporal, and in force before anything runs once it is back', async () => {
    const sealed = await desk.held({ idempotencyKey: 'frozen while away' });
    await desk.decide(approve('ana', sealed, at()));
    await desk.rig.stopExecutor();
    const stop = freeze('eva', { agent: 'ap-agent' }, at());
    const answer = await desk.post('/v1/freezes', stop);
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ executors: [{ executor: 'bank', state: 'waiting', answer: null }] });
    // Somebody terminates the run that carries it: still no word that it stands, and no crash.
    const again = desk.post('/v1/freezes', stop);
    await new Promise((done) => setTimeout(done, 500));
    await desk.rig.client.workflow.getHandle(stopId('bank', digestOfSigned(stop))).terminate();
    expect((await again).status).toBe(202);
    await desk.rig.startExecutor();
    const stands = async (): Promise<boolean> => (await desk.post('/v1/freezes', stop)).status === 200;
    for (let i = 0; i < 50 && !(await stands()); i++) await new Promise((done) => setTimeout(done, 200));
    expect(await stands()).toBe(true);
    await desk.decide(approve('ben', sealed, at()));
    await desk.when(sealed.id, ({ outcome }) => outcome.reason.text.includes('frozen by eva'));
    expect(desk.rig.bank.done.has(`${sealed.id}/run/run/1`)).toBe(false);
    const path = `/v1/freezes/${digestOfSigned(stop)}`;
    for (const who of ['cleo', 'eva']) await remove(path, thaw(who, stop, at()));
    expect((await desk.when(sealed.id, ({ outcome }) => outcome.final)).outcome.status).toBe('succeeded');
  });
});
