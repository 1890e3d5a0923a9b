import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Worker } from '@temporalio/worker';
import { canonicalize } from '../../src/domain/json.js';
import { temporalBinary } from '../../src/temporal/binary.js';
import { executorQueue } from '../../src/temporal/names.js';
import { approve, damaged, request, reject } from '../helpers/messages.js';
import { Rig } from '../helpers/rig.js';
import { signerOf } from '../helpers/signers.js';

const run = promisify(execFile);
const now = (): { at: number } => ({ at: Date.now() });

describe('somebody with write access to the namespace', () => {
  let rig: Rig;
  let binary: string;
  const temporal = async (...args: string[]): Promise<string> => {
    const { address, namespace } = rig.server;
    return (await run(binary, [...args, '--address', address, '--namespace', namespace])).stdout;
  };

  beforeAll(async () => {
    rig = await Rig.start();
    binary = (await temporalBinary({ log: () => undefined })).path;
  });
  afterAll(() => rig.stop());

  test('attack 49 a signal by the temporal command line with a forged vote counts nothing', async () => {
    const { handle, sealed, id } = await rig.propose();
    const file = join(rig.dir, 'vote.json');
    await writeFile(file, canonicalize(damaged(approve('ana', sealed, now()))));
    await temporal('workflow', 'signal', '--name', 'decision', '--workflow-id', id, '--input-file', file);
    const after = await rig.when(handle, 'refused', (each) => each.refused.total === 1);
    expect(after.refused.last?.code).toBe('signature_invalid');
    expect(after.progress.have).toBe(0);
    await temporal('workflow', 'signal', '--name', 'decision', '--workflow-id', id, '--input', '"approve"');
    await temporal('workflow', 'signal', '--name', 'approve', '--workflow-id', id, '--input', 'true');
    expect((await rig.when(handle, 'refused', (each) => each.refused.total === 2)).progress.have).toBe(0);
    await handle.cancel();
    expect(await rig.outcome(handle)).toMatchObject({ status: 'cancelled' });
  });

  test('attack 50 an Update that is unsigned, by the wrong key or stale is not in history', async () => {
    const { handle, sealed } = await rig.propose();
    expect(await rig.decide(handle, approve('ana', sealed, { ...now(), by: signerOf('a stranger') }))).toBe('signature_invalid');
    expect(await rig.decide(handle, damaged(approve('ana', sealed, now())))).toBe('signature_invalid');
    const history = await handle.fetchHistory();
    expect(history.events?.some((event) => event.workflowExecutionUpdateAcceptedEventAttributes)).toBe(false);
    await handle.cancel();
    await rig.outcome(handle);
  });

  test("attack 51 a forged completion of the executor's activity is not believed: receipt_invalid", async () => {
    const { handle, sealed, id } = await rig.propose();
    await rig.stopExecutor();
    await rig.decide(handle, approve('ana', sealed, now()));
    await rig.decide(handle, approve('ben', sealed, now()));
    // The executor is away, so a thief can poll its queue and answer in its place.
    const thief = await Worker.create({
      connection: await (await import('../../src/temporal/connection.js')).openNativeConnection(rig.settings),
      namespace: rig.server.namespace,
      taskQueue: executorQueue('bank'),
      activities: { advance: async () => ({ kind: 'end', status: 'succeeded', payloadType: 'x', payload: '', signatures: [] }) },
    });
    await thief.runUntil(async () => {
      await rig.when(handle, 'the forged answer is noticed', (each) => each.receiptsInvalid > 0);
    });
    expect((await rig.snapshot(handle)).outcome.final).toBe(false);
    await rig.startExecutor();
    expect(await rig.outcome(handle)).toMatchObject({ status: 'succeeded', effect: 'done' });
    expect([...rig.bank.done.keys()].filter((key) => key.startsWith(id))).toHaveLength(1);
  }, 60_000);

  test('attack 53 a standalone activity, with no workflow at all, moves nothing', async () => {
    const { handle, sealed, id } = await rig.propose();
    const order = {
      actionId: id,
      have: 0,
      digest: sealed.digest,
      decisions: [damaged(approve('ana', sealed, now())), damaged(approve('ben', sealed, now()))],
    };
    await temporal(
      'activity',
      'start',
      '--type',
      'advance',
      '--task-queue',
      executorQueue('bank'),
      '--activity-id',
      'steal-1',
      '--start-to-close-timeout',
      '10s',
      '--input',
      canonicalize(order),
    );
    const said = await temporal('activity', 'result', '--activity-id', 'steal-1');
    const payload =
      /"payload":\s*"([A-Za-z0-9_-]+)"/.exec(said)?.[1] ?? /payload[^A-Za-z0-9_-]+([A-Za-z0-9_-]{100,})/.exec(said)?.[1] ?? '';
    const answer = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { result: { code: string; check: number } };
    expect(answer.result).toMatchObject({ code: 'signature_invalid', check: 6 });
    expect(rig.bank.done.has(`${id}/run/run/1`)).toBe(false);
    await handle.cancel();
    await rig.outcome(handle);
  });

  test('attack 54 a reset to before a rejection does not shed it: the ledger holds the "no"', async () => {
    const { handle, sealed, id } = await rig.propose();
    await rig.decide(handle, reject('cleo', sealed, now()));
    expect(await rig.outcome(handle)).toMatchObject({ status: 'rejected' });
    const history = await handle.fetchHistory();
    const first = history.events?.find((event) => event.workflowTaskCompletedEventAttributes)?.eventId;
    await temporal('workflow', 'reset', '--workflow-id', id, '--event-id', String(first), '--reason', 'to get rid of it');
    const again = rig.client.workflow.getHandle(id);
    expect(await rig.outcome(again)).toMatchObject({ status: 'rejected', effect: 'none' });
    expect(rig.bank.done.has(`${id}/run/run/1`)).toBe(false);
  });

  test('attack 65 a reset of an action that ran stays run once', async () => {
    const { handle, sealed, id } = await rig.propose();
    await rig.decide(handle, approve('ana', sealed, now()));
    await rig.decide(handle, approve('ben', sealed, now()));
    await rig.outcome(handle);
    const history = await handle.fetchHistory();
    const first = history.events?.find((event) => event.workflowTaskCompletedEventAttributes)?.eventId;
    await temporal('workflow', 'reset', '--workflow-id', id, '--event-id', String(first), '--reason', 'once more');
    expect(await rig.outcome(rig.client.workflow.getHandle(id))).toMatchObject({ status: 'succeeded' });
    expect(rig.bank.calls.filter((call) => call === `run ${id}/run/run/1`)).toHaveLength(1);
  });

  test('attack 55 terminated: nothing more happens; started again under its id it goes on where the ledger is', async () => {
    const { handle, sealed, id } = await rig.propose();
    await rig.decide(handle, approve('ana', sealed, now()));
    await temporal('workflow', 'terminate', '--workflow-id', id, '--reason', 'stop');
    await expect(handle.result()).rejects.toThrow();
    expect(rig.bank.done.has(`${id}/run/run/1`)).toBe(false);
    const again = await rig.start(id, [sealed.envelope.request]);
    const after = await rig.sealed(again, 1);
    expect(after.digest).toBe(sealed.digest);
    expect((await rig.snapshot(again)).progress.have).toBe(0);
    await again.cancel();
    expect(await rig.outcome(again)).toMatchObject({ status: 'cancelled' });
  });

  test('an action started by @temporalio/client is held as one over HTTP; unsigned or wrongly signed it is denied', async () => {
    const { handle } = await rig.propose();
    expect((await rig.snapshot(handle)).outcome.status).toBe('awaiting_approval');
    await handle.cancel();
    await rig.outcome(handle);
    const { id, signed } = request();
    const forged = await rig.start(id, [damaged(signed)]);
    expect(await rig.outcome(forged)).toMatchObject({ status: 'denied', reason: { code: 'credential_invalid' } });
    const unsigned = await rig.start(request().id, [{ v: 1, type: 'payments.transfer', params: { vendor: 'ACME', cents: 1 } }]);
    expect(await rig.outcome(unsigned)).toMatchObject({ status: 'denied', reason: { code: 'credential_invalid' } });
    // Nothing was written and the key is not used up: the true request under the same id is held.
    const handle2 = await rig.start(id, [signed]);
    expect((await rig.sealed(handle2, 1)).id).toBe(id);
    await handle2.cancel();
    await rig.outcome(handle2);
  });

  test('9,000 forged signals to one action do not keep another from being approved', async () => {
    const flooded = await rig.propose();
    const other = await rig.propose();
    const forged = Array.from({ length: 50 }, () => damaged(approve('ana', flooded.sealed, now())));
    const flood = (async () => {
      for (let i = 0; i < 9_000; i += 100)
        await Promise.all(Array.from({ length: 100 }, (_, n) => flooded.handle.signal('decision', forged[(i + n) % forged.length])));
    })();
    await rig.decide(other.handle, approve('ana', other.sealed, now()));
    await rig.decide(other.handle, approve('ben', other.sealed, now()));
    expect(await rig.outcome(other.handle)).toMatchObject({ status: 'succeeded' });
    await flood;
    // The flooded one takes no more signals; a genuine vote by Update still counts.
    expect(await rig.decide(flooded.handle, approve('ana', flooded.sealed, now()))).toBe('counted');
    expect(await rig.decide(flooded.handle, approve('ben', flooded.sealed, now()))).toBe('counted');
    expect(await rig.outcome(flooded.handle)).toMatchObject({ status: 'succeeded' });
  }, 480_000);
});
