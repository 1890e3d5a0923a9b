import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Signed } from '../../src/domain/dsse.js';
import { toInstant } from '../../src/domain/instant.js';
import { postReviewOf, reviewersAwaited } from '../../src/domain/post-review.js';
import { viewV1 } from '../../src/domain/view/v1.js';
import { approve, cancel, modify, reject, request, review, type SealedRevision } from '../helpers/messages.js';
import { BREAK_GLASS } from '../helpers/rules-fixture.js';
import { AGENT, keyOfPerson, signerOf } from '../helpers/signers.js';
import { HOUR, MINUTE, SECOND, World } from '../helpers/world.js';

const BECAUSE = { reason: 'Production is down.' };

let world: World;
beforeEach(async () => {
  world = await World.open();
  world.rules.setPolicy(BREAK_GLASS);
});

/** Proposed, let run by `person`, ended. */
async function ran(person = 'ana'): Promise<SealedRevision> {
  const sealed = await world.propose();
  expect(await world.run(sealed, [approve(person, sealed, BECAUSE)])).toEqual({ kind: 'end' });
  expect(world.outcome(sealed.id)).toMatchObject({ status: 'succeeded', effect: 'done', final: true });
  return sealed;
}
const said = (
  person: string,
  sealed: SealedRevision,
  more: { readonly verdict?: 'not_justified'; readonly by?: typeof AGENT } = {},
): Signed => review(person, sealed.id, { at: world.clock.ms, ...more });
const codeOf = async (sealed: SealedRevision, signed: Signed): Promise<string> => {
  const result = await world.lodge(sealed.id, signed);
  return result.kind === 'refused' ? `${result.code}: ${result.text}` : result.kind;
};
const stateOf = (sealed: SealedRevision) => postReviewOf(world.receipts.get(sealed.id) ?? []);

