import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { Failed, NotStarted, type ActionType, type StepDefinition } from '../../src/executor/define-action.js';
import type { Executor } from '../../src/executor/executor.js';
import type { JsonObject } from '../../src/domain/json.js';
import { approve, cancel, request, resolve, review, type SealedRevision } from '../helpers/messages.js';
import { keyOfPerson } from '../helpers/signers.js';
import { bankTypes, changed } from '../helpers/types.js';
import { HOUR, MINUTE, SECOND, World } from '../helpers/world.js';
import { BREAK_GLASS, policyText, rosterText, TestRules } from '../helpers/rules-fixture.js';

const votesOn = (sealed: SealedRevision) => [approve('ana', sealed), approve('ben', sealed)];
/** A world whose payments.<name> has some of it changed, one action of it sealed, and what is logged. */
async function started(name: string, change: (type: ActionType) => Partial<ActionType> = () => ({})) {
  const world = await World.open({
    types: (bank) => {
      const types = bankTypes(bank);
      const type = types.get(`payments.${name}`);
      if (type === undefined) throw new Error(`no ${name}`);
      return types.set(type.name, changed(type, change(type)));
    },
  });
  const logged: unknown[] = [];
  world.executor = { ...world.executor, log: (event, detail) => void logged.push([event, detail]) } satisfies Executor;
  const sealed = await world.propose({ type: `payments.${name}` });
  return { world, sealed, votes: votesOn(sealed), logged };
}
const last = (world: World, { id }: SealedRevision) => {
  const { v, deployment, ledger, epoch, seq, prev, prevOfAction, actionId, at, ...body } = world.entries(id).at(-1) ?? ({} as never);
  expect([v, deployment, ledger, epoch, seq, prev, prevOfAction, actionId, at]).not.toContain(undefined);
  return body;
};
const withStep = (type: ActionType, n: number, more: Partial<StepDefinition<JsonObject>>): readonly StepDefinition<JsonObject>[] =>
  type.steps.map((step, i) => (i === n - 1 ? { ...step, ...more } : step));

describe('what a step returns', () => {
  const note = async (result: unknown, schema?: z.ZodType) => {
    const { world, sealed, votes } = await started('transfer', () => ({ result: schema }));
    world.bank.result = () => result;
    expect(await world.advance(sealed, votes)).toEqual({ kind: 'end' });
    const done = world.entries(sealed.id).find(({ kind }) => kind === 'step_done');
    return done?.kind === 'step_done' ? [done.result, done.note] : [];
  };
  test('up to 16 KiB as it stands in its entry; one byte more is left out, with a note', async () => {
    const most = 'x'.repeat(16_384 - '{"result":""}'.length);
    expect(await note(most)).toEqual([most, undefined]);
    expect(await note(`${most}x`)).toEqual([null, 'the result was larger than 16 KiB and is left out']);
  });
  test('what is no JSON is left out, with a note', async () => {
    expect(await note(1n)).toEqual([null, expect.stringMatching(/^the result is not JSON and is left out: .+/)]);
    expect(await note({ toJSON: () => 'x'.repeat(300), a: () => 1 })).toEqual([null, expect.stringMatching(/^the result is not JSON and/)]);
    expect(await note(undefined)).toEqual([null, undefined]);
  });
  test('what does not fit the schema of the type stays, with a note; of an earlier step nothing is asked', async () => {
    const schema = z.strictObject({ paid: z.boolean() });
    expect(await note({ paid: true }, schema)).toEqual([{ paid: true }, undefined]);
    expect(await note({ paid: 1 }, schema)).toEqual([{ paid: 1 }, "the result does not fit the type's result schema"]);
    const { world, sealed, votes } = await started('batch', () => ({ result: schema }));
    await world.run(sealed, votes);
    const notes = world.entries(sealed.id).flatMap((entry) => (entry.kind === 'step_done' ? [entry.note] : []));
    expect(notes).toEqual([undefined, undefined, "the result does not fit the type's result schema"]);
  });
});

