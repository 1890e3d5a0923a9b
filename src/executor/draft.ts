import { randomBytes } from 'node:crypto';
import { refuse, type Refusal } from '../domain/codes.js';
import { canonicalBytes, JsonRefused } from '../domain/json.js';
import type { Signed } from '../domain/dsse.js';
import type { ActionId, Digest, PersonId } from '../domain/ids.js';
import { toInstant, toMs } from '../domain/instant.js';
import type { ResultOf } from '../domain/objects/answer.js';
import { envelopeSchema, MAX_PEOPLE, previewSchema, type Envelope, type Preview } from '../domain/objects/envelope.js';
import type { SealedPeople } from '../domain/objects/entry.js';
import type { Params, Request } from '../domain/objects/request.js';
import { previewFactsOf } from '../domain/policy/condition.js';
import { deniedBy, evaluatePolicy } from '../domain/policy/evaluate.js';
import type { Policy } from '../domain/policy/schema.js';
import { executorOf, type Roster } from '../domain/roster.js';
import { latestApproval } from '../domain/tally.js';
import { viewDigestOf } from '../domain/view/v1.js';
import { cooling, longerOf } from './cooldown.js';
import { PreviewRefused, PreviewTooLarge, type ActionType } from './define-action.js';
import { PREVIEW_PATIENCE_MS, waitResult, type Executor, type Rules } from './executor.js';
import { spentNow } from './ledger/charges.js';
import { readEqual } from './ledger/rows.js';
import { clip, errorText } from './text.js';

const MAX_PREVIEW_BYTES = 262_144;
const MAX_KEYS_BYTES = 32_768;
const PREVIEW_RETRY_MS = 2_000;

/** What an envelope is made from; `parent` is the revision it follows. */
export interface DraftInput {
  readonly actionId: ActionId;
  readonly request: Request;
  readonly signed: Signed;
  readonly standing: 'signed' | 'vouched';
  readonly owner: PersonId;
  readonly params: Params;
  readonly contributors: readonly PersonId[];
  readonly parent: { readonly digest: Digest; readonly envelope: Envelope } | null;
  readonly content: Digest;
}
export type Draft =
  | { readonly kind: 'drafted'; readonly envelope: Envelope; readonly view: Digest; readonly people: SealedPeople }
  | { readonly kind: 'denied'; readonly refusal: Refusal }
  | { readonly kind: 'wait'; readonly wait: Extract<ResultOf<'seal'>, { kind: 'wait' }> };

const denied = (refusal: Refusal): Draft => ({ kind: 'denied', refusal });

/** Everything of a seal but the writing. Order (§4): parameters → deny rules → preview with read rights → whole policy → people. */
export async function draftEnvelope(
  executor: Executor,
  { policy, roster }: Extract<Rules, { ok: true }>,
  input: DraftInput,
): Promise<Draft> {
  const { request, parent } = input;
  const type = executor.types.get(request.type);
  if (type === undefined || executorOf(roster, request.type)?.name !== executor.name)
    return denied(refuse('type_unknown', `this executor does not run ${request.type}`));
  const parsed = type.parse(input.params);
  if (!parsed.ok) return denied(refuse('params_invalid', clip(parsed.text, 2_000)));
  const facts = {
    type: request.type,
    agent: request.agent,
    owner: input.owner,
    onBehalfOf: request.onBehalfOf ?? null,
    params: parsed.params,
    request: input.standing,
  };
  const deny = deniedBy(policy, facts);
  if (deny !== undefined) return denied(refuse(deny.code, deny.text));

  const preview = await makePreview(executor, type, policy, parsed.params, input.actionId);
  if ('kind' in preview) return preview;
  const now = executor.now();
  const spent = await spentNow(executor.ledger, policy, facts, now);
  const undo = type.plans.map(({ plan }) => plan);
  const asking = { ...facts, preview: previewFactsOf(preview), editors: input.contributors, undo, spent };
  const ruling = evaluatePolicy(policy, roster, asking, now);
  if (ruling.effect === 'deny') return denied(refuse(ruling.code, ruling.text));
  const cooldown = longerOf(parent?.envelope.guards.cooldown, ruling.cooldown);
  const named = new Set([
    ...ruling.stages.flatMap((stage) => [...stage.from, ...stage.escalate.flatMap((tier) => tier.to)]),
    ...ruling.resolve.people,
    ...(ruling.delegates ?? []),
    ...(ruling.breakGlass?.people ?? []),
  ]);
  const people = keysOf(roster, named);
  // A ladder holds the limit of people, too; here it is that of what is sealed.
  if (named.size > MAX_PEOPLE || canonicalBytes(people).length > MAX_KEYS_BYTES)
    return denied(refuse('policy_error', `the rule names more people or keys than can be sealed (${MAX_PEOPLE} people, 32 KiB of keys)`));

  const openedAt = parent === null ? now : toMs(parent.envelope.openedAt);
  const approveBy = openedAt + ruling.approveWithin;
  let summary: string;
  try {
    summary = type.summarize(parsed.params);
  } catch (error) {
    return denied(refuse('preview_failed', `summarize: ${errorText(error)}`));
  }
  const candidate = {
    v: 1,
    ...executor.ledger.identity,
    actionId: input.actionId,
    executor: executor.name,
    nonce: randomBytes(16).toString('hex'),
    revision: (parent?.envelope.revision ?? 0) + 1,
    parent: parent?.digest ?? null,
    request: input.signed,
    standing: input.standing,
    agent: request.agent,
    owner: input.owner,
    onBehalfOf: facts.onBehalfOf,
    contributors: [...input.contributors],
    type: { name: type.name, version: type.version, schema: type.schemaDigest },
    params: parsed.params,
    previousParams: parent?.envelope.params ?? null,
    summary,
    preview: { ...preview, warnings: [...restoredWarning(executor), ...preview.warnings] },
    risk: ruling.risk,
    reasons: ruling.reasons,
    policy: { version: policy.version, digest: policy.digest },
    roster: { version: roster.version, digest: roster.digest },
    rule: { effect: ruling.effect, ...ruling.rule },
    stages: ruling.stages,
    budget: ruling.budget,
    rejections: ruling.rejections,
    resolve: ruling.resolve,
    ...(ruling.breakGlass === undefined ? {} : { breakGlass: ruling.breakGlass }),
    exclusions: ruling.exclusions,
    ...(ruling.delegates === undefined ? {} : { delegates: ruling.delegates }),
    openedAt: toInstant(openedAt),
    sealedAt: toInstant(now),
    // Stricter applies, later never: a revision may shorten the time a changed policy gives, not lengthen it (§6.8).
    approveBy: toInstant(Math.min(approveBy, parent === null ? Infinity : latestApproval(parent.envelope))),
    executeWithin: ruling.executeWithin,
    guards: {
      development: roster.development,
      selfApproval: roster.selfApproval,
      request: ruling.request,
      minTime: ruling.guards.minTime,
      independent: ruling.guards.independent,
      confirmField: ruling.guards.confirmField,
      ...(ruling.guards.minView === 0 ? {} : { minView: ruling.guards.minView }),
      ...(cooldown === 0 ? {} : { cooldown }),
    },
    earlier: await earlierActions(executor, input),
    view: 1,
    webauthn: { rpId: roster.webauthn.rpId, origins: [...roster.webauthn.origins] },
  };
  let envelope: Envelope;
  let view: Digest;
  try {
    envelope = envelopeSchema.parse(candidate);
    // Words of the type that are no canonical JSON could be neither shown nor signed.
    canonicalBytes(envelope);
    view = viewDigestOf(envelope);
  } catch (error) {
    return denied(refuse('policy_error', `the action cannot be sealed: ${errorText(error, 1_000)}`));
  }
  const cold = await executor.ledger.transaction((tx) => cooling(tx, roster, envelope, cooldown, now));
  if (cold !== undefined) return denied(refuse('rule_denies', clip(`rule "${ruling.rule.name}": ${cold}`, 4_000)));
  return { kind: 'drafted', envelope, view, people };
}

