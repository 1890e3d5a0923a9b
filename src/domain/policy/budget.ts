import { durationText } from '../instant.js';
import type { JsonObject } from '../json.js';
import { pointerEntries } from '../pointer.js';
import { PolicyError } from './policy-error.js';

/** Over whose actions a budget sums: one agent's, those of every agent of one owner, or all that ran by the rule. */
export const BUDGET_SCOPES = ['agent', 'owner', 'all'] as const;
export type BudgetScope = (typeof BUDGET_SCOPES)[number];

/** At most `limit` within any `within` ms: of actions, or of the whole numbers at `sum`, a JSON pointer into the parameters. */
export interface BudgetLine {
  readonly per: BudgetScope;
  readonly within: number;
  readonly sum?: string | undefined;
  readonly limit: number;
}

/** What one action takes out of budgets: one action, and every whole number of its parameters, so that a sum asked for later finds it. */
export interface Charge {
  /** A JSON pointer, or '' for the action itself. */
  readonly what: string;
  readonly amount: number;
}

/** As many as an action's parameters may have; more are not recorded one by one, and a sum over them denies. */
export const MAX_CHARGES = 100;

/**
 * What ran already within a line's time, as the ledger knows it, by `spentKey`. `'unknown'`: the ledger was restored within it. `'nothing'`: nobody looked,
 * as in a dry run.
 */
export type Spent = ReadonlyMap<string, number | 'unknown'> | 'nothing';
export const spentKey = (rule: string, line: number): string => `${line} ${rule}`;

const isAmount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

export function chargesOf(params: JsonObject): Charge[] {
  const amounts = pointerEntries(params).flatMap(([what, value]) => (isAmount(value) ? [{ what, amount: value }] : []));
  return [{ what: '', amount: 1 }, ...amounts.slice(0, MAX_CHARGES - 1)];
}

/**
 * Why this action does not fit into the rule's budget any more; undefined: it does. Throws `PolicyError` where nobody can tell: a sum over what is
 * no whole number from 0, or a ledger that was not asked (§6.1: what cannot be evaluated denies).
 */
export function overBudget(
  rule: { readonly name: string; readonly budget: readonly BudgetLine[] },
  params: JsonObject,
  spent: Spent,
): string | undefined {
  const charges = chargesOf(params);
  for (const [i, line] of rule.budget.entries()) {
    const summed = line.sum ?? '';
    const amount = charges.find(({ what }) => what === summed)?.amount;
    if (amount === undefined)
      throw new PolicyError(`rule "${rule.name}": the budget sums ${summed}, which is no whole number from 0 in these parameters`);
    const before = spent === 'nothing' ? 0 : spent.get(spentKey(rule.name, i));
    if (before === undefined) throw new PolicyError(`rule "${rule.name}": nobody knows how much of its budget is used up`);
    if (before === 'unknown')
      return `the budget of rule "${rule.name}" counts as used up, ${wordsOf(line)}: the ledger was restored within that time, and what ran since its backup is not in it`;
    if (before + amount > line.limit) return `the budget of rule "${rule.name}" is used up: ${before} of ${line.limit} ${wordsOf(line)}`;
  }
  return undefined;
}

/** `actions within 24h, of this agent`: for people to read. */
export function wordsOf({ per, sum, within }: BudgetLine): string {
  return `${sum ?? 'actions'} within ${durationText(within)}, ${{ agent: 'of this agent', owner: "of this owner's agents", all: 'in all' }[per]}`;
}
