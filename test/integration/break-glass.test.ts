import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { verifyEvidence } from '../../src/domain/evidence/verify.js';
import { parseRoster, type Roster } from '../../src/domain/roster.js';
import { endedSchema } from '../../src/domain/ended.js';
import { actionListSchema, messageAnswerSchema, type ActionResource } from '../../src/domain/http.js';
import { attributes } from '../../src/temporal/attributes.js';
import { Desk, refusalOf } from '../api/desk.js';
import { approve, review, type SealedRevision } from '../helpers/messages.js';
import { BREAK_GLASS, rosterText } from '../helpers/rules-fixture.js';
import { AGENT, keyOfPerson, signerOf } from '../helpers/signers.js';

const now = (): { at: number } => ({ at: Date.now() });
const must = (read: ReturnType<typeof parseRoster>): Roster => {
  if (!read.ok) throw new Error('the roster of the tests is invalid');
  return read.roster;
};
const BECAUSE = { reason: 'Production is down.' };

describe('6.10 break-glass, on a real Temporal server', () => {
  let desk: Desk;
  beforeAll(async () => {
    desk = await Desk.open({ policy: BREAK_GLASS });
  });
  afterAll(() => desk.stop());

  const handleOf = (id: string) => desk.rig.client.workflow.getHandle(id);
  const isRunning = async (id: string): Promise<boolean> => (await handleOf(id).describe()).status.name === 'RUNNING';
  const postOf = (id: string, signed: unknown) => desk.post(`/v1/actions/${id}/reviews`, signed);
  const roster = must(parseRoster(rosterText(), 'roster.yaml'));
  /** Canonical JSON, parsed and printed, is the same bytes. */
  const verdictOf = async (id: string) =>
    verifyEvidence(Buffer.from(`${JSON.stringify((await desk.get('ana', `/v1/actions/${id}/evidence`)).body)}\n`), roster);
  const inboxOf = async (person: 'ana' | 'eva'): Promise<string[]> =>
    actionListSchema.parse((await desk.get(person, '/v1/inbox')).body).actions.map(({ id }) => id);
  async function inInbox(person: 'ana' | 'eva', id: string, there: boolean): Promise<void> {
    for (const end = Date.now() + 20_000; Date.now() < end; await sleep(200)) if ((await inboxOf(person)).includes(id) === there) return;
    throw new Error(`${id} is ${there ? 'not ' : ''}in the inbox of ${person}`);
  }
  /** Let run by one person; waits for the end as an agent does. */
  async function ran(person = 'ana'): Promise<{ sealed: SealedRevision; action: ActionResource }> {
    const sealed = await desk.held();
    expect((await desk.decide(approve(person, sealed, { ...now(), ...BECAUSE }))).status).toBe(200);
    return { sealed, action: await desk.when(sealed.id, ({ outcome }) => outcome.final) };
  }

  test('an approval without a reason is refused at the door; with one it runs, and its end is final before anybody reviews', async () => {
    const sealed = await desk.held();
    expect(refusalOf(await desk.decide(approve('ana', sealed, now())))).toBe('422 guard_unmet');
    const began = Date.now();
    const waiting = desk.get(AGENT, `/v1/actions/${sealed.id}?wait=50`);
    expect((await desk.decide(approve('ana', sealed, { ...now(), ...BECAUSE }))).status).toBe(200);
    // Answered at the end, although the run goes on: long before the time asked for is over.
    expect((await waiting).body).toMatchObject({ outcome: { status: 'succeeded', effect: 'done', final: true }, running: true });
    expect(Date.now() - began).toBeLessThan(45_000);
    const action = await desk.action(sealed.id);
    expect(action.postReview).toMatchObject({ state: 'open', verdict: null, by: [] });
    expect(action.awaiting).toEqual(['cleo', 'eva']);
    expect(await isRunning(sealed.id)).toBe(true);
    await inInbox('eva', sealed.id, true);
    expect(await inboxOf('ana')).not.toContain(sealed.id);

    const { typedSearchAttributes } = await handleOf(sealed.id).describe();
    expect(typedSearchAttributes.get(attributes.status)).toBe('succeeded');
    expect(typedSearchAttributes.get(attributes.deadline)?.toISOString()).toBe(action.postReview.due);

    expect(await verdictOf(sealed.id)).toMatchObject({
      ok: true,
      postReview: { state: 'open' },
      warnings: [expect.stringContaining('NOT REVIEWED in this file: 0 of 1 signed; cleo, eva may')],
    });

    const answer = await postOf(sealed.id, review('eva', sealed.id, now()));
    expect(answer.status).toBe(200);
    expect(messageAnswerSchema.parse(answer.body)).toMatchObject({ fate: { state: 'stands' }, outcome: { status: 'succeeded' } });
    const ended = endedSchema.parse(await handleOf(sealed.id).result());
    expect(ended).toMatchObject({ status: 'succeeded', effect: 'done' });
    expect((await desk.action(sealed.id)).postReview).toMatchObject({ state: 'signed', verdict: 'justified', by: ['eva'] });
    expect(await verdictOf(sealed.id)).toMatchObject({ ok: true, postReview: { state: 'signed', by: ['eva'] } });
    await inInbox('eva', sealed.id, false);
    const counted = String((await desk.get('nobody', '/metrics')).body).split('\n');
    expect(counted.filter((line) => line.startsWith('keyturn_api_messages_total{') && line.includes('kind="review"'))).toEqual([
      expect.stringMatching(/fate="stands".* 1$/),
    ]);
    const told = desk.rig.notices.filter((line) => line.includes(sealed.id.slice(0, 8)));
    for (const event of ['break_glass ', 'break_glass_began', 'ended', 'review_asked', 'reviewed'])
      expect(told.filter((line) => line.includes(event))).toHaveLength(1);
    expect(told.find((line) => line.includes('break_glass '))).toContain('ana, ben, cleo, eva');
  });

  test('attack: who let it run, the owner, an agent, a stranger review it; a review before the end, of no break-glass, forged', async () => {
    const { sealed } = await ran('cleo');
    const { id } = sealed;
    expect(refusalOf(await postOf(id, review('cleo', id, now())))).toBe('403 not_eligible');
    expect(refusalOf(await postOf(id, review('dana', id, now())))).toBe('403 not_eligible');
    expect(refusalOf(await postOf(id, review('ben', id, now())))).toBe('403 not_eligible');
    expect(refusalOf(await postOf(id, review('eva', id, { ...now(), by: AGENT })))).toBe('403 not_a_reviewer');
    expect(refusalOf(await postOf(id, review('eva', id, { ...now(), by: signerOf('mallory') })))).toBe('403 signature_invalid');
    const held = await desk.held();
    expect(refusalOf(await postOf(held.id, review('eva', held.id, now())))).toBe('400 request_invalid');
    expect(refusalOf(await postOf(held.id, review('eva', id, now())))).toBe('409 audience_mismatch');
    // By whoever may write to the namespace, past the API: refused by the run, and never lodged.
    for (const forged of [
      review('eva', id, { ...now(), by: signerOf('mallory') }),
      review('eva', id, { ...now(), by: keyOfPerson('ana') }),
    ]) {
      expect(await desk.rig.decide(handleOf(id), forged, 'lodge')).toBe('signature_invalid');
      await handleOf(id).signal('lodge', forged);
    }
    expect((await desk.action(id)).postReview).toMatchObject({ state: 'open', by: [] });
    expect((await postOf(id, review('eva', id, now()))).status).toBe(200);
    await handleOf(held.id).cancel();
    await handleOf(held.id).result();
  });

  test('worker and executor restarted between the end and the review: still open, then reviewed; a cancel in Temporal closes nothing', async () => {
    const { sealed } = await ran();
    const { id } = sealed;
    await desk.rig.stopWorker();
    await desk.rig.stopExecutor();
    await handleOf(id).cancel();
    await handleOf(id).signal('lodge', review('eva', id, { ...now(), verdict: 'not_justified' }));
    await desk.rig.startWorker();
    await desk.when(id, ({ messages }) => messages.length > 0);
    expect(await isRunning(id)).toBe(true);
    expect((await desk.action(id)).postReview.state).toBe('open');
    await desk.rig.startExecutor();
    const { postReview, outcome } = await desk.when(id, (action) => action.postReview.state === 'signed');
    expect(postReview).toMatchObject({ verdict: 'not_justified', by: ['eva'] });
    expect(outcome).toMatchObject({ status: 'succeeded', effect: 'done' });
  });

  test('terminated while it is open: the ledger still owes it; the next review starts the run again, and it finds that out', async () => {
    const { sealed } = await ran();
    const { id } = sealed;
    await handleOf(id).terminate('tidying up');
    const action = await desk.when(id, ({ running }) => !running);
    expect(action).toMatchObject({ outcome: { status: 'succeeded', final: true }, postReview: { state: 'open' } });
    expect(refusalOf(await postOf(id, review('ana', id, now())))).toBe('403 not_eligible');
    expect(await isRunning(id)).toBe(true);
    const answer = await postOf(id, review('eva', id, now()));
    expect(answer.status).toBe(200);
    const ended = endedSchema.parse(await handleOf(id).result());
    expect(ended.status).toBe('succeeded');
    expect(desk.rig.bank.done.has(`${id}/run/run/1`)).toBe(true);
    expect((await desk.action(id)).postReview).toMatchObject({ state: 'signed', by: ['eva'] });
  });
});
