/** One patch of a source file; `find` stands in it exactly once. */
export interface Patch {
  readonly file: string;
  readonly find: string;
  readonly put: string;
}

const ADMIT = 'src/domain/admit.ts';
const TALLY = 'src/domain/tally.ts';
const EVALUATE = 'src/domain/policy/evaluate.ts';
const JUDGE = 'src/executor/judge.ts';
const SEAL = 'src/executor/seal.ts';
const BREAK_GLASS = 'src/domain/break-glass.ts';
const CHARGES = 'src/executor/ledger/charges.ts';
const STEP_TRANSITIONS = 'src/executor/ledger/step-transitions.ts';

const carriedOver: Patch = { file: TALLY, find: 'vote.envelope === envelope &&', put: '' };
const exclusion = (find: string): Patch[] => [{ file: EVALUATE, find, put: '' }];
const expression = (file: string, find: string, put: string): Patch[] => [{ file, find, put }];

/**
 * What takes each guard out, so that `--unguarded` can show that its attacks succeed without it. Where two layers hold one rule, both are taken out: the
 * attack is about the rule.
 */
export const GUARDS = {
  'signature of a decision': expression(
    'src/domain/dsse.ts',
    'if (signed.payloadType !== PAYLOAD_TYPES[kind] || signature === undefined || signature.keyid !== key.id) return false;',
    "if (kind === 'decision') return true;\n  if (signed.payloadType !== PAYLOAD_TYPES[kind] || signature === undefined || signature.keyid !== key.id) return false;",
  ),
  'signature of a request': expression(SEAL, "|| !verifySigned('request', signed, holder.key.key)", ''),
  'id follows from the request': expression(
    SEAL,
    'if (actionIdOf(request.deployment, request.agent, request.idempotencyKey) !== actionId)',
    'if (false)',
  ),
  'vouching is for bearer agents': expression(SEAL, "holder.kind === 'api' && agent.bearer !== undefined", "holder.kind === 'api'"),
  'request: signed': expression(EVALUATE, "if (rule.request === 'signed' && asked.request !== 'signed') continue;", ''),
  budget: expression(CHARGES, 'return total.parse(row).total ?? 0;', 'return 0;'),
  'budget per owner': [
    { file: CHARGES, find: "owner: 'AND owner = ?'", put: "owner: 'AND agent = ?'" },
    { file: CHARGES, find: '[facts[line.per]]', put: '[facts.agent]' },
  ],
  'the ledger keeps a rejection': expression(
    'src/executor/noes.ts',
    'await transitions.lodge(tx, book.action.id, decision.verdict, digest, `person:${decision.person}`, signed, now);',
    '',
  ),
  'the ledger keeps a cancel': expression(
    'src/executor/lodge.ts',
    "const many = tooManyOnAction(book.lodged, 'cancel', by);",
    "if (by !== '') return { kind: 'stands', digest: read.digest };\n  const many = undefined as ReturnType<typeof tooManyOnAction>;",
  ),
  // The ledger forgets what has ended, and each run has a key of its own: the bank, too, pays one key once.
  'it runs once': [
    {
      file: STEP_TRANSITIONS,
      find: "await end(tx, id, 'executing', 'succeeded', { code: 'succeeded', text: 'It ran.' }, now);",
      put: `await end(tx, id, 'executing', 'succeeded', { code: 'succeeded', text: 'It ran.' }, now);
    for (const table of ['step', 'envelope', 'charge']) await tx.sql.run(\`DELETE FROM \${table} WHERE action_id = ?\`, id);
    await tx.sql.run('DELETE FROM action WHERE id = ?', id);`,
    },
    {
      file: 'src/executor/steps.ts',
      find: 'const key = `${id}/${found.step.name}/run/${attempt}`;',
      put: 'const key = `${id}/${found.step.name}/run/${attempt}/${Date.now()}`;',
    },
  ],
  'a vote is for one revision': [{ file: ADMIT, find: '(!carriesOver && target !== newest)', put: 'false' }, carriedOver],
  'a vote is for one action': [
    { file: ADMIT, find: '|| decision.actionId !== envelope.actionId', put: '' },
    { file: ADMIT, find: 'revision.digest === decision.digest', put: 'revision.envelope.revision === decision.revision' },
    { file: ADMIT, find: 'decision.view === target.view', put: 'true' },
    carriedOver,
  ],
  'a freeze holds': expression(JUDGE, 'return freeze === undefined ? undefined :', 'return freeze?.digest !== 0 ? undefined :'),
  'one seat a person': expression(TALLY, 'return [...first.values()];', 'return [...votes];'),
  'a key is one person': [
    { file: ADMIT, find: '|| holder.person !== decision.person', put: '' },
    {
      file: JUDGE,
      find: 'if (key === undefined || key.person !== authorOf(vote)) return false;',
      put: 'if (key === undefined) return false;',
    },
  ],
  'delegator and delegate are one seat': expression(
    TALLY,
    'const seatOfPerson = seatsOf([...noes, ...yeses]);',
    'const seatOfPerson = (person: PersonId): PersonId => person;',
  ),
  'a delegation is signed': expression(
    'src/domain/delegation.ts',
    "if (key === undefined || !verify('delegation', signed, key, webauthn))",
    'if (false)',
  ),
  'the owner is excluded': exclusion("exclude(owner, 'owner');"),
  'who is acted for is excluded': exclusion("if (onBehalfOf !== null) exclude(onBehalfOf, 'on_behalf_of');"),
  'an editor is excluded': exclusion("for (const editor of [...editors].sort()) exclude(editor, 'editor');"),
  'an ended key is none': [
    { file: ADMIT, find: 'if (!validAt(holder, issuedAt) || !validAt(holder, now))', put: 'if (false)' },
    {
      file: JUDGE,
      find: '!eligibleNow(vote, admission.decision.keyId, present, samePolicy ? presentLadder : undefined, now)',
      put: 'false',
    },
  ],
  'eligible at execution': expression(
    JUDGE,
    '!eligibleNow(vote, admission.decision.keyId, present, samePolicy ? presentLadder : undefined, now)',
    'false',
  ),
  'who may thaw': [
    { file: 'src/executor/lodge.ts', find: '!thawRule(policy, roster, now).people.includes(read.value.by)', put: 'false' },
    { file: 'src/executor/freezes.ts', find: '&& people.includes(thaw.by)', put: '' },
  ],
  "the CLI checks the executor's seal": [
    { file: 'src/cli/action/verified.ts', find: "!signedByAny('envelope', signed, keys)", put: 'false' },
    { file: 'src/cli/action/verified.ts', find: 'entries, { deployment: roster.deployment, keys });', put: 'entries);' },
  ],
  'an end is proved by entries': expression(
    'src/cli/action/verified.ts',
    "if (!outcome.final) return { outcome, proof: 'open' };",
    "return { outcome, proof: 'open' };",
  ),
  "the agent checks the executor's entries": expression(
    'src/client/action.ts',
    'if (executorKeys !== undefined) believeEnd(body, asked, deployment, executorKeys);',
    '',
  ),
  'the API proves an end': expression(
    'src/api/resource/load.ts',
    'const outcome = endProvenBy(line.id, ended.receipt, trustInType(roster, request.type));',
    'const outcome = ended;',
  ),
  'entries of evidence are signed': expression(
    'src/domain/evidence/chain.ts',
    "demand(verifySigned('entry', signed, key), step,",
    'demand(true, step,',
  ),
  'signature of an answer': expression(
    'src/domain/dialogue.ts',
    "if (key === undefined || !verifySigned('reply', signed, key.key)) return undefined;",
    'if (key === undefined) return undefined;',
  ),
  'only who is asked': expression('src/domain/quorum.ts', 'return people;', 'return Object.assign(people, { has: () => true });'),
  'break-glass says why': expression(
    BREAK_GLASS,
    "if (breakGlass === undefined || decision.verdict !== 'approve' || (decision.reason ?? '').trim() !== '') return undefined;",
    'if (decision !== undefined) return undefined;',
  ),
  'who let it run does not review it': expression(
    BREAK_GLASS,
    'return breakGlass.people.filter((person) => !out.has(person));',
    'return [...breakGlass.people];',
  ),
  'the time to start ends': expression(TALLY, 'executeBy: newest + executeWithin };', 'executeBy: newest + executeWithin + 3_600_000 };'),
  'the quorum': expression(
    TALLY,
    'quorumReached(stages, openedAt, approvals.map(seatOf), independent)',
    'quorumReached(stages.map((stage) => ({ ...stage, quorum: 1 })), openedAt, approvals.map(seatOf), independent)',
  ),
  'a rejection stands': expression(JUDGE, 'if (noes.rejected) return', 'if (false) return'),
  "the executor's answers are signed": expression('src/domain/receipt.ts', "|| !signedByAny('answer', signed, trust.keys)", ''),
  'the present policy is asked': expression(
    JUDGE,
    'presentLadder === undefined\n      ? undefined\n      : tally(\n          presentLadder,',
    'presentLadder === undefined\n      ? undefined\n      : tally(\n          sealedLadder,',
  ),
  'deny wins': [
    {
      file: JUDGE,
      find: 'const ruling = presentRuling(policy, roster, asked, envelope, now);',
      put: "const rules = policy.rules.filter((rule) => rule.effect !== 'deny');\n  const ruling = presentRuling({ ...policy, rules }, roster, asked, envelope, now);",
    },
  ],
  'no lower version': expression('src/executor/live-rules.ts', 'if (Number(version) > file.version)', 'if (false)'),
} as const satisfies Readonly<Record<string, readonly Patch[]>>;

export type GuardName = keyof typeof GUARDS;
