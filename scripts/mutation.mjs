import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';

/**
 * `npm run test:mutation [-- FILE[:FROM-TO]… [--tests PART,PART] [--dry]]`: every mutant of the rules and of the executor must make a test fail.
 * Results are kept in `.cache/stryker` after every folder and used again for what did not change: a run that was stopped goes on from there.
 */
const LEAST = 95;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { tests: { type: 'string' }, dry: { type: 'boolean', default: false } },
});
const root = resolve(import.meta.dirname, '..');
process.chdir(root);
if (values.tests !== undefined) process.env.KEYTURN_MUTATION_TESTS = values.tests;

const sources = (folder, recursive) =>
  readdirSync(folder, { recursive, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
const folders = (folder) => readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const partsOf = (folder) => [sources(folder, false), ...folders(folder).map(({ name }) => sources(join(folder, name), true))];
const parts = positionals.length > 0 ? [positionals] : [...partsOf('src/domain'), ...partsOf('src/executor')];

const run = (mutate) =>
  new Stryker({
    mutate,
    plugins: ['./test/mutation/runner.mjs', './test/mutation/tell.mjs'],
    testRunner: 'kept-loaded',
    testRunnerNodeArgs: ['--disable-warning=ExperimentalWarning', '--max-old-space-size=3072'],
    coverageAnalysis: 'perTest',
    concurrency: 2,
    // A mutant that only met a busy machine must not count as killed: the runner itself tells what hangs, by its own time.
    timeoutMS: 3_600_000,
    timeoutFactor: 4,
    dryRunTimeoutMinutes: 30,
    dryRunOnly: values.dry,
    tempDirName: '.cache/stryker/sandbox',
    ignorePatterns: ['.cache', '.keyturn', 'coverage', 'dist', 'deploy', 'bench', 'test/histories', 'test/screenshots'],
    disableTypeChecks: false,
    incremental: true,
    incrementalFile: '.cache/stryker/incremental.json',
    reporters: ['progress-append-only', 'clear-text', 'json', 'tell'],
    clearTextReporter: { allowColor: false, allowEmojis: false, logTests: false, reportTests: false },
    jsonReporter: { fileName: '.cache/stryker/report.json' },
    thresholds: { high: 100, low: LEAST, break: null },
  }).runMutationTest();

const results = [];
for (const part of parts) {
  // Stryker hands back what it remembers of other files, too.
  const files = new Set(part.map((file) => resolve(file.replace(/:.*$/, ''))));
  results.push(...(await run(part)).filter(({ fileName }) => files.has(resolve(fileName))));
}

if (!values.dry) {
  const count = (...statuses) => results.filter(({ status }) => statuses.includes(status)).length;
  const killed = count('Killed', 'Timeout');
  const survived = count('Survived', 'NoCoverage');
  const unloaded = count('RuntimeError', 'CompileError');
  const score = killed + survived === 0 ? 0 : (100 * killed) / (killed + survived);
  if (unloaded > 0) console.log(`${unloaded} more could not be loaded, and count as neither`);
  console.log(`mutation: ${killed} killed, ${survived} survived, score ${score.toFixed(2)} %`);
  process.exitCode = score >= LEAST ? 0 : 1;
}
