import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { Registry } from './registry.mjs';
import { chance, rememberedPackages } from './remembered.mjs';
import { Suite } from './suite.mjs';

// One copy of it for the tests and for this file: what is configured once holds for all.
const require = createRequire(import.meta.url);
const fc = require('fast-check');
// One seed for every mutant: whether it is killed must not be a matter of luck. The first counterexample is enough.
fc.configureGlobal({ seed: 1, endOnFailure: true });

/** A server of its own, every byte of every file flipped, thousands of orders at random: each costs more than all the others together. */
const FILES_LEFT_OUT = /ledger-postgres|rules-shared|evidence-flips-|hostile-coordinator/;
/** One waits ten seconds for a clock, two start processes, one flips every byte. What only they would notice counts as survived. */
const TESTS_LEFT_OUT =
  /speaks slowly, is cut off|attack 65: kill -9 in the middle of writing|a second opener, in this process or in another|any byte of the assertion changed/;
/** Of the other folders, those that need no server, or, of the two databases, none but SQLite. */
const OTHERS = [
  ...['decisions', 'dialogue', 'evidence', 'freeze', 'hostile-api', 'policy', 'reading', 'render'].map((name) => `cli/${name}`),
  'client/sign',
  'docs/codes',
  'ledgers/restore',
].map((name) => `test/${name}.test.ts`);
const { noopMetricMeter } = require('@temporalio/common');
/** No server here: the contract of both databases is put to SQLite alone. Temporal's native runtime is one a process, for good: none is needed. */
const INSTEAD = {
  'test/executor/ledger/databases.ts': (exported) => ({ ...exported, KINDS: exported.KINDS.filter(({ kind }) => kind === 'sqlite') }),
  'src/temporal/runtime.ts': (exported) => ({ ...exported, installRuntime: () => noopMetricMeter }),
};
/** Of random tests: fewer than in the tests' own run, and fewer never kill more. One with thousands counts what it met, and needs them all. */
const MOST_RUNS = 100;
const COUNTS_FROM = 3_000;
const runs = (asked = MOST_RUNS) => (asked >= COUNTS_FROM ? asked : Math.min(asked, MOST_RUNS));
/** KEYTURN_MUTATION_TESTS (comma-separated parts of paths) narrows them, for one file at a time. */
const PARTS = (process.env.KEYTURN_MUTATION_TESTS ?? '').split(',');

export const testFiles = ['test/domain', 'test/executor']
  .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
  .concat(OTHERS)
  .filter((file) => file.endsWith('.test.ts') && !FILES_LEFT_OUT.test(file) && PARTS.some((part) => file.includes(part)))
  .sort();

const assert = (property, options) => fc.assert(property, { ...options, numRuns: runs(options?.numRuns) });
const quick = { ...fc, default: { ...fc.default, assert }, assert };
const packages = { ...rememberedPackages(), 'fast-check': quick };

export class Unloadable extends Error {}

/** The test files of one registry, each loaded when a test of it is asked for. */
export class Tests {
  #files = new Map();

  constructor(around) {
    this.registry = new Registry({ ...packages }, INSTEAD, around);
  }

  /** Loads a file with its tests. Throws `Unloadable`. */
  of(file) {
    try {
      return this.#of(file);
    } catch (error) {
      throw new Unloadable(`${file}: ${String(error)}`, { cause: error });
    }
  }

  /** The tests of a file, by their ids, and what puts all variables back as they were when it had been loaded. */
  #of(file) {
    let loaded = this.#files.get(file);
    if (loaded === undefined) {
      this.registry.reset();
      chance.drawn = 0;
      const suite = new Suite();
      this.registry.packages['@jest/globals'] = suite.globals();
      this.registry.load(resolve(file));
      const tests = new Map();
      for (const test of suite.tests.filter(({ title }) => !TESTS_LEFT_OUT.test(title))) {
        // A title made of an error holds its stack, with places that move.
        const name = `${file} :: ${test.title.split('\n')[0]}`;
        let id = name;
        for (let n = 2; tests.has(id); n++) id = `${name} #${n}`;
        tests.set(id, { ...test, id, file });
      }
      const [variables, { drawn }] = [this.registry.snapshot(), chance];
      const restore = () => {
        variables();
        chance.drawn = drawn;
      };
      loaded = { tests, restore, endsForGood: suite.root.hooks.afterAll.length > 0 };
      this.#files.set(file, loaded);
    }
    return loaded;
  }

  /** To be called after a run of tests of these files: one that cleared up after itself has to be loaded again. */
  ran(files) {
    for (const file of files) {
      if (this.#files.get(file)?.endsForGood !== true) continue;
      this.#files.delete(file);
      this.registry.forget(resolve(file));
    }
  }
}
