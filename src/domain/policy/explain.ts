import { matches } from './match.js';
import type { Roster } from '../roster.js';
import { PreviewMissing } from './condition.js';
import { evaluatePolicy, inOrder, type Asked, type Ruling } from './evaluate.js';
import type { Policy, Rule } from './schema.js';

/** What one rule says to an action. `other`: its match takes another type or agent. `undecided`: it reads the preview, and none is given. */
export interface RuleSays {
  readonly rule: string;
  readonly effect: Rule['effect'];
  readonly says: 'applies' | 'other' | 'when is false' | 'undecided' | 'error';
  readonly error?: string;
}

/** The ruling, and what each rule says, in the order they are asked (§4, §6.1). `now` in ms. */
export function explainPolicy(
  policy: Policy,
  roster: Roster,
  asked: Asked,
  now: number,
): { readonly ruling: Ruling; readonly rules: readonly RuleSays[] } {
  return { ruling: evaluatePolicy(policy, roster, asked, now), rules: inOrder(policy).map((rule) => saysOf(rule, asked)) };
}

function saysOf({ name, effect, match, when }: Rule, asked: Asked): RuleSays {
  if (!matches(match, asked)) return { rule: name, effect, says: 'other' };
  try {
    return { rule: name, effect, says: when === undefined || when.holds(asked, asked.preview) ? 'applies' : 'when is false' };
  } catch (error) {
    if (error instanceof PreviewMissing) return { rule: name, effect, says: 'undecided' };
    return { rule: name, effect, says: 'error', error: error instanceof Error ? error.message : 'no error text' };
  }
}
