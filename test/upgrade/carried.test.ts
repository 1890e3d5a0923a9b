import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import { writeWorkflowBundle } from '../../src/temporal/bundle.js';
import { WORKFLOW_QUEUE } from '../../src/temporal/names.js';
import { packageRoot } from '../../src/temporal/paths.js';
import type { Child } from '../chaos/child.js';
import { approve, request } from '../helpers/messages.js';
import { Rig } from '../helpers/rig.js';
import { processesOf } from './processes.js';

const now = (): { at: number } => ({ at: Date.now() });

test('what is pending is carried over an upgrade of worker and executor; a type that changed is sealed again and agreed to again', async () => {
  const rig = await Rig.start({ roster: { runs: ['payments.transfer', 'payments.kept'] } });
  const running: Child[] = [];
  const start = async (...children: Child[]): Promise<void> => {
    running.push(...children);
    await Promise.all(children.map((child) => child.start()));
  };
  try {
    await Promise.all([rig.stopWorker(), rig.stopExecutor()]);
    const { dir, worker, executor, effects } = await processesOf(rig);
    const older = [worker('worker-1'), executor('1')];
    await start(...older);
    const kept = await rig.propose({ type: 'payments.kept', idempotencyKey: 'kept' });
    const moved = await rig.propose({ idempotencyKey: 'moved' });
    expect(moved.sealed.envelope.type.version).toBe('1');
    for (const { handle, sealed } of [kept, moved]) expect(await rig.decide(handle, approve('ana', sealed, now()))).toBe('counted');

    const bundle = join(dir, 'next.js');
    await writeWorkflowBundle(bundle, join(packageRoot, 'test/upgrade/next-workflows.ts'));
    await Promise.all(older.map((child) => child.kill()));
    // While neither lives, a vote is kept.
    await kept.handle.signal('decision', approve('ben', kept.sealed, now()));
    await start(executor('2'), worker('worker-2', { WORKFLOW_BUNDLE: bundle }));

    expect(await rig.outcome(kept.handle)).toMatchObject({ status: 'succeeded', effect: 'done' });
    expect(await effects()).toEqual([`${kept.id}/run/run/1 by 1 of release 2`]);

    expect(await rig.decide(moved.handle, approve('ben', moved.sealed, now()))).toBe('counted');
    const again = await rig.sealed(moved.handle, 2);
    expect(again.envelope).toMatchObject({ type: { version: '2' }, params: moved.sealed.envelope.params });
    expect((await rig.snapshot(moved.handle)).progress.have).toBe(0);
    expect(await effects()).toHaveLength(1);
    for (const person of ['ana', 'ben']) expect(await rig.decide(moved.handle, approve(person, again, now()))).toBe('counted');
    expect(await rig.outcome(moved.handle)).toMatchObject({ status: 'succeeded', result: `${moved.id}/run/run/1 by 2 of release 2` });
    expect(await effects()).toHaveLength(2);

    // The newer code does its own in what it begins, and in nothing else; what the older began the rig replays under the present code.
    const { id, signed } = request({ idempotencyKey: 'fresh' });
    const fresh = { handle: await rig.client.workflow.start('agentAction', { workflowId: id, taskQueue: WORKFLOW_QUEUE, args: [signed] }) };
    expect((await rig.sealed(fresh.handle, 1)).envelope.type.version).toBe('2');
    const markers = async ({ handle }: { readonly handle: WorkflowHandle }): Promise<number> =>
      ((await handle.fetchHistory()).events ?? []).filter((event) => event.markerRecordedEventAttributes?.markerName === 'core_patch')
        .length;
    expect([await markers(kept), await markers(moved), await markers(fresh)]).toEqual([0, 0, 1]);
  } finally {
    for (const child of running) await child.kill();
    await rig.stop();
  }
}, 240_000);
