import { readDecision } from '../../domain/admit.js';
import { digestOfSigned, PAYLOAD_TYPES, type Signed } from '../../domain/dsse.js';
import type { MessageAnswer } from '../../domain/http.js';
import type { ActionId, Digest } from '../../domain/ids.js';
import { refuse } from '../../domain/codes.js';
import type { Fate } from '../../domain/review/fate.js';
import type { Roster } from '../../domain/roster.js';
import type { Api } from '../api.js';
import { answer, Refused, refused } from '../problem.js';
import { load, type Loaded } from '../resource/load.js';
import { deliver, type Door } from '../temporal/deliver.js';
import type { Described } from '../temporal/describe.js';
import { fateIn } from './fate.js';

/** How long a "no", a change or a cancel may take to reach the ledger while its author waits for the answer. */
const SETTLE_MS = 5_000;
const SETTLE_POLL_MS = 100;

/**
 * Puts a signed message before the workflow and answers with its fate: 200 counted or standing · 202 recorded, or still on its way to the ledger ·
 * else the refusal. `described` is the action as Temporal has it now.
 */
export async function sendMessage(api: Api, described: Described, roster: Roster, door: Door, signed: Signed): Promise<Response> {
  const count = (fate: string, code: string): void => api.metrics.count('keyturn_api_messages_total', { kind: kindOf(signed), fate, code });
  try {
    const { response, fate } = await send(api, described, roster, door, signed);
    count(fate, 'none');
    return response;
  } catch (error) {
    if (error instanceof Refused) count('refused', error.refusal.code);
    throw error;
  }
}

/** From a closed set, whatever was sent. */
function kindOf(signed: Signed): string {
  switch (signed.payloadType) {
    case PAYLOAD_TYPES.decision:
      return readDecision(signed)?.decision.verdict ?? 'unreadable';
    case PAYLOAD_TYPES.cancel:
      return 'cancel';
    case PAYLOAD_TYPES.review:
      return 'review';
    case PAYLOAD_TYPES.reply:
      return 'answer';
    default:
      return 'resolve';
  }
}

async function send(
  api: Api,
  described: Described,
  roster: Roster,
  door: Door,
  signed: Signed,
): Promise<{ response: Response; fate: string }> {
  const { id } = described.line;
  const digest = digestOfSigned(signed);
  const delivered = described.run === 'running' ? await deliver(api.client, id, door, signed) : ({ kind: 'ended' } as const);
  if (delivered.kind === 'recorded') {
    const { status } = described.line;
    const response = said(202, { id, digest, fate: { state: 'waiting' }, judged: false, status, progress: null, outcome: null });
    return { response, fate: 'recorded' };
  }
  const { fate, loaded } =
    delivered.kind === 'ended' ? await afterTheEnd(api, id, digest, roster) : await settled(api, id, digest, delivered.fate, roster);
  if (fate.state === 'refused') throw new Refused(refuse(fate.code, fate.text));
  return { response: said(fate.state === 'waiting' ? 202 : 200, answerOf(id, digest, fate, loaded)), fate: fate.state };
}

export const answerOf = (id: ActionId, digest: Digest, fate: Fate, loaded: Loaded | undefined): MessageAnswer => {
  const resource = loaded?.snapshot === undefined ? undefined : loaded.resource;
  return {
    id,
    digest,
    fate,
    judged: true,
    status: resource?.outcome.status ?? null,
    progress: resource?.progress ?? null,
    outcome: resource?.outcome ?? null,
  };
};

export const said = (status: number, body: MessageAnswer): Response =>
  answer(status, body, { location: `/v1/actions/${body.id}/decisions/${body.digest}` });

interface Settled {
  readonly fate: Fate;
  readonly loaded: Loaded | undefined;
}

/** A repeat of what the action has seen keeps its fate; anything new is too late. */
async function afterTheEnd(api: Api, id: ActionId, digest: Digest, roster: Roster): Promise<Settled> {
  const loaded = await load(api, id, roster);
  const fate = loaded.snapshot === undefined ? undefined : fateIn(loaded.snapshot, digest);
  if (fate === undefined || fate.state === 'waiting') {
    const { status } = loaded.resource.outcome;
    throw refused('action_ended', loaded.resource.outcome.final ? `the action is ${status}` : loaded.resource.outcome.reason.text);
  }
  return { fate, loaded };
}

async function settled(api: Api, id: ActionId, digest: Digest, first: Fate, roster: Roster): Promise<Settled> {
  const end = Date.now() + SETTLE_MS;
  for (;;) {
    const loaded = await load(api, id, roster);
    const fate = loaded.snapshot === undefined ? first : (fateIn(loaded.snapshot, digest) ?? first);
    if (fate.state !== 'waiting') return { fate, loaded };
    // A review is judged after the end.
    if (loaded.snapshot?.outcome.final === true && loaded.resource.postReview.state !== 'open')
      throw refused('action_ended', `the action is ${loaded.resource.outcome.status}`);
    if (loaded.snapshot === undefined || Date.now() >= end) return { fate, loaded };
    await new Promise((done) => setTimeout(done, SETTLE_POLL_MS));
  }
}
