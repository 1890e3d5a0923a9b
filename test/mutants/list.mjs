/**
 * Patches that each weaken one rule, and the test that must notice. `find` stands exactly once in its file; a patch that no longer applies fails the run,
 * so that this list never outlives the code it is about. Where two layers hold a rule, each is weakened alone and then both at once.
 *
 * @typedef {{ file: string, find: string, put: string }} Patch
 * @typedef {{ name: string, patches: readonly Patch[], test: string, title: string }} Mutant
 */

const TALLY = 'src/domain/tally.ts';
const ADMIT = 'src/domain/admit.ts';
const EVALUATE = 'src/domain/policy/evaluate.ts';
const STEPS = 'src/executor/ledger/step-transitions.ts';

const lateAdmitted = {
  file: ADMIT,
  find: 'if (issuedAt >= toMs(newest.envelope.approveBy) &&',
  put: 'if (issuedAt > toMs(newest.envelope.approveBy) &&',
};
const lateCounted = { file: TALLY, find: 'vote.issuedAt < ladder.approveBy &&', put: 'vote.issuedAt <= ladder.approveBy &&' };
const staleAdmitted = { file: ADMIT, find: '(!carriesOver && target !== newest)', put: 'false' };
const staleCounted = { file: TALLY, find: 'vote.envelope === envelope &&', put: '' };
const insertUndo = `VALUES (?, ?, 'undo', 'pending', 1, ?)`;

