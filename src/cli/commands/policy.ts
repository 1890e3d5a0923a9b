import { join } from 'node:path';
import { durationText } from '../../domain/instant.js';
import { wordsOf } from '../../domain/policy/budget.js';
import { explainPolicy, type RuleSays } from '../../domain/policy/explain.js';
import type { Ruling } from '../../domain/policy/evaluate.js';
import type { Guards } from '../../domain/policy/guards.js';
import { askedOf, runTests } from '../../domain/policy/rehearsal.js';
import type { Policy } from '../../domain/policy/schema.js';
import type { Roster } from '../../domain/roster.js';
import { weakSpots } from '../../domain/policy/weak.js';
import { problemText } from '../../domain/problem.js';
import { readPolicy } from '../../files/rules.js';
import { readParams } from '../assignments.js';
import { usage } from '../errors.js';
import { EXIT, type ExitCode } from '../exit.js';
import type { Session } from '../session.js';
import { inert } from '../text/inert.js';

export interface PolicyOptions {
  /** Left out: policy.yaml in the folder. */
  readonly file?: string;
}
export interface LintOptions extends PolicyOptions {
  readonly strict?: true;
}
export interface ExplainOptions extends PolicyOptions {
  readonly agent?: string;
  readonly onBehalfOf?: string;
  /** What its preview would touch; left out, none is assumed and rules that read it stay open. */
  readonly touches?: readonly string[];
}

/**
 * `policy lint`: everything that would refuse the start, each with its line and what to write. Throws `FileRefused`. Weak spots are warnings: they refuse
 * nothing, and exit 1 only with `--strict`.
 */
export async function lint(session: Session, options: LintOptions): Promise<ExitCode> {
  const { policy, roster } = await read(session, options);
  const { version, rules, tests } = policy;
  const warnings = weakSpots(policy, roster, options.file ?? 'policy.yaml', session.now());
  const ok = options.strict !== true || warnings.length === 0;
  const found = warnings.length === 0 ? '' : `, ${counted(warnings.length, 'warning')}`;
  session.answer({ ok, version, rules: rules.length, tests: tests.length, warnings }, [
    ...warnings.map((each) => inert(`warning: ${problemText(each)}`)),
    `policy.yaml version ${version}: ${counted(rules.length, 'rule')}, ${counted(tests.length, 'test')}, nothing wrong${found}`,
  ]);
  return ok ? EXIT.ok : EXIT.error;
}

/** `policy test`: its own `tests:`, by this roster. Exits 1 where one fails; no executor starts with such a policy either. */
export async function test(session: Session, options: PolicyOptions): Promise<ExitCode> {
  const { policy, roster } = await read(session, options, { untested: true });
  const results = runTests(policy, roster, session.now());
  const failed = results.filter(({ ok }) => !ok).length;
  const lines = results.map(({ ok, expected, seen, test: { given, path } }) => {
    const where = `line ${policy.at(path).line}  ${given.type}`;
    return inert(ok ? `ok      ${where}  ${seen}` : `FAILED  ${where}  expected ${expected}, got ${seen}`);
  });
  const told = results.map(({ ok, expected, seen, test: { path } }) => ({ ok, line: policy.at(path).line, expected, seen }));
  const sum = results.length === 0 ? 'no tests in policy.yaml' : `${results.length - failed} of ${results.length} tests passed`;
  session.answer({ ok: failed === 0, tests: told }, [...lines, sum]);
  return failed === 0 ? EXIT.ok : EXIT.error;
}

