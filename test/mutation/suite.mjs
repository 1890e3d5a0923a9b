import { createRequire } from 'node:module';

/** `describe`, `test` and the hooks, of one file: they note what is to be run, so that one test can be run by itself, again and again. */
const require = createRequire(import.meta.url);
const { bind } = require('jest-each');
const { expect } = require('expect');

export class Suite {
  root = { title: '', parent: undefined, hooks: { beforeAll: [], afterAll: [], beforeEach: [], afterEach: [] } };
  tests = [];
  #block = this.root;

  /** What `@jest/globals` gives while this file is loaded. */
  globals() {
    const describe = (title, body) => {
      const outer = this.#block;
      this.#block = { title, parent: outer, hooks: { beforeAll: [], afterAll: [], beforeEach: [], afterEach: [] } };
      try {
        body();
      } finally {
        this.#block = outer;
      }
    };
    const test = (title, body, ...rest) => {
      if (body.length > 0) throw new Error(`a test with a callback: ${title}`);
      this.tests.push({
        title: [...pathTo(this.#block).map((block) => block.title), title].filter((part) => part !== '').join(' '),
        body,
        block: this.#block,
        rest,
      });
    };
    const hook = (kind) => (body) => void this.#block.hooks[kind].push(body);
    describe.each = bind(describe, false);
    test.each = bind(test, false);
    const hooks = Object.fromEntries(['beforeAll', 'afterAll', 'beforeEach', 'afterEach'].map((kind) => [kind, hook(kind)]));
    return { describe, test, it: test, expect, ...hooks };
  }
}

/** From the outermost block to this one. */
const pathTo = (block) => (block === undefined ? [] : [...pathTo(block.parent), block]);

const isSkipped = Symbol('not begun');
async function each(bodies, watch) {
  for (const body of bodies) await watch(body);
}

/** Runs tests of any files in any order. A block is opened by its first test, and stays open till `close`. */
export class Run {
  #open = [];
  #broken = new Map();
  /** `watch(body)` runs a test's or hook's body; it throws what the body throws, or when it hangs. */
  constructor(watch) {
    this.watch = watch;
  }

  async #enter(block) {
    if (this.#broken.has(block)) throw this.#broken.get(block);
    if (this.#open.includes(block)) return;
    this.#open.push(block);
    try {
      await each(block.hooks.beforeAll, this.watch);
    } catch (error) {
      this.#broken.set(block, error);
      throw error;
    }
  }

  /** Throws what made it fail. */
  async test({ block, body }) {
    const blocks = pathTo(block);
    for (const one of blocks) await this.#enter(one);
    let failure = isSkipped;
    const attempt = async (bodies) => {
      try {
        await each(bodies, this.watch);
      } catch (error) {
        if (failure === isSkipped) failure = error;
      }
    };
    await attempt(blocks.flatMap(({ hooks }) => hooks.beforeEach));
    if (failure === isSkipped) await attempt([body]);
    await attempt(blocks.toReversed().flatMap(({ hooks }) => hooks.afterEach.toReversed()));
    if (failure !== isSkipped) throw failure;
  }

  /** Returns what the blocks' ends threw. */
  async close() {
    const failures = [];
    for (const block of this.#open.reverse()) {
      for (const body of block.hooks.afterAll.toReversed()) {
        try {
          await this.watch(body);
        } catch (error) {
          failures.push(error);
        }
      }
    }
    this.#open = [];
    return failures;
  }
}
