import type { Signed } from '../domain/dsse.js';
import { advanceInputSchema, type AdvanceInput, type ResultOf } from '../domain/objects/answer.js';
import { endOfUndo, type Due } from '../domain/saga.js';
import { audience, consume } from './consume.js';
import { nextOf } from './due.js';
import type { KeyRing } from '../domain/admit.js';
import { lastEntry, must, readAgain, readBook, sealedRing, type Book } from './envelopes.js';
import { answer, answerUnreadable, refused, waitResult, type Executor, type Rules } from './executor.js';
import { Moved } from './ledger/compare-and-set.js';
import type { LedgerTransaction } from './ledger/ledger.js';
import { transitions } from './ledger/transitions.js';
import { recordNoes } from './noes.js';
import { probeStep } from './probe.js';
import { runStep } from './steps.js';
import { undoStep } from './undo.js';

type AdvanceResult = ResultOf<'advance'>;
const WAIT_MS = 2_000;
const BUSY_MS = 1_000;

/** Does exactly the one next thing the ledger says is due (§7), whatever the caller believes. Returns an executor-signed answer. */
export async function advance(executor: Executor, raw: unknown): Promise<Signed> {
  const input = advanceInputSchema.safeParse(raw);
  if (!input.success) return answerUnreadable(executor, 'advance', raw, input.error.message);
  return answer(executor, 'advance', input.data, await advanceOnce(executor, input.data));
}

async function advanceOnce(executor: Executor, input: AdvanceInput): Promise<AdvanceResult> {
  try {
    const rules = await executor.rules();
    const opened = await executor.ledger.transaction((tx) => open(executor, tx, input, rules));
    if (opened === undefined) return refused('revision_stale', 'this ledger has sealed no such action', 3);
    const { book, ring } = opened;
    if (ring !== undefined) return await consume(executor, input, rules, book, ring);
    return await doNext(executor, book, rules, nextOf(executor, book, rules));
  } catch (error) {
    if (error instanceof Moved) return waitResult(executor.now(), 50, 'busy', 'the action moved meanwhile; ask again');
    throw error;
  }
}

/** The book as it is once what came along is on record: noes while the action is under review, then with the keys it was sealed with; a stop while it runs. */
async function open(
  executor: Executor,
  tx: LedgerTransaction,
  { actionId, decisions, stop }: AdvanceInput,
  rules: Rules,
): Promise<{ readonly book: Book; readonly ring?: KeyRing } | undefined> {
  const book = await readBook(tx, actionId);
  if (book?.action.state === 'awaiting')
    return { book: await recordNoes(executor, tx, rules, book, decisions), ring: await sealedRing(tx, book) };
  if (book?.action.state !== 'executing' || stop !== true || book.action.stop !== null) return book && { book };
  await transitions.stopUnsigned(tx, actionId, executor.now());
  return { book: await readAgain(tx, book) };
}

async function doNext(executor: Executor, book: Book, rules: Rules, next: Due): Promise<AdvanceResult> {
  const id = book.action.id;
  const now = executor.now();
  switch (next.do) {
    case 'review':
      // It was not when the book was opened.
      throw new Moved();
    case 'reseal':
      return executor.ledger.transaction(async (tx) => {
        const { code } = must(await lastEntry(tx, id, 'stale'), `nothing says why ${id} is stale`);
        return { kind: 'reseal', code };
      });
    case 'run':
      if (!rules.ok) return waitResult(now, WAIT_MS, 'roster_stale', rules.text);
      // What was sealed before a restore starts nothing forward (check 2).
      return audience(executor, book) ?? runStep(executor, book, rules, next.step, next.attempt);
    case 'probe':
      return probeStep(executor, book, next.step, next.attempt);
    case 'turn_back':
      await executor.ledger.transaction((tx) =>
        transitions.turnBack(
          tx,
          id,
          next.why === 'cancelled'
            ? { code: 'cancelled', text: 'cancelled after it had begun', by: book.action.stop ?? 'unsigned' }
            : { code: 'execution_late', text: 'the time to start was over before a step began' },
        ),
      );
      return { kind: 'again' };
    case 'undo':
      return undoStep(executor, book, next.step);
    case 'succeed':
      await executor.ledger.transaction((tx) => transitions.succeed(tx, id, now));
      return { kind: 'end' };
    case 'finish_undo': {
      const cause = must(book.action.cause, `nothing says why ${id} is undone`);
      await executor.ledger.transaction((tx) => transitions.finishUndo(tx, id, endOfUndo(next.undone, cause), cause, now));
      return { kind: 'end' };
    }
    case 'wait':
      return waitResult(
        now,
        next.code === 'busy' ? BUSY_MS : WAIT_MS,
        next.code,
        next.code === 'busy' ? 'a step is under way' : 'a freeze is in force',
      );
    case 'person': {
      const code = book.action.state === 'unknown' ? 'outcome_unknown' : 'compensation_failed';
      return waitResult(now, 60_000, code, `step ${next.step} needs a person: keyturn resolve`);
    }
    case 'nothing':
      return { kind: 'end' };
  }
}
