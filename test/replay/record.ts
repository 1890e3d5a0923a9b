import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import proto from '@temporalio/proto';
import type { WorkflowHandle } from '@temporalio/client';
import { packageRoot } from '../../src/temporal/paths.js';
import { approve, cancel, modify, reject, resolve, withdraw } from '../helpers/messages.js';
import { Rig, type Held } from '../helpers/rig.js';

/**
 * `npm run histories`: records one history of each way an action can go, on a real server. Committed histories are replayed by
 * `histories.test.ts`; a change to workflow code keeps them green or versions itself. Recorded ones are added, never replaced.
 */
const now = (): { at: number } => ({ at: Date.now() });
const release = process.argv[2];
if (release === undefined || !/^\d+\.\d+\.\d+$/.test(release)) throw new Error('Say which release: npm run histories -- 0.1.0');
const folder = join(packageRoot, 'test', 'histories', release);
await mkdir(folder, { recursive: true });

const agree = async (rig: Rig, { handle, sealed }: Held): Promise<void> => {
  await rig.decide(handle, approve('ana', sealed, now()));
  await rig.decide(handle, approve('ben', sealed, now()));
};

const WAYS: Record<string, (rig: Rig) => Promise<WorkflowHandle>> = {
  async succeeded(rig) {
    const held = await rig.propose();
    await agree(rig, held);
    return held.handle;
  },
  async modified(rig) {
    const { handle, sealed } = await rig.propose();
    await rig.decide(handle, approve('ben', sealed, now()));
    await rig.decide(handle, modify('ana', sealed, { '/cents': 100 }, now()));
    const second = await rig.sealed(handle, 2);
    await rig.decide(handle, approve('ben', second, now()));
    await rig.decide(handle, approve('cleo', second, now()));
    return handle;
  },
  async rejected(rig) {
    const { handle, sealed } = await rig.propose();
    await rig.decide(handle, reject('cleo', sealed, now()));
    return handle;
  },
  async withdrawn_then_cancelled(rig) {
    const { handle, sealed } = await rig.propose();
    const first = approve('ana', sealed, now());
    await rig.decide(handle, first);
    await rig.decide(handle, withdraw('ana', sealed, first, now()));
    await rig.when(handle, 'withdrawn', (each) => each.progress.have === 0);
    await rig.decide(handle, cancel(sealed.id, now()), 'lodge');
    return handle;
  },
  async cancelled_in_temporal(rig) {
    const { handle } = await rig.propose();
    await handle.cancel();
    return handle;
  },
  async compensated(rig) {
    const held = await rig.propose({ type: 'payments.batch' });
    rig.bank.plan({ run: ['ok', 'failed'] });
    await agree(rig, held);
    return held.handle;
  },
  async unknown_then_resolved(rig) {
    const held = await rig.propose({ type: 'payments.blind' });
    rig.bank.plan({ run: ['lost_after'] });
    await agree(rig, held);
    await rig.status(held.handle, 'outcome_unknown');
    await rig.decide(held.handle, resolve('eva', held.sealed.id, 1, 'happened', now()), 'lodge');
    return held.handle;
  },
  async stale_then_agreed(rig) {
    const { handle, sealed } = await rig.propose();
    rig.bank.version++;
    await rig.decide(handle, approve('ana', sealed, now()));
    await rig.decide(handle, approve('ben', sealed, now()));
    const second = await rig.sealed(handle, 2);
    await rig.decide(handle, approve('ana', second, now()));
    await rig.decide(handle, approve('ben', second, now()));
    return handle;
  },
};

/** No word of the machine it was recorded on: nothing of it matters to a replay. */
function anonymous<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  const record = value as Record<string, unknown>;
  for (const [key, inner] of Object.entries(record)) {
    if (key === 'identity' || key === 'binaryChecksum') record[key] = 'recorded';
    else if (key === 'sdkName' || key === 'sdkVersion') continue;
    else if (typeof inner === 'string') record[key] = inner.replaceAll(packageRoot, '.').replace(/^\d+@[\w.-]+/, 'recorded');
    else anonymous(inner);
  }
  return value;
}

const save = async (name: string, handle: WorkflowHandle): Promise<void> => {
  await handle.result();
  const history = Buffer.from(proto.temporal.api.history.v1.History.encode(anonymous(await handle.fetchHistory())).finish()).toString(
    'base64',
  );
  await writeFile(join(folder, `${name}.json`), `${JSON.stringify({ workflowId: handle.workflowId, history })}\n`, { flag: 'wx' });
  console.log(`${name}: ${handle.workflowId}`);
};

const rig = await Rig.start();
try {
  for (const [name, way] of Object.entries(WAYS)) await save(name, await way(rig));
} finally {
  await rig.stop();
}
const silent = await Rig.start({
  policy: {
    stages: '[{ name: finance, from: [group:finance], quorum: 2, remind: [1s], escalate: [{ after: 2s, to: [group:finance-leads] }] }]',
    approveWithin: '3s',
  },
});
try {
  await save('expired', (await silent.propose()).handle);
} finally {
  await silent.stop();
}
