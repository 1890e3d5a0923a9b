import { readDialogue, type Question } from '../../domain/dialogue.js';
import { readPayload, signedSchema } from '../../domain/dsse.js';
import type { ActionResource } from '../../domain/http.js';
import type { Ended } from '../../domain/ended.js';
import { actionIdOf, type AgentId } from '../../domain/ids.js';
import { postReviewOf } from '../../domain/post-review.js';
import { extendReceipt } from '../../domain/receipt.js';
import { requestSchema, type Request } from '../../domain/objects/request.js';
import { outcomeOf, STATUSES, type EndStatus, type Outcome, type Status } from '../../domain/outcome.js';
import type { Roster } from '../../domain/roster.js';
import type { Snapshot } from '../../domain/review/snapshot.js';
import { visible } from '../../domain/view/visible.js';
import type { Described } from '../temporal/describe.js';
import { provenOutcome, provenReview, sealedEnvelope, trustIn } from './proven.js';

/** What Temporal knows of the run itself. */
type Run = Pick<Described, 'line' | 'run'>;

/** An action as the API shows it: the workflow's words, its end only as the ledger proves it. `now` in ms. */
export function resourceOf({ line, run }: Run, snapshot: Snapshot, roster: Roster, now: number): ActionResource {
  const request = requestOf(snapshot);
  const type = request?.type ?? line.type;
  const trust = trustIn(roster, type, snapshot);
  const envelope = sealedEnvelope(snapshot, trust);
  const outcome = provenOutcome(snapshot, trust, roster, now);
  const questions = questionsOf(snapshot, request?.agent, roster);
  return {
    ...withoutRequest(snapshot),
    outcome: run === 'running' || outcome.final ? outcome : closed(outcome, run),
    awaiting: run === 'running' ? snapshot.awaiting : [],
    type,
    agent: request?.agent ?? line.agent,
    sentence: envelope === undefined ? null : visible(envelope.summary),
    openQuestions: run === 'running' && !outcome.final ? questions.filter(({ answer }) => answer === null).map(openQuestion) : [],
    questions: questions.map(shownQuestion),
    postReview: provenReview(snapshot, trust),
    stale: false,
    running: run === 'running',
  };
}

/** What reviewers asked and the agent answered, by this roster's keys: whoever writes to the namespace can put in neither. */
export const questionsOf = (snapshot: Snapshot, agent: AgentId | undefined, roster: Roster): Question[] =>
  agent === undefined
    ? []
    : readDialogue({ actionId: snapshot.id, agent, decisions: snapshot.signedDecisions, replies: snapshot.replies }, roster).questions;

const shown = (text: string): string => visible(text, { lines: true });
const openQuestion = ({ digest, person, question }: Question): ActionResource['openQuestions'][number] => ({
  digest,
  person,
  question: shown(question),
});
const shownQuestion = ({ digest, person, revision, question, askedAt, answer }: Question): ActionResource['questions'][number] => ({
  digest,
  person,
  revision,
  question: shown(question),
  askedAt,
  answer:
    answer === null
      ? null
      : { digest: answer.digest, agent: answer.agent, text: shown(answer.text), answeredAt: answer.answeredAt, standing: answer.standing },
});

/** Who may read the action gets the request inside its envelope, where the executor signed it. */
function withoutRequest(snapshot: Snapshot): Omit<Snapshot, 'request'> {
  const copy: Omit<Snapshot, 'request'> & { request?: unknown } = { ...snapshot };
  delete copy.request;
  return copy;
}

/** The request a run was started with, if the action's id follows from it. */
export function requestOf({ id, request }: Pick<Snapshot, 'id' | 'request'>): Request | undefined {
  const signed = signedSchema.safeParse(request);
  const read = requestSchema.safeParse(signed.success ? readPayload('request', signed.data) : undefined);
  if (!read.success) return undefined;
  return actionIdOf(read.data.deployment, read.data.agent, read.data.idempotencyKey) === id ? read.data : undefined;
}

/** A run that was closed from outside does nothing more; what the ledger last said stays what is true. */
function closed(outcome: Outcome, run: Described['run']): Outcome {
  if (run === 'completed') return outcome;
  const how = run === 'terminated' ? 'terminated' : 'closed';
  const text = `its run was ${how} in Temporal, so nothing more happens by itself; the ledger last said ${outcome.status}`;
  return { ...outcome, reason: { code: outcome.status, text } };
}

/** What comes before each end: all that may be said of one that nobody could prove. */
const BEFORE: Readonly<Record<EndStatus, Status>> = {
  denied: 'evaluating',
  rejected: 'awaiting_approval',
  expired: 'awaiting_approval',
  cancelled: 'awaiting_approval',
  execution_expired: 'approved',
  succeeded: 'executing',
  failed: 'executing',
  compensated: 'compensating',
};

/** Without a worker: what visibility lists, marked `stale`. An end it lists is none, but for the one that was `proven` by the run's own receipt. */
export function staleResource({ line, run }: Run, proven: Ended | undefined): ActionResource {
  if (proven !== undefined) {
    const { receipt, ...outcome } = proven;
    const postReview = postReviewOf(extendReceipt([], line.id, receipt) ?? []);
    return { ...unanswered({ line, run }), outcome, entries: [...receipt], awaiting: [], deadline: null, postReview };
  }
  const listed = line.status;
  const status = STATUSES[listed].final ? BEFORE[listed as EndStatus] : listed;
  const ending = status === listed ? '' : `, which nothing proves until its receipt can be read`;
  const how = run === 'terminated' ? ' Its run was terminated in Temporal: nothing more happens by itself.' : '';
  const text = `no workflow worker answers; Temporal lists it as ${listed}${ending}.${how}`;
  const outcome = outcomeOf(line.id, status, { code: status, text });
  return { ...unanswered({ line, run }), outcome, expiring: status !== listed };
}

const unanswered = ({ line, run }: Run): Omit<ActionResource, 'outcome'> => ({
  id: line.id,
  entries: [],
  envelopes: [],
  revision: 0,
  digest: null,
  view: null,
  decisions: [],
  signedDecisions: [],
  replies: [],
  messages: [],
  awaiting: run === 'running' ? line.awaiting : [],
  progress: { have: 0, need: 0 },
  deadline: line.deadline,
  refused: { total: 0, signatures: 0, last: null },
  receiptsInvalid: 0,
  expiring: false,
  type: line.type,
  agent: line.agent,
  sentence: null,
  openQuestions: [],
  questions: [],
  postReview: postReviewOf([]),
  stale: true,
  running: run === 'running',
});
