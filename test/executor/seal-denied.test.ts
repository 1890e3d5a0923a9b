import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { JsonObject } from '../../src/domain/json.js';
import { defineAction } from '../../src/executor/define-action.js';
import { approve, request } from '../helpers/messages.js';
import { bankTypes } from '../helpers/types.js';
import { MINUTE, World } from '../helpers/world.js';

describe('what is denied', () => {
  const deniedWith = async (world: World, proposal: Parameters<typeof request>[0], code: string, text: string): Promise<void> => {
    const { id, signed } = request(proposal);
    expect(await world.seal(id, signed)).toEqual({ kind: 'end' });
    expect(world.kinds(id)).toEqual(['denied']);
    expect(world.outcome(id)).toMatchObject({ status: 'denied', effect: 'none', reason: { code, text } });
    // Again: the same, and nothing more is written.
    expect(await world.seal(id, signed)).toEqual({ kind: 'end' });
    expect(world.kinds(id)).toEqual(['denied']);
  };

  test('6.1 a deny rule wins wherever it stands, and the target is never touched', async () => {
    const world = await World.open();
    world.rules.setPolicy({ deny: ['payments.transfer'] });
    await deniedWith(world, {}, 'rule_denies', 'rule "never payments.transfer": Never.');
    expect(world.bank.calls).toEqual([]);
  });
  test('6.1 a deny rule on parameters, before the target is touched; a condition that cannot be evaluated denies as well', async () => {
    const world = await World.open();
    world.rules.setPolicy({ denyWhen: 'action.params.cents > 1000' });
    await deniedWith(world, { params: { vendor: 'ACME', cents: 1_001 } }, 'rule_denies', 'rule "never so": Never so.');
    world.rules.setPolicy({ version: 2, denyWhen: 'action.params.currency == "EUR"' });
    await deniedWith(
      world,
      { params: { vendor: 'ACME', cents: 7 } },
      'policy_error',
      'rule "never so": when: action.params.currency == "EUR": field not found: currency',
    );
    expect(world.bank.calls).toEqual([]);
    world.rules.setPolicy({ version: 3, when: 'action.params.cents > 1000' });
    await deniedWith(world, { params: { vendor: 'ACME', cents: 1_000 } }, 'rule_missing', 'no rule matches payments.transfer by ap-agent');
    expect((await world.propose({ params: { vendor: 'ACME', cents: 1_002 } })).envelope.rule.name).toBe('vendor payments');
  });
  test('6.1 no rule: denied', async () => {
    const world = await World.open();
    world.rules.setPolicy({ type: 'payments.batch' });
    await deniedWith(world, {}, 'rule_missing', 'no rule matches payments.transfer by ap-agent');
  });
  test('6.1 a type this executor does not run, or does not run any more by the roster: denied', async () => {
    const world = await World.open();
    await deniedWith(world, { type: 'payments.refund' }, 'type_unknown', 'this executor does not run payments.refund');
    world.rules.setRoster({ runs: ['payments.batch'] });
    await deniedWith(world, {}, 'type_unknown', 'this executor does not run payments.transfer');
  });
  test('parameters that do not fit: denied before the preview', async () => {
    const world = await World.open();
    const wrong: [JsonObject, string][] = [
      [{ vendor: 'ACME' }, '✖ Invalid input: expected number, received undefined\n  → at cents'],
      [{ vendor: 'ACME', cents: 1.5 }, '✖ Invalid input: expected int, received number\n  → at cents'],
      [{ vendor: 'ACME', cents: '5' }, '✖ Invalid input: expected number, received string\n  → at cents'],
      [{ vendor: 'ACME', cents: 5, extra: 1 }, '✖ Unrecognized key: "extra"'],
    ];
    for (const [params, text] of wrong) await deniedWith(world, { params }, 'params_invalid', text);
    expect(world.bank.calls).toEqual([]);
  });
  test('6.2 a quorum nobody can meet: denied, and it says who is missing', async () => {
    const world = await World.open();
    world.rules.setRoster({ groups: { finance: ['ana', 'dana'] } });
    await deniedWith(
      world,
      {},
      'quorum_unsatisfiable',
      'rule "vendor payments" needs 2 distinct people, 1 may count: stage finance 2 of ana; dana does not count: owns the agent',
    );
  });
  test('a preview that fails for 15 minutes: wait, then denied', async () => {
    const world = await World.open();
    const { id, signed } = request();
    world.bank.previewFails = new Error('bank is down');
    expect(await world.seal(id, signed)).toMatchObject({
      kind: 'wait',
      code: 'preview_failed',
      text: 'the preview of payments.transfer failed: bank is down',
    });
    world.clock.pass(15 * MINUTE - 1);
    expect(await world.seal(id, signed)).toMatchObject({
      kind: 'wait',
      code: 'preview_failed',
      text: 'the preview of payments.transfer failed: bank is down',
    });
    world.clock.pass(1);
    expect(await world.seal(id, signed)).toEqual({ kind: 'end' });
    expect(world.outcome(id)).toMatchObject({
      status: 'denied',
      reason: { code: 'preview_failed', text: 'the preview of payments.transfer failed: bank is down' },
    });
  });
  test('a preview that works in between starts the 15 minutes again', async () => {
    const world = await World.open();
    const sealed = await world.propose();
    const votes = [approve('ana', sealed), approve('ben', sealed)];
    world.bank.previewFails = new Error('bank is down');
    expect(await world.advance(sealed, votes)).toMatchObject({
      kind: 'wait',
      code: 'preview_failed',
      text: 'the preview of payments.transfer failed: bank is down',
    });
    world.clock.pass(10 * MINUTE);
    world.bank.previewFails = undefined;
    world.bank.version++;
    expect(await world.advance(sealed, votes)).toMatchObject({ kind: 'reseal', code: 'target_changed' });
    world.bank.previewFails = new Error('bank is down');
    world.clock.pass(10 * MINUTE);
    expect(await world.reseal(sealed.id, sealed.digest)).toMatchObject({
      kind: 'wait',
      code: 'preview_failed',
      text: 'the preview of payments.transfer failed: bank is down',
    });
  });
  test('a preview over 256 KiB: denied', async () => {
    const world = await World.open({ types: (bank) => new Map([...bankTypes(bank), ['payments.blind', large]]) });
    await deniedWith(world, { type: 'payments.blind', params: {} }, 'preview_too_large', 'The preview is larger than people can be shown.');
  });
  const large = defineAction({
    name: 'payments.blind',
    params: z.strictObject({}),
    undo: 'impossible',
    run: () => null,
    preview: () => ({ touches: Array.from({ length: 100 }, () => 'x'.repeat(3_000)) }),
  });

  test('a precondition from a type that says it has none: preview_failed', async () => {
    const type = defineAction({
      name: 'payments.blind',
      params: z.strictObject({}),
      undo: 'impossible',
      run: () => null,
      preview: () => ({ precondition: 1 }),
      precondition: 'none',
    });
    const world = await World.open({ types: () => new Map([['payments.blind', type]]) });
    await deniedWith(
      world,
      { type: 'payments.blind', params: {} },
      'preview_failed',
      'payments.blind says it has no precondition, but its preview returned one',
    );
  });

  test('half a character in the words of a type, or a preview nested too deep, is denied and never wedges the seal', async () => {
    const deep = (depth: number): never => (depth === 0 ? 1 : [deep(depth - 1)]) as never;
    const odd = (text: string, depth: number) =>
      defineAction({
        name: 'payments.blind',
        params: z.strictObject({}),
        undo: 'impossible',
        run: () => null,
        summarize: () => text,
        preview: () => ({ precondition: deep(depth) }),
      });
    for (const [type, code, text] of [
      [odd('\ud83d', 1), 'policy_error', 'the action cannot be sealed: lone surrogate in a string'],
      [odd('fine', 63), 'policy_error', 'the action cannot be sealed: nested deeper than 64'],
      [odd('fine', 70), 'preview_failed', 'nested deeper than 64'],
    ] as const) {
      const world = await World.open({ types: () => new Map([['payments.blind', type]]) });
      await deniedWith(world, { type: 'payments.blind', params: {} }, code, text);
    }
  });
});