describe('what a step throws', () => {
  test('that it is sure: failed, with its code, and its words where it has some', async () => {
    for (const [error, code, text] of [
      [new Failed('blocked'), 'blocked', 'step 1 failed: blocked'],
      [new Failed('blocked', 'The account is blocked.'), 'blocked', 'step 1 failed: blocked: The account is blocked.'],
      [new Failed('', 'nameless'), 'no_code', 'step 1 failed: no_code: nameless'],
    ] as const) {
      const { world, sealed, votes } = await started('transfer');
      world.bank.run = () => Promise.reject(error);
      expect(await world.advance(sealed, votes)).toEqual({ kind: 'again' });
      expect(last(world, sealed)).toEqual({ kind: 'step_failed', step: 1, attempt: 1, code });
      expect(await world.run(sealed)).toEqual({ kind: 'end' });
      expect(world.outcome(sealed.id).reason).toEqual({ code: 'failed', text });
    }
  });
  test('anything else: nobody knows, which is logged; the next order asks the target', async () => {
    const { world, sealed, votes, logged } = await started('transfer');
    world.bank.plan({ run: ['lost_after'] });
    expect(await world.advance(sealed, votes)).toEqual({ kind: 'again' });
    expect(logged).toEqual([['outcome of a step unknown', { id: sealed.id, n: 1, attempt: 1, error: 'connection lost' }]]);
    const [row] = await world.database.transaction((sql) => sql.all("SELECT * FROM step WHERE phase = 'run'"));
    expect(row).toMatchObject({ state: 'started', lease_owner: null, lease_until: null });
  });
  test('before anything was sent, for want of a credential: sure either way', async () => {
    for (const [error, entry] of [
      [new Error('vault is sealed'), { kind: 'step_not_started', step: 1, attempt: 1, code: 'credentials_unavailable' }],
      [new NotStarted('later'), { kind: 'step_not_started', step: 1, attempt: 1, code: 'later' }],
      [new Failed('revoked'), { kind: 'step_failed', step: 1, attempt: 1, code: 'revoked' }],
    ] as const) {
      const { world, sealed, votes } = await started('transfer');
      world.bank.credentialsFail = error;
      await world.advance(sealed, votes);
      expect(last(world, sealed)).toEqual(entry);
      expect(world.bank.callsOf('run')).toEqual([]);
    }
  });
});

describe('what each call is given', () => {
  test('the sealed parameters and precondition, the credential of this action, and keys of its own', async () => {
    const seen: unknown[] = [];
    const { world, sealed, votes } = await started('batch', (type) => ({
      credentials: async ({ actionId }) => `for ${actionId}`,
      steps: type.steps.map((step) => ({
        ...step,
        run: (params, context) => {
          seen.push(['run', params, context]);
          if (step.name === 'send') throw new Error('connection lost');
        },
        probe: (context, params) => {
          seen.push(['probe', params, context]);
          return { outcome: 'done', result: 'found' } as const;
        },
        undo: (params, context) => void seen.push(['undo', params, context]),
      })),
    }));
    const given = (more: object) => ({ actionId: sealed.id, precondition: { version: 1 }, credentials: `for ${sealed.id}`, ...more });
    await world.advance(sealed, votes);
    world.bank.version = 2;
    await world.advance(sealed);
    await world.lodge(sealed.id, cancel(sealed.id, { at: world.clock.ms }));
    await world.run(sealed);
    expect(world.outcome(sealed.id).status).toBe('compensated');
    const { params } = sealed.envelope;
    const key = (rest: string): string => `${sealed.id}/${rest}`;
    expect(seen).toEqual([
      ['run', params, given({ idempotencyKey: key('reserve/run/1') })],
      ['run', params, given({ idempotencyKey: key('send/run/1') })],
      ['probe', params, given({ idempotencyKey: key('send/run/1') })],
      ['undo', params, given({ idempotencyKey: key('send/undo'), undoes: key('send/run/1') })],
      ['undo', params, given({ idempotencyKey: key('reserve/undo'), undoes: key('reserve/run/1') })],
    ]);
  });
  test('a preview that gave no precondition: null', async () => {
    const seen: unknown[] = [];
    const { world, sealed, votes } = await started('transfer', (type) => ({
      preview: async () => ({}),
      steps: withStep(type, 1, { run: (_params, { precondition }) => void seen.push(precondition) }),
    }));
    expect(await world.advance(sealed, votes)).toEqual({ kind: 'end' });
    expect(seen).toEqual([null]);
  });
});

