import { matches } from './match.js';
import type { Roster } from '../roster.js';
import { evaluatePolicy, type Asked, type Ruling } from './evaluate.js';
import type { Policy, Rule } from './schema.js';

/** What one rule says to an action. `other`: its match takes another type or agent. */
export interface RuleSays {
  readonly rule: string;
  readonly effect: Rule['effect'];
  readonly says: 'applies' | 'other' | 'when is false' | 'error';
  readonly error?: string;
}

/** The ruling, and what each rule says, in the order they are asked: deny rules first, wherever they stand (§6.1). `now` in ms. */
export function explainPolicy(
  policy: Policy,
  roster: Roster,
  asked: Asked,
  now: number,
): { readonly ruling: Ruling; readonly rules: readonly RuleSays[] } {
  const order = [...policy.rules.filter(({ effect }) => effect === 'deny'), ...policy.rules.filter(({ effect }) => effect !== 'deny')];
  return { ruling: evaluatePolicy(policy, roster, asked, now), rules: order.map((rule) => saysOf(rule, asked)) };
}

function saysOf({ name, effect, match, when }: Rule, asked: Asked): RuleSays {
  if (!matches(match, asked)) return { rule: name, effect, says: 'other' };
  try {
    return { rule: name, effect, says: when === undefined || when.holds(asked) ? 'applies' : 'when is false' };
  } catch (error) {
    return { rule: name, effect, says: 'error', error: error instanceof Error ? error.message : 'no error text' };
  }
}