/** @type {readonly Mutant[]} */
export const MUTANTS = [
  {
    name: 'delegator and delegate are two seats',
    patches: [{ file: TALLY, find: 'if (one !== other) above.set(other, one);', put: '' }],
    test: 'test/executor/delegation.test.ts',
    title: 'attack: one seat, whoever of the two votes',
  },
  {
    name: "the delegator's signature is not checked",
    patches: [{ file: 'src/domain/delegation.ts', find: "!verify('delegation', signed, key, webauthn)", put: 'false' }],
    test: 'test/domain/delegation.test.ts',
    title: 'attack: a delegation that the delegator did not sign',
  },
  {
    name: 'a rule that lets nobody hand over lets everybody',
    patches: [{ file: 'src/domain/delegation.ts', find: 'envelope.delegates?.includes(decision.person) !== true', put: 'false' }],
    test: 'test/domain/delegation.test.ts',
    title: 'attack: a rule that says nothing of it',
  },
  {
    name: 'an answer is shown whoever signed it',
    patches: [{ file: 'src/domain/dialogue.ts', find: "!verifySigned('reply', signed, key.key)", put: 'false' }],
    test: 'test/domain/dialogue.test.ts',
    title: "attack: an answer that is not the agent's own",
  },
  {
    name: 'no person dedupe',
    patches: [{ file: TALLY, find: 'return [...first.values()];', put: 'return [...votes];' }],
    test: 'test/executor/checks.test.ts',
    title: 'attack 5, 7: one vote repeated',
  },
  {
    name: 'no signature check',
    patches: [{ file: ADMIT, find: "!verify('decision', signed, key, newest.envelope.webauthn)", put: 'false' }],
    test: 'test/executor/checks.test.ts',
    title: '7.6 .* a damaged signature',
  },
  {
    name: 'no digest compare',
    patches: [{ file: ADMIT, find: 'revision.digest === decision.digest', put: 'revision.envelope.revision === decision.revision' }],
    test: 'test/executor/checks.test.ts',
    title: 'attack 35: a vote for another action',
  },
  {
    name: 'late vote counts at exactly approveBy, where it is admitted',
    patches: [lateAdmitted],
    test: 'test/domain/evaluator-admit.test.ts',
    title: 'exactly at it is expired',
  },
  {
    name: 'late vote counts at exactly approveBy, where it is counted',
    patches: [lateCounted],
    test: 'test/domain/evaluator-tally.test.ts',
    title: 'a vote counts before approveBy, to the millisecond',
  },
  {
    name: 'late vote counts at exactly approveBy',
    patches: [lateAdmitted, lateCounted],
    test: 'test/executor/checks.test.ts',
    title: '6.7 attack 60',
  },
  {
    name: 'approvals survive a modify, where they are admitted',
    patches: [staleAdmitted],
    test: 'test/domain/evaluator-admit.test.ts',
    title: '6.5 approvals and modifies of the newest only',
  },
  {
    name: 'approvals survive a modify, where they are counted',
    patches: [staleCounted],
    test: 'test/domain/evaluator-tally.test.ts',
    title: 'on any revision: it carries over, approvals never do',
  },
  {
    name: 'approvals survive a modify',
    patches: [staleAdmitted, staleCounted],
    test: 'test/executor/checks.test.ts',
    title: '6.5 approvals never carry over',
  },
  {
    name: 'a rejection is lost on a modify',
    patches: [
      {
        file: TALLY,
        find: "live.filter((vote) => vote.act.verdict === 'reject')",
        put: "live.filter((vote) => vote.act.verdict === 'reject' && vote.envelope === envelope)",
      },
    ],
    test: 'test/executor/advance.test.ts',
    title: 'attack 33: a new revision does not shed a rejection',
  },
  {
    name: 'eligibility only at vote time: check 9 is dropped',
    patches: [
      {
        file: 'src/executor/judge.ts',
        find: '!eligibleNow(vote, admission.decision.keyId, present, samePolicy ? presentLadder : undefined, now)',
        put: 'false',
      },
    ],
    test: 'test/executor/checks-ledger.test.ts',
    title: '6.4 attack 46',
  },
  {
    name: 'owner not excluded',
    patches: [{ file: EVALUATE, find: "exclude(owner, 'owner');", put: '' }],
    test: 'test/executor/checks.test.ts',
    title: '6.3 attack 17',
  },
  {
    name: 'consume after acting',
    patches: [
      {
        file: 'src/executor/consume.ts',
        find: 'const lease = newLease(executor);',
        put: 'const lease = newLease(executor); await type.steps[0].run(book.revisions.at(-1).envelope.params, { idempotencyKey: `${input.actionId}/run/run/1`, actionId: input.actionId });',
      },
    ],
    test: 'test/mutants/act-after-consumption.test.ts',
    title: 'the ledger holds the consumption',
  },
  {
    name: 'forged completion accepted',
    patches: [{ file: 'src/domain/receipt.ts', find: "|| !signedByAny('answer', signed, trust.keys)", put: '' }],
    test: 'test/mutants/forged-completion.test.ts',
    title: 'attack 51',
  },
  {
    name: 'undo row written after its step',
    patches: [
      { file: STEPS, find: "await set(tx, row, id, n, 'undo', 'pending', 1, undoKey(id, step), null, null, null);", put: '' },
      {
        file: STEPS,
        find: "await endStep(tx, id, n, attempt, owner, 'done');",
        put: `await endStep(tx, id, n, attempt, owner, 'done'); await set(tx, "INSERT INTO step (action_id, n, phase, state, attempt, idempotency_key) ${insertUndo}", id, n, undoKey(id, (await tx.sql.all("SELECT idempotency_key AS k FROM step WHERE action_id = ? AND n = ? AND phase = 'run'", id, n))[0].k.split('/')[1]));`,
      },
    ],
    test: 'test/executor/saga.test.ts',
    title: 'each undo row is written before its step starts',
  },
  {
    name: 'unfenced "not done" believed',
    patches: [
      {
        file: 'src/executor/probe.ts',
        find: "if (said.outcome !== 'fenced') return unknown(executor, id, n, attempt, 'probe_unknown');",
        put: '',
      },
    ],
    test: 'test/executor/saga.test.ts',
    title: 'unknown, garbage, or no probe',
  },
  {
    name: 'sealed policy only: the present rule is ignored',
    patches: [{ file: 'src/executor/judge.ts', find: 'present: byPresent,', put: 'present: passed && sealed,' }],
    test: 'test/executor/checks.test.ts',
    title: '6.9 attack 31',
  },
  {
    name: 'deny tried in file order',
    patches: [{ file: EVALUATE, find: "rule.effect !== 'deny' ? 2", put: "rule.effect !== 'deny' ? 0" }],
    test: 'test/domain/policy-evaluate.test.ts',
    title: '6.1 a deny rule is tried first wherever it stands',
  },
  {
    name: 'evaluation error allows',
    patches: [
      {
        file: EVALUATE,
        find: "effect: 'deny',\n      code: 'policy_error',",
        put: "effect: 'hold', rule: { name: text, because: text }, risk: 'low', reasons: [], stages: [], rejections: 1, resolve: { people: [], quorum: 1 }, exclusions: [], approveWithin: 1, executeWithin: 1,",
      },
    ],
    test: 'test/domain/policy-evaluate.test.ts',
    title: '6.1 anything that goes wrong in the evaluation denies',
  },
  {
    name: 'deny rules on the action wait for the preview',
    patches: [{ file: 'src/executor/draft.ts', find: 'if (deny !== undefined) return', put: 'if (false) return' }],
    test: 'test/executor/preview-rules.test.ts',
    title: '6.1 deny rules on the action are asked before the target is touched',
  },
  {
    name: 'deny rules on the preview are not asked',
    patches: [{ file: EVALUATE, find: 'isDenyOnAction(rule) ? 0 : 1);', put: 'isDenyOnAction(rule) ? 0 : 3);' }],
    test: 'test/executor/preview-rules.test.ts',
    title: '6.1 deny rules on the preview are asked with the whole policy',
  },
  {
    name: 'a rule that reads the preview, asked without one, applies to nothing',
    patches: [
      {
        file: 'src/domain/policy/condition.ts',
        find: 'throw new PreviewMissing(`when: ${text}: no preview was made yet`);',
        put: 'return false;',
      },
    ],
    test: 'test/domain/policy-preview.test.ts',
    title: '6.1 without a preview a rule that reads it denies',
  },
  {
    name: 'the present policy is not asked about what the target says now',
    patches: [{ file: 'src/executor/consume.ts', find: 'return asked ? previewFactsOf(preview) : undefined;', put: 'return undefined;' }],
    test: 'test/executor/preview-rules.test.ts',
    title: "6.9 the policy's newer data",
  },
  {
    name: 'a preview that only informs is not made again for a rule that reads it',
    patches: [{ file: 'src/executor/consume.ts', find: 'precondition === undefined && !asked)', put: 'precondition === undefined)' }],
    test: 'test/executor/preview-rules.test.ts',
    title: '6.9 a preview that only informs',
  },
  {
    name: 'passkey votes count as independent',
    patches: [{ file: ADMIT, find: "ring.get(keyId)?.key()?.algorithm === 'ed25519'", put: 'ring.has(keyId)' }],
    test: 'test/executor/guards.test.ts',
    title: 'attack 73: passkey votes alone do not run it',
  },
  {
    name: 'independent votes of the present rule are not asked',
    patches: [{ file: 'src/executor/judge.ts', find: 'independent: ruling.guards.independent,', put: 'independent: 0,' }],
    test: 'test/executor/guards.test.ts',
    title: '6.9 attack 31: a present rule that demands it applies',
  },
  {
    name: 'the floor is not held',
    patches: [{ file: 'src/executor/consume.ts', find: 'return now < floor ?', put: 'return now < 0 ?' }],
    test: 'test/executor/guards.test.ts',
    title: '6.7 7.12 nothing starts before the seal',
  },
  {
    name: 'an approval need not repeat what the rule has repeated',
    patches: [{ file: ADMIT, find: 'if (unmet !== undefined) return no(digest, 8, unmet.code, unmet.text);', put: '' }],
    test: 'test/executor/guards.test.ts',
    title: '7.8 an approval that does not repeat the value',
  },
  {
    name: 'close after consumption succeeds',
    patches: [{ file: 'src/executor/close.ts', find: "if (state !== 'awaiting' && state !== 'stale')", put: 'if (false)' }],
    test: 'test/executor/close.test.ts',
    title: 'after consumption nothing closes it',
  },
  {
    name: 'a budget is fresh after a restore',
    patches: [{ file: 'src/executor/ledger/charges.ts', find: "restored > now - line.within ? 'unknown' : ", put: '' }],
    test: 'test/ledgers/restore.test.ts',
    title: 'attack 76: a restored ledger has not forgotten',
  },
  {
    name: 'an executor goes on with a key whose time is over',
    patches: [{ file: 'src/executor/live-rules.ts', find: '!keyValidAt(own.key, now())', put: 'false' }],
    test: 'test/executor/key-rotation.test.ts',
    title: "once its key's time is over",
  },
  {
    name: 'an executor goes on by rules older than another on its ledger has seen',
    patches: [{ file: 'src/executor/live-rules.ts', find: '(await areNewest(ledger, roster, policy))', put: 'true' }],
    test: 'test/executor/rules-shared.test.ts',
    title: 'attack 47',
  },
];
