import { digestOf } from '../hash.js';
import type { Digest } from '../ids.js';
import { Findings } from '../problem.js';
import type { Locate, Path, Problem } from '../problem.js';
import { readYaml } from '../yaml.js';
import { checkPolicy, inlineStage, type FileHold } from './check.js';
import { problemsOf } from './fields.js';
import { policyFileSchema } from './file.js';
import type { FileRule, PolicyFile } from './file.js';
import { guardsOf } from './guards.js';
import type { Policy, Rule, StageSpec } from './schema.js';

export type PolicyRead = { readonly ok: true; readonly policy: Policy } | { readonly ok: false; readonly problems: Problem[] };

/**
 * Reads policy.yaml (§9). All of it is valid and enforced by this build, or none of it counts: `policy_invalid`, or `policy_unsupported` (§6.1),
 * each problem with its line and what to write.
 */
export function parsePolicy(text: string, file: string): PolicyRead {
  const yaml = readYaml(text, file, 'policy_invalid');
  if (!yaml.ok) return yaml;
  const read = policyFileSchema.safeParse(yaml.value);
  if (!read.success)
    return { ok: false, problems: problemsOf(read.error.issues, { file, code: 'policy_invalid', value: yaml.value, at: yaml.at }) };
  const findings = new Findings(file, 'policy_invalid', yaml.at);
  checkPolicy(read.data, findings);
  const { problems } = findings;
  return problems.length > 0 ? { ok: false, problems } : { ok: true, policy: policyOf(read.data, digestOf(yaml.value), yaml.at) };
}

const policyOf = (file: PolicyFile, digest: Digest, at: Locate): Policy => ({
  version: file.version,
  digest,
  rules: file.rules.map((rule, i) => ruleOf(rule, ['rules', i])),
  data: file.data ?? {},
  stop: { freeze: file.stop?.freeze ?? [], thaw: file.stop?.thaw },
  tests: (file.tests ?? []).map(({ given, expect }, i) => ({ given, expect, path: ['tests', i] })),
  at,
});

function ruleOf(rule: FileRule, path: Path): Rule {
  const { name, match, when, because } = rule;
  if (rule.effect === 'deny') return { effect: 'deny', name, match, when, because, path };
  const every = { name, match, when, because, path };
  if (rule.effect === 'allow') {
    const { risk, executeWithin, resolve, cooldown, budget, request = 'signed' } = rule;
    return { effect: 'allow', ...every, risk, executeWithin, resolve, cooldown, budget, request: request === 'signed' ? 'signed' : 'any' };
  }
  const { risk, approveWithin, executeWithin, rejections = 1, resolve, cooldown, delegates, budget = [], request, breakGlass } = rule;
  return {
    effect: 'hold',
    ...every,
    risk,
    stages: stagesOf(rule, path),
    approveWithin,
    executeWithin,
    rejections,
    resolve,
    cooldown,
    guards: guardsOf(rule),
    budget,
    request: request === 'signed' ? 'signed' : 'any',
    delegates,
    breakGlass,
  };
}

function stagesOf(rule: FileHold, path: Path): StageSpec[] {
  const inline = inlineStage(rule);
  return inline === undefined ? rule.stages.map((stage, i) => ({ ...stage, path: [...path, 'stages', i] })) : [{ ...inline, path }];
}
