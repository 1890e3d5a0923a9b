import { digestOfSigned, readPayload, type Signed } from '../domain/dsse.js';
import type { Digest } from '../domain/ids.js';
import type { ResultOf } from '../domain/objects/answer.js';
import { resolveSchema, type Resolve } from '../domain/objects/stop.js';
import { resolveStep } from '../domain/saga.js';
import { sagaOf } from './advance.js';
import type { Book } from './envelopes.js';
import { refused, type Executor, type Rules } from './executor.js';
import type { LedgerTransaction } from './ledger/ledger.js';
import { transitions } from './ledger/transitions.js';

/**
 * One person's finding about the step that waits (§5). It counts once the rule's number of distinct people say the same of it;
 * then the ledger goes on by it: nothing starts forward any more.
 */
export async function resolveWith(
  executor: Executor,
  tx: LedgerTransaction,
  rules: Extract<Rules, { ok: true }>,
  book: Book,
  finding: Resolve,
  digest: Digest,
  signed: Signed,
): Promise<ResultOf<'lodge'>> {
  const { action } = book;
  const envelope = book.revisions.at(-1)?.envelope;
  if (envelope === undefined || (action.state !== 'unknown' && action.state !== 'partial'))
    return refused('request_invalid', 'no step of this action waits for a person');
  const next = resolveStep(sagaOf(executor, book, rules), finding.step, finding.verdict);
  if (next === undefined)
    return refused(
      'request_invalid',
      `"${finding.verdict}" says nothing about step ${finding.step}, which ${action.state === 'unknown' ? 'has an unknown outcome' : 'could not be undone'}`,
    );

  const now = executor.now();
  await transitions.lodgeResolve(tx, action.id, digest, `person:${finding.by}`, signed, now);
  const agreeing = [...book.lodged.filter((row) => row.object === 'resolve').map((row) => row.signed), signed]
    .map((each) => ({ digest: digestOfSigned(each), said: resolveSchema.parse(readPayload('resolve', each)) }))
    .filter(({ said }) => said.step === finding.step && said.verdict === finding.verdict);
  const people = [...new Set(agreeing.map(({ said }) => said.by))].sort();
  if (people.length >= envelope.resolve.quorum) {
    const by = people
      .map((person) => `person:${person}`)
      .join(', ')
      .slice(0, 100);
    await transitions.resolve(
      tx,
      action.id,
      action.state,
      finding.step,
      next,
      { verdict: finding.verdict, by: people, digests: agreeing.map((each) => each.digest) },
      { code: 'failed', text: `step ${finding.step}: ${finding.verdict}: ${finding.reason}`, by },
      now,
    );
  }
  return { kind: 'stands', digest };
}
