import { refuse, type Refusal } from '../domain/codes.js';
import { digestOfSigned, keyIdOfSigned, readPayload, verifySigned, type Signed } from '../domain/dsse.js';
import { actionIdOf, type ActionId, type Digest, type PersonId } from '../domain/ids.js';
import { sealInputSchema, type ResultOf, type SealInput } from '../domain/objects/answer.js';
import { MAX_REQUEST_CHARS, requestSchema, type Request } from '../domain/objects/request.js';
import { contentOf } from '../domain/policy/cooldown.js';
import { matchesType } from '../domain/policy/match.js';
import { holderOf, keyValidAt, type Roster } from '../domain/roster.js';
import { draftEnvelope } from './draft.js';
import { answer, answerUnreadable, refused, waitResult, type Executor, type Rules } from './executor.js';
import { activeFreezes, byRestore } from './freezes.js';
import { readStops } from './ledger/rows.js';
import { readBook, type Book } from './envelopes.js';
import { Moved } from './ledger/compare-and-set.js';
import type { NewAction } from './ledger/review-transitions.js';
import { transitions } from './ledger/transitions.js';
import { modify, reseal } from './revise.js';
import { resultOf, sealedResult, sealOf } from './sealed.js';

type SealResult = ResultOf<'seal'>;
const RULES_RETRY_MS = 2_000;
const FROZEN_RETRY_MS = 2_000;

/**
 * Seals what is to be reviewed (§4): parse → who asks → deny rules on parameters → preview → whole policy → people → write.
 * Asked again for the same, it gives the same. Returns an executor-signed answer.
 */
export async function seal(executor: Executor, raw: unknown): Promise<Signed> {
  const input = sealInputSchema.safeParse(raw);
  if (!input.success) return answerUnreadable(executor, 'seal', raw, input.error.message);
  return answer(executor, 'seal', input.data, await sealOnce(executor, input.data));
}

async function sealOnce(executor: Executor, input: SealInput): Promise<SealResult> {
  try {
    if ('modify' in input) return await modify(executor, input.actionId, input.modify);
    if ('reseal' in input) return await reseal(executor, input.actionId, input.reseal);
    return await sealRequest(executor, input.actionId, input.request);
  } catch (error) {
    // Somebody moved first: what stands now is the answer.
    if (error instanceof Moved) return waitResult(executor.now(), 50, 'busy', 'the action moved meanwhile; ask again');
    throw error;
  }
}

async function sealRequest(executor: Executor, actionId: ActionId, signed: Signed): Promise<SealResult> {
  const request = readRequest(signed);
  if (request === undefined) return refused('request_invalid', 'not a request: see the schema of request v1');
  const requestDigest = digestOfSigned(signed);
  const known = await executor.ledger.transaction((tx) => readBook(tx, actionId));
  if (known !== undefined) return again(known, requestDigest);

  const rules = await executor.rules();
  if (!rules.ok) return waitResult(executor.now(), RULES_RETRY_MS, 'roster_stale', rules.text);
  const frozen = await frozenByRestore(executor, rules);
  if (frozen !== undefined) return frozen;
  const who = whoAsks(executor, rules.roster, actionId, request, signed);
  if ('code' in who) return refused(who.code, who.text);

  const action: NewAction = {
    id: actionId,
    request: requestDigest,
    content: contentAsRead(executor, request),
    type: request.type,
    agent: request.agent,
  };
  const now = executor.now();
  const draft = await draftEnvelope(executor, rules, {
    actionId,
    request,
    signed,
    standing: who.standing,
    owner: who.owner,
    params: request.params,
    contributors: [],
    parent: null,
    content: action.content,
  });
  if (draft.kind === 'wait') return draft.wait;
  if (draft.kind === 'denied') {
    await executor.ledger.transaction((tx) => transitions.deny(tx, action, { code: draft.refusal.code, text: draft.refusal.text }, now));
    return { kind: 'end' };
  }
  await executor.ledger.transaction((tx) => transitions.open(tx, action, sealOf(executor, draft, 'request', requestDigest), now));
  return sealedResult(executor, actionId);
}

/** By the parameters as the type's schema reads them: what it fills in or evens out makes no other content. */
function contentAsRead(executor: Executor, { agent, type, params }: Request): Digest {
  const parsed = executor.types.get(type)?.parse(params);
  const read = parsed?.ok === true ? parsed.params : params;
  try {
    return contentOf(agent, type, read);
  } catch {
    // A schema that turns parameters into what is no JSON: such an action cannot be sealed either.
    return contentOf(agent, type, params);
  }
}

function again(book: Book, request: Digest): SealResult {
  if (book.action.request !== '' && book.action.request !== request)
    return refused('idempotency_key_reused', 'this idempotency key belongs to another body');
  if (book.action.state === 'ended') return { kind: 'end' };
  return resultOf(book);
}

/** Until people have thawed a restored ledger, it seals nothing it does not know: it may have run after the backup. */
async function frozenByRestore(executor: Executor, rules: Extract<Rules, { ok: true }>): Promise<SealResult | undefined> {
  if (executor.ledger.restored === undefined) return undefined;
  const now = executor.now();
  const stops = await executor.ledger.transaction((tx) => readStops(tx.sql));
  const freeze = activeFreezes(stops, rules.policy, rules.roster, now).find(byRestore);
  return (
    freeze && waitResult(now, FROZEN_RETRY_MS, 'frozen', `${freeze.reason}; until it is thawed (${freeze.digest}) nothing new is sealed`)
  );
}

function readRequest(signed: Signed): Request | undefined {
  if (signed.payload.length > MAX_REQUEST_CHARS) return undefined;
  const request = requestSchema.safeParse(readPayload('request', signed));
  return request.success ? request.data : undefined;
}

/** §4: signed by the agent's own key, or, only for an agent with a bearer key, vouched for by the API's. By neither: nothing is written. */
function whoAsks(
  executor: Executor,
  roster: Roster,
  actionId: ActionId,
  request: Request,
  signed: Signed,
): Refusal | { readonly standing: 'signed' | 'vouched'; readonly owner: PersonId } {
  const now = executor.now();
  if (request.deployment !== roster.deployment || roster.deployment !== executor.ledger.identity.deployment)
    return refuse('audience_mismatch', `the request is for ${request.deployment}`);
  if (actionIdOf(request.deployment, request.agent, request.idempotencyKey) !== actionId)
    return refuse('audience_mismatch', 'the action id does not follow from the request');
  const agent = roster.agents.get(request.agent);
  const keyId = keyIdOfSigned(signed);
  const holder = keyId === undefined ? undefined : holderOf(roster, keyId);
  if (agent === undefined || holder === undefined || (agent.until !== undefined && now >= agent.until)) return refuse('credential_invalid');
  if (!keyValidAt(holder.key, now) || !verifySigned('request', signed, holder.key.key)) return refuse('credential_invalid');
  const own = holder.kind === 'agent' && holder.id === agent.id;
  const vouched = holder.kind === 'api' && agent.bearer !== undefined;
  if (!own && !vouched) return refuse('credential_invalid');
  if (!agent.propose.some((pattern) => matchesType(pattern, request.type)))
    return refuse('credential_invalid', `${agent.id} may not propose ${request.type}`);
  if (request.onBehalfOf !== undefined && !roster.people.has(request.onBehalfOf))
    return refuse('request_invalid', `onBehalfOf: nobody called ${request.onBehalfOf} in the roster`);
  return { standing: own ? 'signed' : 'vouched', owner: agent.owner };
}
