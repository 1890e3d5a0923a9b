import { digestOfSigned, readPayload, type Signed } from '../domain/dsse.js';
import type { ActionId, Digest, PersonId } from '../domain/ids.js';
import { toMs } from '../domain/instant.js';
import type { ResultOf } from '../domain/objects/answer.js';
import { resolveSchema, type Resolve } from '../domain/objects/stop.js';
import { STATUSES } from '../domain/outcome.js';
import { resolveStep } from '../domain/saga.js';
import { sagaOf } from './due.js';
import { lastEntry, newestOf, type Book } from './envelopes.js';
import { refused, type Executor, type Rules } from './executor.js';
import type { LedgerTransaction } from './ledger/ledger.js';
import { transitions } from './ledger/transitions.js';
import { clip } from './text.js';

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
  if (action.state !== 'unknown' && action.state !== 'partial')
    return refused(STATUSES[action.status].final ? 'action_ended' : 'request_invalid', 'no step of this action waits for a person');
  const next = resolveStep(sagaOf(executor, book, rules), finding.step, finding.verdict);
  if (next === undefined)
    return refused(
      'request_invalid',
      `"${finding.verdict}" says nothing about step ${finding.step}, which ${action.state === 'unknown' ? 'has an unknown outcome' : 'could not be undone'}`,
    );

  const now = executor.now();
  await transitions.lodgeResolve(tx, action.id, digest, `person:${finding.by}`, signed, now);
  const since = await waitsSince(tx, action.id, finding.step);
  const earlier = book.lodged.filter((row) => row.object === 'resolve' && row.at >= since).map((row) => row.signed);
  // The last word of each person on this step, since it waits: what was said of its run says nothing of its undo.
  const last = new Map<PersonId, Finding>();
  for (const each of [...earlier, signed].map(readFinding)) if (each.said.step === finding.step) last.set(each.said.by, each);
  const agreeing = [...last.values()].filter(({ said }) => said.verdict === finding.verdict);
  const people = agreeing.map(({ said }) => said.by).sort();
  if (people.length >= newestOf(book).envelope.resolve.quorum) {
    const by = clip(people.map((person) => `person:${person}`).join(', '), 100);
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

interface Finding {
  readonly digest: Digest;
  readonly said: Resolve;
}
const readFinding = (signed: Signed): Finding => ({
  digest: digestOfSigned(signed),
  said: resolveSchema.parse(readPayload('resolve', signed)),
});

/** When the step began to wait for a person, in ms. */
async function waitsSince(tx: LedgerTransaction, id: ActionId, step: number): Promise<number> {
  const waits = await Promise.all(
    (['step_unknown', 'restored', 'undo_failed', 'undo_unknown'] as const).map((kind) =>
      lastEntry(tx, id, kind, (entry) => entry.step === step),
    ),
  );
  return Math.max(0, ...waits.map((entry) => (entry === undefined ? 0 : toMs(entry.at))));
}
