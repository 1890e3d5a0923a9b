import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { isBuilt, packageRoot, payloadConverterPath } from './paths.js';

const ENTRY = resolve(packageRoot, isBuilt ? 'dist/src/workflows/index.js' : 'src/workflows/index.ts');
/** What all runs of a worker share; see the file. */
const SHARED = resolve(packageRoot, isBuilt ? 'dist/src/workflows/shared.js' : 'src/workflows/shared.ts');
const BUILT_BUNDLE = resolve(packageRoot, 'dist/workflow-bundle.js');
/** Inside the package, not in a shared temporary folder, where another user could leave a bundle for us to run. */
const CACHE = resolve(packageRoot, 'node_modules/.cache/keyturn');
const CACHE_MS = 60 * 60 * 1000;

/** What `Worker.create({ workflowBundle })` takes. */
export interface WorkflowBundle {
  codePath: string;
}

/**
 * In the sandbox, every use of a global asks Node first whether the context has its own; a constant of the script is only read. A tenth of what an action
 * costs a worker. None of these is ever replaced: `Date` and the timers, which the SDK replaces, must not be here.
 */
const CONSTANTS = [
  'Array',
  'BigInt',
  'Boolean',
  'DataView',
  'Error',
  'JSON',
  'Map',
  'Number',
  'Object',
  'Promise',
  'Reflect',
  'RegExp',
  'Set',
  'String',
  'Symbol',
  'TypeError',
  'Uint32Array',
  'Uint8Array',
  'WeakMap',
];
/** Before the first line, not a line of its own: those of the source map stay right. */
const asConstants = (code: string): string => `const ${CONSTANTS.map((name) => `${name} = globalThis.${name}`).join(', ')}; ${code}`;

const relativeName = ({ resourcePath }: { resourcePath: string }): string => resourcePath.replaceAll(packageRoot, '.');

async function bundle(entry: string): Promise<string> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: entry,
    payloadConverterPath,
    preloadModules: entry === ENTRY ? [SHARED] : [],
    logger: new DefaultLogger('WARN'),
    webpackConfigHook: (config) => ({
      ...config,
      // Names are relative to the package: no path of the building machine, the same bytes wherever it is built.
      context: packageRoot,
      output: { ...config.output, filename: 'workflow-bundle.js', pathinfo: false, devtoolModuleFilenameTemplate: relativeName },
      // The SDK refuses a bundle without an inline source map, and without one stack traces say `null:null`. Lines are enough;
      // columns and the sources themselves would make the file three times as large.
      devtool: 'inline-nosources-cheap-module-source-map',
      // What no workflow uses stays out. Nothing is renamed or minified: the bundle is security code that people may read.
      optimization: { providedExports: true, usedExports: true, sideEffects: true, innerGraph: true, concatenateModules: true },
    }),
  });
  return asConstants(code);
}

async function writeWhole(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const scratch = `${path}.${randomUUID()}.tmp`;
  await writeFile(scratch, text);
  await rename(scratch, path);
}

/**
 * Bundles the workflows into the file `path` (some 1.5 MB). The build calls it from dist with `dist/workflow-bundle.js`; tests may give
 * another entry file. Throws if workflow code uses what its sandbox has not.
 */
export async function writeWorkflowBundle(path: string, entry: string = ENTRY): Promise<void> {
  await writeWhole(path, await bundle(entry));
}

/** Changes when any source file or installed version does: cheaper than reading them, and never stale. */
async function sourceKey(): Promise<string> {
  const source = resolve(packageRoot, 'src');
  const files = (await readdir(source, { recursive: true })).map((name) => join(source, name)).sort();
  const stats = await Promise.all(
    [...files, resolve(packageRoot, 'package-lock.json')].map(async (file) => {
      const { size, mtimeMs } = await stat(file);
      return [file, size, mtimeMs];
    }),
  );
  return createHash('sha256').update(JSON.stringify(stats)).digest('hex').slice(0, 16);
}

async function prune(): Promise<void> {
  for (const name of await readdir(CACHE)) {
    const path = join(CACHE, name);
    // Another process may have removed it between the two.
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > CACHE_MS) await rm(path, { force: true });
  }
}

/**
 * The workflow bundle to run. Built: the file the build wrote. From source (tsx, jest): bundled now, which takes two seconds, and kept
 * for the next process until a source file changes. Throws if the build left no bundle, or if the workflows do not bundle.
 */
export async function loadWorkflowBundle(): Promise<WorkflowBundle> {
  if (isBuilt) {
    if (!existsSync(BUILT_BUNDLE)) throw new Error(`There is no ${BUILT_BUNDLE}: run \`npm run build\`.`);
    return { codePath: BUILT_BUNDLE };
  }
  const codePath = join(CACHE, `workflow-${await sourceKey()}.js`);
  if (!existsSync(codePath)) {
    await writeWorkflowBundle(codePath);
    await prune();
  }
  return { codePath };
}
