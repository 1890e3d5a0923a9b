import { describe, expect, test } from '@jest/globals';
import { contentOf, contentsOf, coolingDown, type Rejected } from '../../src/domain/policy/cooldown.js';
import { agent, HOUR, keyText, NOW, person, ROSTER, ROSTER_TEXT, rosterOf } from './policy-fixture.js';

const no = (at: number, text = 'Not this vendor.'): Rejected => ({ at, text, by: 'person:ben' });

describe('6.13 equal content is refused for a time after people rejected it', () => {
  test('up to its last millisecond', () => {
    const said =
      'equal content was rejected by person:ben at 2026-06-01T00:00:00.000Z: Not this vendor.; it may be proposed again from 2026-06-01T01:00:00.000Z';
    expect([0, HOUR - 1, HOUR, HOUR + 1].map((later) => coolingDown([no(NOW)], HOUR, NOW + later))).toEqual([
      said,
      said,
      undefined,
      undefined,
    ]);
  });
  test('never rejected: nothing stands against it', () => expect(coolingDown([], HOUR, NOW)).toBeUndefined());
  test('of several the latest counts, in whichever order they come', () => {
    const [old, late] = [no(NOW, 'old'), { ...no(NOW + 10, 'late'), by: undefined }];
    const said = 'equal content was rejected at 2026-06-01T00:00:00.010Z: late; it may be proposed again from 2026-06-01T01:00:00.010Z';
    for (const rejected of [
      [old, late],
      [late, old],
      [old, late, no(NOW + 5, 'between')],
    ])
      expect(coolingDown(rejected, HOUR, NOW + 20)).toBe(said);
    expect(coolingDown([late, old], HOUR, NOW + HOUR + 5)).toBe(said);
  });
});

describe('what content is equal', () => {
  const params = { cents: 5, vendor: 'ACME' };
  const [ap, other] = [agent('ap-agent'), agent('other')];
  const of = (id: string, type = 'payments.transfer', given = params) => contentOf(id, type, given);

  test('of agent, type and parameters, in whichever order these stand', () => {
    expect(of('ap-agent')).toBe(contentOf('ap-agent', 'payments.transfer', { vendor: 'ACME', cents: 5 }));
    expect(
      new Set([
        of('ap-agent'),
        of('other'),
        of('ap-agent', 'payments.refund'),
        of('ap-agent', 'payments.transfer', { ...params, cents: 6 }),
      ]).size,
    ).toBe(4);
  });
  test("attack: a second agent of the same owner is no way around a no; another owner's is another", () => {
    const roster = (owner: string) =>
      rosterOf(ROSTER_TEXT.replace('api:', `  other: { owner: ${owner}, key: '${keyText('other')}', propose: [payments.*] }\napi:`));
    const contents = (owner: string) => contentsOf(roster(owner), person('dana'), other, 'payments.transfer', params);
    expect(contents('dana')).toEqual([of('other'), of('ap-agent')]);
    expect(contents('ana')).toEqual([of('other'), of('ap-agent')]);
    expect(contentsOf(roster('ana'), person('dana'), ap, 'payments.transfer', params)).toEqual([of('ap-agent')]);
  });
  test('an agent the roster no longer has is looked up all the same', () => {
    expect(contentsOf(ROSTER, person('dana'), other, 'payments.transfer', params)).toEqual([of('other'), of('ap-agent')]);
  });
});
