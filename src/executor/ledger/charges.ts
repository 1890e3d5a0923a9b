import { z } from 'zod';
import type { ActionId } from '../../domain/ids.js';
import { chargesOf, spentKey, type BudgetLine, type Spent } from '../../domain/policy/budget.js';
import type { Facts } from '../../domain/policy/condition.js';
import { matches } from '../../domain/policy/match.js';
import type { Policy } from '../../domain/policy/schema.js';
import { set, type Tx } from './compare-and-set.js';
import type { Ledger } from './ledger.js';

/** What an action that begins takes out of the budget of the rule it runs by. It is never given back: what began may have taken effect. */
export interface Charged {
  readonly rule: string;
  readonly facts: Pick<Facts, 'agent' | 'owner' | 'params'>;
}

export async function insertCharges(tx: Tx, id: ActionId, { rule, facts }: Charged, now: number): Promise<void> {
  for (const { what, amount } of chargesOf(facts.params))
    await set(
      tx,
      'INSERT INTO charge (action_id, rule, agent, owner, what, amount, at) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
      id,
      rule,
      facts.agent,
      facts.owner,
      what,
      amount,
      now,
    );
}

/** The same in a transaction of its own, which a policy without budgets does not cost. */
export const spentNow = (ledger: Ledger, policy: Policy, facts: Facts, now: number): Promise<Spent> =>
  policy.rules.some((rule) => rule.effect !== 'deny' && rule.budget.length > 0)
    ? ledger.transaction((tx) => readSpent(tx, policy, facts, now))
    : Promise.resolve(new Map());

/**
 * How much of each budget that may concern this action is used up at `now` (ms). A charge counts from its own time until `within` later, exclusive.
 * What was charged between a backup and its restore is lost, so for as long after a restore nobody knows.
 */
export async function readSpent(tx: Tx, policy: Policy, facts: Facts, now: number): Promise<Spent> {
  const spent = new Map<string, number | 'unknown'>();
  for (const rule of policy.rules) {
    if (rule.effect === 'deny' || rule.budget.length === 0 || !matches(rule.match, facts)) continue;
    const restored = await restoredAt(tx);
    for (const [i, line] of rule.budget.entries())
      spent.set(spentKey(rule.name, i), restored > now - line.within ? 'unknown' : await sum(tx, rule.name, line, facts, now));
  }
  return spent;
}

const newest = z.object({ at: z.number().nullable() });

/** When the ledger was last restored, in ms; never: before all time. */
async function restoredAt(tx: Tx): Promise<number> {
  const [row] = await tx.sql.all("SELECT MAX(at) AS at FROM lodged WHERE object = 'restore'");
  return newest.parse(row).at ?? -Infinity;
}

/** As a double: exact as far as any limit goes, and no sum of what agents wrote overflows. */
const total = z.object({ total: z.number().nullable() });
const WHO = { agent: 'AND agent = ?', owner: 'AND owner = ?', all: '' } as const;

async function sum(tx: Tx, rule: string, line: BudgetLine, facts: Facts, now: number): Promise<number> {
  const who = line.per === 'all' ? [] : [facts[line.per]];
  const [row] = await tx.sql.all(
    `SELECT SUM(CAST(amount AS DOUBLE PRECISION)) AS total FROM charge WHERE rule = ? AND what = ? AND at > ? ${WHO[line.per]}`,
    rule,
    line.sum ?? '',
    now - line.within,
    ...who,
  );
  return total.parse(row).total ?? 0;
}
