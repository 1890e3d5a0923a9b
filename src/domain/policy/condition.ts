import { celEnv, isCelError, parse, plan, type CelInput } from '@bufbuild/cel';
import type { Json, JsonObject } from '../json.js';
import type { Preview } from '../objects/envelope.js';
import { PolicyError } from './policy-error.js';

export const MAX_CONDITION_CHARS = 1_000;

/** All that a condition may read: `action.type`, `action.params.cents` and so on. */
export interface Facts {
  readonly type: string;
  readonly agent: string;
  readonly owner: string;
  readonly onBehalfOf: string | null;
  readonly params: JsonObject;
  /** `signed` by the agent itself, or `vouched` for by the API. */
  readonly request: 'signed' | 'vouched';
}
const FACTS: readonly (keyof Facts)[] = ['type', 'agent', 'owner', 'onBehalfOf', 'params', 'request'];

/** What a condition may read of a preview: `preview.touches` and so on. What a change does not say is null. */
export interface PreviewFacts {
  readonly touches: readonly string[];
  readonly warnings: readonly string[];
  readonly changes: readonly { readonly what: string; readonly from: string | null; readonly to: string | null }[];
}
const PREVIEW_FACTS: readonly (keyof PreviewFacts)[] = ['touches', 'warnings', 'changes'];

/** The facts of a preview as it is sealed. */
export const previewFactsOf = ({ touches, warnings, changes }: Pick<Preview, keyof PreviewFacts>): PreviewFacts => ({
  touches,
  warnings,
  changes: changes.map(({ what, from = null, to = null }) => ({ what, from, to })),
});

/** A `when` of policy.yaml: Common Expression Language over the action and its preview. */
export interface Condition {
  readonly text: string;
  /** It can be asked only once a preview was made. */
  readonly readsPreview: boolean;
  /**
   * Throws `PolicyError` where it cannot be evaluated or is neither true nor false, `PreviewMissing` where it reads a preview that was not made: the
   * caller denies (§6.1).
   */
  readonly holds: (facts: Facts, preview?: PreviewFacts) => boolean;
}

/** A condition was asked about a preview before there was one. */
export class PreviewMissing extends PolicyError {}

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
  const read = new Set<Root>();
  try {
    const { expr } = parse(text);
    const problem = misuse(expr, new Set(), read);
    if (problem !== undefined) return { ok: false, text: `the condition cannot be used: ${problem}`, write: SAMPLE };
    evaluate = plan(env, expr);
  } catch (error) {
    return { ok: false, text: `the condition cannot be read: ${error instanceof Error ? error.message : String(error)}`, write: SAMPLE };
  }
  const given = (root: Root, facts: Facts, preview: PreviewFacts | undefined): JsonObject => {
    if (root === 'action') return Object.fromEntries(FACTS.map((fact) => [fact, facts[fact]]));
    if (preview === undefined) throw new PreviewMissing(`when: ${text}: no preview was made yet`);
    return { ...preview };
  };
  const holds: Condition['holds'] = (facts, preview) =>
    truth(text, evaluate, Object.fromEntries([...read].map((root) => [root, celOf(given(root, facts, preview))])));
  return { ok: true, condition: { text, readsPreview: read.has('preview'), holds } };
}

function truth(text: string, evaluate: ReturnType<typeof plan>, facts: Record<string, CelInput>): boolean {
  const result = evaluate(facts);
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

const ROOTS = { action: FACTS, preview: PREVIEW_FACTS } as const;
type Root = keyof typeof ROOTS;
const rootOf = (name: string | undefined): Root | undefined => (name === 'action' || name === 'preview' ? name : undefined);

/**
 * The first thing that could never work or would take too long: a name that is not given, a loop within a loop. `own`: names of the loop around; none
 * outside of loops. Adds to `read` what it reads.
 */
function misuse({ exprKind }: Expr, own: ReadonlySet<string | undefined>, read: Set<Root>): string | undefined {
  const first = (parts: readonly (Expr | undefined)[], names = own): string | undefined => {
    for (const part of parts) {
      const problem = part === undefined ? undefined : misuse(part, names, read);
      if (problem !== undefined) return problem;
    }
    return undefined;
  };
  switch (exprKind.case) {
    case 'identExpr': {
      const { name } = exprKind.value;
      if (own.has(name)) return undefined;
      return rootOf(name) === undefined ? `there is no "${name}": all is in action and preview` : `name a field of ${name}`;
    }
    case 'selectExpr': {
      const { operand, field } = exprKind.value;
      const name = operand?.exprKind.case === 'identExpr' ? operand.exprKind.value.name : undefined;
      const root = own.has(name) ? undefined : rootOf(name);
      if (root === undefined) return first([operand]);
      read.add(root);
      return ROOTS[root].some((fact) => fact === field) ? undefined : `${root} has no "${field}": it has ${ROOTS[root].join(', ')}`;
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
      // Parameters are the agent's, and of a preview much is: a loop within a loop would let it keep the executor busy.
      if (own.size > 0) return 'a loop within a loop';
      return first([iterRange, accuInit]) ?? first([loopCondition, loopStep, result], new Set([iterVar, iterVar2, accuVar]));
    }
    default:
      return undefined;
  }
}