describe('a probe', () => {
  test('that throws is repeated to the millisecond of a minute after its step began', async () => {
    const { world, sealed, votes } = await started('transfer');
    world.bank.plan({ run: ['lost_before'], probe: ['throws', 'throws'] });
    await world.advance(sealed, votes);
    world.clock.pass(MINUTE);
    expect(await world.advance(sealed)).toMatchObject({ kind: 'wait', code: 'busy', text: 'the target does not answer the probe' });
    world.clock.pass(1);
    expect(await world.advance(sealed)).toMatchObject({ kind: 'wait', code: 'outcome_unknown' });
    expect(last(world, sealed)).toEqual({ kind: 'step_unknown', step: 1, attempt: 1, code: 'probe_failed: bank does not answer' });
  });
  test('whose words are many: cut', async () => {
    const { world, sealed, votes } = await started('transfer', (type) => ({
      steps: withStep(type, 1, { probe: () => Promise.reject(new Error('x'.repeat(400))) }),
    }));
    world.bank.plan({ run: ['lost_before'] });
    await world.advance(sealed, votes);
    world.clock.pass(HOUR);
    await world.advance(sealed);
    expect(last(world, sealed)).toMatchObject({ code: `probe_failed: ${'x'.repeat(150)}` });
  });
  test.each<[string, unknown, object]>([
    ['no answer', undefined, { kind: 'step_unknown', code: 'probe_unknown' }],
    ['an outcome nobody knows', { outcome: 'perhaps' }, { kind: 'step_unknown', code: 'probe_unknown' }],
    ['that it does not know', { outcome: 'unknown' }, { kind: 'step_unknown', code: 'probe_unknown' }],
    ['not done, and never will be', { outcome: 'fenced' }, { kind: 'step_not_started', code: 'fenced' }],
  ])('that says %s', async (_what, answer, entry) => {
    const { world, sealed, votes } = await started('transfer', (type) => ({ steps: withStep(type, 1, { probe: () => answer as never }) }));
    world.bank.plan({ run: ['lost_before'] });
    await world.advance(sealed, votes);
    await world.advance(sealed);
    expect(last(world, sealed)).toEqual({ step: 1, attempt: 1, ...entry });
  });
  test('there is none', async () => {
    const { world, sealed, votes } = await started('blind');
    world.bank.plan({ run: ['lost_before'] });
    await world.advance(sealed, votes);
    await world.advance(sealed);
    expect(last(world, sealed)).toEqual({ kind: 'step_unknown', step: 1, attempt: 1, code: 'no_probe' });
  });
});

describe('an undo that is none', () => {
  test.each([
    ['by_hand', { byHand: 'Call them.' }, { undo: 'by_hand', how: 'Call them.' }],
    ['impossible', 'impossible', { undo: 'impossible' }],
  ] as const)('%s, of a step before the last: people are asked at once', async (code, undo, plan) => {
    const { world, sealed, votes } = await started('batch', (type) => ({
      steps: withStep(type, 1, { undo }),
      plans: type.plans.map((each, i) => (i === 0 ? { ...each, plan } : each)),
    }));
    world.bank.plan({ run: ['ok', 'failed'] });
    expect(await world.run(sealed, votes)).toMatchObject({ kind: 'wait', code: 'compensation_failed' });
    expect(last(world, sealed)).toEqual({ kind: 'undo_failed', step: 1, code });
    expect(world.bank.callsOf('undo')).toEqual([]);
  });
  test('what cannot be undone for sure says so by its code; what goes on failing by its words, after an hour', async () => {
    for (const [undo, code, kind] of [
      [['failed'], 'cannot_refund', 'undo_failed'],
      [['lost_before', 'lost_before'], 'connection lost', 'undo_unknown'],
    ] as const) {
      const { world, sealed, votes } = await started('batch');
      world.bank.plan({ run: ['ok', 'failed'], undo });
      await world.advance(sealed, votes);
      await world.advance(sealed);
      await world.advance(sealed);
      world.clock.pass(HOUR);
      await world.advance(sealed);
      expect(last(world, sealed)).toEqual({ kind, step: 1, code });
    }
  });
});

describe('what people found out', () => {
  const two = { resolve: '{ from: [group:finance-leads, group:finance], quorum: 2 }' };
  const inDoubt = async (type: string) => {
    const world = await World.open({ rules: new TestRules(policyText(two)) });
    const sealed = await world.propose({ type: `payments.${type}` });
    world.bank.plan({ run: ['lost_after'], probe: ['unknown'] });
    await world.run(sealed, votesOn(sealed));
    return { world, sealed };
  };
  test('two who say the same at the moment it began to wait: both count, by name, and their reason is the action’s', async () => {
    const { world, sealed } = await inDoubt('transfer');
    const { ms: at } = world.clock;
    for (const person of ['eva', 'ben'])
      expect(await world.lodge(sealed.id, resolve(person, sealed.id, 1, 'undone_by_hand', { at }))).toMatchObject({ kind: 'stands' });
    expect(last(world, sealed)).toMatchObject({ kind: 'resolved', verdict: 'undone_by_hand', step: 1, by: ['ben', 'eva'] });
    expect(await world.run(sealed)).toEqual({ kind: 'end' });
    expect(world.outcome(sealed.id).reason).toEqual({
      code: 'failed',
      text: 'step 1: undone_by_hand: Looked at the account.',
      by: 'person:ben, person:eva',
    });
  });
  test('of another step, or before it waits, says nothing', async () => {
    const { world, sealed } = await inDoubt('batch');
    const { ms: at } = world.clock;
    expect(await world.lodge(sealed.id, resolve('eva', sealed.id, 2, 'did_not', { at }))).toMatchObject({
      code: 'request_invalid',
      text: '"did_not" says nothing about step 2, which has an unknown outcome',
    });
    const other = await world.propose();
    expect(await world.lodge(other.id, resolve('eva', other.id, 1, 'did_not', { at }))).toMatchObject({
      code: 'request_invalid',
      text: 'no step of this action waits for a person',
    });
    await world.close(other.id, 'cancelled');
    expect(await world.lodge(other.id, resolve('eva', other.id, 1, 'did_not', { at }))).toMatchObject({
      code: 'action_ended',
      text: 'no step of this action waits for a person',
    });
  });
  test('about an action that was never sealed', async () => {
    const world = await World.open();
    world.rules.setPolicy({ deny: ['payments.transfer'] });
    const denied = request();
    await world.seal(denied.id, denied.signed);
    const { ms: at } = world.clock;
    expect(await world.lodge(denied.id, resolve('eva', denied.id, 1, 'did_not', { at }))).toMatchObject({
      code: 'action_ended',
      text: 'nothing to resolve',
    });
    expect(await world.lodge(denied.id, review('eva', denied.id, { at }))).toMatchObject({
      code: 'request_invalid',
      text: 'no break-glass action: there is no post-review of it',
    });
  });
});

