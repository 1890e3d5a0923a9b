// Compiles src, examples, demo, bench and redteam to dist, then bundles the workflow code once, so that a worker starts in a second.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { chmodSync } from 'node:fs';

rmSync('dist', { recursive: true, force: true });
const tsc = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], { stdio: 'inherit' });
if (tsc.status !== 0) process.exit(tsc.status ?? 1);
if (existsSync('dist/src/temporal/bundle.js')) {
  const { writeWorkflowBundle } = await import('../dist/src/temporal/bundle.js');
  await writeWorkflowBundle('dist/workflow-bundle.js');
}
if (existsSync('dist/src/cli/main.js')) chmodSync('dist/src/cli/main.js', 0o755);
