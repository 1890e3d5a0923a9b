import { signedSchema, type Signed } from '../../domain/dsse.js';
import type { ActionId } from '../../domain/ids.js';
import type { Request } from '../../domain/objects/request.js';
import { endedSchema } from '../../domain/ended.js';
import { executorOf, type Roster } from '../../domain/roster.js';
import { WORKFLOW_TYPES } from '../../temporal/names.js';
import type { Api } from '../api.js';
import { Limited } from '../limits.js';
import { refused, temporalAway } from '../problem.js';
import { isNoAnswer, PATIENCE_MS, within } from '../temporal/calls.js';
import { describe } from '../temporal/describe.js';
import { firstInput } from '../temporal/history.js';
import { snapshotOf } from '../temporal/snapshot.js';
import { startAction } from '../temporal/start.js';

export interface Proposal {
  readonly id: ActionId;
  readonly request: Request;
  readonly signed: Signed;
}
/** `started` anew · `known`: the same key and body as before · `restarted`: the run before wrote nothing. */
export type Opened = 'started' | 'known' | 'restarted';

const MAX_TRIES = 3;

/**
 * Same agent, idempotency key and body: the same action, for ever; the same key with another body is refused (§6.13). A run that ended without an
 * entry wrote nothing and does not use the key up. Throws `idempotency_key_reused`, `type_unknown`, `params_invalid`, `rate_limited`, `temporal_unavailable`.
 */
export async function openProposal(api: Api, proposal: Proposal, roster: Roster): Promise<Opened> {
  const agent = roster.agents.get(proposal.request.agent);
  if (agent === undefined) throw refused('credential_invalid');
  const wait = api.limits.proposal(agent);
  // Over its rate an agent still learns what became of an action it has asked for, as a read.
  if (wait !== undefined) api.limits.read(`agent:${agent.id}`);
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const standing = await standingOf(api, proposal);
    if (standing === 'same') return 'known';
    if (wait !== undefined)
      throw new Limited('proposals', `too many proposals of ${agent.id}; nothing was opened, and the key is not used up`, wait);
    if (standing === 'other') throw refused('idempotency_key_reused');
    await checkType(api, proposal.request, roster);
    const again = standing === 'unused';
    const giveBack = await api.places.take(agent);
    if (await startAction(api.client, { ...proposal, again })) return again ? 'restarted' : 'started';
    // Somebody else started it meanwhile: look at what they started.
    giveBack();
  }
  throw refused('rate_limited', 'this action is being proposed by several at once');
}

async function checkType({ manifests }: Api, request: Request, roster: Roster): Promise<void> {
  if (executorOf(roster, request.type) === undefined) throw refused('type_unknown', `no executor of the roster runs ${request.type}`);
  const problem = await manifests.paramsProblem(roster, request.type, request.params);
  if (problem !== undefined) throw refused('params_invalid', problem);
}

type Standing = 'none' | 'same' | 'other' | 'unused';

async function standingOf(api: Api, { id, signed }: Proposal): Promise<Standing> {
  const { client } = api;
  try {
    const first = await firstInput(client, id);
    if (first === undefined) return 'none';
    if (first.type !== WORKFLOW_TYPES.agentAction) return 'other';
    const described = await describe(client, id);
    if (described?.run === 'completed' && (await wroteNothing(api, id))) return 'unused';
    const stored = signedSchema.safeParse(first.input);
    // The bytes of the request, not the signature over them: the API's key that vouched may have been replaced.
    return stored.success && stored.data.payload === signed.payload ? 'same' : 'other';
  } catch (error) {
    if (isNoAnswer(error)) throw temporalAway('The proposal is not recorded: Temporal does not answer.');
    throw error;
  }
}

/** Whether the run ended without an entry: told by its receipt. Wrong at worst, the ledger answers as before. */
async function wroteNothing(api: Api, id: ActionId): Promise<boolean> {
  const snapshot = await snapshotOf(api, id);
  if (snapshot !== undefined) return snapshot.outcome.final && snapshot.entries.length === 0;
  const result: unknown = await within(api.client, PATIENCE_MS, () => api.client.workflow.getHandle(id).result());
  const ended = endedSchema.safeParse(result);
  return ended.success && ended.data.receipt.length === 0;
}