describe('6.10 break-glass', () => {
  test('the seal carries who reviews it and when; the view says so first', async () => {
    const { envelope } = await world.propose();
    expect(envelope.breakGlass).toEqual({ people: ['cleo', 'eva'], quorum: 1, reviewWithin: 72 * HOUR });
    expect(viewV1(envelope).notices[0]).toBe(
      'BREAK-GLASS: approve only with a reason, and only what cannot wait; once begun, 1 of cleo, eva must review it within 3d',
    );
  });

  test('an approval without a reason counts nothing; a rejection and a modify need no other than their own', async () => {
    const sealed = await world.propose();
    for (const why of [{}, { reason: '   ' }]) {
      const answer = await world.advance(sealed, [approve('ana', sealed, why)]);
      expect(answer).toMatchObject({
        kind: 'ask',
        code: 'guard_unmet',
        text: 'a break-glass action is approved with a reason: say why it cannot wait',
        check: 8,
      });
    }
    expect(world.bank.done.size).toBe(0);
    expect(await world.modify(sealed.id, modify('ben', sealed, { '/cents': 1 }))).toMatchObject({ kind: 'sealed' });
    expect(await world.lodge(sealed.id, reject('ana', sealed))).toMatchObject({ kind: 'stands' });
  });

  test('one person lets it run; it is open until one of the others has signed, and that changes nothing about its end', async () => {
    const sealed = await ran();
    const owed = { state: 'open', verdict: null, by: [], due: toInstant(world.clock.ms + 72 * HOUR) };
    expect(stateOf(sealed)).toEqual(owed);
    expect(reviewersAwaited(world.receipts.get(sealed.id) ?? [])).toEqual(['cleo', 'eva']);
    expect(await world.report(sealed.id)).toMatchObject({ due: 'post_review' });
    const signed = said('eva', sealed);
    expect(await codeOf(sealed, signed)).toBe('stands');
    expect(world.kinds(sealed.id).slice(-3)).toEqual(['ended', 'lodged', 'reviewed']);
    expect(stateOf(sealed)).toEqual({ ...owed, state: 'signed', verdict: 'justified', by: ['eva'] });
    expect(world.outcome(sealed.id)).toMatchObject({ status: 'succeeded', effect: 'done' });
    expect(await world.report(sealed.id)).toMatchObject({ due: 'nothing' });
    // Sent twice it stands once; a second word comes too late.
    expect(await codeOf(sealed, signed)).toBe('stands');
    expect(await codeOf(sealed, said('cleo', sealed))).toBe('action_ended: its post-review is on record');
    expect(world.kinds(sealed.id).filter((kind) => kind === 'reviewed')).toHaveLength(1);
  });

  test('two of them: each once, a late review counts all the same, and one who finds it unjustified is not outvoted', async () => {
    world.rules.setRoster({
      groups: { security: ['cleo', 'eva', 'finn'] },
      people: { finn: `{ name: finn, keys: ['${keyOfPerson('finn').key.text}'] }` },
    });
    world.rules.setPolicy({ ...BREAK_GLASS, more: [BREAK_GLASS.more[0].replace('quorum: 1', 'quorum: 2')] });
    const sealed = await ran();
    world.clock.pass(100 * HOUR);
    expect(await codeOf(sealed, said('eva', sealed, { verdict: 'not_justified' }))).toBe('stands');
    expect(stateOf(sealed)).toMatchObject({ state: 'open', by: ['eva'] });
    world.clock.pass(SECOND);
    expect(await codeOf(sealed, said('eva', sealed))).toMatch(/^seat_taken/);
    expect(await codeOf(sealed, said('finn', sealed))).toBe('stands');
    expect(stateOf(sealed)).toMatchObject({ state: 'signed', verdict: 'not_justified', by: ['eva', 'finn'] });
  });

  test('the executor forgets nothing: begun before, owed after a restart', async () => {
    const sealed = await ran();
    await world.restart();
    expect(await world.seal(sealed.id, sealed.envelope.request)).toEqual({ kind: 'end' });
    expect(stateOf(sealed)).toMatchObject({ state: 'open' });
    expect(await codeOf(sealed, said('eva', sealed))).toBe('stands');
  });

  test('what never began owes nothing: rejected, cancelled, expired', async () => {
    const [rejected, cancelled, expired] = [await world.propose(), await world.propose(), await world.propose()];
    await world.lodge(rejected.id, reject('ana', rejected));
    await world.close(rejected.id, 'rejected');
    await world.lodge(cancelled.id, cancel(cancelled.id, { at: world.clock.ms }));
    world.clock.pass(24 * HOUR);
    await world.close(expired.id, 'expired');
    for (const sealed of [rejected, cancelled, expired]) {
      expect(stateOf(sealed)).toMatchObject({ state: 'none', due: null });
      expect(await codeOf(sealed, said('eva', sealed))).toBe('request_invalid: it never began: nothing is to be reviewed');
      expect(await world.report(sealed.id)).toMatchObject({ due: 'nothing' });
    }
  });

  test('what failed and what was undone is reviewed as well', async () => {
    world.bank.plan({ run: ['failed'] });
    const sealed = await world.propose();
    await world.run(sealed, [approve('ana', sealed, BECAUSE)]);
    expect(world.outcome(sealed.id)).toMatchObject({ status: 'failed', effect: 'none' });
    expect(stateOf(sealed).state).toBe('open');
    expect(await codeOf(sealed, said('eva', sealed))).toBe('stands');
  });
});

