import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { MUTANTS } from '../test/mutants/list.mjs';

/**
 * `npm run test:mutants [name…]`: each patch of the list, in a copy of the tree, must make its named test fail; unpatched, that test must pass.
 * Patched code that cannot be loaded, or no longer runs what people agreed to, proves nothing and does not count as a kill.
 */
const root = resolve(import.meta.dirname, '..');
const NEEDED = ['src', 'test', 'examples', 'demo', 'package.json', 'jest.config.js', 'tsconfig.json'];
const TEST_MS = 120_000;
/** An honest action from its seal to its end: what every mutant must still be able to do. */
const HONEST = { test: 'test/executor/advance.test.ts', title: 'report says what is due, and changes nothing' };

async function copyTree() {
  const work = await mkdtemp(join(await realpath(tmpdir()), 'keyturn-mutants-'));
  for (const part of NEEDED) await cp(join(root, part), join(work, part), { recursive: true });
  await symlink(join(root, 'node_modules'), join(work, 'node_modules'));
  return work;
}

/** Runs the named tests: which of them passed, and which failed. Neither: not found, not loaded, or not in time. */
async function jest(work, tests) {
  const report = join(work, 'report.json');
  await rm(report, { force: true });
  const files = [...new Set(tests.map(({ test }) => test))];
  const pattern = tests.map(({ title }) => `(?:${title})`).join('|');
  const flags = ['--runInBand', '--silent', '--json', '--outputFile', report, '--testNamePattern', pattern, '--runTestsByPath', ...files];
  const node = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
  const child = spawn(process.execPath, [...node, ...flags], { cwd: work, stdio: 'ignore' });
  const late = setTimeout(() => child.kill('SIGKILL'), TEST_MS);
  await new Promise((done) => child.once('close', done));
  clearTimeout(late);
  const said = await readFile(report, 'utf8').then(JSON.parse, () => ({ testResults: [] }));
  const statuses = ({ test, title }) =>
    said.testResults
      .filter(({ name }) => relative(work, name) === test)
      .flatMap(({ assertionResults }) => assertionResults)
      .filter(({ fullName }) => new RegExp(title, 'i').test(fullName))
      .map(({ status }) => status);
  return {
    passes: (named) => statuses(named).includes('passed') && !statuses(named).includes('failed'),
    fails: (named) => statuses(named).includes('failed'),
  };
}

/** The patched text of each file, or which patch no longer applies. */
async function patched(work, patches) {
  const texts = new Map();
  for (const { file, find, put } of patches) {
    const text = texts.get(file) ?? (await readFile(join(work, file), 'utf8'));
    const places = text.split(find).length - 1;
    if (places !== 1) return { problem: `the patch of ${file} applies at ${places} places: ${find}` };
    texts.set(
      file,
      text.replace(find, () => put),
    );
  }
  return { texts };
}

/** Why the mutant survived; undefined if it was killed. */
async function judge(work, mutant) {
  const { texts, problem } = await patched(work, mutant.patches);
  if (problem !== undefined) return problem;
  const originals = new Map();
  for (const [file, text] of texts) {
    originals.set(file, await readFile(join(work, file), 'utf8'));
    await writeFile(join(work, file), text);
  }
  try {
    const { passes, fails } = await jest(work, [HONEST, mutant]);
    if (!passes(HONEST)) return 'patched like this nothing runs at all, which proves nothing';
    return fails(mutant) ? undefined : 'its test still passes';
  } finally {
    for (const [file, text] of originals) await writeFile(join(work, file), text);
  }
}

const only = process.argv.slice(2);
const mutants = MUTANTS.filter(({ name }) => only.length === 0 || only.some((each) => name.includes(each)));
const work = await copyTree();
let killed = 0;
try {
  const unpatched = await jest(work, [HONEST, ...mutants]);
  for (const mutant of mutants) {
    const why = unpatched.passes(mutant) ? await judge(work, mutant) : 'its test does not exist, or fails without any patch';
    if (why === undefined) killed++;
    console.log(
      `${why === undefined ? 'killed  ' : 'SURVIVED'} ${mutant.name} by ${mutant.test}: ${mutant.title}${why === undefined ? '' : ` (${why})`}`,
    );
  }
} finally {
  await rm(work, { recursive: true, force: true });
}
console.log(`${killed} of ${mutants.length} mutants killed`);
process.exitCode = killed === mutants.length && killed > 0 ? 0 : 1;
