import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import vm from 'node:vm';
import { PluginKind, declareFactoryPlugin } from '@stryker-mutator/api/plugin';
import { keepForOthers, memory } from './remembered.mjs';
import { instrumented } from './registry.mjs';
import { Run } from './suite.mjs';
import { Tests, Unloadable, testFiles } from './tests.mjs';
import { Hangs, watchdog, watched } from './watch.mjs';

/**
 * A runner for Stryker that keeps sources and tests loaded. A mutant that acts at run time is switched on and meets, one by one, the tests that reach it;
 * one that acts while modules are loaded meets the tests of every file that loads them, in modules evaluated anew with it. The tests that killed mutants
 * of the same file lately come first, then the quickest; the first that fails ends it, and counts only if it passes without the mutant.
 */
const FACTS = 'mutation-facts.json';
const ENDLESS = 'mutation-endless-';
const LOADING = 'loading ';
const TURNS = 100;
/** What a mutant does while a module is loaded reaches every test of it: the costly ones meet only those that act within them, too. Fewer never kill more. */
const MOST_MS_FAR = 100;
/** So do those of what everything is made of: bytes, JSON, digests. */
const MANY = 300;
/** One test goes through a mutant less often than all tests together without it did: Stryker's limit is a hundred times as much, and memory ends before. */
const STRYKERS_FACTOR = 100;
const FREE_HITS = 1_000_000;
/** Called back by what `remembered.mjs` remembers. */
const CALLED_BACK = /src\/domain\/ed25519\.ts$/;
/** Without that memory all tests together cost minutes: such a mutant meets those that are about signatures. */
const ABOUT_SIGNATURES = /^test\/domain\/(?:ed25519|keys|vectors)\.test/;

const stryker = (globalThis.__stryker__ ??= {});

async function naming(name, run) {
  const outer = stryker.currentTestId;
  stryker.currentTestId = name;
  try {
    return await run();
  } finally {
    stryker.currentTestId = outer;
  }
}
function namingSync(name, run) {
  const outer = stryker.currentTestId;
  stryker.currentTestId = name;
  try {
    return run();
  } finally {
    stryker.currentTestId = outer;
  }
}

function add(total, counts = {}) {
  for (const [mutant, count] of Object.entries(counts)) total[mutant] = (total[mutant] ?? 0) + count;
}

const messageOf = (error) => (error instanceof Error ? `${error.message}` : String(error)).slice(0, 2_000);

class Runner {
  #dog = watchdog(ENDLESS);
  #warm = new Tests();
  #facts;
  #killers = new Map();

  capabilities() {
    return { reloadEnvironment: true };
  }

