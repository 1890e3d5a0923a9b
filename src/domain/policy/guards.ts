import { z } from 'zod';
import { durationText } from '../instant.js';
import type { Findings, Path } from '../problem.js';
import { duration, leaf, refused } from './fields.js';

/** What a hold rule demands beside its quorums. Zero, or null: nothing. Times in ms. */
export interface Guards {
  /** So many of the counted approvals must be made by Ed25519 keys (§2). */
  readonly independent: number;
  /** Execution starts no sooner than so long after the newest seal (§6.7). */
  readonly minTime: number;
  /** A JSON pointer: every approval repeats the value there. */
  readonly confirmField: string | null;
  /** How long the API has a revision read before it takes an approval. Not enforced by the executor. */
  readonly minView: number;
}

const MAX_INDEPENDENT = 100;

/** The fields of a hold rule in policy.yaml. */
export const guardFields = {
  independent: leaf(z.int().min(1).max(MAX_INDEPENDENT), `a whole number from 1 to ${MAX_INDEPENDENT}`, 'independent: 1').optional(),
  minTime: duration('minTime: 10m').optional(),
  confirmField: leaf(
    z
      .string()
      .max(200)
      .regex(/^(?:\/(?:[^~/]|~[01])+)+$/),
    'a JSON pointer into the parameters',
    'confirmField: /cents',
    (value) => (typeof value === 'string' && /^[A-Za-z]\w*$/.test(value) ? `confirmField: /${value}` : undefined),
  ).optional(),
  minView: duration('minView: 20s').optional(),
};

/** The same fields where they have no place: `why` says why, `write` what to write instead of a rule with this field. */
export function noGuards(why: string, write: (field: string) => string): Record<keyof typeof guardFields, ReturnType<typeof refused>> {
  const no = (field: string): ReturnType<typeof refused> => refused(`"${field}" has no place in ${why}`, write(field));
  return { independent: no('independent'), minTime: no('minTime'), confirmField: no('confirmField'), minView: no('minView') };
}

type Given = { readonly [F in keyof Guards]?: Exclude<Guards[F], null> | undefined };

export const guardsOf = ({ independent = 0, minTime = 0, confirmField, minView = 0 }: Given): Guards => ({
  independent,
  minTime,
  confirmField: confirmField ?? null,
  minView,
});

/** What of them cannot be together with the rest of its rule. `quorums`: the sum of all. */
export function checkGuards(
  { independent, minTime, minView }: Guards,
  rule: { readonly quorums: number; readonly approveWithin: number; readonly executeWithin: number },
  path: Path,
  findings: Findings,
): void {
  if (independent > rule.quorums)
    findings.add(
      [...path, 'independent'],
      `independent ${independent} is more than the ${rule.quorums} who must agree`,
      `independent: ${rule.quorums} or less`,
    );
  if (minTime >= rule.executeWithin)
    findings.add(
      [...path, 'minTime'],
      `minTime ${durationText(minTime)} is not less than executeWithin ${durationText(rule.executeWithin)}: a vote made at the seal could never run`,
      `less than ${durationText(rule.executeWithin)}, or a longer executeWithin`,
    );
  if (minView >= rule.approveWithin)
    findings.add(
      [...path, 'minView'],
      `minView ${durationText(minView)} is not less than approveWithin ${durationText(rule.approveWithin)}: nobody could approve in time`,
      `less than ${durationText(rule.approveWithin)}`,
    );
}
