/** A policy that cannot be applied to this action or roster: the action is denied with `policy_error`, never let through (§6.1). */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
}