describe('6.10 post-reviews', () => {
  const openGlass = async (quorum: number) => {
    const more = [BREAK_GLASS.more[0].replace('quorum: 1', `quorum: ${quorum}`)];
    const security = { groups: { security: ['eva', 'fay'] }, people: { fay: `{ name: fay, keys: ['${keyOfPerson('fay').key.text}'] }` } };
    const world = await World.open({ rules: new TestRules(policyText({ ...BREAK_GLASS, more }), rosterText(security)) });
    const sealed = await world.propose();
    await world.run(sealed, [approve('ana', sealed, { reason: 'Production is down.' })]);
    const say = (person: string, verdict: 'justified' | 'not_justified' = 'justified') =>
      world.lodge(sealed.id, review(person, sealed.id, { at: world.clock.ms, verdict }));
    return { world, sealed, say };
  };
  test('by as many as the rule asks for, named in order; one who finds it unjustified is not outvoted', async () => {
    const { world, sealed, say } = await openGlass(2);
    expect(await say('fay', 'not_justified')).toMatchObject({ kind: 'stands' });
    expect(last(world, sealed)).toMatchObject({ kind: 'lodged', object: 'review', by: 'person:fay' });
    expect(await say('fay')).toMatchObject({ kind: 'refused', code: 'seat_taken', text: 'a review by fay is on record already' });
    expect(await world.report(sealed.id)).toMatchObject({ due: 'post_review' });
    expect(await say('eva')).toMatchObject({ kind: 'stands' });
    const reviewed = last(world, sealed);
    expect(reviewed).toMatchObject({ kind: 'reviewed', verdict: 'not_justified', by: ['eva', 'fay'] });
    const lodged = world.entries(sealed.id).flatMap((entry) => (entry.kind === 'lodged' ? [entry.digest] : []));
    expect(reviewed).toMatchObject({ digests: [...lodged].reverse() });
    expect(await world.report(sealed.id)).toMatchObject({ due: 'nothing' });
    expect(await say('eva')).toMatchObject({ kind: 'refused', code: 'action_ended', text: 'its post-review is on record' });
  });
  test('it never began: nothing is to be reviewed', async () => {
    const world = await World.open({ rules: new TestRules(policyText(BREAK_GLASS)) });
    const sealed = await world.propose();
    await world.close(sealed.id, 'cancelled');
    expect(await world.lodge(sealed.id, review('eva', sealed.id, { at: world.clock.ms }))).toMatchObject({
      code: 'request_invalid',
      text: 'it never began: nothing is to be reviewed',
    });
    expect(await world.report(sealed.id)).toMatchObject({ due: 'nothing' });
  });
  test('by whom the present rule of that name still asks; where there is none of that name, by all it named', async () => {
    for (const [change, kind] of [
      [{ ...BREAK_GLASS, version: 2, more: [BREAK_GLASS.more[0].replace('group:security', 'person:fay')] }, 'refused'],
      [{ ...BREAK_GLASS, version: 2, more: [BREAK_GLASS.more[0].replace('group:security', 'person:eva')] }, 'stands'],
      [{ version: 2, first: '  - { name: other, match: { type: x.y }, effect: deny, because: No. }\n', type: 'payments.batch' }, 'stands'],
    ] as const) {
      const { world, say } = await openGlass(1);
      world.rules.setPolicy(change);
      world.clock.pass(SECOND);
      expect(await say('eva')).toMatchObject({ kind });
    }
  });
});
