import type { BreakGlass } from '../break-glass.js';
import { confirmOf } from '../confirm.js';
import type { PersonId } from '../ids.js';
import type { Exclusion, Risk, Stage, UndoPlan } from '../objects/envelope.js';
import { peopleOf } from '../roster.js';
import type { Roster } from '../roster.js';
import { overBudget, type BudgetLine, type Spent } from './budget.js';
import { PreviewMissing, type Facts, type PreviewFacts } from './condition.js';
import { guardsOf, type Guards } from './guards.js';
import { ladderOf, resolversOf, unmeetable, unreviewable } from './ladder.js';
import { matches } from './match.js';
import { PolicyError } from './policy-error.js';
import type { AllowRule, HoldRule, Policy, Rule } from './schema.js';

/** What a rule is asked about. */
export interface Asked extends Facts {
  /** Undefined where none was made: a rule that reads it cannot be decided, which denies. */
  readonly preview: PreviewFacts | undefined;
  readonly owner: PersonId;
  readonly onBehalfOf: PersonId | null;
  /** Everybody who edited this or an earlier revision. */
  readonly editors: readonly PersonId[];
  /** Of every step. */
  readonly undo: readonly UndoPlan[];
  /** What ran already by rules with a budget. */
  readonly spent: Spent;
}

export interface Denied {
  readonly effect: 'deny';
  readonly code: 'rule_denies' | 'rule_missing' | 'policy_error' | 'quorum_unsatisfiable' | 'budget_exceeded';
  readonly text: string;
  readonly rule?: string;
  /** The rule reads the preview, and none was given: what it would say is not known. */
  readonly undecided?: true;
}
export interface Passed {
  /** `allow`: no stage, nobody is asked. */
  readonly effect: 'hold' | 'allow';
  readonly rule: { readonly name: string; readonly because: string };
  readonly risk: Risk;
  readonly reasons: string[];
  /** People resolved and sorted, times in ms from the first seal. */
  readonly stages: Stage[];
  readonly rejections: number;
  readonly resolve: { readonly people: PersonId[]; readonly quorum: number };
  readonly exclusions: Exclusion[];
  readonly approveWithin: number;
  readonly executeWithin: number;
  /** How long equal content stays refused after people rejected it, in ms. */
  readonly cooldown?: number;
  readonly guards: Guards;
  readonly budget: readonly BudgetLine[];
  readonly request: 'any' | 'signed';
  /** Why an allow rule that came before was passed over: its budget is used up. */
  readonly passedOver?: string;
  /** To whom those asked may hand over, sorted; left out: to nobody. */
  readonly delegates?: PersonId[];
  readonly breakGlass?: BreakGlass;
}
export type Ruling = Denied | Passed;

/**
 * §6.1: every deny rule is tried first, wherever it stands; then the first matching allow or hold rule decides. An allow rule takes only what its
 * budget and its `request` let it take; the rest is for the rules that follow. No rule, or anything that goes wrong here: denied.
 * Pure; never throws.
 */
export function evaluatePolicy(policy: Policy, roster: Roster, asked: Asked, now: number): Ruling {
  return orDenied(() => {
    let passedOver: string | undefined;
    for (const rule of inOrder(policy)) {
      if (!applies(rule, asked, asked.preview)) continue;
      if (rule.effect === 'deny') return denial(rule);
      if (rule.effect === 'hold') {
        const ruling = hold(rule, roster, asked, now);
        return ruling.effect === 'deny' || passedOver === undefined ? ruling : { ...ruling, passedOver };
      }
      if (rule.request === 'signed' && asked.request !== 'signed') continue;
      const over = overBudget(rule, asked.params, asked.spent);
      if (over === undefined) return allow(rule, roster, asked, now);
      passedOver ??= over;
    }
    if (passedOver !== undefined) return { effect: 'deny', code: 'budget_exceeded', text: passedOver };
    return { effect: 'deny', code: 'rule_missing', text: `no rule matches ${asked.type} by ${asked.agent}` };
  });
}