/** The preview as people will see it, by the policy's data. One that cannot be made waits, then denies; one too large, or that says no, denies. */
export async function makePreview(
  executor: Executor,
  type: ActionType,
  { data }: Pick<Policy, 'data'>,
  params: Params,
  actionId: ActionId,
): Promise<Preview | Extract<Draft, { kind: 'denied' | 'wait' }>> {
  try {
    // A copy: the policy's own is not the type's to change.
    const draft = await type.preview(params, { policyData: structuredClone(data) });
    if (!type.hasPrecondition && draft.precondition !== undefined)
      return {
        kind: 'denied',
        refusal: refuse('preview_failed', `${type.name} says it has no precondition, but its preview returned one`),
      };
    const preview = previewSchema.parse({
      changes: draft.changes ?? [],
      touches: draft.touches ?? [],
      warnings: draft.warnings ?? [],
      ...(draft.precondition === undefined ? {} : { precondition: draft.precondition }),
      undo: type.plans,
    });
    if (canonicalBytes(preview).length > MAX_PREVIEW_BYTES) return { kind: 'denied', refusal: refuse('preview_too_large') };
    executor.previewFailures.delete(actionId);
    return preview;
  } catch (error) {
    if (error instanceof PreviewTooLarge) return { kind: 'denied', refusal: refuse('preview_too_large', clip(error.message, 2_000)) };
    if (error instanceof PreviewRefused) return { kind: 'denied', refusal: refuse('preview_refused', clip(error.message, 2_000)) };
    if (error instanceof JsonRefused) return { kind: 'denied', refusal: refuse('preview_failed', error.message) };
    const now = executor.now();
    const since = executor.previewFailures.get(actionId) ?? now;
    executor.previewFailures.set(actionId, since);
    const text = `the preview of ${type.name} failed: ${errorText(error)}`;
    if (now - since >= PREVIEW_PATIENCE_MS) return { kind: 'denied', refusal: refuse('preview_failed', text) };
    return { kind: 'wait', wait: waitResult(now, PREVIEW_RETRY_MS, 'preview_failed', text) };
  }
}

/** In a ledger that was restored nobody can tell a new request from one that was sealed, and ran, after the backup: people are told at every seal. */
const restoredWarning = ({ ledger: { restored } }: Executor): string[] =>
  restored === undefined
    ? []
    : [
        `This ledger was restored on ${restored.at} from a backup of ${restored.backupAt}. What ran in between is not on its record: if this was asked for before, make sure at its target that it has not run.`,
      ];

function keysOf(roster: Roster, people: ReadonlySet<PersonId>): SealedPeople {
  return [...people]
    .sort()
    .map((person) => ({
      person,
      keys: (roster.people.get(person)?.keys ?? []).map(({ key, from, until }) => ({
        key: key.text,
        ...(from === undefined ? {} : { from: toInstant(from) }),
        ...(until === undefined ? {} : { until: toInstant(until) }),
      })),
    }));
}

/** §6.13: equal content under another key is a new action whose view says so. */
async function earlierActions(executor: Executor, input: DraftInput): Promise<Envelope['earlier']> {
  const rows = await executor.ledger.transaction((tx) => readEqual(tx.sql, input.content, input.actionId));
  return rows.map((row) => ({
    actionId: row.id,
    status: row.status,
    reason: clip(row.cause?.text ?? '', 1_000),
    by: row.cause?.by ?? null,
  }));
}