  /** Runs tests, each as if it were the first since its file was loaded. Stops at the first failure and returns it. */
  async #meet(tests, ids, limit) {
    const run = new Run((body) => watched(body, TURNS));
    let failed;
    const files = new Set();
    let count = 0;
    let unloadable;
    const without = new Set();
    for (const id of ids) {
      const file = id.slice(0, id.indexOf(' :: '));
      if (without.has(file)) continue;
      this.#dog.goesOn();
      count++;
      try {
        files.add(file);
        const loaded = tests.of(file);
        const test = loaded.tests.get(id);
        // Titles made of the sources' own words change with them: a test of another name is no failed test.
        if (test === undefined) continue;
        loaded.restore();
        if (limit !== undefined) stryker.hitCount = 0;
        await run.test(test);
      } catch (error) {
        if (error instanceof Unloadable) {
          // A file that does not even load says nothing of what its tests would see: the others may.
          unloadable = error;
          without.add(file);
          continue;
        }
        failed = { id, error };
      }
      if (limit !== undefined && stryker.hitCount > limit) failed = { id, error: new Hangs(`hit limit ${limit}`) };
      if (failed !== undefined) break;
    }
    await run.close();
    tests.ran(files);
    return { failed, count, unloadable };
  }

  async dryRun() {
    delete stryker.activeMutant;
    stryker.mutantCoverage = { static: {}, perTest: {} };
    const reached = stryker.mutantCoverage.perTest;
    instrumented.counts = true;
    const counted = new Tests((file, evaluate) => namingSync(LOADING + file, evaluate));
    const results = [];
    const times = {};
    const all = testFiles.flatMap((file) => [...counted.of(file).tests.values()]);
    // Each by itself, as mutants will meet them.
    for (const { id, file } of all) {
      memory.on = !/ed25519/.test(file);
      const before = process.cpuUsage();
      const { failed } = await naming(id, () => this.#meet(counted, [id]));
      const { user, system } = process.cpuUsage(before);
      times[id] = (user + system) / 1000;
      results.push({
        id,
        name: id,
        fileName: file,
        timeSpentMs: times[id],
        status: failed === undefined ? 0 : 1,
        failureMessage: failed && String(failed.error?.stack ?? failed.error),
      });
    }
    const files = new Map();
    for (const { id, file } of all) files.set(file, [...(files.get(file) ?? []), id]);
    const closures = new Map(testFiles.map((file) => [file, counted.registry.closure(resolve(file))]));
    const perTest = {};
    const loading = {};
    for (const [name, counts] of Object.entries(reached)) {
      if (!name.startsWith(LOADING)) {
        add((perTest[name] ??= {}), counts);
        continue;
      }
      add(loading, counts);
      const module = name.slice(LOADING.length);
      for (const [file, ids] of files) {
        if (closures.get(file).has(module)) for (const id of ids) add((perTest[id] ??= {}), counts);
      }
    }
    const direct = {};
    for (const [name, counts] of Object.entries(reached)) {
      if (name.startsWith(LOADING)) continue;
      for (const mutant of Object.keys(counts)) if (loading[mutant] !== undefined) (direct[mutant] ??= []).push(name);
    }
    instrumented.counts = false;
    keepForOthers();
    writeFileSync(FACTS, JSON.stringify({ times, loading: Object.keys(loading), direct }));
    return { status: 'complete', tests: results, mutantCoverage: { static: {}, perTest } };
  }

  #known() {
    if (this.#facts === undefined) {
      const { times, loading, direct } = JSON.parse(readFileSync(FACTS, 'utf8'));
      this.#facts = { times, loading: new Set(loading), direct };
    }
    return this.#facts;
  }

  #ordered(ids, mutant, fileName) {
    const { times, loading, direct } = this.#known();
    const killers = this.#killers.get(fileName) ?? [];
    const near = new Set(loading.has(mutant) ? (direct[mutant] ?? ['']) : []);
    const rank = (id) => {
      const at = killers.indexOf(id);
      return at >= 0 && times[id] < 300 ? at - 1_000 : times[id] * (near.size > 0 && !near.has(id) ? 4 : 1);
    };
    return ids
      .filter((id) => !CALLED_BACK.test(fileName) || ABOUT_SIGNATURES.test(id))
      .filter((id) => (near.size === 0 ? ids.length <= MANY : near.has(id)) || times[id] <= MOST_MS_FAR)
      .map((id) => [rank(id), id])
      .sort(([a], [b]) => a - b)
      .map(([, id]) => id);
  }

  #remember(fileName, id) {
    this.#killers.set(fileName, [id, ...(this.#killers.get(fileName) ?? []).filter((other) => other !== id)].slice(0, 12));
  }

  async mutantRun({ activeMutant: { id: number, fileName }, sandboxFileName, testFilter, hitLimit }) {
    // As a literal, so that the sources' own question for it compares one pointer.
    const id = vm.runInThisContext(JSON.stringify(number));
    if (existsSync(`${ENDLESS}${id}`)) return { status: 'timeout', reason: 'no end in processor time' };
    if (instrumented.acts !== resolve(sandboxFileName)) {
      instrumented.acts = resolve(sandboxFileName);
      this.#warm = new Tests();
    }
    const loads = this.#known().loading.has(id);
    const ids = this.#ordered(testFilter, id, fileName);
    memory.on = !CALLED_BACK.test(fileName);
    for (let attempt = 1; ; attempt++) {
      const tests = loads ? new Tests() : this.#warm;
      // What has to be loaded first for tests of this mutant is loaded without it.
      if (!loads) for (const file of new Set(ids.map((one) => one.slice(0, one.indexOf(' :: '))))) tests.of(file);
      this.#dog.begins(id);
      const limit = hitLimit === undefined ? undefined : (2 * hitLimit) / STRYKERS_FACTOR + FREE_HITS;
      Object.assign(stryker, { activeMutant: id, hitCount: limit === undefined ? undefined : 0, hitLimit: limit });
      const { failed, count, unloadable } = await this.#meet(tests, ids, limit);
      delete stryker.activeMutant;
      delete stryker.hitCount;
      delete stryker.hitLimit;
      this.#dog.ends();
      if (failed === undefined)
        return unloadable === undefined
          ? { status: 'survived', nrOfTests: count }
          : { status: 'error', errorMessage: messageOf(unloadable) };
      if (failed.error instanceof Hangs) {
        // Whatever still waits in there is left behind.
        this.#warm = new Tests();
        this.#remember(fileName, failed.id);
        return { status: 'timeout', reason: failed.error.message };
      }
      const { failed: anyway } = await this.#meet(this.#warm, [failed.id]);
      if (anyway === undefined) {
        this.#remember(fileName, failed.id);
        return { status: 'killed', killedBy: [failed.id], failureMessage: messageOf(failed.error), nrOfTests: count };
      }
      // An earlier mutant left something behind: with nothing of it, once more.
      this.#warm = new Tests();
      if (attempt === 3) return { status: 'survived', nrOfTests: count };
    }
  }
}

const factory = () => new Runner();
factory.inject = [];
export const strykerPlugins = [declareFactoryPlugin(PluginKind.TestRunner, 'kept-loaded', factory)];
