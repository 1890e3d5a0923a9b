import { setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { toMs } from '../domain/instant.js';
import { visible } from '../domain/view/visible.js';
import { attributes } from '../temporal/attributes.js';
import type { Run } from './run.js';

const MAX_DETAILS = 3_500;

/** What the Temporal Web UI shows of an action (§8): attributes only when they changed, never parameters; details in words. */
export function showOperator(run: Run): void {
  const { review } = run;
  const envelope = review.newest?.envelope;
  const status = run.status();
  const awaiting = run.outcome === undefined ? review.awaiting(Date.now()) : [];
  const now = workflowInfo().typedSearchAttributes;
  const wanted = [
    { key: attributes.status, value: status },
    ...(envelope === undefined
      ? []
      : [
          { key: attributes.risk, value: envelope.risk },
          { key: attributes.rule, value: envelope.rule.name.slice(0, 200) },
        ]),
  ].filter(({ key, value }) => now.get(key) !== value);
  const lists = sameList(now.get(attributes.awaiting) ?? [], awaiting)
    ? []
    : [{ key: attributes.awaiting, value: awaiting.length === 0 ? null : awaiting }];
  const deadline = review.deadline();
  const dates =
    deadline === null || now.get(attributes.deadline)?.getTime() === toMs(deadline)
      ? []
      : [{ key: attributes.deadline, value: new Date(deadline) }];
  const updates = [...wanted, ...lists, ...dates];
  if (updates.length > 0) upsertSearchAttributes(updates);
  setCurrentDetails(details(run).slice(0, MAX_DETAILS));
}

const sameList = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && a.every((item, i) => item === b[i]);

function details(run: Run): string {
  const { review } = run;
  const envelope = review.newest?.envelope;
  const { have, need } = review.progress(Date.now());
  const outcome = run.currentOutcome();
  const lines = [`### ${headline(run)}`];
  if (envelope !== undefined) {
    lines.push(
      '',
      plain(envelope.summary),
      '',
      `Type ${envelope.type.name}, risk ${envelope.risk}, rule "${plain(envelope.rule.name)}": ${plain(envelope.rule.because)}`,
    );
    const approved = review.count().approvals.map((vote) => vote.person);
    lines.push('', `Revision ${envelope.revision}, ${have} of ${need} agreed${approved.length === 0 ? '' : `: ${approved.join(', ')}`}.`);
    if (run.outcome === undefined)
      lines.push(
        `Can still decide: ${review.awaiting(Date.now()).join(', ') || 'nobody'}.`,
        `Decide before **${envelope.approveBy}**, then **expired, nothing runs**.`,
      );
    const ring = review.nextRing();
    if (run.outcome === undefined && ring !== undefined && ring.kind !== 'expire')
      lines.push(`Next ${ring.kind}: ${new Date(ring.at).toISOString()}.`);
  }
  if (run.outcome !== undefined) lines.push('', `Effect: **${outcome.effect}**. ${plain(outcome.reason.text)}`);
  else if (run.standing !== undefined) lines.push('', `Stands still: ${plain(run.standing.code)}: ${plain(run.standing.text)}`);
  if (review.refusedTotal > 0)
    lines.push('', `Refused so far: ${review.refusedTotal}${review.lastRefusal === undefined ? '' : `, last ${review.lastRefusal.code}`}.`);
  if (run.receiptsInvalid > 0)
    lines.push('', `**${run.receiptsInvalid} answers bore no valid signature of the executor: see who else writes to this namespace.**`);
  return lines.join('\n');
}

function headline(run: Run): string {
  const { have, need } = run.review.progress(Date.now());
  const status = run.status();
  const stage = run.review.newest?.envelope.stages.map((each) => each.name).join(', ') ?? '';
  return status === 'awaiting_approval' ? `Waiting for ${need - have} more of ${need}, ${stage}` : status.replaceAll('_', ' ');
}

/** Agents' and targets' words are no markdown here. */
const plain = (text: string): string =>
  visible(text)
    .replace(/[\\`*_{}[\]()#+!<>|~]/g, (char) => `\\${char}`)
    .slice(0, 600);
