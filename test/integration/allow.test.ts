import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { approve } from '../helpers/messages.js';
import { Rig } from '../helpers/rig.js';

const FIRST =
  '  - { name: small, match: { type: payments.transfer }, effect: allow, because: Small., budget: [{ per: agent, within: 24h, limit: 1 }], executeWithin: 5m, resolve: { from: [group:finance-leads], quorum: 1 } }\n';
const now = (): { at: number } => ({ at: Date.now() });

describe('what the policy lets run within its budget, on a real Temporal server', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await Rig.start({ policy: { first: FIRST } });
  });
  afterAll(() => rig.stop());

  test('attack 76: the first runs with nobody asked or told; the second is held, and a vote of nobody asked changed neither', async () => {
    const first = await rig.propose();
    expect(await rig.outcome(first.handle)).toMatchObject({ status: 'succeeded', effect: 'done' });
    expect(first.sealed.envelope.rule.effect).toBe('allow');
    expect(rig.notices.filter((line) => line.includes(first.id))).toEqual([]);

    const second = await rig.propose();
    expect(second.sealed.envelope.rule).toMatchObject({ effect: 'hold', name: 'vendor payments' });
    expect((await rig.snapshot(second.handle)).awaiting).toEqual(['ana', 'ben', 'cleo']);
    await rig.decide(second.handle, approve('ana', second.sealed, now()));
    await rig.decide(second.handle, approve('ben', second.sealed, now()));
    expect(await rig.outcome(second.handle)).toMatchObject({ status: 'succeeded' });
    expect(rig.bank.effects).toHaveLength(2);
  });
});
