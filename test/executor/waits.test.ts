import { expect, test } from '@jest/globals';
import { toInstant } from '../../src/domain/instant.js';
import { approve, freeze, modify, request, type SealedRevision } from '../helpers/messages.js';
import { afterRestore } from '../helpers/restored.js';
import { changed } from '../helpers/types.js';
import { MINUTE, SECOND, World } from '../helpers/world.js';

const votesOn = (sealed: SealedRevision) => [approve('ana', sealed), approve('ben', sealed)];
const plainly = async (world: World): Promise<SealedRevision> => world.propose();
type Answer = Awaited<ReturnType<World['advance'] | World['seal']>>;

/** Begun, with what its first calls run into. */
async function begun(world: World, type: string, plan: Parameters<World['bank']['plan']>[0] = {}): Promise<SealedRevision> {
  const sealed = await world.propose({ type: `payments.${type}` });
  world.bank.plan(plan);
  await world.advance(sealed, votesOn(sealed));
  return sealed;
}
/** Something happens while the preview is made again, right before it would be consumed. */
async function during(world: World, what: (sealed: SealedRevision) => Promise<unknown>): Promise<Answer> {
  const sealed = await plainly(world);
  const type = world.types.get('payments.transfer');
  if (type === undefined) throw new Error('no type');
  const preview: typeof type.preview = async (params, context) => {
    await what(sealed);
    return type.preview(params, context);
  };
  world.types.set(type.name, changed(type, { preview }));
  return world.advance(sealed, votesOn(sealed));
}
async function nextVersion(world: World, of: string): Promise<void> {
  const type = world.types.get(of);
  if (type !== undefined) world.types.set(of, changed(type, { version: '2' }));
}
const breaking = async <T>(world: World, then: () => Promise<T>): Promise<T> => {
  world.rules.break('policy.yaml:1: nonsense');
  return then();
};

