import { z } from 'zod';
import type { JsonObject } from '../../src/domain/json.js';
import { matchesGlob } from './glob.js';

const globs = z.array(z.string().min(1).max(400)).max(500);
/** `data: { git.merge: … }` of policy.yaml. */
const dataSchema = z.strictObject({
  /** Paths by environment. */
  environments: z.record(z.string().regex(/^[a-z0-9][a-z0-9._-]{0,39}$/), globs).default({}),
  /** Paths by which a change alters what builds or deploys. */
  pipelines: globs.default([
    '.github/workflows/**',
    '.github/actions/**',
    '.gitlab-ci.yml',
    '.circleci/**',
    '.buildkite/**',
    'azure-pipelines.yml',
    '**/Jenkinsfile',
    '**/.gitattributes',
    '**/.gitmodules',
  ]),
});
export type ScopeData = z.infer<typeof dataSchema>;

/** Throws on data that are not what they should be: then no preview is made. */
export function readScopeData(policyData: JsonObject): ScopeData {
  const read = dataSchema.safeParse(policyData['git.merge'] ?? {});
  if (!read.success) throw new Error(`policy.yaml, data: git.merge: ${z.prettifyError(read.error)}`);
  return read.data;
}

/** What a change of these paths deploys to, as a rule may ask for it: `environment production`; `unassigned paths` where some lead nowhere. */
export function touchesOf({ environments }: ScopeData, repository: string, paths: readonly string[]): string[] {
  const found = new Set<string>();
  for (const path of paths) {
    const of = Object.entries(environments).filter(([, patterns]) => patterns.some((pattern) => matchesGlob(pattern, repository, path)));
    for (const [name] of of) found.add(`environment ${name}`);
    if (of.length === 0) found.add('unassigned paths');
  }
  return [...found].sort();
}
