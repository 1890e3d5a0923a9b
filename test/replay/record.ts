import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import proto from '@temporalio/proto';
import type { WorkflowHandle } from '@temporalio/client';
import { packageRoot } from '../../src/temporal/paths.js';
import { approve, ask, cancel, delegation, modify, onSeatOf, reject, reply, resolve, review, withdraw } from '../helpers/messages.js';
import { Rig, type Held } from '../helpers/rig.js';
import { BREAK_GLASS, type PolicyOptions } from '../helpers/rules-fixture.js';

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

type Ways = Readonly<Record<string, (rig: Rig) => Promise<WorkflowHandle>>>;

const USUAL: Ways = {
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
  async asked_and_answered(rig) {
    const held = await rig.propose();
    const question = ask('ana', held.sealed, 'Which invoice?', now());
    await rig.decide(held.handle, question);
    await rig.when(held.handle, 'asked', (each) => each.signedDecisions.length === 1);
    await rig.decide(held.handle, reply(held.sealed.id, question, 'Invoice 77.', now()), 'answer');
    await agree(rig, held);
    return held.handle;
  },
};

/** Two of finance, who may hand over to eva. */
const DELEGATED: Ways = {
  async delegated(rig) {
    const { handle, sealed } = await rig.propose();
    const mandate = delegation('ana', 'eva', { at: Date.now() - 1_000, until: Date.now() + 3_600_000 });
    await rig.decide(handle, approve('eva', sealed, { ...now(), forge: onSeatOf('ana', mandate) }));
    await rig.decide(handle, approve('ben', sealed, now()));
    return handle;
  },
};

const ALLOW =
  '  - { name: small, match: { type: payments.transfer }, effect: allow, because: Small., budget: [{ per: agent, within: 24h, limit: 1 }], executeWithin: 5m, resolve: { from: [group:finance-leads], quorum: 1 } }\n';
/** The first within its budget, the second over it. */
const ALLOWED: Ways = {
  async allowed(rig) {
    const { handle } = await rig.propose();
    await handle.result();
    return handle;
  },
  async over_budget_then_agreed(rig) {
    const held = await rig.propose();
    await agree(rig, held);
    return held.handle;
  },
};

const BY_BREAK_GLASS: Ways = {
  async break_glass_reviewed(rig) {
    const { handle, sealed } = await rig.propose();
    await rig.decide(handle, approve('ana', sealed, { ...now(), reason: 'Production is down.' }));
    await rig.status(handle, 'succeeded');
    await rig.decide(handle, review('eva', sealed.id, now()), 'lodge');
    return handle;
  },
};

const SILENT: PolicyOptions = {
  stages: '[{ name: finance, from: [group:finance], quorum: 2, remind: [1s], escalate: [{ after: 2s, to: [group:finance-leads] }] }]',
  approveWithin: '3s',
};
const UNDER: readonly (readonly [PolicyOptions, Ways])[] = [
  [{}, USUAL],
  [{ delegates: '[group:finance-leads]' }, DELEGATED],
  [{ first: ALLOW }, ALLOWED],
  [BREAK_GLASS, BY_BREAK_GLASS],
  [SILENT, { expired: async (rig) => (await rig.propose()).handle }],
];

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

for (const [policy, ways] of UNDER) {
  const rig = await Rig.start({ policy });
  try {
    for (const [name, way] of Object.entries(ways)) await save(name, await way(rig));
  } finally {
    await rig.stop();
  }
}
