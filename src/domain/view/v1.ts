import { canonicalize, type Json } from '../json.js';
import { digestOf } from '../hash.js';
import type { Digest } from '../ids.js';
import { floorOf } from '../floor.js';
import { durationText, toInstant } from '../instant.js';
import type { Envelope, UndoPlan } from '../objects/envelope.js';
import { readPayload } from '../dsse.js';
import { requestSchema } from '../objects/request.js';
import { wordsOf } from '../policy/budget.js';
import { pointerEntries } from '../pointer.js';
import { visible } from './visible.js';

/**
 * View, version 1: everything a reviewer is shown, as data, computed from the envelope alone and kept for ever (§4, §11).
 * Changing a word here changes every view digest: make a v2 instead. Every text has passed `visible`.
 */
export interface ViewV1 {
  readonly v: 1;
  readonly actionId: string;
  readonly deployment: string;
  readonly revision: number;
  /** What will happen, in one sentence. */
  readonly sentence: string;
  readonly notices: readonly string[];
  readonly type: string;
  /** Every parameter by JSON pointer, changed ones first; `was` only where the parent revision had another value. */
  readonly params: readonly { readonly at: string; readonly value: string; readonly was?: string }[];
  readonly changes: readonly { readonly what: string; readonly from?: string; readonly to?: string }[];
  readonly touches: readonly string[];
  readonly warnings: readonly string[];
  readonly precondition: string | null;
  readonly undo: readonly { readonly step: string; readonly how: string }[];
  readonly held: { readonly rule: string; readonly because: string; readonly risk: string; readonly reasons: readonly string[] };
  readonly asks: {
    readonly agent: string;
    readonly owner: string;
    readonly onBehalfOf: string | null;
    readonly standing: string;
    readonly editors: readonly string[];
  };
  /** Untrusted: the agent's own words, to be shown in a marked box. */
  readonly agentSays: { readonly reason: string; readonly context: string | null };
  readonly stages: readonly {
    readonly name: string;
    readonly quorum: number;
    readonly people: readonly string[];
    readonly remind: readonly string[];
    readonly escalate: readonly string[];
  }[];
  readonly neverCounted: readonly { readonly person: string; readonly why: string }[];
  /** Only where the rule lets those asked hand over: to whom. */
  readonly delegates?: readonly string[];
  readonly guards: readonly string[];
  readonly earlier: readonly string[];
  readonly deadlines: {
    readonly openedAt: string;
    readonly approveBy: string;
    readonly executeWithin: string;
    readonly rejections: number;
    readonly atZero: string;
  };
}

const STANDING = {
  signed: "signed with the agent's own key",
  vouched: 'vouched for by the API: the agent holds only a bearer key',
} as const;
const WHY = { owner: 'owns the agent', on_behalf_of: 'is acted for', editor: 'modified it' } as const;

/** The view of an envelope: same envelope, same view, for ever. */
export function viewV1(envelope: Envelope): ViewV1 {
  const request = requestSchema.parse(readPayload('request', envelope.request));
  return {
    v: 1,
    actionId: envelope.actionId,
    deployment: visible(envelope.deployment),
    revision: envelope.revision,
    sentence: visible(envelope.summary),
    notices: noticesOf(envelope),
    type: `${envelope.type.name} ${visible(envelope.type.version)}`,
    params: paramsOf(envelope),
    changes: envelope.preview.changes.map(({ what, from, to }) => ({
      what: visible(what),
      ...(from === undefined ? {} : { from: visible(from) }),
      ...(to === undefined ? {} : { to: visible(to) }),
    })),
    touches: envelope.preview.touches.map((text) => visible(text)),
    warnings: envelope.preview.warnings.map((text) => visible(text)),
    precondition: envelope.preview.precondition === undefined ? null : jsonText(envelope.preview.precondition),
    undo: envelope.preview.undo.map(({ step, plan }) => ({ step: visible(step), how: undoWords(plan) })),
    held: {
      rule: visible(envelope.rule.name),
      because: visible(envelope.rule.because),
      risk: envelope.risk,
      reasons: envelope.reasons.map((text) => visible(text)),
    },
    asks: {
      agent: envelope.agent,
      owner: envelope.owner,
      onBehalfOf: envelope.onBehalfOf,
      standing: STANDING[envelope.standing],
      editors: envelope.contributors,
    },
    agentSays: {
      reason: visible(request.reason, { lines: true }),
      context: request.context === undefined ? null : jsonText(request.context),
    },
    stages: envelope.stages.map((stage) => ({
      name: stage.name,
      quorum: stage.quorum,
      people: stage.from,
      remind: stage.remind.map(durationText),
      escalate: stage.escalate.map(
        (tier) =>
          `after ${durationText(tier.after)} also ${tier.to.join(', ')}${tier.quorum === undefined ? '' : `, then ${tier.quorum} must agree`}`,
      ),
    })),
    neverCounted: envelope.exclusions.map(({ person, why }) => ({ person, why: WHY[why] })),
    ...(envelope.delegates === undefined ? {} : { delegates: envelope.delegates }),
    guards: guardsOf(envelope),
    earlier: envelope.earlier.map(
      ({ actionId, status, reason, by }) => `${actionId} ${visible(status)}${by === null ? '' : ` by ${visible(by)}`}: ${visible(reason)}`,
    ),
    deadlines: {
      openedAt: envelope.openedAt,
      approveBy: envelope.approveBy,
      executeWithin: durationText(envelope.executeWithin),
      rejections: envelope.rejections,
      atZero: 'expired, nothing runs',
    },
  };
}

