import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { Looks } from '../../src/api/looks.js';
import { personIdSchema } from '../../src/domain/ids.js';
import { envelope, seal } from '../helpers/hand-made.js';
import { approve, reject, type DecisionOptions } from '../helpers/messages.js';
import { Desk, refusalOf } from './desk.js';

let desk: Desk;
beforeAll(async () => {
  desk = await Desk.open({ policy: { more: ['confirmField: /cents', 'minView: 2s'] } });
});
afterAll(() => desk.stop());

const at = (value?: string): DecisionOptions =>
  value === undefined ? { at: Date.now() } : { at: Date.now(), forge: { guards: { confirmField: value } } };

test('minView: who did not read it here long enough is told how long to wait; a no needs no reading', async () => {
  const sealed = await desk.held();
  const unread = await desk.decide(approve('ana', sealed, at('480000')));
  expect(refusalOf(unread)).toBe('422 guard_unmet');
  expect(unread.body).toMatchObject({ retry: 'same', detail: expect.stringContaining('has not shown it to you') as unknown });
  await desk.get('ben', `/v1/actions/${sealed.id}`);
  expect(refusalOf(await desk.decide(approve('ana', sealed, at('480000'))))).toBe('422 guard_unmet');
  await desk.get('ana', `/v1/actions/${sealed.id}`);
  const early = await desk.decide(approve('ana', sealed, at('480000')));
  expect(refusalOf(early)).toBe('422 guard_unmet');
  expect(Number(early.headers.get('retry-after'))).toBeGreaterThan(0);
  await sleep(2_100);
  // Reading it again does not start it anew.
  await desk.get('ana', `/v1/actions/${sealed.id}`);
  expect((await desk.decide(approve('ana', sealed, at('480000')))).status).toBe(200);
  expect((await desk.decide(reject('cleo', sealed, at()))).status).toBe(200);
});

test('confirmField: the workflow refuses an approval that does not repeat the value, and takes one that does', async () => {
  const sealed = await desk.held();
  await desk.get('ana', `/v1/actions/${sealed.id}`);
  await sleep(2_100);
  for (const value of [undefined, '480001', '4800.00'])
    expect(refusalOf(await desk.decide(approve('ana', sealed, at(value))))).toBe('422 guard_unmet');
  expect((await desk.decide(approve('ana', sealed, at('480000')))).status).toBe(200);
  expect((await desk.action(sealed.id)).progress).toEqual({ have: 1, need: 2 });
});

test('what an API remembers is bounded: the oldest is to be read again', () => {
  const looks = new Looks();
  const ana = personIdSchema.parse('ana');
  const guarded = (nonce: string) => seal({ nonce, guards: { ...envelope().guards, minView: 1_000 } });
  const first = guarded('a'.repeat(32));
  looks.saw([first.signed], ana, 0);
  expect(looks.left(ana, first.digest, 999)).toEqual({ wait: 1, minView: 1_000, read: true });
  expect(looks.left(ana, first.digest, 1_000)).toBeUndefined();
  expect(looks.left(personIdSchema.parse('ben'), first.digest, 1_000)).toMatchObject({ wait: 1_000, read: false });
  for (let i = 0; i < 20_000; i++) looks.saw([first.signed], personIdSchema.parse(`p${i}`), 0);
  expect(looks.left(ana, first.digest, 1_000)).toMatchObject({ read: false });
});
