import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { MUTANTS } from '../test/mutants/list.mjs';

/**
 * `npm run test:mutants [name…]`: each patch of the list, in a copy of the tree, must make its named test fail; unpatched, that test must pass.
 * A test file that cannot even be loaded proves nothing and does not count as a kill.
 */
const root = resolve(import.meta.dirname, '..');
const NEEDED = ['src', 'test', 'examples', 'demo', 'package.json', 'jest.config.js', 'tsconfig.json'];
const TEST_MS = 120_000;

async function copyTree() {
  const work = await mkdtemp(join(tmpdir(), 'keyturn-mutants-'));
  for (const part of NEEDED) await cp(join(root, part), join(work, part), { recursive: true });
  await symlink(join(root, 'node_modules'), join(work, 'node_modules'));
  return work;
}

/** Runs the named tests of one file. `broken`: it could not be loaded, or took too long. */
async function jest(work, file, titles) {
  const report = join(work, 'report.json');
  await rm(report, { force: true });
  const pattern = titles.map((title) => `(?:${title})`).join('|');
  const args = ['--runInBand', '--runTestsByPath', file, '--testNamePattern', pattern, '--json', '--outputFile', report, '--silent'];
  const child = spawn(
    process.execPath,
    ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js', ...args],
    { cwd: work, stdio: 'ignore' },
  );
  const late = setTimeout(() => child.kill('SIGKILL'), TEST_MS);
  const code = await new Promise((done) => child.once('close', done));
  clearTimeout(late);
  const said = await readFile(report, 'utf8').then(JSON.parse, () => undefined);
  const all = (said?.testResults ?? []).flatMap((result) => result.assertionResults);
  const ran = all.filter(({ status }) => status === 'passed' || status === 'failed');
  const missing = titles.filter((title) => !ran.some(({ fullName }) => new RegExp(title, 'i').test(fullName)));
  return {
    passes: code === 0 && ran.length > 0 && missing.length === 0,
    fails: code !== 0 && ran.some(({ status }) => status === 'failed'),
    broken: said === undefined || said.numRuntimeErrorTestSuites > 0,
    missing,
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

async function judge(work, { patches, test, title }) {
  const { texts, problem } = await patched(work, patches);
  if (problem !== undefined) return problem;
  const originals = new Map();
  for (const [file, text] of texts) {
    originals.set(file, await readFile(join(work, file), 'utf8'));
    await writeFile(join(work, file), text);
  }
  try {
    const { fails, broken } = await jest(work, test, [title]);
    if (broken) return 'the patched code could not be loaded: that proves nothing';
    return fails ? undefined : 'its test still passes';
  } finally {
    for (const [file, text] of originals) await writeFile(join(work, file), text);
  }
}

const only = process.argv.slice(2);
const mutants = MUTANTS.filter(({ name }) => only.length === 0 || only.some((each) => name.includes(each)));
const work = await copyTree();
let killed = 0;
try {
  const unsound = new Map();
  for (const file of new Set(mutants.map(({ test }) => test))) {
    const titles = mutants.filter(({ test }) => test === file).map(({ title }) => title);
    const { passes, missing } = await jest(work, file, titles);
    if (!passes) unsound.set(file, missing.length > 0 ? `no such test: ${missing.join(' · ')}` : 'the test fails without any patch');
  }
  for (const mutant of mutants) {
    const why = unsound.get(mutant.test) ?? (await judge(work, mutant));
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
