import { setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { SearchAttributeUpdatePair } from '@temporalio/common';
import { toMs } from '../domain/instant.js';
import { attributes } from '../temporal/attributes.js';
import { clip } from './markdown.js';
import { detailsOf, MAX_SUMMARY } from './operator-text.js';
import type { Run } from './run.js';

/**
 * What the Temporal Web UI shows of an action (§8): search attributes only when they changed, because each upsert is an event, and never parameters; then
 * the details. All in one upsert.
 */
export function showOperator(run: Run): void {
  const changes = changedAttributes(run);
  if (changes.length > 0) upsertSearchAttributes(changes);
  showDetails(run);
}

/** The details alone: they are in no history, so they cost none. */
export function showDetails(run: Run): void {
  setCurrentDetails(detailsOf(run, Date.now()));
}

function changedAttributes(run: Run): SearchAttributeUpdatePair[] {
  const { review } = run;
  const envelope = review.newest?.envelope;
  const now = workflowInfo().typedSearchAttributes;
  const keywords = [
    { key: attributes.status, value: run.status() },
    ...(envelope === undefined
      ? []
      : [
          // The API set these two at the start; who started the action by other means did not, or may have lied.
          { key: attributes.type, value: envelope.type.name },
          { key: attributes.agent, value: envelope.agent },
          { key: attributes.risk, value: envelope.risk },
          { key: attributes.rule, value: clip(envelope.rule.name, MAX_SUMMARY) },
        ]),
  ].filter(({ key, value }) => now.get(key) !== value);
  const asked = run.asked();
  const lists = sameList(now.get(attributes.awaiting) ?? [], asked)
    ? []
    : [{ key: attributes.awaiting, value: asked.length === 0 ? null : asked }];
  const deadline = run.deadline();
  const dates =
    deadline === null || now.get(attributes.deadline)?.getTime() === toMs(deadline)
      ? []
      : [{ key: attributes.deadline, value: new Date(deadline) }];
  return [...keywords, ...lists, ...dates];
}

const sameList = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && a.every((item, i) => item === b[i]);
