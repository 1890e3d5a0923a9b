import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { CHECKS } from './checks.js';
import { Cluster, SHARDS } from './cluster.js';
import { tagOf } from './compose.js';

/**
 * `npm run test:cluster [-- jest arguments]`: what deploy/ says, run without containers: a Temporal server on PostgreSQL, on which first the checks of the
 * deployment and then the integration suite must pass. Ends with one line; exit 1 unless everything passed.
 */

const SUITE = ['test/integration', 'test/api'];
const began = performance.now();
const log = (line: string): void => console.log(`${((performance.now() - began) / 1_000).toFixed(1).padStart(7)} s  ${line}`);

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort(new Error(`stopped by ${signal}`)));

interface Tally {
  passed: number;
  failed: number;
}

async function check(cluster: Cluster, tally: Tally): Promise<void> {
  for (const [name, holds] of CHECKS) {
    interrupted.signal.throwIfAborted();
    try {
      await holds(cluster);
      tally.passed += 1;
      log(`ok      ${name}`);
    } catch (error) {
      tally.failed += 1;
      log(`FAILED  ${name}\n${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

const resultSchema = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  numRuntimeErrorTestSuites: z.number(),
});

async function suite(cluster: Cluster, tally: Tally): Promise<void> {
  const output = join(cluster.dir, 'results.json');
  const given = process.argv.slice(2);
  const args = ['run', '--silent', 'test:jest', '--', ...(given.length > 0 ? given : SUITE), '--json', `--outputFile=${output}`];
  const env = { ...process.env, TEMPORAL_TEST_ADDRESS: cluster.address };
  // Its progress is on stderr; what --json prints is in the file as well.
  const jest = spawn('npm', args, { env, stdio: ['ignore', 'ignore', 'inherit'], detached: true });
  const end = (): void => void (jest.pid !== undefined && process.kill(-jest.pid, 'SIGTERM'));
  interrupted.signal.addEventListener('abort', end);
  await once(jest, 'exit');
  interrupted.signal.removeEventListener('abort', end);
  interrupted.signal.throwIfAborted();
  if (!existsSync(output)) throw new Error('the suite did not run');
  const result = resultSchema.parse(JSON.parse(await readFile(output, 'utf8')));
  tally.passed += result.numPassedTests;
  // A test that was left out is a shortfall here.
  tally.failed += result.numFailedTests + result.numRuntimeErrorTestSuites + result.numPendingTests + result.numTodoTests;
  if (result.numPassedTests === 0) tally.failed += 1;
}

async function all(cluster: Cluster, tally: Tally): Promise<void> {
  await cluster.makeSchema();
  log('schema of both databases');
  await cluster.start({ standalone: false });
  log(`Temporal server on ${cluster.address}, as deployed`);
  await check(cluster, tally);
  await cluster.stop();
  await cluster.start({ standalone: true });
  await cluster.makeNamespace('default');
  log('started again with standalone activities, which the attacks of the suite need');
  await suite(cluster, tally);
}

const dir = await mkdtemp(join(tmpdir(), 'keyturn-cluster-'));
const tally: Tally = { passed: 0, failed: 0 };
let on = '';
try {
  const cluster = await Cluster.open(dir, log);
  on = `PostgreSQL ${cluster.postgres.version}`;
  try {
    await all(cluster, tally);
  } finally {
    await cluster.close();
  }
} catch (error) {
  tally.failed += 1;
  log(error instanceof Error ? error.message : String(error));
} finally {
  await rm(dir, { recursive: true, force: true });
}
log('everything is stopped');
console.log(
  `cluster: ${tally.passed} passed, ${tally.failed} failed (temporal ${tagOf('temporal')} on ${on || 'nothing'}, ${SHARDS} shards)`,
);
process.exitCode = tally.failed === 0 && tally.passed > 0 ? 0 : 1;
