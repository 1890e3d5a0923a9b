import { expect } from '@jest/globals';
import type { Signed } from '../../src/domain/dsse.js';
import { approve, type SealedRevision } from '../helpers/messages.js';
import { World } from '../helpers/world.js';

/** A world with one sealed transfer and the two votes that suffice. */
export async function ready(): Promise<{ world: World; sealed: SealedRevision; votes: readonly Signed[] }> {
  const world = await World.open();
  const sealed = await world.propose();
  return { world, sealed, votes: [approve('ana', sealed), approve('ben', sealed)] };
}
/** What the first check to refuse says; and nothing ran. */
export async function refusal(world: World, sealed: SealedRevision, votes: readonly Signed[]): Promise<unknown> {
  const result = await world.advance(sealed, votes);
  expect(world.bank.callsOf('run')).toEqual([]);
  expect(world.kinds(sealed.id)).not.toContain('executing');
  return 'check' in result ? { kind: result.kind, code: result.code, check: result.check } : result;
}
