import { digestOfSigned, type Signed } from '../domain/dsse.js';
import type { ActionId, Digest } from '../domain/ids.js';
import type { ResultOf } from '../domain/objects/answer.js';
import type { Draft } from './draft.js';
import { readBook } from './envelopes.js';
import type { Executor } from './executor.js';
import type { LodgedRow } from './ledger/rows.js';
import type { NewSeal } from './ledger/transitions.js';

/** Signs a draft as the executor's envelope. */
export const sealOf = (
  executor: Executor,
  draft: Extract<Draft, { kind: 'drafted' }>,
  cause: NewSeal['cause'],
  madeBy: Digest,
): NewSeal => {
  const signed = executor.signer.sign('envelope', draft.envelope);
  return {
    digest: digestOfSigned(signed),
    view: draft.view,
    revision: draft.envelope.revision,
    signed,
    cause,
    madeBy,
    people: draft.people,
  };
};

/** The newest seal of an action, with the rejections that stand in the ledger. */
export async function sealedResult(executor: Executor, actionId: ActionId): Promise<ResultOf<'seal'>> {
  return executor.ledger.transaction(async (tx) => {
    const book = await readBook(tx, actionId);
    const newest = book?.revisions.at(-1);
    if (newest === undefined) return { kind: 'end' } as const;
    return {
      kind: 'sealed',
      envelope: newest.signed,
      digest: newest.digest,
      view: newest.view,
      rejections: standingNoes(book?.lodged ?? []),
    } as const;
  });
}

/** Rejections and withdrawals, signed: whoever evaluates them finds out what stands. */
export const standingNoes = (lodged: readonly LodgedRow[]): Signed[] =>
  lodged.filter((row) => row.object === 'reject' || row.object === 'withdraw').map((row) => row.signed);