export const viewDigestOf = (envelope: Envelope): Digest => digestOf(viewV1(envelope));

const jsonText = (value: Json): string => visible(canonicalize(value));

function paramsOf(envelope: Envelope): ViewV1['params'] {
  const before = new Map(pointerEntries(envelope.previousParams));
  const now = new Map(pointerEntries(envelope.params));
  const rows = [...new Set([...now.keys(), ...before.keys()])].map((at) => {
    const value = now.get(at);
    const was = before.get(at);
    const changed =
      envelope.previousParams !== null && (value === undefined || was === undefined || canonicalize(value) !== canonicalize(was));
    const row = { at: visible(at), value: value === undefined ? '(removed)' : jsonText(value) };
    return { changed, row: changed ? { ...row, was: was === undefined ? '(absent)' : jsonText(was) } : row };
  });
  return [...rows.filter((row) => row.changed), ...rows.filter((row) => !row.changed)].map(({ row }) => row);
}

function undoWords(plan: UndoPlan): string {
  switch (plan.undo) {
    case 'automatic':
      return 'automatic';
    case 'by_hand':
      return `by hand: ${visible(plan.how)}`;
    case 'impossible':
      return 'impossible';
  }
}

function noticesOf(envelope: Envelope): string[] {
  const notices: string[] = [];
  if (envelope.breakGlass !== undefined) {
    const { people, quorum, reviewWithin } = envelope.breakGlass;
    notices.push(
      `BREAK-GLASS: approve only with a reason, and only what cannot wait; once begun, ${quorum} of ${people.join(', ')} must review it within ${durationText(reviewWithin)}`,
    );
  }
  if (envelope.guards.development) notices.push('development roster: keys of other people may be at hand on this machine');
  if (envelope.guards.selfApproval) notices.push("self-approval is switched on: the agent's owner counts");
  if (envelope.standing === 'vouched') notices.push('the request is not signed by the agent itself');
  return notices;
}

function guardsOf(envelope: Envelope): string[] {
  const { guards, rule, budget } = envelope;
  const lines: string[] = [];
  if (rule.effect === 'allow') lines.push('nobody is asked: the policy lets it run');
  for (const line of budget) lines.push(`counts against the budget: ${line.limit} ${visible(wordsOf(line))}`);
  if (guards.request === 'signed') lines.push('only signed requests');
  if (guards.minTime > 0)
    lines.push(`nothing starts before ${toInstant(floorOf(envelope))}, ${durationText(guards.minTime)} after this seal`);
  if (guards.independent > 0) lines.push(`at least ${guards.independent} of the approvals made with the command line (Ed25519 keys)`);
  if (guards.confirmField !== null) lines.push(`the value of ${visible(guards.confirmField)} confirmed in the decision`);
  if (guards.cooldown !== undefined) lines.push(`rejected, the same may be proposed again only after ${durationText(guards.cooldown)}`);
  if (guards.minView !== undefined)
    lines.push(`read for ${durationText(guards.minView)} before an approval (a quality guard of the API, not of the executor)`);
  return lines;
}
