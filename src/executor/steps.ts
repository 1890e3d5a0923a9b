import { canonicalBytes, canonicalize, parseStrict, type Json, type JsonObject } from '../domain/json.js';
import type { ResultOf } from '../domain/objects/answer.js';
import type { Reason } from '../domain/outcome.js';
import { Failed, NotStarted, typeMoved, type ActionType, type StepDefinition } from './define-action.js';
import { nextOf } from './due.js';
import { must, newestOf, readAgain, type Book } from './envelopes.js';
import { waitResult, type Executor, type Rules } from './executor.js';
import { claimed, newLease, whileLeased } from './lease.js';
import { Moved } from './ledger/compare-and-set.js';
import { transitions } from './ledger/transitions.js';
import { codeText, errorText } from './text.js';

type AdvanceResult = ResultOf<'advance'>;
export const AGAIN: AdvanceResult = { kind: 'again' };
const MAX_RESULT_BYTES = 16_384;
export const RETRY_MS = 1_000;

/** A step of the sealed action, by the type that sealed it. */
export interface Found {
  readonly n: number;
  readonly type: ActionType;
  readonly step: StepDefinition<JsonObject>;
  readonly params: JsonObject;
  readonly precondition: Json;
}

/** Undefined when the type changed meanwhile: that step must not run by other code. */
export function stepOf(executor: Executor, book: Book, n: number): Found | undefined {
  const { envelope } = newestOf(book);
  const type = executor.types.get(book.action.type);
  if (type === undefined || typeMoved(type, envelope)) return undefined;
  const step = must(type.steps[n - 1]);
  return { n, type, step, params: envelope.params, precondition: envelope.preview.precondition ?? null };
}

export const changed = (executor: Executor): AdvanceResult =>
  waitResult(executor.now(), 5_000, 'type_changed', 'the action type changed while the action was under way; bring its version back');

/** Starts a step, or tries it once more, and writes what became of it. */
export async function runStep(executor: Executor, book: Book, rules: Rules, n: number, attempt: number): Promise<AdvanceResult> {
  const found = stepOf(executor, book, n);
  if (found === undefined) return changed(executor);
  const id = book.action.id;
  return claimed(executor, id, n, 'run', async () => {
    await executor.ledger.transaction(async (tx) => {
      // A cancel or freeze lodged since the book was read came first.
      const next = nextOf(executor, await readAgain(tx, book), rules);
      if (next.do !== 'run' || next.step !== n || next.attempt !== attempt) throw new Moved();
      const [lease, now] = [newLease(executor), executor.now()];
      if (attempt === 1) await transitions.startStep(tx, id, n, found.step.name, lease, now);
      else await transitions.retryStep(tx, id, n, found.step.name, attempt, lease, now);
    });
    return executeClaimed(executor, book, found, attempt);
  });
}

/** Runs a step this process has claimed in the ledger. Whatever happens, the lease ends with it; a throw that says nothing leaves it to a probe. */
export async function executeClaimed(executor: Executor, book: Book, found: Found, attempt: number): Promise<AdvanceResult> {
  const { n } = found;
  const id = book.action.id;
  const key = `${id}/${found.step.name}/run/${attempt}`;
  return whileLeased(executor, id, n, 'run', async () => {
    let credentials: unknown;
    try {
      credentials = await found.type.credentials({ actionId: id });
    } catch (error) {
      // Without a credential nothing was sent: that is sure.
      const sure = error instanceof Failed || error instanceof NotStarted;
      return stepThrew(executor, book, n, attempt, sure ? error : new NotStarted('credentials_unavailable', errorText(error)));
    }
    let result: unknown;
    try {
      result = await found.step.run(found.params, { idempotencyKey: key, actionId: id, precondition: found.precondition, credentials });
    } catch (error) {
      return stepThrew(executor, book, n, attempt, error);
    }
    return stepIsDone(executor, book, n, attempt, found.type, result);
  });
}

export async function stepIsDone(
  executor: Executor,
  book: Book,
  n: number,
  attempt: number,
  type: ActionType,
  raw: unknown,
): Promise<AdvanceResult> {
  const id = book.action.id;
  const last = n === type.steps.length;
  const { result, note } = resultOf(type, last, raw);
  return executor.ledger.transaction(async (tx) => {
    await transitions.stepDone(tx, id, n, attempt, executor.owner, result, note, executor.now());
    if (!last) return AGAIN;
    await transitions.succeed(tx, id, executor.now());
    return { kind: 'end' };
  });
}

/** A bad result never changes `done`: it is left out, with a note. */
function resultOf(type: ActionType, last: boolean, raw: unknown): { result: Json; note: string | undefined } {
  try {
    const value = parseStrict(canonicalize(raw ?? null));
    // As deep as it will stand in its entry.
    if (canonicalBytes({ result: value }).length > MAX_RESULT_BYTES)
      return { result: null, note: 'the result was larger than 16 KiB and is left out' };
    const fits = !last || type.result === undefined || type.result.safeParse(value).success;
    return { result: value, note: fits ? undefined : "the result does not fit the type's result schema" };
  } catch (error) {
    return { result: null, note: `the result is not JSON and is left out: ${errorText(error, 200)}` };
  }
}

async function stepThrew(executor: Executor, book: Book, n: number, attempt: number, error: unknown): Promise<AdvanceResult> {
  const id = book.action.id;
  const now = executor.now();
  if (error instanceof NotStarted) {
    await executor.ledger.transaction((tx) => transitions.stepNotStarted(tx, id, n, attempt, executor.owner, codeText(error.code), now));
    return waitResult(now, RETRY_MS, 'busy', `step ${n} did not start: ${codeText(error.code)}`);
  }
  if (error instanceof Failed) {
    const words = error.message === error.code ? '' : `: ${errorText(error)}`;
    const reason: Reason = { code: 'failed', text: `step ${n} failed: ${codeText(error.code)}${words}` };
    return executor.ledger.transaction(async (tx) => {
      await transitions.stepFailed(tx, id, n, attempt, executor.owner, codeText(error.code), reason, now);
      return AGAIN;
    });
  }
  executor.log('outcome of a step unknown', { id, n, attempt, error: errorText(error) });
  // Perhaps done, perhaps not: only the target knows. Let go, so that the next advance asks it.
  return executor.ledger.transaction(async (tx) => {
    await transitions.release(tx, id, n, attempt, executor.owner);
    return AGAIN;
  });
}
