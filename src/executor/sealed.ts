import { digestOfSigned, type Signed } from '../domain/dsse.js';
import type { ActionId, Digest } from '../domain/ids.js';
import type { ResultOf } from '../domain/objects/answer.js';
import { ladderOf, tally } from '../domain/tally.js';
import type { Draft } from './draft.js';
import { must, newestOf, readBook, type Book } from './envelopes.js';
import type { Executor } from './executor.js';
import type { NewSeal } from './ledger/review-transitions.js';
import { votesOnRecord } from './noes.js';

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
  return executor.ledger.transaction(async (tx) => resultOf(must(await readBook(tx, actionId))));
}

export function resultOf(book: Book): ResultOf<'seal'> {
  const { signed, digest, view } = newestOf(book);
  return { kind: 'sealed', envelope: signed, digest, view, rejections: standingNoes(book) };
}

/** As many as a seal's answer carries. */
const MAX_NOES = 100;

/** Rejections and withdrawals, signed: whoever evaluates them finds out what stands. What stands comes first, should there be more than fit. */
function standingNoes(book: Book): Signed[] {
  const { lodged } = book;
  const newest = newestOf(book);
  const noes = lodged.filter((row) => row.object === 'reject' || row.object === 'withdraw');
  const { rejections } = tally(ladderOf(newest.envelope), newest.digest, votesOnRecord(lodged));
  const standing = new Set(rejections.map((vote) => vote.digest));
  const [first, rest] = [noes.filter((row) => standing.has(row.digest)), noes.filter((row) => !standing.has(row.digest))];
  return [...first, ...rest].slice(0, MAX_NOES).map((row) => row.signed);
}
