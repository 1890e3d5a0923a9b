import { admit } from '../domain/admit.js';
import { seatPersonOf } from '../domain/delegation.js';
import type { Signed } from '../domain/dsse.js';
import { readPayload } from '../domain/dsse.js';
import type { ActionId, Digest, PersonId } from '../domain/ids.js';
import { canonicalize } from '../domain/json.js';
import type { ResultOf } from '../domain/objects/answer.js';
import type { Patch } from '../domain/objects/decision.js';
import { MAX_REVISIONS, type Envelope } from '../domain/objects/envelope.js';
import { paramsSchema, requestSchema, type Params } from '../domain/objects/request.js';
import { isEditable, replaceAt } from '../domain/pointer.js';
import type { Json } from '../domain/json.js';
import { audience } from './consume.js';
import { draftEnvelope, type Draft } from './draft.js';
import { newestOf, readBook, rosterRing, sealedRing, type Book } from './envelopes.js';
import { refused, waitResult, type Executor } from './executor.js';
import type { LedgerTransaction } from './ledger/ledger.js';
import { transitions } from './ledger/transitions.js';
import { sealedResult, sealOf } from './sealed.js';

type SealResult = ResultOf<'seal'>;
const RULES_RETRY_MS = 2_000;

/**
 * A reviewer changes the action (§6.6): editable fields, schema and preview again, a new revision without approvals, whose author never counts on it.
 * A refused modify leaves revision and votes as they were.
 */
export async function modify(executor: Executor, actionId: ActionId, signed: Signed): Promise<SealResult> {
  const now = executor.now();
  const rules = await executor.rules();
  if (!rules.ok) return waitResult(now, RULES_RETRY_MS, 'roster_stale', rules.text);
  const found = await executor.ledger.transaction(async (tx) => {
    const book = await readSealed(tx, actionId);
    return book && { book, ring: await sealedRing(tx, book) };
  });
  if (found === undefined) return refused('action_ended', 'no such action is under review');
  const { book, ring } = found;
  const newest = newestOf(book);

  // What was sealed before a restore gets no new seal either (§7).
  const foreign = audience(executor, book);
  if (foreign !== undefined) return foreign;
  const admission = admit(signed, book.revisions, ring, now);
  if (admission.digest !== undefined && book.revisions.some((revision) => revision.madeBy === admission.digest))
    return sealedResult(executor, actionId);
  if (!admission.ok) return refused(admission.refusal.code, admission.refusal.text, admission.check);
  const { decision, digest } = admission;
  if (decision.verdict !== 'modify') return refused('request_invalid', 'not a modify');
  const present = admit(signed, book.revisions, rosterRing(rules.roster, now), now);
  if (!present.ok) return refused('approver_stale', present.refusal.text, 9);
  if (book.action.state !== 'awaiting')
    return refused(book.action.state === 'ended' ? 'action_ended' : 'decision_late', 'the action is no longer under review');
  if (newest.envelope.revision >= MAX_REVISIONS)
    return refused('request_invalid', `an action has at most ${MAX_REVISIONS} revisions; reject this one`);

  const params = patched(newest.envelope.params, decision.patch, executor.types.get(newest.envelope.type.name)?.editable ?? []);
  if (typeof params === 'string') return refused('params_invalid', params);
  const editors: PersonId[] = [...new Set([...newest.envelope.contributors, decision.person, seatPersonOf(decision)])].sort();
  const draft = await draftAfter(executor, rules, book, params, editors);
  if (draft.kind === 'denied') return refused(draft.refusal.code, draft.refusal.text);
  // A target that cannot be looked at now: who modifies is there, and may do it again.
  if (draft.kind === 'wait') return refused('preview_failed', draft.wait.text);
  await executor.ledger.transaction((tx) =>
    transitions.revise(tx, actionId, newest.digest, 'awaiting', sealOf(executor, draft, 'modify', digest), executor.now()),
  );
  return sealedResult(executor, actionId);
}

/** Honoured only where `advance` wrote `stale`. */
export async function reseal(executor: Executor, actionId: ActionId, stale: Digest): Promise<SealResult> {
  const book = await executor.ledger.transaction((tx) => readSealed(tx, actionId));
  if (book === undefined) return refused('action_ended', 'no such action is under review');
  const newest = newestOf(book);
  if (book.action.state === 'ended') return { kind: 'end' };
  if (book.revisions.some((revision) => revision.madeBy === stale)) return sealedResult(executor, actionId);
  const foreign = audience(executor, book);
  if (foreign !== undefined) return foreign;
  if (book.action.state !== 'stale' || newest.digest !== stale) return refused('request_invalid', 'this revision is not stale');
  const rules = await executor.rules();
  if (!rules.ok) return waitResult(executor.now(), RULES_RETRY_MS, 'roster_stale', rules.text);
  if (newest.envelope.revision >= MAX_REVISIONS)
    return endStale(executor, actionId, stale, { code: 'policy_stale', text: `it was sealed ${MAX_REVISIONS} times` });

  const draft = await draftAfter(executor, rules, book, newest.envelope.params, newest.envelope.contributors);
  if (draft.kind === 'wait') return draft.wait;
  if (draft.kind === 'denied') return endStale(executor, actionId, stale, draft.refusal);
  await executor.ledger.transaction((tx) =>
    transitions.revise(tx, actionId, newest.digest, 'stale', sealOf(executor, draft, 'reseal', stale), executor.now()),
  );
  return sealedResult(executor, actionId);
}

/** Undefined where nothing was sealed: unknown here, denied, or cancelled before. */
async function readSealed(tx: LedgerTransaction, id: ActionId): Promise<Book | undefined> {
  const book = await readBook(tx, id);
  return book?.revisions.length === 0 ? undefined : book;
}

async function endStale(
  executor: Executor,
  actionId: ActionId,
  stale: Digest,
  refusal: Extract<Draft, { kind: 'denied' }>['refusal'],
): Promise<SealResult> {
  await executor.ledger.transaction((tx) =>
    transitions.denyStale(tx, actionId, stale, 'stale', { code: refusal.code, text: refusal.text }, executor.now()),
  );
  return { kind: 'end' };
}

function draftAfter(
  executor: Executor,
  rules: Parameters<typeof draftEnvelope>[1],
  book: Book,
  params: Params,
  contributors: readonly PersonId[],
): Promise<Draft> {
  const { envelope, digest } = newestOf(book);
  const request = requestSchema.parse(readPayload('request', envelope.request));
  return draftEnvelope(executor, rules, {
    actionId: book.action.id,
    request,
    signed: envelope.request,
    standing: envelope.standing,
    owner: rules.roster.agents.get(envelope.agent)?.owner ?? envelope.owner,
    params,
    contributors,
    parent: { digest, envelope },
    content: book.action.content as Digest,
  });
}

/** The parameters with the patch applied, or what is wrong with it. */
function patched(params: Envelope['params'], patch: Patch, editable: readonly string[]): Params | string {
  let value: Json = params;
  for (const [pointer, replacement] of Object.entries(patch)) {
    if (!isEditable(pointer, editable)) return `${pointer} is not editable; editable: ${editable.join(', ') || 'nothing'}`;
    const next = replaceAt(value, pointer, replacement);
    if (next === undefined) return `${pointer} does not exist in the parameters`;
    value = next;
  }
  if (canonicalize(value) === canonicalize(params)) return 'the patch changes nothing';
  return paramsSchema.parse(value);
}