/** What makes an order wait, what it answers, and after how many ms it is worth asking again. */
const WAITS: readonly (readonly [what: string, make: (world: World) => Promise<Answer>, code: string, text: string, ms: number])[] = [
  [
    'rules that are broken, before it begins',
    async (world) => {
      const sealed = await plainly(world);
      return breaking(world, () => world.advance(sealed, votesOn(sealed)));
    },
    'roster_stale',
    'policy.yaml:1: nonsense',
    2 * SECOND,
  ],
  [
    'a freeze, before it begins',
    async (world) => {
      const sealed = await plainly(world);
      await world.lodge(null, freeze('cleo', { all: true }, { at: world.clock.ms }));
      return world.advance(sealed, votesOn(sealed));
    },
    'frozen',
    'frozen by cleo: Something is wrong.',
    2 * SECOND,
  ],
  [
    'a target that cannot be looked at',
    async (world) => {
      const sealed = await plainly(world);
      world.bank.previewFails = new Error('bank is down');
      return world.advance(sealed, votesOn(sealed));
    },
    'preview_failed',
    'the preview of payments.transfer failed: bank is down',
    2 * SECOND,
  ],
  [
    'an end that came first',
    (world) => during(world, (sealed) => world.close(sealed.id, 'cancelled')),
    'busy',
    'the action moved meanwhile; ask again',
    50,
  ],
  [
    'rules that are broken, between steps',
    async (world) => {
      const sealed = await begun(world, 'batch');
      return breaking(world, () => world.advance(sealed));
    },
    'roster_stale',
    'policy.yaml:1: nonsense',
    2 * SECOND,
  ],
  [
    'a freeze, between steps',
    async (world) => {
      const sealed = await begun(world, 'batch');
      await world.lodge(null, freeze('cleo', { type: 'payments.batch' }, { at: world.clock.ms }));
      return world.advance(sealed);
    },
    'frozen',
    'a freeze is in force',
    2 * SECOND,
  ],
  [
    'a step this process is at',
    async (world) => {
      const sealed = await plainly(world);
      world.bank.plan({ run: ['hangs'] });
      const running = world.advance(sealed, votesOn(sealed));
      while (!world.bank.isHanging) await new Promise((later) => setTimeout(later, 1));
      const answer = await world.advance(sealed);
      world.bank.release();
      await running;
      return answer;
    },
    'busy',
    'a step is under way',
    SECOND,
  ],
  [
    'a type of another version, between steps',
    async (world) => {
      const sealed = await begun(world, 'batch');
      await nextVersion(world, 'payments.batch');
      return world.advance(sealed);
    },
    'type_changed',
    'the action type changed while the action was under way; bring its version back',
    5 * SECOND,
  ],
  [
    'a type of another version, when its step is to be probed',
    async (world) => {
      const sealed = await begun(world, 'transfer', { run: ['lost_after'] });
      await nextVersion(world, 'payments.transfer');
      return world.advance(sealed);
    },
    'type_changed',
    'the action type changed while the action was under way; bring its version back',
    5 * SECOND,
  ],
  [
    'a type of another version, when its step is to be undone',
    async (world) => {
      const sealed = await begun(world, 'batch', { run: ['ok', 'failed'] });
      await world.advance(sealed);
      await nextVersion(world, 'payments.batch');
      return world.advance(sealed);
    },
    'type_changed',
    'the action type changed while the action was under way; bring its version back',
    5 * SECOND,
  ],
  [
    'a step that did not start',
    async (world) => {
      const sealed = await begun(world, 'batch');
      world.bank.plan({ run: ['not_started'] });
      return world.advance(sealed);
    },
    'busy',
    'step 2 did not start: bank_closed',
    SECOND,
  ],
  [
    'a probe nobody answers',
    async (world) => {
      const sealed = await begun(world, 'transfer', { run: ['lost_before'], probe: ['throws'] });
      return world.advance(sealed);
    },
    'busy',
    'the target does not answer the probe',
    SECOND,
  ],
  [
    'a probe that does not know',
    async (world) => {
      const sealed = await begun(world, 'transfer', { run: ['lost_before'], probe: ['unknown'] });
      return world.advance(sealed);
    },
    'outcome_unknown',
    'step 1 needs a person: keyturn resolve',
    MINUTE,
  ],
  [
    'an outcome people are to find out',
    async (world) => {
      const sealed = await begun(world, 'transfer', { run: ['lost_before'], probe: ['unknown'] });
      await world.advance(sealed);
      return world.advance(sealed);
    },
    'outcome_unknown',
    'step 1 needs a person: keyturn resolve',
    MINUTE,
  ],
  [
    'an undo that is tried again',
    async (world) => {
      const sealed = await begun(world, 'batch', { run: ['ok', 'failed'], undo: ['lost_before'] });
      await world.advance(sealed);
      return world.advance(sealed);
    },
    'busy',
    'the undo of step 1 is tried again',
    SECOND,
  ],
  [
    'an undo that cannot be',
    async (world) => {
      const sealed = await begun(world, 'batch', { run: ['ok', 'failed'], undo: ['failed'] });
      await world.advance(sealed);
      return world.advance(sealed);
    },
    'compensation_failed',
    'the undo of step 1 needs a person: keyturn resolve',
    MINUTE,
  ],
  [
    'an undo people are to do',
    async (world) => {
      const sealed = await begun(world, 'batch', { run: ['ok', 'failed'], undo: ['failed'] });
      await world.advance(sealed);
      await world.advance(sealed);
      return world.advance(sealed);
    },
    'compensation_failed',
    'step 1 needs a person: keyturn resolve',
    MINUTE,
  ],
  [
    'a seal by rules that are broken',
    (world) => breaking(world, () => world.seal(request({ idempotencyKey: 'w' }).id, request({ idempotencyKey: 'w' }).signed)),
    'roster_stale',
    'policy.yaml:1: nonsense',
    2 * SECOND,
  ],
  [
    'a seal of what cannot be looked at',
    async (world) => {
      const { id, signed } = request();
      world.bank.previewFails = new Error('bank is down');
      return world.seal(id, signed);
    },
    'preview_failed',
    'the preview of payments.transfer failed: bank is down',
    2 * SECOND,
  ],
  [
    'a seal beside another of the same',
    async (world) => {
      const { id, signed } = request();
      const [, second] = await Promise.all([world.seal(id, signed), world.seal(id, signed)]);
      return second;
    },
    'busy',
    'the action moved meanwhile; ask again',
    50,
  ],
  [
    'a modify by rules that are broken',
    async (world) => {
      const sealed = await plainly(world);
      return breaking(world, () => world.modify(sealed.id, modify('cleo', sealed, { '/cents': 1 })));
    },
    'roster_stale',
    'policy.yaml:1: nonsense',
    2 * SECOND,
  ],
  [
    'a second seal by rules that are broken',
    async (world) => {
      const sealed = await plainly(world);
      world.bank.version++;
      await world.advance(sealed, votesOn(sealed));
      return breaking(world, () => world.reseal(sealed.id, sealed.digest));
    },
    'roster_stale',
    'policy.yaml:1: nonsense',
    2 * SECOND,
  ],
  [
    'a seal in a ledger that was restored',
    async (before) => {
      const { world } = await afterRestore(before);
      const { id, signed } = request();
      const answer = await world.seal(id, signed);
      const digest = await world.database.transaction((sql) => sql.all("SELECT digest FROM lodged WHERE object = 'restore'"));
      if (answer.kind !== 'wait') return answer;
      return { ...answer, text: answer.text.replace(String(digest[0]?.['digest']), 'DIGEST') };
    },
    'frozen',
    'the ledger was restored from a backup; until it is thawed (DIGEST) nothing new is sealed',
    2 * SECOND,
  ],
];

test.each(WAITS)('%s: waits, says why, and until when', async (_what, make, code, text, ms) => {
  const world = await World.open();
  const answer = await make(world);
  expect(answer).toEqual({ kind: 'wait', code, text, until: toInstant(world.clock.ms + ms) });
});
