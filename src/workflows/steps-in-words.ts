import type { Entry } from '../domain/objects/entry.js';
import type { Envelope, UndoPlan } from '../domain/objects/envelope.js';
import { inert, names } from './markdown.js';
import type { Run } from './run.js';

const LOST = ['step_unknown', 'restored', 'undo_failed', 'undo_unknown'] as const;
type Step = Extract<Entry, { step: number }>;

const entriesOf = (run: Run): Step[] => run.receipt.flatMap(({ entry }) => ('step' in entry ? [entry] : []));

/** The step a person must look at before the action can end; undefined while it needs nobody. */
export function needsPerson(run: Run): number | undefined {
  const status = run.status();
  if (status !== 'outcome_unknown' && status !== 'compensation_failed') return undefined;
  return entriesOf(run).findLast(({ kind }) => LOST.some((lost) => lost === kind))?.step;
}

/** How far the steps came, by the executor's entries, and what a person is to do where one is needed. */
export function stepsInWords(run: Run, envelope: Envelope): string[] {
  const last = new Map<number, string>();
  for (const entry of entriesOf(run)) last.set(entry.step, wordsOf(entry));
  const plans = envelope.preview.undo;
  const steps = [...last].map(([n, words]) => `${n} ${plans[n - 1]?.step ?? ''} ${words}`);
  return [...(steps.length === 0 ? [] : [`Steps of ${plans.length}: ${steps.join(' · ')}`]), ...whatToDo(run, envelope)];
}

function whatToDo(run: Run, envelope: Envelope): string[] {
  const step = needsPerson(run);
  if (step === undefined) return [];
  const verdicts = run.status() === 'outcome_unknown' ? 'happened|did_not|undone_by_hand' : 'undone_by_hand|did_not';
  const { people, quorum } = envelope.resolve;
  return [
    `**Look at the target**, then: \`keyturn resolve ${envelope.actionId} --step ${step} --verdict ${verdicts} --reason '…'\``,
    `Who may say so: ${names(people)}${quorum === 1 ? '' : `, ${quorum} of them`}`,
    ...byHand(envelope.preview.undo[step - 1]?.plan),
  ];
}

const byHand = (plan: UndoPlan | undefined): string[] => (plan?.undo === 'by_hand' ? [`Undo by hand: ${inert(plan.how, 400)}`] : []);

function wordsOf(entry: Step): string {
  switch (entry.kind) {
    case 'step_started':
      return 'started';
    case 'step_done':
      return 'done';
    case 'step_not_started':
      return `not started (${inert(entry.code, 60)})`;
    case 'step_failed':
      return `failed (${inert(entry.code, 60)})`;
    case 'step_unknown':
      return `**unknown** (${inert(entry.code, 60)})`;
    case 'restored':
      return '**in doubt** (the ledger was restored from a backup)';
    case 'undo_started':
      return 'being undone';
    case 'undo_done':
      return 'undone';
    case 'undo_failed':
    case 'undo_unknown':
      return `**not undone** (${inert(entry.code, 60)})`;
    case 'resolved':
      return `${entry.verdict.replaceAll('_', ' ')}, says ${names(entry.by)}`;
  }
}