/**
 * Of the deny rules that read the action only, the first that applies, or one whose condition cannot be evaluated; undefined: none forbids it. Asked
 * before the preview, so that what is forbidden never touches the target. Never throws.
 */
export const deniedBy = (policy: Policy, facts: Facts): Denied | undefined =>
  orDenied(() => {
    const rule = policy.rules.find((each) => isDenyOnAction(each) && applies(each, facts, undefined));
    return rule && denial(rule);
  });

/** The rules in the order they are asked (§4): deny rules on the action alone, those that need its preview, then the others; each as the file has them. */
export function inOrder({ rules }: Pick<Policy, 'rules'>): readonly Rule[] {
  const turn = (rule: Rule): number => (rule.effect !== 'deny' ? 2 : isDenyOnAction(rule) ? 0 : 1);
  return [...rules].sort((a, b) => turn(a) - turn(b));
}
const isDenyOnAction = ({ effect, when }: Rule): boolean => effect === 'deny' && when?.readsPreview !== true;

/** Does what this policy says to the action hang on its preview? */
export const readsPreview = (policy: Policy, action: Pick<Facts, 'type' | 'agent'>): boolean =>
  policy.rules.some(({ match, when }) => when?.readsPreview === true && matches(match, action));

const denial = (rule: Rule): Denied => ({
  effect: 'deny',
  code: 'rule_denies',
  text: `rule "${rule.name}": ${rule.because}`,
  rule: rule.name,
});

/** An error of our own making denies as well: what cannot be evaluated is never let through. */
function orDenied<T>(evaluate: () => T | Denied): T | Denied {
  try {
    return evaluate();
  } catch (error) {
    const text =
      error instanceof PolicyError
        ? error.message
        : `the policy could not be evaluated: ${error instanceof Error ? error.message : 'no error text'}`;
    return {
      effect: 'deny',
      code: 'policy_error',
      text: text.slice(0, 2_000),
      ...(error instanceof PreviewMissing ? { undecided: true } : {}),
    };
  }
}

/** Does the rule take this action? Throws `PolicyError` where its condition cannot tell. */
function applies({ name, match, when }: Rule, facts: Facts, preview: PreviewFacts | undefined): boolean {
  if (!matches(match, facts)) return false;
  try {
    return when === undefined || when.holds(facts, preview);
  } catch (error) {
    if (error instanceof PreviewMissing) throw new PreviewMissing(`rule "${name}": ${error.message}`);
    throw error instanceof PolicyError ? new PolicyError(`rule "${name}": ${error.message}`) : error;
  }
}

function allow(rule: AllowRule, roster: Roster, asked: Asked, now: number): Ruling {
  return {
    effect: 'allow',
    rule: { name: rule.name, because: rule.because },
    ...riskOf(rule.risk, asked.undo),
    stages: [],
    rejections: 1,
    resolve: resolversOf(rule, roster, now),
    exclusions: exclusionsOf(asked, roster.selfApproval),
    approveWithin: rule.executeWithin,
    executeWithin: rule.executeWithin,
    ...(rule.cooldown === undefined ? {} : { cooldown: rule.cooldown }),
    guards: guardsOf({}),
    budget: rule.budget,
    request: rule.request,
  };
}

