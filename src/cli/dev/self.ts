import { join } from 'node:path';
import { isBuilt } from '../../temporal/paths.js';

/** How to run this very command line in another process: built, or from source through tsx. */
export function selfCommand(args: readonly string[]): { readonly file: string; readonly args: readonly string[] } {
  const main = join(import.meta.dirname, '..', isBuilt ? 'main.js' : 'main.ts');
  const loader = isBuilt ? [] : ['--import', import.meta.resolve('tsx')];
  return { file: process.execPath, args: [...loader, main, ...args] };
}
