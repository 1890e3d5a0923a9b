import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import proto from '@temporalio/proto';
import type { WorkflowHandle } from '@temporalio/client';
import { workerVersions } from '../../src/cli/doctor/versions.js';
import { temporalBinary } from '../../src/temporal/binary.js';
import { loadWorkflowBundle, writeWorkflowBundle } from '../../src/temporal/bundle.js';
import { WORKFLOW_QUEUE } from '../../src/temporal/names.js';
import { packageRoot } from '../../src/temporal/paths.js';
import { buildIdOf, readVersioning, WORKER_DEPLOYMENT } from '../../src/temporal/versioning.js';
import { startWorker, type RunningWorker, type WorkflowRole } from '../../src/worker.js';
import { approve, request } from '../helpers/messages.js';
import { Rig } from '../helpers/rig.js';

const { VERSION_DRAINAGE_STATUS_DRAINED } = proto.temporal.api.enums.v1.VersionDrainageStatus;
const { VERSIONING_BEHAVIOR_PINNED } = proto.temporal.api.enums.v1.VersioningBehavior;
const now = (): { at: number } => ({ at: Date.now() });
/** The server looks every three minutes otherwise. */
const DRAINS_SOON = ['VisibilityGracePeriod', 'RefreshInterval'].map((name) => `matching.wv.VersionDrainageStatus${name}="1s"`);

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + 60_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`in vain: ${what}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

test('a build is pinned: what A began stays with A and is finished by it, what is new goes to B, and A drains', async () => {
  const rig = await Rig.start({ serverSettings: DRAINS_SOON });
  const workers: RunningWorker[] = [];
  try {
    const start = async (
      more: Pick<WorkflowRole, 'bundle'> = {},
    ): Promise<{ readonly worker: RunningWorker; readonly buildId: string }> => {
      const role = { role: 'workflow', roster: join(rig.dir, 'roster.yaml'), versioned: true, ...more } as const;
      const worker = await startWorker(role, () => undefined, rig.settings);
      workers.push(worker);
      if (worker.buildId === undefined) throw new Error('not versioned');
      return { worker, buildId: worker.buildId };
    };
    const { namespace } = rig.server;
    const service = rig.client.workflowService;
    const version = (buildId: string) =>
      service
        .describeWorkerDeploymentVersion({ namespace, deploymentVersion: { deploymentName: WORKER_DEPLOYMENT, buildId } })
        .then(({ workerDeploymentVersionInfo: info }) => info ?? undefined)
        .catch(() => undefined);
    const { path } = await temporalBinary({ log: () => undefined });
    const makeCurrent = async (buildId: string): Promise<void> => {
      await until(`${buildId} polls`, () => version(buildId));
      const args = ['worker', 'deployment', 'set-current-version', '--deployment-name', WORKER_DEPLOYMENT, '--build-id', buildId, '--yes'];
      await promisify(execFile)(path, [...args, '--address', rig.server.address, '--namespace', namespace]);
    };
    const builtBy = async (handle: WorkflowHandle) => {
      const { versioningInfo } = (await handle.describe()).raw.workflowExecutionInfo ?? {};
      return { behavior: versioningInfo?.behavior, buildId: versioningInfo?.deploymentVersion?.buildId };
    };
    const agree = async (handle: WorkflowHandle, sealed: Awaited<ReturnType<Rig['sealed']>>, ...people: string[]): Promise<void> => {
      for (const person of people) expect(await rig.decide(handle, approve(person, sealed, now()))).toBe('counted');
    };

    expect(await workerVersions(rig.client)).toEqual([]);
    // Begun by a worker that is not versioned, and still pending when the first build is made current: it is that build's.
    const unversioned = await rig.propose({ idempotencyKey: 'unversioned' });
    await rig.stopWorker();
    const a = await start();
    expect(a.buildId).toBe(await buildIdOf(await loadWorkflowBundle()));
    expect(a.buildId).toMatch(/^\d+\.\d+\.\d+-[0-9a-f]{12}$/);
    // Until somebody says which build is the current one, no new action begins: that is why it is not the default.
    await until('A polls', () => version(a.buildId));
    const early = request({ idempotencyKey: 'early' });
    const first = await rig.start(early.id, [early.signed]);
    expect((await first.describe()).historyLength).toBe(2);
    expect(await workerVersions(rig.client)).toMatchObject([{ ok: false, remedy: expect.stringContaining(`--build-id ${a.buildId}`) }]);
    await makeCurrent(a.buildId);
    expect(await workerVersions(rig.client)).toEqual([{ ok: true, what: 'worker builds', text: `${a.buildId} gets new actions` }]);
    const pending = await rig.sealed(first, 1);
    await agree(first, pending, 'ana');
    expect(await builtBy(first)).toEqual({ behavior: VERSIONING_BEHAVIOR_PINNED, buildId: a.buildId });

    await agree(unversioned.handle, unversioned.sealed, 'ana', 'ben');
    expect(await rig.outcome(unversioned.handle)).toMatchObject({ status: 'succeeded' });
    expect(rig.bank.effects).toHaveLength(1);

    const codePath = join(rig.dir, 'b.js');
    await writeWorkflowBundle(codePath, join(packageRoot, 'test/upgrade/other-workflows.ts'));
    const b = await start({ bundle: { codePath } });
    expect(b.buildId).not.toBe(a.buildId);
    await makeCurrent(b.buildId);
    // Of B's own code: not among the histories that must replay under the present one.
    const late = request({ idempotencyKey: 'late' });
    const second = await rig.client.workflow.start('agentAction', { workflowId: late.id, taskQueue: WORKFLOW_QUEUE, args: [late.signed] });
    const fresh = await rig.sealed(second, 1);
    expect((await builtBy(second)).buildId).toBe(b.buildId);

    // While no A lives, B does not touch what is A's.
    await a.worker.stop();
    await first.signal('decision', approve('ben', pending, now()));
    await agree(second, fresh, 'ana', 'ben');
    expect(await rig.outcome(second)).toMatchObject({ status: 'succeeded' });
    expect(rig.bank.effects).toHaveLength(2);
    const again = await start();
    expect(again.buildId).toBe(a.buildId);
    expect(await rig.outcome(first)).toMatchObject({ status: 'succeeded' });
    expect(rig.bank.effects).toHaveLength(3);
    expect((await builtBy(first)).buildId).toBe(a.buildId);
    await until('A drains', async () =>
      (await version(a.buildId))?.drainageInfo?.status === VERSION_DRAINAGE_STATUS_DRAINED ? true : undefined,
    );
  } finally {
    for (const worker of workers) await worker.stop();
    await rig.stop();
  }
}, 240_000);

test('KEYTURN_WORKER_VERSIONING is 1, or nothing', () => {
  expect([undefined, '', '1'].map(readVersioning)).toEqual([false, false, true]);
  for (const value of ['0', 'true', ' 1']) expect(() => readVersioning(value)).toThrow('set it to 1, or leave it out');
});
