import { describe, expect, test } from '@jest/globals';
import { CODES } from '../../src/domain/codes.js';
import { approve, modify, reject, type SealedRevision } from '../helpers/messages.js';
import { keyOfPerson, signerOf } from '../helpers/signers.js';
import { held } from '../helpers/world.js';
import { ready } from './ready.js';

const both = (sealed: SealedRevision) => [approve('ana', sealed), approve('ben', sealed)];

describe('6.6 modify', () => {
  test('a new revision: editable fields, schema and preview again, no approvals', async () => {
    const { world, sealed } = await ready();
    const second = held(await world.modify(sealed.id, modify('cleo', sealed, { '/cents': 82_000 })));
    expect(second.envelope).toMatchObject({
      revision: 2,
      parent: sealed.digest,
      params: { vendor: 'ACME', cents: 82_000 },
      previousParams: { vendor: 'ACME', cents: 480_000 },
      contributors: ['cleo'],
      preview: { changes: [{ to: '+82000 cents' }] },
      summary: 'Pay ACME EUR 820.00',
    });
    expect(await world.advance(second, both(second))).toEqual({ kind: 'end' });
    expect([...world.bank.done.values()]).toMatchObject([{ cents: 82_000 }]);
  });

  test('attack 20: its author cannot count on it, nor on later revisions; he may say no, or modify once more', async () => {
    const { world, sealed } = await ready();
    const second = held(await world.modify(sealed.id, modify('cleo', sealed, { '/cents': 1 })));
    expect(await world.advance(second, [approve('ana', second), approve('cleo', second)])).toMatchObject({
      kind: 'ask',
      code: 'editor_excluded',
      text: 'Whoever modified this action does not count on it.',
      check: 8,
    });
    const third = held(await world.modify(sealed.id, modify('cleo', second, { '/cents': 2 })));
    expect(third.envelope.contributors).toEqual(['cleo']);
    expect(await world.advance(third, [approve('ana', third), approve('cleo', third)])).toMatchObject({
      code: 'editor_excluded',
      text: 'Whoever modified this action does not count on it.',
    });
    expect(await world.lodge(sealed.id, reject('cleo', third))).toMatchObject({ kind: 'stands' });
  });

  test('a refused modify leaves revision and votes as they were', async () => {
    const { world, sealed, votes } = await ready();
    const refusals = [
      [modify('cleo', sealed, { '/vendor': 'EVIL' }), 'params_invalid', '/vendor is not editable; editable: /cents'],
      [modify('cleo', sealed, { '/cents': -5 }), 'params_invalid', '✖ Too small: expected number to be >=1\n  → at cents'],
      [modify('cleo', sealed, { '/cents': 480_000 }), 'params_invalid', 'the patch changes nothing'],
      [modify('cleo', sealed, { '/cents/deep': 1 }), 'params_invalid', '/cents/deep does not exist in the parameters'],
      [modify('eva', sealed, { '/cents': 1 }), 'not_eligible', CODES.not_eligible.message],
      [modify('dana', sealed, { '/cents': 1 }), 'signature_invalid', CODES.signature_invalid.message],
      [modify('cleo', sealed, { '/cents': 1 }, { by: keyOfPerson('eva') }), 'signature_invalid', CODES.signature_invalid.message],
      [
        modify('cleo', sealed, { '/cents': 1 }, { at: Date.parse(sealed.envelope.approveBy) }),
        'decision_late',
        CODES.decision_late.message,
      ],
      [approve('cleo', sealed), 'request_invalid', 'not a modify'],
    ] as const;
    for (const [signed, code, text] of refusals)
      expect(await world.modify(sealed.id, signed)).toMatchObject({ kind: 'refused', code, text });
    world.bank.previewFails = new Error('bank is down');
    expect(await world.modify(sealed.id, modify('cleo', sealed, { '/cents': 1 }))).toMatchObject({
      kind: 'refused',
      code: 'preview_failed',
      text: 'the preview of payments.transfer failed: bank is down',
    });
    world.bank.previewFails = undefined;
    expect(world.kinds(sealed.id)).toEqual(['sealed']);
    expect(await world.advance(sealed, votes)).toEqual({ kind: 'end' });
  });

  test('a modify after which too few are left to agree is refused', async () => {
    const { world, sealed } = await ready();
    const second = held(await world.modify(sealed.id, modify('cleo', sealed, { '/cents': 1 })));
    expect(await world.modify(sealed.id, modify('ben', second, { '/cents': 2 }))).toMatchObject({
      kind: 'refused',
      code: 'quorum_unsatisfiable',
      text: 'rule "vendor payments" needs 2 distinct people, 1 may count: stage finance 2 of ana; ben does not count: modified the action; cleo does not count: modified the action',
    });
  });

  test('a modify of a key that was revoked since the seal is refused', async () => {
    const { world, sealed } = await ready();
    world.rules.setRoster({ version: 2, people: { cleo: `{ name: cleo, keys: ['${signerOf('new').key.text}'] }` } });
    expect(await world.modify(sealed.id, modify('cleo', sealed, { '/cents': 1 }))).toMatchObject({
      kind: 'refused',
      code: 'approver_stale',
      text: 'No key of an eligible person made this signature over these bytes.',
      check: 9,
    });
  });

  test('asked again, the same revision; at most eight', async () => {
    const { world, sealed } = await ready();
    let newest = sealed;
    for (let i = 1; i < 8; i++) {
      const signed = modify('cleo', newest, { '/cents': i });
      newest = held(await world.modify(sealed.id, signed));
      expect(held(await world.modify(sealed.id, signed)).digest).toBe(newest.digest);
    }
    expect(newest.envelope.revision).toBe(8);
    expect(await world.modify(sealed.id, modify('cleo', newest, { '/cents': 99 }))).toMatchObject({
      kind: 'refused',
      code: 'request_invalid',
      text: 'an action has at most 8 revisions; reject this one',
    });
  });

  test('two modifies at once: one revision follows the other, none is lost silently', async () => {
    const { world, sealed } = await ready();
    const [one, two] = await Promise.all([
      world.modify(sealed.id, modify('cleo', sealed, { '/cents': 1 })),
      world.modify(sealed.id, modify('cleo', sealed, { '/cents': 2 })),
    ]);
    expect([one.kind, two.kind].sort()).toEqual(['sealed', 'wait']);
    await world.report(sealed.id);
    expect(world.kinds(sealed.id)).toEqual(['sealed', 'sealed']);
  });
});
