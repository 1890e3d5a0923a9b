import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { PluginKind, declareClassPlugin } from '@stryker-mutator/api/plugin';

/** Every verdict as it is found, one JSON a line. */
const FILE = '.cache/stryker/verdicts.jsonl';
const INCREMENTAL = '.cache/stryker/incremental.json';
const KEEP_MS = 60_000;
const NOTHING = { schemaVersion: '1.0', thresholds: { high: 100, low: 95 }, files: {}, testFiles: {} };
/** Of a test remembered from an earlier run Stryker puts `file@line:column` and a line end before its id. */
const fileOf = (id) => id.slice(id.indexOf('\n') + 1, id.indexOf(' :: '));
const keyOf = ({ location, mutatorName, replacement }) => JSON.stringify([location.start, location.end, mutatorName, replacement]);

/**
 * Stryker writes what it found when the last mutant of a run has been met. This keeps the killed ones on the way, in its own form: a run that was stopped
 * goes on from there. What survived is met again.
 */
export class Tell {
  #killed = [];
  #kept = 0;
  /** By path, as they were when the run began: what is killed by a test that changes meanwhile must be met again. */
  #sources = new Map();

  onMutationTestingPlanReady({ mutantPlans }) {
    const files = mutantPlans.flatMap(({ mutant }) => [mutant.fileName, ...(mutant.coveredBy ?? []).map(fileOf)]);
    for (const file of new Set(files)) this.#sources.set(relative(process.cwd(), file), readFileSync(file, 'utf8'));
    this.#kept = Date.now();
  }

  onMutantTested({ fileName, location, mutatorName, replacement, status, killedBy, statusReason, id, testsCompleted }) {
    appendFileSync(FILE, `${JSON.stringify({ fileName, location, mutatorName, replacement, status, killedBy, statusReason })}\n`);
    if (status !== 'Killed') return;
    this.#killed.push({ fileName, mutant: { id, location, mutatorName, replacement, status, killedBy, statusReason, testsCompleted } });
    if (Date.now() - this.#kept > KEEP_MS) this.#keep();
  }

  #keep() {
    const { files, testFiles, ...rest } = existsSync(INCREMENTAL) ? JSON.parse(readFileSync(INCREMENTAL, 'utf8')) : NOTHING;
    for (const { fileName, mutant } of this.#killed.splice(0)) {
      const name = relative(process.cwd(), fileName);
      const source = this.#sources.get(name);
      const before = files[name]?.source === source ? files[name].mutants : [];
      files[name] = { language: 'typescript', source, mutants: [...before.filter((each) => keyOf(each) !== keyOf(mutant)), mutant] };
      for (const test of mutant.killedBy ?? []) {
        const testFile = fileOf(test);
        const known = testFiles[testFile];
        const tests = known?.source === this.#sources.get(testFile) ? known.tests : [];
        testFiles[testFile] = {
          source: this.#sources.get(testFile),
          tests: [...tests.filter(({ id }) => id !== test), { id: test, name: test }],
        };
      }
    }
    writeFileSync(`${INCREMENTAL}.new`, JSON.stringify({ ...rest, files, testFiles }));
    renameSync(`${INCREMENTAL}.new`, INCREMENTAL);
    this.#kept = Date.now();
  }
}

export const strykerPlugins = [declareClassPlugin(PluginKind.Reporter, 'tell', Tell)];