function hold(rule: HoldRule, roster: Roster, asked: Asked, now: number): Ruling {
  if (rule.request === 'signed' && asked.request !== 'signed')
    return {
      effect: 'deny',
      code: 'rule_denies',
      text: `rule "${rule.name}" takes only requests the agent itself has signed`,
      rule: rule.name,
    };
  const over = overBudget(rule, asked.params, asked.spent);
  if (over !== undefined) return { effect: 'deny', code: 'budget_exceeded', text: over, rule: rule.name };
  const ladder = ladderOf(rule, roster, now);
  const exclusions = exclusionsOf(asked, roster.selfApproval);
  const never = unmeetable(rule, ladder, roster, exclusions, now);
  if (never !== undefined) return { effect: 'deny', code: 'quorum_unsatisfiable', text: never.text, rule: rule.name };
  const { owner, onBehalfOf, editors } = asked;
  const alone = unreviewable(rule, ladder, roster, [owner, onBehalfOf, ...editors], now);
  if (alone !== undefined) return { effect: 'deny', code: 'quorum_unsatisfiable', text: alone, rule: rule.name };
  const confirm = confirmOf(rule.guards, asked.params);
  if (confirm !== null && confirm.text === undefined) {
    const why = `confirmField ${confirm.field} names nothing in these parameters that a person could type`;
    return { effect: 'deny', code: 'policy_error', text: `rule "${rule.name}": ${why}`, rule: rule.name };
  }
  return {
    effect: 'hold',
    rule: { name: rule.name, because: rule.because },
    ...riskOf(rule.risk, asked.undo),
    stages: ladder.stages,
    rejections: rule.rejections,
    resolve: ladder.resolve,
    exclusions,
    approveWithin: rule.approveWithin,
    executeWithin: rule.executeWithin,
    ...(rule.cooldown === undefined ? {} : { cooldown: rule.cooldown }),
    ...(ladder.review === undefined ? {} : { breakGlass: ladder.review }),
    guards: rule.guards,
    budget: rule.budget,
    request: rule.request,
    ...(ladder.delegates.length === 0 ? {} : { delegates: ladder.delegates }),
  };
}

/** §6.3: these never count, whatever group or role they are in. Self-approval lifts the first two; who edited is never lifted. One entry a person. */
function exclusionsOf({ owner, onBehalfOf, editors }: Asked, selfApproval: boolean): Exclusion[] {
  const found = new Map<PersonId, Exclusion>();
  const exclude = (person: PersonId, why: Exclusion['why']): void => {
    if (!found.has(person)) found.set(person, { person, why });
  };
  if (!selfApproval) {
    exclude(owner, 'owner');
    if (onBehalfOf !== null) exclude(onBehalfOf, 'on_behalf_of');
  }
  for (const editor of [...editors].sort()) exclude(editor, 'editor');
  return [...found.values()];
}

const RANK: Readonly<Record<Risk, number>> = { low: 0, medium: 1, high: 2 };

/** What the rule says, but never below what undo says: impossible → high, by hand → medium, automatic → low (§9). */
function riskOf(given: Risk = 'low', undo: readonly UndoPlan[]): { risk: Risk; reasons: string[] } {
  const [least, reason] = riskOfUndo(undo);
  if (RANK[given] <= RANK[least]) return { risk: least, reasons: [reason] };
  return { risk: given, reasons: [`The policy calls it ${given} risk.`, reason] };
}

function riskOfUndo(undo: readonly UndoPlan[]): [Risk, string] {
  if (undo.length === 0) return ['high', 'Nothing says how it is undone.'];
  if (undo.some((plan) => plan.undo === 'impossible')) return ['high', 'It cannot be undone.'];
  if (undo.some((plan) => plan.undo === 'by_hand')) return ['medium', 'It can only be undone by hand.'];
  return ['low', 'It can be undone automatically.'];
}

/** May this person stop things? Left out of the policy: nobody. */
export function mayFreeze(policy: Policy, roster: Roster, person: PersonId, now: number): boolean {
  const found = peopleOf(roster, policy.stop.freeze, now);
  return found.ok && found.people.includes(person);
}

/** Who lifts a freeze, and how many of them it takes. Left out, or not to be resolved: nobody, and the quorum is never met. */
export function thawRule(policy: Policy, roster: Roster, now: number): { people: PersonId[]; quorum: number } {
  const { thaw } = policy.stop;
  if (thaw === undefined) return { people: [], quorum: 1 };
  const found = peopleOf(roster, thaw.from, now);
  return { people: found.ok ? found.people : [], quorum: thaw.quorum };
}
