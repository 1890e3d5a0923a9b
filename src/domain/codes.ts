/**
 * The one catalogue of refusals (§6.14). `docs/codes.md` mirrors it, a test compares them.
 * A *message* is refused; an *action* is denied or rejected.
 */
export type Retry = 'never' | 'same' | 'new_proposal';
export interface Code {
  /** HTTP status at the API; for codes that only ever reach people through an outcome, what a reader of the action gets. */
  readonly status: number;
  readonly message: string;
  readonly remedy: string;
  /** What the sender may do: nothing, the same bytes again, or a new proposal. */
  readonly retry: Retry;
}

const entry = (status: number, message: string, remedy: string, retry: Retry): Code => ({ status, message, remedy, retry });

export const CODES = {
  request_invalid: entry(
    400,
    'The message is not what this door takes.',
    'Correct what the detail names and send it again.',
    'new_proposal',
  ),
  credential_invalid: entry(
    401,
    'No valid credential of a known agent, person or API stands behind this.',
    'Sign with a key the roster lists, valid now, for something it may do.',
    'never',
  ),
  not_a_reviewer: entry(
    403,
    'This key belongs to no reviewer.',
    "Decisions are signed with a person's own key; an agent never decides.",
    'never',
  ),
  not_eligible: entry(
    403,
    'This person is not among those who may decide this action now.',
    'Ask one of the people the action names, or wait for the escalation that adds you.',
    'never',
  ),
  self_approval: entry(
    403,
    'Whoever asks, owns the agent, or is acted for does not count.',
    'Leave it to the others the action names.',
    'never',
  ),
  editor_excluded: entry(403, 'Whoever modified this action does not count on it.', 'Leave it to the others the action names.', 'never'),
  signature_invalid: entry(
    403,
    'No key of an eligible person made this signature over these bytes.',
    'Sign again with your own key; check that it is enrolled and not past its end.',
    'never',
  ),
  delegation_invalid: entry(
    403,
    'The delegation does not cover this decision.',
    'Decide in your own name where you are asked yourself, or have a delegation signed that covers it.',
    'never',
  ),
  seat_taken: entry(
    409,
    'This person, or who decides for this person, already has a live approval of this revision: one person, one seat.',
    'Nothing to do; a withdrawal frees the seat.',
    'never',
  ),
  question_answered: entry(
    409,
    'This question has its answer already: one answer a question.',
    'Nothing to do; a reviewer who wants to know more asks again.',
    'never',
  ),
  decision_late: entry(
    409,
    'The decision was not in time.',
    'Nothing to do: a deadline never moves. The agent may propose anew.',
    'new_proposal',
  ),
  action_ended: entry(409, 'The action has ended.', 'Look at its outcome; the agent may propose anew.', 'new_proposal'),
  revision_stale: entry(412, 'The action has a newer revision.', 'Show it again and decide on what it says now.', 'never'),
  view_mismatch: entry(
    412,
    'What was shown is not what this action shows.',
    'Update Keyturn, show the action again and decide on that.',
    'never',
  ),
  request_too_large: entry(413, 'The message is too large.', 'Pass a reference instead of the content.', 'new_proposal'),
  params_invalid: entry(
    422,
    'The parameters do not fit the action type.',
    'Correct what the detail names and propose anew with a new idempotency key.',
    'new_proposal',
  ),
  type_unknown: entry(
    422,
    'No executor runs this action type.',
    "Check the type's name, or start its executor and list it in the roster.",
    'new_proposal',
  ),
  idempotency_key_reused: entry(
    422,
    'This idempotency key belongs to another body.',
    'Use one key for one action, for ever.',
    'new_proposal',
  ),
  guard_unmet: entry(422, 'A guard the rule asks for is missing from the decision.', 'Decide again and answer the guard.', 'same'),
  rate_limited: entry(429, 'Too many messages; this one was not judged.', 'Send it again later.', 'same'),
  temporal_unavailable: entry(
    503,
    'Temporal does not answer. What the detail does not call recorded is not recorded.',
    'Send the same again in a few seconds.',
    'same',
  ),
  rule_denies: entry(403, 'A rule of the policy denies this action.', 'The detail says why; an approval never overrides it.', 'never'),
  rule_missing: entry(
    403,
    'No rule of the policy matches this action, so it is denied.',
    "Ask the platform's owners for a rule.",
    'new_proposal',
  ),
  policy_error: entry(
    403,
    'The policy could not be evaluated for this action, so it is denied.',
    "Ask the platform's owners to mend the rule the detail names.",
    'new_proposal',
  ),
  quorum_unsatisfiable: entry(
    403,
    'Not enough distinct eligible people exist to agree.',
    "Ask the platform's owners to name more people for the rule.",
    'new_proposal',
  ),
  budget_exceeded: entry(403, "The rule's budget is used up.", 'Wait for the budget to free itself, then propose anew.', 'new_proposal'),
  preview_too_large: entry(403, 'The preview is larger than people can be shown.', 'Split the action into smaller ones.', 'new_proposal'),
  preview_refused: entry(
    403,
    'As the target stands, this cannot be done.',
    'The detail says what is in its way; propose anew when that is gone.',
    'new_proposal',
  ),
  audience_mismatch: entry(
    409,
    'This was made for another deployment, ledger or executor.',
    "Use this executor's own ledger; see `keyturn doctor`.",
    'never',
  ),
  type_changed: entry(409, 'The action type changed after the seal.', 'It is sealed again and reviewed afresh.', 'never'),
  preview_failed: entry(503, 'The preview could not be made.', 'See whether the target answers; then propose anew.', 'new_proposal'),
  quorum_missing: entry(409, 'The valid decisions do not meet the rule.', 'More of the people the action names must agree.', 'never'),
  approver_stale: entry(409, 'Somebody who agreed may no longer decide.', 'Another eligible person must agree.', 'never'),
  policy_stale: entry(
    409,
    'The present policy asks for more than was agreed under the sealed one.',
    'It is sealed again and reviewed afresh.',
    'never',
  ),
  roster_stale: entry(
    409,
    "The executor's policy or roster is invalid or older than one it has seen.",
    'Mend the file and raise its version; nothing runs until then.',
    'same',
  ),
  rejection_standing: entry(409, 'A rejection stands in the ledger.', 'Its author can withdraw it; else the action ends.', 'never'),
  frozen: entry(409, 'A freeze is in force.', 'Those the policy names can thaw it.', 'same'),
  busy: entry(409, 'A step is under way.', 'Ask again shortly.', 'same'),
  target_changed: entry(409, 'The target changed after the seal.', 'It is sealed again and reviewed afresh.', 'never'),
  execution_late: entry(409, 'The time to start is over.', 'The agent may propose anew.', 'new_proposal'),
  too_early: entry(
    409,
    "The rule's minimum time since the seal is not over.",
    'Nothing to do: it starts by itself when that time has come; until then a no still counts.',
    'same',
  ),
  already_executed: entry(409, 'This action was consumed already; it runs once.', 'Look at its receipt.', 'never'),
  closed: entry(409, 'The ledger has closed this action.', 'Look at its receipt; the agent may propose anew.', 'new_proposal'),
  receipt_invalid: entry(
    502,
    'An answer bears no valid signature of the executor.',
    'The workflow asks the executor itself; see who else writes to the namespace.',
    'same',
  ),
  policy_invalid: entry(500, 'The policy file is invalid.', 'Correct the line named.', 'never'),
  policy_unsupported: entry(
    500,
    'The policy uses a field this build does not enforce.',
    'Remove it, or use a build that enforces it.',
    'never',
  ),
  roster_invalid: entry(500, 'The roster file is invalid.', 'Correct the line named.', 'never'),
  ledger_invalid: entry(
    500,
    'The ledger is missing, foreign or broken.',
    'Make one with `keyturn ledger init`, or point to the right one.',
    'never',
  ),
} as const satisfies Record<string, Code>;

export type ErrorCode = keyof typeof CODES;
export const ERROR_CODES = Object.keys(CODES) as [ErrorCode, ...ErrorCode[]];

/** A refusal on its way: a stable code and what exactly was wrong. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly text: string;
}
export const refuse = (code: ErrorCode, text?: string): Refusal => ({ code, text: text ?? CODES[code].message });
