import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Cluster } from './cluster.js';
import { DEPLOY, service } from './compose.js';
import { run } from './processes.js';

const NAMESPACE = service('worker').environment['TEMPORAL_NAMESPACE'] ?? '';

/** What deploy/ promises beyond the suite, on the server as it is deployed. In this order. */
export const CHECKS: readonly (readonly [string, (cluster: Cluster) => Promise<unknown>])[] = [
  [
    'the dynamic configuration holds only settings this server knows',
    ({ binaries, dir, path }) =>
      run({
        path: binaries.server,
        args: ['validate-dynamic-config', join(DEPLOY, 'compose/dynamic-config.yaml')],
        env: { PATH: path },
        cwd: dir,
      }),
  ],
  [
    'schema.sh and namespace.sh may be run again',
    async (cluster) => {
      await cluster.makeNamespace(NAMESPACE);
      await cluster.makeNamespace(NAMESPACE);
      await cluster.makeSchema();
    },
  ],
  [
    'attack 53: an activity without a workflow is not taken',
    async (cluster) => {
      const order = [
        '--type',
        'advance',
        '--task-queue',
        'keyturn-executor-bank',
        '--activity-id',
        'steal',
        '--start-to-close-timeout',
        '5s',
      ];
      const said = await cluster.temporal('activity', 'start', '--namespace', NAMESPACE, ...order).then(
        (text) => `taken: ${text}`,
        (error: unknown) => String(error),
      );
      assert.match(said, /Standalone activity is disabled/i);
    },
  ],
];
