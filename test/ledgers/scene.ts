import { actionIdOf, type ActionId } from '../../src/domain/ids.js';
import type { Proposal, SealedRevision } from '../helpers/messages.js';
import { approve, freeze, modify, reject, request, thaw, withdraw } from '../helpers/messages.js';
import { DEPLOYMENT } from '../helpers/rules-fixture.js';
import { held, type World } from '../helpers/world.js';

/** The proposals of a recorded ledger. Each is made again from its name: same key, same body, same action. */
export const PROPOSALS = {
  succeeded: {},
  denied: { type: 'payments.nothing' },
  rejected: {},
  pending: {},
  revised: {},
  half: { type: 'payments.batch' },
  unknown: { type: 'payments.blind' },
  frozen: { type: 'payments.by-hand' },
} as const satisfies Record<string, Proposal>;
export type Recorded = keyof typeof PROPOSALS;

export const again = (name: Recorded): ReturnType<typeof request> => request({ ...PROPOSALS[name], idempotencyKey: name });
export const TOMBSTONE: ActionId = actionIdOf(DEPLOYMENT, 'ap-agent', 'never sealed');

/** What the ledger sealed newest for this proposal. */
export async function sealedAs(world: World, name: Recorded): Promise<SealedRevision> {
  const { id, signed } = again(name);
  return held(await world.seal(id, signed));
}

/** What an executor in the middle of its work leaves behind: ended, pending, half done, in doubt, frozen. */
export async function play(world: World): Promise<void> {
  const at = world.clock.ms;
  const agree = (sealed: SealedRevision) => [approve('ana', sealed), approve('ben', sealed)];

  const succeeded = await sealedAs(world, 'succeeded');
  await world.run(succeeded, agree(succeeded));
  const denied = again('denied');
  await world.seal(denied.id, denied.signed);
  const rejected = await sealedAs(world, 'rejected');
  await world.lodge(rejected.id, reject('cleo', rejected));
  await world.close(rejected.id, 'rejected');
  await world.close(TOMBSTONE, 'cancelled');

  await sealedAs(world, 'pending');
  const first = await sealedAs(world, 'revised');
  const no = reject('cleo', first);
  await world.lodge(first.id, no);
  await world.lodge(first.id, withdraw('cleo', first, no));
  await world.modify(first.id, modify('ana', first, { '/cents': 820 }));

  const half = await sealedAs(world, 'half');
  await world.advance(half, agree(half));
  const unknown = await sealedAs(world, 'unknown');
  world.bank.plan({ run: ['lost_after'] });
  await world.run(unknown, agree(unknown));

  await sealedAs(world, 'frozen');
  const stop = freeze('cleo', { type: 'payments.by-hand' }, { at });
  await world.lodge(null, stop);
  await world.lodge(null, thaw('cleo', stop, { at }));
}
