import { floorOf } from '../domain/floor.js';
import { toMs } from '../domain/instant.js';
import type { Envelope } from '../domain/objects/envelope.js';
import type { Ring } from '../domain/review/clocks.js';
import type { Status } from '../domain/outcome.js';
import { breakGlassLines } from './break-glass-text.js';
import { clip, fit, inert, names } from './markdown.js';
import type { Run } from './run.js';
import { needsPerson, stepsInWords } from './steps-in-words.js';

/** The Web UI carries details in the address of a GET; the server would take 20 KB. */
const MAX_DETAILS = 4_000;
export const MAX_SUMMARY = 200;

/**
 * What an operator reads of an action, as markdown: what it waits for, the sentence, who agreed and who still can, until when and what then, what stands
 * in its way, and where to look. The sentence is what the type's `summarize` says, so it may name parameters, as the history does; it is never in
 * history a second time: the worker makes this text whenever it is asked for. `now` in ms.
 */
export function detailsOf(run: Run, now: number): string {
  const envelope = run.review.newest?.envelope;
  const facts = envelope === undefined ? [] : [...decisionsOf(run, now), ...timesOf(run, now), ...stepsInWords(run, envelope)];
  return fit(
    [
      `### ${headlineOf(run, now)}`,
      '',
      ...(envelope === undefined ? [] : [`**${inert(envelope.summary, 600)}**`, '']),
      ...[...breakGlassLines(run, now), ...obstaclesOf(run), ...facts, ...refusalsOf(run), ...whereTo(run, envelope)].map(
        (line) => `- ${line}`,
      ),
      '',
      ...(run.outcome !== undefined ? [] : [needsPerson(run) === undefined ? BUTTONS : NO_BUTTONS]),
    ],
    MAX_DETAILS,
  );
}

const BUTTONS =
  'Here, **Cancel** stops it: nothing more starts, what ran is undone. **Terminate** leaves it as it is: nothing more happens, no undo either. ' +
  "A Signal or Update counts only with a reviewer's own signature.";

const NO_BUTTONS = 'Here, **Cancel** changes nothing and **Terminate** only hides it: it ends by what a person found, signed.';

function headlineOf(run: Run, now: number): string {
  const status = run.status();
  if (status === 'awaiting_approval') return run.expiring ? 'Time is over: being closed, nothing runs' : waitingFor(run, now);
  if (status === 'approved') {
    const { have, need } = run.review.progress(now);
    return `${run.expiring ? 'Time to start is over: being closed, nothing runs' : 'Waiting for the executor'}, ${have} of ${need} agreed`;
  }
  const step = needsPerson(run);
  if (step !== undefined) return `${HEADLINES[status]}: step ${step}`;
  return HEADLINES[status];
}

const HEADLINES: Readonly<Record<Status, string>> = {
  evaluating: 'Waiting for the executor to seal it',
  awaiting_approval: 'Waiting for people',
  approved: 'Waiting for the executor',
  executing: 'Running',
  compensating: 'Being undone',
  outcome_unknown: 'Needs a person, nobody knows whether it happened',
  compensation_failed: 'Needs a person, it could not be undone',
  denied: 'Denied, nothing ran',
  rejected: 'Rejected, nothing ran',
  expired: 'Expired, nothing ran',
  execution_expired: 'Agreed to, but not started in time: nothing ran',
  cancelled: 'Cancelled, nothing ran',
  failed: 'Failed, nothing took effect',
  succeeded: 'Succeeded',
  compensated: 'Undone',
};

/** "Waiting for 1 more of 2, finance"; with several stages what each still lacks. */
function waitingFor(run: Run, now: number): string {
  const stages = run.review.progressByStage(now);
  const { have, need } = run.review.progress(now);
  const lacking = stages.filter((stage) => stage.have < stage.need);
  const where =
    stages.length === 1 ? stages.map(({ name }) => name) : lacking.map((stage) => `${stage.name} ${stage.have} of ${stage.need}`);
  return `Waiting for ${need - have} more of ${need}, ${where.join(', ')}`;
}

/** What stands in the way, and what came of it, before anything else. */
function obstaclesOf(run: Run): string[] {
  const lines: string[] = [];
  if (run.outcome !== undefined) {
    const { effect, reason } = run.outcome;
    lines.push(`Effect: **${effect}**. ${inert(reason.text, 400)}${reason.by === undefined ? '' : ` (${inert(reason.by, 110)})`}`);
  } else {
    if (run.cancelRequested) lines.push('**Cancel** was pressed in Temporal: nothing more starts.');
    if (run.standing !== undefined && needsPerson(run) === undefined)
      lines.push(`Stands still, \`${run.standing.code}\`: ${inert(run.standing.text, 400)}`);
  }
  if (run.receiptsInvalid > 0)
    lines.push(
      `**${run.receiptsInvalid} answers bore no valid signature of the executor**: see who else writes to this namespace and polls its queue; after a restore, the lost ledger's executor for one.`,
    );
  return lines;
}

