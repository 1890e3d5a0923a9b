import { readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { PluginKind, commonTokens, declareFactoryPlugin, tokens } from '@stryker-mutator/api/plugin';
import { strykerPlugins as jest, strykerValidationSchema } from '@stryker-mutator/jest-runner';

/**
 * Stryker's jest runner loads every test file for every mutant, and only then leaves out the tests that do not reach it. This one gives jest only the files
 * with tests that reach the mutant, the quickest first, and stops at the first round in which one fails.
 */
const TIMES = 'test-times.json';
const ROUNDS = [1, 2, 4, 8];
const BETWEEN = ' :: ';

/** Ids of Stryker's runner are titles, and two files may share one. */
const idOf = (file, title) => `${file}${BETWEEN}${title}`;

function rounds(files) {
  const cut = [];
  for (let at = 0; at < files.length; at += cut.at(-1).length) {
    cut.push(files.slice(at, at + (ROUNDS[cut.length] ?? files.length)));
  }
  return cut;
}

/** Coverage is recorded under the title of a test; it is reported under its id. */
function byId({ perTest, ...rest }, tests) {
  const reached = tests.map(({ id }) => [id, perTest[id.slice(id.indexOf(BETWEEN) + BETWEEN.length)]]);
  return { ...rest, perTest: Object.fromEntries(reached.filter(([, coverage]) => coverage !== undefined)) };
}

function runnerFactory(injector) {
  const inner = jest[0].factory(injector);
  const adapter = inner.jestTestAdapter;
  let files;
  inner.jestTestAdapter = { run: (settings) => adapter.run(files === undefined ? settings : { ...settings, testFiles: files }) };
  const results = inner.processTestResults.bind(inner);
  inner.processTestResults = (suites) =>
    results(suites).map((test) => ({ ...test, id: idOf(relative(process.cwd(), test.fileName), test.id) }));
  let times;

  async function mutantRun(options) {
    times ??= JSON.parse(readFileSync(TIMES, 'utf8'));
    const titles = new Map();
    for (const id of options.testFilter ?? []) {
      const [file, title] = id.split(BETWEEN);
      titles.set(file, [...(titles.get(file) ?? []), title]);
    }
    // Without a filter the mutant runs while the file is loaded, so any test may be the one that sees it.
    const all = options.testFilter === undefined ? Object.keys(times) : [...titles.keys()];
    let nrOfTests = 0;
    for (const round of rounds(all.sort((a, b) => (times[a] ?? 0) - (times[b] ?? 0)))) {
      files = round;
      const testFilter = options.testFilter === undefined ? undefined : round.flatMap((file) => titles.get(file));
      const result = await inner.mutantRun({ ...options, testFilter });
      nrOfTests += result.nrOfTests ?? 0;
      if (result.status !== 'survived') return { ...result, nrOfTests };
    }
    return { status: 'survived', nrOfTests };
  }

  async function dryRun(options) {
    const result = await inner.dryRun(options);
    if (result.status !== 'complete') return result;
    const spent = {};
    for (const { fileName, timeSpentMs } of result.tests) {
      const file = relative(process.cwd(), fileName);
      spent[file] = (spent[file] ?? 0) + timeSpentMs;
    }
    writeFileSync(TIMES, JSON.stringify(spent));
    return { ...result, mutantCoverage: byId(result.mutantCoverage, result.tests) };
  }

  return { init: () => inner.init(), capabilities: () => inner.capabilities(), dryRun, mutantRun };
}
runnerFactory.inject = tokens(commonTokens.injector);

export const strykerPlugins = [declareFactoryPlugin(PluginKind.TestRunner, 'quickest-first', runnerFactory)];
export { strykerValidationSchema };
