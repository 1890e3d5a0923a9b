import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, relative, resolve } from 'node:path';
import vm from 'node:vm';
import swc from '@swc/core';

/**
 * The project's modules and tests, loaded as CommonJS in this process. A registry is one set of them: packages are shared by all, a project's module is
 * evaluated once a registry, so that a mutant that acts while a module is loaded gets a registry of its own.
 */
const TARGET = { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } };
const NAME = /^(?:export )?(let|const) (\w+)/gm;
const [counted, acting, plain] = [new Map(), new Map(), new Map()];

/** What a module keeps from call to call can only be in its own variables: those it may assign, and the collections it holds. */
function keeperOf(source) {
  const names = { let: [], const: [] };
  for (const [, kind, name] of source.matchAll(NAME)) names[kind].push(name);
  const list = (all) => `[${all.join(', ')}]`;
  return `\n;__keep(() => ${list(names.let)}, (all) => { ${list(names.let)} = all; }, () => ${list(names.const)});`;
}

/**
 * Counting what is reached, and asking at every turn whether a mutant is the active one, cost more than all the rest. What is reached is counted only in the
 * run without mutants; from then on only the file of the mutant asks.
 */
export const instrumented = { counts: false, acts: '' };
const COUNTER = /^(function stryCov_\w+)\(\) \{[^]*?\n\}/m;
const ACTOR = /^(function stryMutAct_\w+)\(id\) \{[^]*?\n\}/m;
function sourceOf(file) {
  const text = readFileSync(file, 'utf8');
  if (instrumented.counts) return text;
  const uncounted = text.replace(COUNTER, '$1() {}');
  return file === instrumented.acts ? uncounted : uncounted.replace(ACTOR, '$1() { return false; }');
}

function scriptOf(file) {
  const scripts = instrumented.counts ? counted : file === instrumented.acts ? acting : plain;
  let script = scripts.get(file);
  if (script === undefined) {
    const source = sourceOf(file);
    const { code } = swc.transformSync(source, { ...TARGET, filename: file, configFile: false, swcrc: false });
    const wrapped = `(function (exports, require, module, __filename, __dirname, __keep) { ${code}${keeperOf(source)}\n})`;
    script = new vm.Script(wrapped, { filename: file });
    scripts.set(file, script);
  }
  return script;
}

const isMemory = (value) => (value instanceof Map || value instanceof Set ? value.size === 0 : Array.isArray(value) && value.length === 0);
const copied = (entry) =>
  Array.isArray(entry) && entry.length === 2 && Object.getPrototypeOf(entry[1] ?? 0) === Object.prototype
    ? [entry[0], { ...entry[1] }]
    : entry;
const contents = (memory) => Array.from(memory, copied);

function refill(memory, entries) {
  if (Array.isArray(memory)) return memory.splice(0, memory.length, ...entries);
  memory.clear();
  for (const entry of entries) {
    if (memory instanceof Map) memory.set(...copied(entry));
    else memory.add(entry);
  }
}

const resolved = new Map();
function pathOf(from, specifier) {
  const key = `${dirname(from)}\0${specifier}`;
  if (!resolved.has(key)) {
    const exact = resolve(dirname(from), specifier);
    resolved.set(key, exact.endsWith('.js') && !existsSync(exact) ? exact.replace(/\.js$/, '.ts') : exact);
  }
  return resolved.get(key);
}

export class Registry {
  #modules = new Map();
  #keepers = [];
  #uses = new Map();

  /**
   * `packages`: what stands for a package of that name; `instead`: what is made of a module's exports, by its path. `around(file, evaluate)`: called for
   * the evaluation of each module.
   */
  constructor(packages, instead, around = (file, evaluate) => evaluate()) {
    this.packages = packages;
    this.instead = instead;
    this.around = around;
  }

  load(file) {
    const known = this.#modules.get(file);
    if (known !== undefined) return known.exports;
    const module = { exports: {} };
    this.#modules.set(file, module);
    const uses = new Set();
    this.#uses.set(file, uses);
    const own = createRequire(file);
    const require = (specifier) => {
      if (!specifier.startsWith('.')) return this.packages[specifier] ?? own(specifier);
      const path = pathOf(file, specifier);
      if (!path.endsWith('.ts')) return own(path);
      uses.add(path);
      return this.load(path);
    };
    const keep = (get, set, constants) => {
      const memories = constants().filter(isMemory);
      if (memories.length + get().length > 0) this.#keepers.push({ get, set, memories, first: get() });
    };
    try {
      this.around(relative(process.cwd(), file), () => {
        scriptOf(file).runInThisContext()(module.exports, require, module, file, dirname(file), keep);
      });
      const other = this.instead[relative(process.cwd(), file)];
      if (other !== undefined) module.exports = other(module.exports);
    } catch (error) {
      this.#modules.delete(file);
      throw error;
    }
    return module.exports;
  }

  forget(file) {
    this.#modules.delete(file);
  }

  /** All modules that this one was loaded with, itself included, by their paths from the working directory. */
  closure(file) {
    const all = new Set();
    const add = (path) => {
      if (all.has(path)) return;
      all.add(path);
      for (const used of this.#uses.get(path) ?? []) add(used);
    };
    add(file);
    return new Set([...all].map((path) => relative(process.cwd(), path)));
  }

  /** Every module's variables as they were when it had been evaluated. */
  reset() {
    for (const { set, memories, first } of this.#keepers) {
      set(first);
      for (const memory of memories) refill(memory, []);
    }
  }

  /** Every module's variables as they are now; calling it puts them back. */
  snapshot() {
    const now = this.#keepers.map((keeper) => ({ ...keeper, first: keeper.get(), filled: keeper.memories.map(contents) }));
    return () => {
      this.reset();
      for (const { set, memories, first, filled } of now) {
        set(first);
        memories.forEach((memory, i) => {
          if (filled[i].length > 0) refill(memory, filled[i]);
        });
      }
    };
  }
}
