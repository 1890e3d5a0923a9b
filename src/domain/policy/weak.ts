import { durationText } from '../instant.js';
import { Findings } from '../problem.js';
import type { Problem } from '../problem.js';
import { barAt, peopleAt } from '../quorum.js';
import type { Roster } from '../roster.js';
import { ladderOrWhy } from './ladder.js';
import type { HoldRule, Policy } from './schema.js';

const DAY = 86_400_000;

/**
 * What a policy may say, but its owners should have meant: warnings of `keyturn policy lint`, each with its line and what to write instead. They refuse no
 * start. Asked of a policy that has no errors. `now` in ms.
 */
export function weakSpots(policy: Policy, roster: Roster, file: string, now: number): Problem[] {
  const findings = new Findings(file, 'policy_invalid', policy.at);
  for (const rule of policy.rules) if (rule.effect === 'hold') weakHold(rule, roster, now, findings);
  const { freeze, thaw } = policy.stop;
  if (policy.rules.some(({ effect }) => effect !== 'deny')) {
    if (freeze.length === 0)
      findings.add(['rules'], 'nobody may freeze: nothing stops what this policy lets run', 'stop: { freeze: [group:on-call] }');
    else if (thaw === undefined)
      findings.add(['stop'], 'nobody may thaw: a freeze is for ever', 'thaw: { from: [group:security], quorum: 2 }, beside freeze');
  }
  return findings.problems;
}

function weakHold(rule: HoldRule, roster: Roster, now: number, findings: Findings): void {
  const { name, path, guards, executeWithin } = rule;
  if (rule.risk === 'high') {
    const places = rule.stages.reduce((sum, { quorum }) => sum + quorum, 0);
    if (guards.independent === 0)
      findings.add(path, `rule "${name}" is of high risk without an independent vote: web pages alone could carry it`, 'independent: 1');
    if (places === 1) findings.add(path, `rule "${name}" is of high risk, and one person is enough`, 'quorum: 2 or more');
    if (rule.rejections > 1)
      findings.add(
        [...path, 'rejections'],
        `rule "${name}" is of high risk, and one no does not stop it`,
        'rejections: 1, or leave it out',
      );
    if (executeWithin > DAY)
      findings.add(
        [...path, 'executeWithin'],
        `rule "${name}" is of high risk, and may start ${durationText(executeWithin)} after people agreed`,
        'executeWithin: 24h or less',
      );
  }
  const ladder = ladderOrWhy(rule, roster, now);
  // One that cannot be made is an error, told elsewhere.
  if (typeof ladder === 'string') return;
  for (const [i, stage] of ladder.stages.entries()) {
    const people = peopleAt(stage, Infinity).size;
    if (people > 1 && barAt(stage, Infinity) === people)
      findings.add(
        rule.stages[i]?.path ?? path,
        `stage ${stage.name} of rule "${name}" needs all ${people} it asks: one who is away, or asks for it, and it expires`,
        'more people, an escalation, or a lower quorum',
      );
  }
}
