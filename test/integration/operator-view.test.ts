import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import { startAction } from '../../src/api/temporal/start.js';
import { requestSchema } from '../../src/domain/objects/request.js';
import { readPayload } from '../../src/domain/dsse.js';
import type { Status } from '../../src/domain/outcome.js';
import { trustActivity } from '../../src/activities/trust.js';
import { readReviewUrl } from '../../src/files/review-url.js';
import { bytesOf } from '../../src/workflows/markdown.js';
import { approve, damaged, reject, request, type Proposal, type SealedRevision } from '../helpers/messages.js';
import { golden, listed, metadataOf, normalised, summariesIn } from '../helpers/operator.js';
import { kindsOf, textOf } from '../helpers/rendered.js';
import { Rig } from '../helpers/rig.js';

const now = (): { at: number } => ({ at: Date.now() });
const LADDER =
  '[{ name: finance, from: [group:finance], quorum: 2, remind: [1h, 4h], escalate: [{ after: 8h, to: [group:finance-leads], quorum: 3 }] }]';
const QUICK =
  '[{ name: finance, from: [group:finance], quorum: 2, remind: [1s], escalate: [{ after: 2s, to: [group:finance-leads] }] }, { name: audit, from: [group:audit], quorum: 1 }]';
/** What only the agent wrote. Where parameters may stand it may stand too, nowhere else. */
const CANARY = 'Canary 7f3a';
const HOSTILE = '![x](//evil.example) [Yes](http://evil.example) www.evil.example <b> &#x202E; \u202Eevil # {workflowId}';

interface Scene {
  readonly handle: WorkflowHandle;
  readonly id: string;
  readonly sealed: SealedRevision;
}
/** One action in one state, as an operator meets it: what the list shows, its details, and every word its history carries. */
interface Shot {
  readonly name: string;
  readonly list: Record<string, unknown>;
  readonly details: string;
  readonly summaries: readonly string[];
  readonly bytes: number;
  readonly text: string;
}

