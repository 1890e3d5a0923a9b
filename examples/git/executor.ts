import { dirname, join, resolve } from 'node:path';
import { startExecutor } from '../../src/executor/start-executor.js';
import { requireGit } from './git.js';
import { readRepositories } from './repositories.js';
import { gitMerge } from './types.js';

/** The only process with write access to the repositories of repositories.json, which stands beside policy.yaml. */
const dir = resolve(process.env['KEYTURN_DIR'] ?? dirname(process.argv[1] ?? '.'));
try {
  await requireGit();
  const repositories = readRepositories(join(dir, 'repositories.json'), join(dir, '.keyturn', 'git'));
  await startExecutor({ actions: [gitMerge(repositories)], dir });
} catch (error) {
  console.error(`executor: not started\n${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
