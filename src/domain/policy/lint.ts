import type { Exclusion } from '../objects/envelope.js';
import { Findings } from '../problem.js';
import type { Path, Problem } from '../problem.js';
import { barAt, peopleAt } from '../quorum.js';
import { peopleOf } from '../roster.js';
import type { Roster } from '../roster.js';
import { everybody, ladderOrWhy, unmeetable, unreviewable } from './ladder.js';
import type { Ladder } from './ladder.js';
import { commonPattern, coversMatch } from './match.js';
import { nearMiss } from './near.js';
import { inOrder } from './evaluate.js';
import { runTests } from './rehearsal.js';
import type { AllowRule, Circle, HoldRule, Policy, Refs, Rule } from './schema.js';

/**
 * What is wrong with a policy for this roster, now (§6.2, §9): names that do not exist, quorums that nobody can meet, rules that can never apply.
 * Any problem refuses the start. `now` in ms.
 */
export function lintPolicy(policy: Policy, roster: Roster, file: string, now: number): Problem[] {
  const findings = new Findings(file, 'policy_invalid', policy.at);
  const lint = new Lint(policy, roster, findings, now);
  for (const rule of policy.rules) lint.rule(rule);
  lint.stop();
  return findings.problems;
}

/** A policy that fails its own tests starts nothing: what its authors expect of it is not what it does. `now` in ms. */
export function failedTests(policy: Policy, roster: Roster, file: string, now: number): Problem[] {
  const findings = new Findings(file, 'policy_invalid', policy.at);
  for (const { ok, expected, seen, test } of runTests(policy, roster, now))
    if (!ok) findings.add(test.path, `this test expects ${expected}, and gets ${seen}`, 'the rule or the test as it should be');
  return findings.problems;
}

class Lint {
  constructor(
    private readonly policy: Policy,
    private readonly roster: Roster,
    private readonly findings: Findings,
    private readonly now: number,
  ) {}

  rule(rule: Rule): void {
    this.reachable(rule);
    const { agent } = rule.match;
    if (agent !== undefined) {
      const ids = [...this.roster.agents.keys()];
      if (!ids.some((id) => id === agent))
        this.unknown([...rule.path, 'match', 'agent'], `agent:${agent}`, ids, `one of ${ids.join(', ')}`);
    }
    if (rule.effect === 'hold') this.hold(rule);
    if (rule.effect === 'allow') this.allow(rule);
  }

  stop(): void {
    const { freeze, thaw } = this.policy.stop;
    this.refs(freeze, ['stop', 'freeze']);
    if (thaw !== undefined && this.refs(thaw.from, ['stop', 'thaw', 'from'])) this.circle(thaw, ['stop', 'thaw']);
  }

  /**
   * A rule asked earlier that takes all of it leaves nothing (one with a condition of its own may not; an allow rule leaves what its budget does not
   * hold); deny rules are asked first, wherever they stand (§6.1).
   */
  private reachable(rule: Rule): void {
    const order = inOrder(this.policy);
    const cover = order.slice(0, order.indexOf(rule)).find((other) => other.effect !== 'allow' && coversRule(other, rule));
    if (cover === undefined) return;
    const text = `rule "${rule.name}" is never reached: rule "${cover.name}" takes all it matches`;
    this.findings.add(
      rule.path,
      text,
      cover.effect === 'deny' ? 'a narrower deny rule, or no such rule' : 'the narrower rule first, or no such rule',
    );
  }

  private allow(rule: AllowRule): void {
    const path = [...rule.path, 'resolve'];
    if (this.refs(rule.resolve.from, [...path, 'from'])) this.circle(rule.resolve, path);
  }

  private hold(rule: HoldRule): void {
    // Every reference is looked up, so that all wrong names are told at once.
    const known = [
      ...rule.stages.flatMap((stage) => [
        this.refs(stage.from, [...stage.path, 'from']),
        ...stage.escalate.map((tier, i) => this.refs(tier.to, [...stage.path, 'escalate', i, 'to'])),
      ]),
      rule.delegates === undefined || this.refs(rule.delegates, [...rule.path, 'delegates']),
      rule.resolve === undefined || this.refs(rule.resolve.from, [...rule.path, 'resolve', 'from']),
      rule.breakGlass === undefined || this.refs(rule.breakGlass.review.from, [...rule.path, 'breakGlass', 'review', 'from']),
    ];
    if (known.includes(false)) return;
    const ladder = ladderOrWhy(rule, this.roster, this.now);
    if (typeof ladder === 'string') return this.findings.add(rule.path, ladder, 'smaller groups');
    const resolvable = rule.resolve === undefined || this.circle(rule.resolve, [...rule.path, 'resolve']);
    if (this.bars(rule, ladder) && resolvable) this.meetable(rule, ladder);
    this.reviewable(rule, ladder);
    const people = everybody(ladder.stages).length;
    if (rule.rejections > people) {
      this.findings.add(
        [...rule.path, 'rejections'],
        `rejections ${rule.rejections} is more than the ${count(people)} asked: no "no" could ever stand`,
        `rejections: ${people} or less`,
      );
    }
  }