describe('6.10 attacks on break-glass', () => {
  test('attack: who let it run reviews it himself', async () => {
    const sealed = await ran('cleo');
    expect(await codeOf(sealed, said('cleo', sealed))).toMatch(/^not_eligible/);
    expect(stateOf(sealed).state).toBe('open');
    expect(await codeOf(sealed, said('eva', sealed))).toBe('stands');
  });
  test('attack: whose approval was one too many reviews it', async () => {
    const sealed = await world.propose();
    world.clock.pass(SECOND);
    const votes = [approve('ana', sealed, BECAUSE), approve('cleo', sealed, { ...BECAUSE, at: world.clock.ms })];
    await world.run(sealed, votes);
    expect(world.entries(sealed.id).find(({ kind }) => kind === 'executing')).toMatchObject({ decisions: { length: 1 } });
    expect(await codeOf(sealed, said('cleo', sealed))).toMatch(/^not_eligible/);
  });
  test("attack: the agent's owner reviews, or who owns it now, or who changed it", async () => {
    world.rules.setRoster({
      groups: { security: ['cleo', 'eva', 'dana', 'finn'] },
      people: { finn: `{ name: finn, keys: ['${keyOfPerson('finn').key.text}'] }` },
    });
    const first = await ran();
    expect(first.envelope.breakGlass?.people).toEqual(['cleo', 'dana', 'eva', 'finn']);
    expect(await codeOf(first, said('dana', first))).toMatch(/^not_eligible/);

    const proposed = await world.propose();
    const changed = await world.modify(proposed.id, modify('cleo', proposed, { '/cents': 5 }));
    if (changed.kind !== 'sealed') throw new Error('not sealed');
    const second = { ...proposed, digest: changed.digest, view: changed.view, envelope: { ...proposed.envelope, revision: 2 } };
    await world.run(second, [approve('ana', second, BECAUSE)]);
    expect(await codeOf(second, said('cleo', second))).toMatch(/^not_eligible/);

    const third = await world.propose();
    world.rules.setRoster({
      groups: { security: ['cleo', 'eva', 'dana', 'finn'] },
      people: { finn: `{ name: finn, keys: ['${keyOfPerson('finn').key.text}'] }` },
      agents: [`ap-agent: { owner: finn, key: '${AGENT.key.text}', propose: [payments.*] }`],
    });
    await world.run(third, [approve('ana', third, BECAUSE)]);
    expect(await codeOf(third, said('finn', third))).toMatch(/^not_eligible/);
  });
  test('attack: reviewed before the end, or before it began', async () => {
    const sealed = await world.propose({ type: 'payments.batch' });
    expect(await codeOf(sealed, said('eva', sealed))).toBe('request_invalid: it has not begun yet');
    await world.advance(sealed, [approve('ana', sealed, BECAUSE)]);
    expect(await codeOf(sealed, said('eva', sealed))).toBe('request_invalid: it has not ended yet: it is reviewed afterwards');
    expect(world.kinds(sealed.id)).not.toContain('lodged');
  });
  test('attack: a review of an action that is no break-glass', async () => {
    world.rules.setPolicy({ version: 2 });
    const sealed = await world.propose();
    await world.run(sealed, [approve('ana', sealed), approve('ben', sealed)]);
    expect(world.outcome(sealed.id).status).toBe('succeeded');
    expect(await codeOf(sealed, said('eva', sealed))).toBe('request_invalid: no break-glass action: there is no post-review of it');
    expect(world.entries(sealed.id).find(({ kind }) => kind === 'executing')).not.toHaveProperty('postReview');
  });
  test('attack: a forged review, one for another action, one by who was taken out of the group since', async () => {
    const sealed = await ran();
    const other = await ran();
    expect(await codeOf(sealed, said('eva', sealed, { by: signerOf('mallory') }))).toMatch(/^signature_invalid/);
    expect(await codeOf(sealed, said('eva', sealed, { by: keyOfPerson('cleo') }))).toMatch(/^signature_invalid/);
    expect(await codeOf(sealed, said('eva', sealed, { by: AGENT }))).toMatch(/^signature_invalid/);
    expect(await codeOf(sealed, said('eva', other))).toMatch(/^audience_mismatch/);
    expect(await codeOf(sealed, said('ben', sealed))).toMatch(/^not_eligible/);
    world.rules.setRoster({ version: 2, groups: { security: ['cleo'] } });
    expect(await codeOf(sealed, said('eva', sealed))).toMatch(/^not_eligible/);
    expect(world.kinds(sealed.id)).not.toContain('lodged');
  });
  test('attack: an approval of another kind of object, or the review itself, lets nothing run and reviews nothing', async () => {
    const sealed = await world.propose();
    const words = review('ana', sealed.id, { at: world.clock.ms });
    expect(await world.advance(sealed, [words])).toMatchObject({ kind: 'ask', dropped: [{ code: 'request_invalid' }] });
    const vote = approve('eva', sealed, BECAUSE);
    await world.run(sealed, [approve('ana', sealed, BECAUSE)]);
    expect(await codeOf(sealed, { ...said('eva', sealed), payload: vote.payload })).toMatch(/^request_invalid/);
  });
  test('attack: break-glass behind a deny rule: denied', async () => {
    world.rules.setPolicy({ ...BREAK_GLASS, deny: ['payments.transfer'] });
    await expect(world.propose()).rejects.toThrow('not sealed');
    world.rules.setPolicy({ ...BREAK_GLASS, version: 2 });
    const sealed = await world.propose();
    world.rules.setPolicy({ ...BREAK_GLASS, version: 3, deny: ['payments.transfer'] });
    expect(await world.advance(sealed, [approve('ana', sealed, BECAUSE)])).toEqual({ kind: 'reseal', code: 'policy_stale' });
    expect(await world.reseal(sealed.id, sealed.digest)).toEqual({ kind: 'end' });
    expect(world.outcome(sealed.id)).toMatchObject({
      status: 'denied',
      reason: { code: 'rule_denies', text: 'rule "never payments.transfer": Never.' },
    });
    expect(world.bank.done.size).toBe(0);
  });
  test('6.9 a rule that became break-glass, or asks more people to review it, is sealed again; one that is relaxed still owes what was sealed', async () => {
    world.rules.setPolicy({ ...BREAK_GLASS, more: [] });
    const before = await world.propose();
    world.rules.setPolicy({ ...BREAK_GLASS, version: 2 });
    expect(await world.advance(before, [approve('ana', before)])).toEqual({ kind: 'reseal', code: 'policy_stale' });

    const shorter = await world.propose();
    world.rules.setPolicy({ ...BREAK_GLASS, version: 3, more: [BREAK_GLASS.more[0].replace('72h', '1h')] });
    expect(await world.advance(shorter, [approve('ana', shorter, BECAUSE)])).toEqual({ kind: 'reseal', code: 'policy_stale' });

    const relaxed = await world.propose();
    world.rules.setPolicy({ ...BREAK_GLASS, version: 4, more: [] });
    await world.run(relaxed, [approve('ana', relaxed, BECAUSE)]);
    expect(stateOf(relaxed)).toMatchObject({ state: 'open' });
    expect(await codeOf(relaxed, said('eva', relaxed))).toBe('stands');
  });
  test('nobody left to review it whom no stage asks: denied before anybody is asked', async () => {
    world.rules.setRoster({ groups: { security: ['cleo', 'dana'] } });
    const { id, signed } = request();
    expect(await world.seal(id, signed)).toEqual({ kind: 'end' });
    expect(world.outcome(id).reason).toMatchObject({
      code: 'quorum_unsatisfiable',
      text: expect.stringContaining(
        'rule "vendor payments" is break-glass and needs 1 to review it whom none of its stages asks; left: nobody',
      ),
    });
  });
  test('it starts soon or not at all', async () => {
    const sealed = await world.propose();
    const vote = approve('ana', sealed, BECAUSE);
    world.clock.pass(10 * MINUTE);
    expect(await world.advance(sealed, [vote])).toMatchObject({
      kind: 'refused',
      code: 'execution_late',
      text: 'The time to start is over.',
    });
  });
});