function decisionsOf(run: Run, now: number): string[] {
  const { approvals, rejections } = run.review.count();
  const people = (votes: typeof approvals): string =>
    names(votes.map(({ person, by }) => (by === undefined ? person : `${person} (by ${by})`)));
  const lines = [`Approved: ${people(approvals) || 'nobody yet'}`];
  const independent = run.review.newest?.envelope.guards.independent ?? 0;
  if (independent > 0 && run.outcome === undefined && !run.began)
    lines.push(`With the command line: ${approvals.filter((vote) => vote.independent).length} of at least ${independent}`);
  if (rejections.length > 0) lines.push(`Rejected: ${people(rejections)}`);
  if (run.outcome === undefined && run.openQuestions > 0)
    lines.push(`${run.openQuestions} question${run.openQuestions === 1 ? '' : 's'} to the agent open`);
  if (run.outcome === undefined && !run.began) lines.push(`Can still decide: ${names(run.review.awaiting(now)) || 'nobody'}`);
  return lines;
}

function timesOf(run: Run, now: number): string[] {
  const { review } = run;
  const envelope = review.newest?.envelope;
  if (envelope === undefined || run.outcome !== undefined || run.began) return [];
  const { quorum } = review.count();
  const floor = floorOf(envelope);
  const early = now < floor ? [`Nothing starts before **${at(floor)}**, whoever agrees`] : [];
  if (quorum !== undefined) return [...early, `Start before **${at(quorum.executeBy)}**, then **expired, nothing runs**`];
  const left = review.ringsLeft().filter((ring) => ring.at > now);
  const next = (['remind', 'escalate'] as const).flatMap((kind) => left.find((ring) => ring.kind === kind) ?? []);
  return [
    ...early,
    `Decide before **${at(toMs(envelope.approveBy))}**, then **expired, nothing runs**`,
    ...next.map((ring) => `Next ${ring.kind === 'remind' ? 'reminder' : 'escalation'}: ${at(ring.at)}, ${circleOf(ring, envelope)}`),
  ];
}

function circleOf(ring: Ring, envelope: Envelope): string {
  if (ring.kind === 'expire') return '';
  const stage = envelope.stages[ring.stage];
  if (ring.kind === 'remind') return stage?.name ?? '';
  const tier = stage?.escalate[ring.n - 1];
  const raised = tier?.quorum === undefined ? '' : `, then ${tier.quorum} must agree`;
  return `${stage?.name ?? ''} to ${names(tier?.to ?? [])}${raised}`;
}

function refusalsOf({ review }: Run): string[] {
  if (review.refusedTotal === 0) return [];
  const last = review.lastRefusal === undefined ? '' : `, last \`${review.lastRefusal.code}\``;
  return [`Refused so far: ${review.refusedTotal}${last}`];
}

function whereTo(run: Run, envelope: Envelope | undefined): string[] {
  if (envelope === undefined) return [];
  const { type, risk, agent, owner, revision, rule, actionId } = envelope;
  const url = run.executor?.reviewUrl?.replaceAll('{id}', actionId);
  return [
    `${type.name}, risk ${risk}, revision ${revision}, asked for by ${agent} of ${owner}`,
    `Rule "${inert(rule.name, 100)}": ${inert(rule.because, 300)}`,
    url === undefined ? `Look: \`keyturn show ${actionId}\`` : `Look: [${actionId.slice(0, 8)}](${url}), or \`keyturn show ${actionId}\``,
  ];
}

/** To the second: no deadline of a policy is finer. */
const at = (ms: number): string => new Date(ms).toISOString().replace('T', ' ').replace(/\..*/, ' UTC');

/** What a clock's timer is called in the timeline. Names of stages and people only. */
export function ringSummary(ring: Ring, envelope: Envelope | undefined): string {
  const when = at(ring.at);
  if (ring.kind === 'expire') return `deadline ${when}: then expired, nothing runs`;
  const who = envelope === undefined ? '' : circleOf(ring, envelope);
  return clip(`${ring.kind === 'remind' ? 'reminder' : 'escalation'} ${ring.n} ${when}: ${who}`, MAX_SUMMARY);
}