  /** §6.2: 1 ≤ quorum ≤ the people of each stage. */
  private bars(rule: HoldRule, { stages }: Ladder): boolean {
    let fine = true;
    for (const [i, stage] of stages.entries()) {
      const people = peopleAt(stage, Infinity).size;
      const bar = barAt(stage, Infinity);
      if (bar <= people) continue;
      fine = false;
      this.tooMany(bar, people, [...(rule.stages[i]?.path ?? rule.path), 'quorum'], `stage ${stage.name}`);
    }
    return fine;
  }

  /** §6.2, and with each agent that may ask left without its owner (attack case 11). */
  private meetable(rule: HoldRule, ladder: Ladder): void {
    const never = unmeetable(rule, ladder, this.roster, [], this.now);
    if (never !== undefined) return this.findings.add(rule.path, never.text, never.write);
    if (this.roster.selfApproval) return;
    for (const agent of this.roster.agents.values()) {
      if ((agent.until ?? Infinity) <= this.now || !this.mayReach(agent, rule)) continue;
      const owner: Exclusion = { person: agent.owner, why: 'owner' };
      const alone = unmeetable(rule, ladder, this.roster, [owner], this.now);
      if (alone !== undefined)
        this.findings.add(rule.path, `asked by agent ${agent.id}: ${alone.text}`, 'more people, or a rule of its own for this agent');
    }
  }

  /** §6.10: whoever lets it run, and whichever agent asks, enough others are left to review it. */
  private reviewable(rule: HoldRule, ladder: Ladder): void {
    const owners = [...this.roster.agents.values()]
      .filter((agent) => (agent.until ?? Infinity) > this.now && this.mayReach(agent, rule))
      .map(({ owner }) => owner);
    const text = [null, ...owners]
      .map((owner) => unreviewable(rule, ladder, this.roster, [owner], this.now))
      .find((each) => each !== undefined);
    if (text !== undefined)
      this.findings.add([...rule.path, 'breakGlass', 'review'], text, 'people whom no stage of this rule asks, and who own no such agent');
  }

  private mayReach(agent: { readonly id: string; readonly propose: readonly string[] }, rule: HoldRule): boolean {
    if (rule.match.agent !== undefined && rule.match.agent !== agent.id) return false;
    const at = this.policy.rules.indexOf(rule);
    const before = this.policy.rules.filter((other, i) => other.effect === 'deny' || (other.effect === 'hold' && i < at));
    return agent.propose.some((pattern) => {
      const type = commonPattern(pattern, rule.match.type);
      return type !== undefined && !before.some(({ match, when }) => when === undefined && coversMatch(match, { type, agent: agent.id }));
    });
  }

  private circle({ from, quorum }: Circle, path: Path): boolean {
    const found = peopleOf(this.roster, from, this.now);
    const people = found.ok ? found.people.length : 0;
    if (quorum > people) this.tooMany(quorum, people, [...path, 'quorum'], String(path.at(-1)));
    return quorum <= people;
  }

  private tooMany(quorum: number, people: number, path: Path, where: string): void {
    const text = `quorum ${quorum} is more than the ${count(people)} of ${where}`;
    this.findings.add(path, text, `quorum: ${people} or less, or name more people`);
  }

  private refs(refs: Refs, path: Path): boolean {
    const missing = refs.map((ref) => peopleOf(this.roster, [ref], this.now)).map((found) => (found.ok ? undefined : found.missing));
    for (const [i, ref] of missing.entries()) {
      if (ref === undefined) continue;
      const known = ref.startsWith('group:') ? [...this.roster.groups.keys()] : [...this.roster.people.keys()];
      this.unknown([...path, i], ref, known, 'a name the roster has');
    }
    if (missing.some((ref) => ref !== undefined)) return false;
    const found = peopleOf(this.roster, refs, this.now);
    if (refs.length === 0 || (found.ok && found.people.length > 0)) return true;
    this.findings.add(path, `${refs.join(' and ')} hold nobody now`, 'people who are still there');
    return false;
  }

  private unknown(path: Path, ref: string, known: readonly string[], otherwise: string): void {
    const end = ref.indexOf(':');
    const [kind, name] = [ref.slice(0, end), ref.slice(end + 1)];
    const near = nearMiss(name, known);
    const write = near === undefined ? otherwise : kind === 'agent' ? `agent: ${near}` : `${kind}:${near}`;
    this.findings.add(path, `the roster has no ${kind} "${name}"${near === undefined ? '' : `: did you mean "${near}"?`}`, write);
  }
}

/** Nothing is left for `rule`: `other` takes all it matches, unconditionally or on the same condition. */
const coversRule = (other: Rule, rule: Rule): boolean =>
  (other.when === undefined || other.when.text === rule.when?.text) && coversMatch(other.match, rule.match);

const count = (people: number): string => (people === 1 ? '1 person' : `${people} people`);