describe('what an operator sees of an action (§8)', () => {
  const shots: Shot[] = [];
  let slow: Rig;
  let quick: Rig;
  let doors = '';

  /** As the API starts it: with attributes and summary. */
  async function propose(rig: Rig, proposal: Proposal = {}): Promise<Scene> {
    const { id, signed } = request({ params: { vendor: CANARY, cents: 480_000 }, reason: CANARY, ...proposal });
    await startAction(rig.client, { id, request: requestSchema.parse(readPayload('request', signed)), signed, again: false });
    const handle = rig.client.workflow.getHandle(id);
    rig.follow(handle);
    return { handle, id, sealed: await rig.sealed(handle, 1) };
  }

  async function shoot(rig: Rig, name: string, status: Status, { handle, id, sealed }: Scene): Promise<void> {
    const list = await listed(rig, handle, status);
    const { currentDetails } = await metadataOf(handle);
    const summaries = summariesIn((await handle.fetchHistory()).events ?? []);
    const lines = [`=== ${name}`, '', ...Object.entries(list).map(([column, value]) => `${column}: ${JSON.stringify(value)}`)];
    lines.push('', ...currentDetails.split('\n').map((line) => `| ${line}`), '', ...summaries, '');
    const text = normalised(lines.join('\n'), id, sealed.envelope);
    shots.push({ name, list, details: currentDetails, summaries, bytes: bytesOf(currentDetails), text });
  }

  async function shown({ handle }: Scene, so: (details: string) => boolean): Promise<void> {
    for (const end = Date.now() + 20_000; !so((await metadataOf(handle)).currentDetails); await sleep(50))
      if (Date.now() > end) throw new Error(`in vain: ${(await metadataOf(handle)).currentDetails}`);
  }

  beforeAll(async () => {
    slow = await Rig.start({ policy: { stages: LADDER } });
    quick = await Rig.start({ policy: { stages: QUICK, approveWithin: '1h' }, roster: { groups: { audit: ['ben', 'cleo'] } } });

    const silent = await propose(quick);
    const held = await propose(slow);
    await shoot(slow, 'held', 'awaiting_approval', held);
    await slow.decide(held.handle, approve('ana', held.sealed, now()));
    await shoot(slow, 'one of two has agreed', 'awaiting_approval', held);
    await held.handle.signal('decision', damaged(approve('ben', held.sealed, now())));
    await slow.when(held.handle, 'refused', (each) => each.refused.total === 1);
    await shoot(slow, 'a forged vote was refused', 'awaiting_approval', held);
    const { definition } = await metadataOf(held.handle);
    doors = Object.entries(definition)
      .flatMap(([kind, all]) => all.map(({ name, description }) => `${kind} ${name}: ${description}`))
      .filter((line) => !line.includes('__'))
      .join('\n');

    await shown(silent, (details) => /Can still decide: .*eva/.test(details));
    await shoot(quick, 'reminded and escalated', 'awaiting_approval', silent);

    await slow.decide(held.handle, reject('cleo', held.sealed, now()));
    await slow.outcome(held.handle);
    await shoot(slow, 'rejected', 'rejected', held);

    const batch = await propose(slow, { type: 'payments.batch' });
    slow.bank.plan({ run: ['ok', 'failed'] });
    await agree(batch);
    await slow.outcome(batch.handle);
    await shoot(slow, 'broken half way and undone', 'compensated', batch);

    const blind = await propose(slow, { type: 'payments.blind' });
    slow.bank.plan({ run: ['lost_after'] });
    await agree(blind);
    await slow.status(blind.handle, 'outcome_unknown');
    await shown(blind, (details) => details.includes('Needs a person'));
    await shoot(slow, 'needs a person: the outcome is unknown', 'outcome_unknown', blind);

    const shipped = await propose(slow, { type: 'payments.by-hand' });
    slow.bank.plan({ run: ['ok', 'failed'] });
    await agree(shipped);
    await slow.status(shipped.handle, 'compensation_failed');
    await shown(shipped, (details) => details.includes('Needs a person'));
    await shoot(slow, 'needs a person: it cannot be undone', 'compensation_failed', shipped);

    const hostile = await propose(slow, { params: { vendor: HOSTILE, cents: 1 } });
    await shoot(slow, "an agent's words", 'awaiting_approval', hostile);

    quick.rules.setPolicy({ version: 2, stages: QUICK, approveWithin: '3s' });
    const over = await propose(quick);
    await quick.outcome(over.handle);
    await shoot(quick, 'expired', 'expired', over);

    await slow.stopExecutor();
    await agree(hostile);
    await shown(hostile, (details) => details.includes('Waiting for the executor'));
    await shoot(slow, 'agreed to, and no executor lives', 'approved', hostile);
    await slow.startExecutor();
    await slow.outcome(hostile.handle);
    await shoot(slow, 'succeeded', 'succeeded', hostile);

    for (const { handle } of [blind, shipped, silent]) await handle.terminate('the end of the test');
  }, 120_000);

  afterAll(async () => {
    await slow.stop();
    await quick.stop();
  });

  async function agree({ handle, sealed }: Scene): Promise<void> {
    await slow.decide(handle, approve('ana', sealed, now()));
    await slow.decide(handle, approve('ben', sealed, now()));
  }

  test('list, summaries, details and descriptions are the golden file', async () => {
    const path = join(import.meta.dirname, 'operator-view.golden.txt');
    const { now: seen, committed } = await golden(
      path,
      `${shots.map(({ text }) => text).join('\n')}\n=== What can be sent to it\n\n${doors}\n`,
    );
    expect(seen).toBe(committed);
  });

  test('no attribute, summary or timer carries a parameter or a word of the agent', () => {
    expect(shots.length).toBeGreaterThan(9);
    for (const { list, summaries } of shots) {
      expect(JSON.stringify(list)).not.toMatch(/Canary|evil/);
      expect(summaries.join('\n')).not.toMatch(/Canary|evil/);
    }
    // The sentence alone may: it says what would happen.
    for (const { details } of shots) expect(details.split('\n').filter((line) => /Canary|evil/.test(line))).toHaveLength(1);
  });

  test("attack 70: an agent's words make no link, no image and no hidden text in the details", () => {
    for (const { details } of shots) {
      expect(new Set(kindsOf(details))).toEqual(new Set(['heading', 'list', 'listItem', 'paragraph', 'strong', 'inlineCode', 'text']));
      expect(details).not.toMatch(/\u202E|(?<!\\)\{workflowId\}/);
    }
    expect(textOf(shots.find(({ name }) => name === "an agent's words")?.details ?? '')).toContain('Pay ![x](//evil.example) [Yes]');
  });

  test('it stays small: summaries within 200 bytes, details within 4 KB, a 2-of-3 approval within 45 events', async () => {
    for (const { summaries, bytes } of shots) {
      expect(bytes).toBeLessThanOrEqual(4_000);
      for (const summary of summaries) expect(bytesOf(summary.slice(summary.indexOf(': ') + 2))).toBeLessThanOrEqual(200);
    }
    const scene = await propose(slow);
    await agree(scene);
    await slow.outcome(scene.handle);
    expect((await scene.handle.fetchHistory()).events?.length).toBeLessThanOrEqual(45);
  });

  test('where people look at actions is told by the worker, and kept in history', async () => {
    const roster = join(slow.dir, 'roster.yaml');
    expect(await trustActivity(roster)()).not.toHaveProperty('reviewUrl');
    await slow.stopWorker();
    await slow.startWorker({ reviewUrl: readReviewUrl('https://desk.example/a/{id}') });
    const scene = await propose(slow);
    expect((await metadataOf(scene.handle)).currentDetails).toContain(`[${scene.id.slice(0, 8)}](https://desk.example/a/${scene.id})`);
    // The same run on a worker that was told nothing: what it read stands in history.
    await slow.stopWorker();
    await slow.startWorker();
    expect((await metadataOf(scene.handle)).currentDetails).toContain('https://desk.example/a/');
    await scene.handle.cancel();
    await slow.outcome(scene.handle);
  });
});
