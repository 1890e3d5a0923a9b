import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import { packageRoot } from '../src/temporal/paths.js';
import type { Patch } from './guards.js';

const NEEDED = ['dist', 'src/temporal/payload-converter.cjs', 'package.json', 'package-lock.json'];

/** A copy of this build in a temporary folder: never the work tree itself. The caller removes it. */
export async function copyBuild(): Promise<string> {
  const root = await mkdtemp(join(await realpath(tmpdir()), 'keyturn-redteam-'));
  for (const part of NEEDED) {
    await mkdir(dirname(join(root, part)), { recursive: true });
    await cp(join(packageRoot, part), join(root, part), { recursive: true });
  }
  await symlink(join(packageRoot, 'node_modules'), join(root, 'node_modules'));
  return root;
}

/** The text of each patched file. Throws unless every patch applies at exactly one place. */
export async function patchedTexts(patches: readonly Patch[], root: string = packageRoot): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const { file, find, put } of patches) {
    const text = texts.get(file) ?? (await readFile(join(root, file), 'utf8'));
    const places = text.split(find).length - 1;
    if (places !== 1) throw new Error(`the patch of ${file} applies at ${places} places: ${find}`);
    texts.set(
      file,
      text.replace(find, () => put),
    );
  }
  return texts;
}

/** Compiles the patched sources into the copy, and its workflow bundle where workflows use them. Returns what puts the copy back. */
export async function patchBuild(root: string, patches: readonly Patch[]): Promise<() => Promise<void>> {
  const texts = await patchedTexts(patches);
  const files = [...texts.keys()].map((file) => join(root, 'dist', file.replace(/\.ts$/, '.js')));
  const inWorkflows = [...texts.keys()].some((file) => /^src\/(?:domain|workflows)\//.test(file));
  if (inWorkflows) files.push(join(root, 'dist', 'workflow-bundle.js'));
  const before = await Promise.all(files.map(async (file) => [file, await readFile(file)] as const));
  for (const [file, text] of texts) {
    const { outputText } = ts.transpileModule(text, {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
    });
    await writeFile(join(root, 'dist', file.replace(/\.ts$/, '.js')), outputText);
  }
  if (inWorkflows) {
    const script = `const { writeWorkflowBundle } = await import('./dist/src/temporal/bundle.js'); await writeWorkflowBundle('dist/workflow-bundle.js');`;
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], { cwd: root, timeout: 120_000 });
  }
  return async () => {
    for (const [file, bytes] of before) await writeFile(file, bytes);
  };
}

export const removeBuild = (root: string): Promise<void> => rm(root, { recursive: true, force: true });
