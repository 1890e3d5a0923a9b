import { MAX_EXECUTE_WITHIN_MS } from '../break-glass.js';
import { durationText } from '../instant.js';
import type { Findings, Path } from '../problem.js';
import type { FileRule, FileStage, PolicyFile } from './file.js';
import { checkGuards, guardsOf } from './guards.js';

/** What in policy.yaml needs more than one field to judge, but not the roster. */
export function checkPolicy(file: PolicyFile, findings: Findings): void {
  const names = new Set<string>();
  for (const [i, rule] of file.rules.entries()) {
    const path = ['rules', i];
    if (names.has(rule.name)) findings.add([...path, 'name'], `another rule is called "${rule.name}" already`, 'a name of its own');
    names.add(rule.name);
    if (rule.effect === 'hold') checkHold(rule, path, findings);
  }
}

export type FileHold = Extract<FileRule, { effect: 'hold' }>;

/** The one stage of a rule that names whom it asks without stages. */
export const inlineStage = ({ from, quorum }: FileHold): FileStage | undefined =>
  from === undefined || quorum === undefined ? undefined : { name: 'reviewers', from, quorum, remind: [], escalate: [] };

function checkHold(rule: FileHold, path: Path, findings: Findings): void {
  checkWhoIsAsked(rule, path, findings);
  if (rule.breakGlass !== undefined && rule.executeWithin > MAX_EXECUTE_WITHIN_MS)
    findings.add(
      [...path, 'executeWithin'],
      `a break-glass rule that gives ${durationText(rule.executeWithin)} to start is for what can wait`,
      `executeWithin: ${durationText(MAX_EXECUTE_WITHIN_MS)} or less`,
    );
  const names = new Set<string>();
  for (const [i, stage] of rule.stages.entries()) {
    const here = [...path, 'stages', i];
    if (names.has(stage.name)) findings.add([...here, 'name'], `another stage is called "${stage.name}" already`, 'a name of its own');
    names.add(stage.name);
    checkRising(stage.remind, rule.approveWithin, [...here, 'remind'], 'reminder', findings);
    const offsets = stage.escalate.map((tier) => tier.after);
    checkRising(offsets, rule.approveWithin, [...here, 'escalate'], 'escalation', findings);
    checkBars(stage, here, findings);
  }
  const quorums = rule.quorum ?? rule.stages.reduce((sum, { quorum }) => sum + quorum, 0);
  checkGuards(guardsOf(rule), { quorums, approveWithin: rule.approveWithin, executeWithin: rule.executeWithin }, path, findings);
}

/** Either stages, or one stage right in the rule; never neither, never both. */
function checkWhoIsAsked(rule: FileHold, path: Path, findings: Findings): void {
  const inline = rule.from !== undefined ? 'from' : rule.quorum !== undefined ? 'quorum' : undefined;
  if (rule.stages.length > 0 && inline !== undefined) {
    findings.add([...path, inline], `the rule has both stages and ${inline}`, 'stages, or from and quorum, not both');
  } else if (rule.stages.length === 0 && inlineStage(rule) === undefined) {
    const missing = rule.from === undefined ? (rule.quorum === undefined ? 'from and quorum' : 'from') : 'quorum';
    findings.add(path, `rule "${rule.name}" asks nobody: ${missing} missing`, 'from: [group:finance] and quorum: 2, or stages');
  }
}

/** Offsets rise strictly and come before the deadline: none is for nothing, none moves it (§6.7, §6.8). */
function checkRising(offsets: readonly number[], deadline: number, path: Path, what: string, findings: Findings): void {
  let before = 0;
  for (const [i, offset] of offsets.entries()) {
    if (offset <= before)
      findings.add(
        [...path, i],
        `${what} at ${durationText(offset)} does not come after the one at ${durationText(before)}`,
        'rising times',
      );
    if (offset >= deadline)
      findings.add([...path, i], `${what} at ${durationText(offset)} comes after approveWithin`, `less than ${durationText(deadline)}`);
    before = Math.max(before, offset);
  }
}

/** §6.8: tiers never lower a quorum. */
function checkBars(stage: FileStage, path: Path, findings: Findings): void {
  let bar = stage.quorum;
  for (const [i, { quorum = bar }] of stage.escalate.entries()) {
    if (quorum < bar)
      findings.add(
        [...path, 'escalate', i, 'quorum'],
        `quorum ${quorum} is lower than the ${bar} before it`,
        `quorum: ${bar} or more, or leave it out`,
      );
    bar = Math.max(bar, quorum);
  }
}
