import type { Digest } from '../ids.js';
import type { Risk } from '../objects/envelope.js';
import type { JsonObject } from '../json.js';
import type { Locate, Path } from '../problem.js';
import type { BudgetLine } from './budget.js';
import type { Condition } from './condition.js';
import type { Guards } from './guards.js';
import type { Match } from './match.js';
import type { PolicyTest } from './rehearsal.js';

/** `group:x` or `person:x`, as the file has them; who that is only a roster and a moment tell. */
export type Refs = readonly string[];
export interface Circle {
  readonly from: Refs;
  readonly quorum: number;
}
/** A later circle of people. `after` in ms from the first seal. */
export interface TierSpec {
  readonly after: number;
  readonly to: Refs;
  readonly quorum?: number | undefined;
}
/** One stage as the policy states it; offsets in ms. `path` is where it stands in the file. */
export interface StageSpec extends Circle {
  readonly name: string;
  readonly remind: readonly number[];
  readonly escalate: readonly TierSpec[];
  readonly path: Path;
}
interface EveryRule {
  readonly name: string;
  readonly match: Match;
  /** Left out: whatever the parameters are. */
  readonly when?: Condition | undefined;
  readonly because: string;
  readonly path: Path;
}
export interface DenyRule extends EveryRule {
  readonly effect: 'deny';
}
export interface HoldRule extends EveryRule {
  readonly effect: 'hold';
  readonly risk?: Risk | undefined;
  readonly stages: readonly StageSpec[];
  readonly approveWithin: number;
  readonly executeWithin: number;
  readonly rejections: number;
  /** Left out: the people of its stages, any one of them. */
  readonly resolve?: Circle | undefined;
  /** How long equal content stays refused after people rejected it, in ms. Left out: not at all. */
  readonly cooldown?: number | undefined;
  readonly guards: Guards;
  /** What may run by this rule; empty: as much as people agree to. */
  readonly budget: readonly BudgetLine[];
  /** `signed`: only requests that bear the agent's own signature. */
  readonly request: 'any' | 'signed';
  /** To whom those asked may hand over; left out: to nobody. */
  readonly delegates?: Refs | undefined;
  /** Left out: an ordinary rule. `reviewWithin` in ms from the start. */
  readonly breakGlass?: { readonly review: Circle; readonly reviewWithin: number } | undefined;
}
/** Nobody is asked, within a budget. An action that does not fit is for the rules that follow. */
export interface AllowRule extends EveryRule {
  readonly effect: 'allow';
  readonly risk?: Risk | undefined;
  readonly executeWithin: number;
  readonly cooldown?: number | undefined;
  /** Who says what became of a step nobody else can tell about. */
  readonly resolve: Circle;
  readonly budget: readonly BudgetLine[];
  readonly request: 'any' | 'signed';
}
export type Rule = DenyRule | HoldRule | AllowRule;

export interface Policy {
  readonly version: number;
  /** SHA-256 of the canonical JSON of the file's content: comments and layout do not count. */
  readonly digest: Digest;
  readonly rules: readonly Rule[];
  /** What the executor's previews are told: which paths are production, say. Empty where the file has none. */
  readonly data: JsonObject;
  /** Examples of what it is to say, run before it starts anything. */
  readonly tests: readonly PolicyTest[];
  readonly stop: { readonly freeze: Refs; readonly thaw?: Circle | undefined };
  readonly at: Locate;
}
