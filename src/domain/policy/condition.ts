import { celEnv, isCelError, parse, plan, type CelInput } from '@bufbuild/cel';
import type { Json, JsonObject } from '../json.js';
import { PolicyError } from './ladder.js';

export const MAX_CONDITION_CHARS = 1_000;

/** All that a condition may read: `action.type`, `action.params.cents` and so on. */
export interface Facts {
  readonly type: string;
  readonly agent: string;
  readonly owner: string;
  readonly onBehalfOf: string | null;
  readonly params: JsonObject;
}
const FACTS: readonly (keyof Facts)[] = ['type', 'agent', 'owner', 'onBehalfOf', 'params'];

/** A `when` of policy.yaml: Common Expression Language over the action. */
export interface Condition {
  readonly text: string;
  /** Throws `PolicyError` where it cannot be evaluated or is neither true nor false: the caller denies (§6.1). */
  readonly holds: (facts: Facts) => boolean;
}

export type ConditionRead =
  { readonly ok: true; readonly condition: Condition } | { readonly ok: false; readonly text: string; readonly write: string };

type Expr = NonNullable<ReturnType<typeof parse>['expr']>;
const env = celEnv();
const SAMPLE = 'when: action.params.cents > 50000';

/** Reads a condition. What it names wrongly is refused here, not at two in the morning. Regular expressions are RE2's; loops do not nest. */
export function readCondition(text: string): ConditionRead {
  if (text.length > MAX_CONDITION_CHARS)
    return {
      ok: false,
      text: `the condition is longer than ${MAX_CONDITION_CHARS} characters`,
      write: 'several rules, each with a short condition',
    };
  let evaluate: ReturnType<typeof plan>;
  try {
    const { expr } = parse(text);
    const problem = expr === undefined ? 'it is empty' : misuse(expr, new Set(), false);
    if (expr === undefined || problem !== undefined)
      return { ok: false, text: `the condition cannot be used: ${problem ?? ''}`, write: SAMPLE };
    evaluate = plan(env, expr);
  } catch (error) {
    return { ok: false, text: `the condition cannot be read: ${firstLine(error)}`, write: SAMPLE };
  }
  return { ok: true, condition: { text, holds: (facts) => truth(text, evaluate, facts) } };
}

function truth(text: string, evaluate: ReturnType<typeof plan>, facts: Facts): boolean {
  const result = evaluate({ action: celOf({ ...facts }) });
  if (isCelError(result)) throw new PolicyError(`when: ${text}: ${result.message}`);
  if (typeof result !== 'boolean') throw new PolicyError(`when: ${text}: neither true nor false`);
  return result;
}

/** Whole numbers are CEL's int, others its double. */
function celOf(value: Json): CelInput {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(celOf);
  if (typeof value === 'object' && value !== null) return new Map(Object.entries(value).map(([key, each]) => [key, celOf(each)]));
  return value;
}

/** The first thing that could never work or would take too long: a name that is not given, a loop within a loop. `own`: names of loops around. */
function misuse({ exprKind }: Expr, own: ReadonlySet<string>, inLoop: boolean): string | undefined {
  const first = (parts: readonly (Expr | undefined)[], names = own, loop = inLoop): string | undefined => {
    for (const part of parts) {
      const problem = part === undefined ? undefined : misuse(part, names, loop);
      if (problem !== undefined) return problem;
    }
    return undefined;
  };
  switch (exprKind.case) {
    case 'identExpr':
      if (own.has(exprKind.value.name)) return undefined;
      return exprKind.value.name === 'action' ? 'name a field of action' : `there is no "${exprKind.value.name}": all is in action`;
    case 'selectExpr': {
      const { operand, field } = exprKind.value;
      const isRoot = operand?.exprKind.case === 'identExpr' && operand.exprKind.value.name === 'action' && !own.has('action');
      if (!isRoot) return first([operand]);
      return FACTS.some((fact) => fact === field) ? undefined : `action has no "${field}": it has ${FACTS.join(', ')}`;
    }
    case 'callExpr':
      return first([exprKind.value.target, ...exprKind.value.args]);
    case 'listExpr':
      return first(exprKind.value.elements);
    case 'structExpr':
      return first(
        exprKind.value.entries.flatMap((entry) => [entry.keyKind.case === 'mapKey' ? entry.keyKind.value : undefined, entry.value]),
      );
    case 'comprehensionExpr': {
      const { iterVar, iterVar2, accuVar, iterRange, accuInit, loopCondition, loopStep, result } = exprKind.value;
      // Parameters are the agent's: a loop within a loop over them would let it keep the executor busy.
      if (inLoop) return 'a loop within a loop';
      return first([iterRange, accuInit]) ?? first([loopCondition, loopStep, result], new Set([...own, iterVar, iterVar2, accuVar]), true);
    }
    default:
      return undefined;
  }
}

const firstLine = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n')[0]?.slice(0, 300) ?? '';