/** `policy explain TYPE /cents=480000`: which rule decides, and why the others do not. By the files here: nothing is proposed, no target looked at. */
export async function explain(session: Session, type: string, assignments: readonly string[], options: ExplainOptions): Promise<ExitCode> {
  const params = readParams(assignments);
  const { policy, roster } = await read(session, options);
  const { agent, onBehalfOf, touches } = options;
  const preview = touches === undefined ? undefined : { touches, warnings: [], changes: [] };
  const asked = askedOf(roster, { type, params, agent, onBehalfOf, preview });
  if (typeof asked === 'string') throw usage(asked, 'Name an agent of roster.yaml with --agent.');
  const { ruling, rules } = explainPolicy(policy, roster, asked, session.now());
  const asks = `${asked.agent} asks for ${type}${asked.onBehalfOf === null ? '' : ` on behalf of ${asked.onBehalfOf}`}`;
  session.answer({ asked: { agent: asked.agent, owner: asked.owner, type, params }, ruling, rules }, [
    inert(asks),
    ...rules.map((each) => inert(`  ${each.effect.padEnd(5)} "${each.rule}": ${saidOf(each)}`)),
    ...rulingLines(ruling).map(inert),
  ]);
  return EXIT.ok;
}

const saidOf = ({ says, error }: RuleSays): string => {
  switch (says) {
    case 'applies':
      return 'applies';
    case 'other':
      return 'is for another type or agent';
    case 'when is false':
      return 'its condition does not hold';
    case 'undecided':
      return 'not decidable here: it reads the preview, which only the executor makes; say what it would touch with --touches';
    case 'error':
      return `its condition cannot be evaluated, which denies: ${error ?? ''}`;
  }
};

function rulingLines(ruling: Ruling): string[] {
  if (ruling.effect === 'deny') return [`${ruling.undecided === true ? 'not decidable here' : `denied (${ruling.code})`}: ${ruling.text}`];
  const excluded = ruling.exclusions.map(({ person, why }) => `${person} (${why.replaceAll('_', ' ')})`);
  return [
    ...(ruling.passedOver === undefined ? [] : [ruling.passedOver]),
    `${ruling.effect === 'allow' ? 'let run' : 'held'} by "${ruling.rule.name}": ${ruling.rule.because}`,
    ...ruling.budget.map((line) => `  within its budget: ${line.limit} ${wordsOf(line)}; what ran already is not asked here`),
    ...ruling.stages.map(({ name, quorum, from, escalate }) => {
      const later = escalate.map(({ after, to }) => `, after ${durationText(after)} also ${to.join(', ')}`).join('');
      return `  ${name}: ${quorum} of ${from.join(', ')}${later}`;
    }),
    ...(ruling.delegates === undefined ? [] : [`  those asked may hand over to ${ruling.delegates.join(', ')}`]),
    ...(excluded.length === 0 ? [] : [`  never counted: ${excluded.join(', ')}`]),
    ...(ruling.breakGlass === undefined
      ? []
      : [
          `  BREAK-GLASS: approved with a reason; once begun, ${ruling.breakGlass.quorum} of ${ruling.breakGlass.people.join(', ')} review it within ${durationText(ruling.breakGlass.reviewWithin)}`,
        ]),
    ...(ruling.cooldown === undefined ? [] : [`  rejected, the same may be proposed again only after ${durationText(ruling.cooldown)}`]),
    ...guardLines(ruling.guards),
    ...(ruling.effect === 'allow' ? [] : [`  decide within ${durationText(ruling.approveWithin)}`]),
    `  run within ${durationText(ruling.executeWithin)} of the ${ruling.effect === 'allow' ? 'seal' : 'last vote'}`,
  ];
}

const guardLines = ({ independent, minTime, confirmField, minView }: Guards): string[] => [
  ...(independent === 0 ? [] : [`  at least ${independent} of them with the command line (Ed25519 keys)`]),
  ...(minTime === 0 ? [] : [`  nothing starts within ${durationText(minTime)} of the seal`]),
  ...(confirmField === null ? [] : [`  every approval repeats the value of ${confirmField}`]),
  ...(minView === 0 ? [] : [`  the API has it read for ${durationText(minView)} before it takes an approval`]),
];

async function read(
  session: Session,
  { file }: PolicyOptions,
  how: { readonly untested?: boolean } = {},
): Promise<{ readonly policy: Policy; readonly roster: Roster }> {
  const workspace = await session.workspace();
  const roster = await workspace.roster();
  return { policy: await readPolicy(file ?? join(workspace.root, 'policy.yaml'), roster, session.now(), how), roster };
}

const counted = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
