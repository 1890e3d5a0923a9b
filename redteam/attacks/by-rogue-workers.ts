import { randomBytes } from 'node:crypto';
import { signerOf } from '../../src/domain/dsse.js';
import { WORKER_DEPLOYMENT } from '../../src/temporal/versioning.js';
import type { Attack, Facts } from '../attack.js';
import { until, type Hands } from '../hands.js';
import { answerTask, answerTo, endedAs, orderedAs, takeTask, wake, type Build } from '../rogue-tasks.js';
import { held, type Stage } from '../stage.js';
import { forgedVotes } from '../town.js';

/** What a worker of their own tries that takes the product's own workflow tasks and answers them itself. */
const HOSTILE: Build = { deploymentName: WORKER_DEPLOYMENT, buildId: 'hostile' };

/** The run itself orders the payment. Returns what the executor answered it. */
async function orderFromWithin(hands: Hands, facts: Facts, task: Uint8Array, build?: Build): Promise<string> {
  const votes = forgedVotes(signerOf(randomBytes(32)), facts, facts.keyIds);
  const order = orderedAs('rogue', { actionId: facts.id, have: 0, digest: facts.digest, decisions: votes });
  await answerTask(hands, task, [order], build);
  return answerTo(hands, facts.id, 'rogue');
}

async function heldWithoutWorker(stage: Stage, vendor: string): ReturnType<typeof held> {
  const facts = await held(stage, vendor);
  await stage.processes.kill('worker');
  return facts;
}

export const byRogueWorkers: readonly Attack[] = [
  {
    id: 'moved-to-another-build',
    cases: [52],
    words: 'temporal workflow update-options moves a held run to a build of their own, whose worker orders the payment with forged votes',
    holds: ['namespace write'],
    expected: 'signature_invalid',
    guard: 'signature of a decision',
    prepare: held,
    strike: async (hands, facts) => {
      const taking = takeTask(hands, facts.id, HOSTILE);
      const to = ['--versioning-override-deployment-name', HOSTILE.deploymentName, '--versioning-override-build-id', HOSTILE.buildId];
      const move = ['workflow', 'update-options', '--workflow-id', facts.id, '--versioning-override-behavior', 'pinned', ...to];
      // Not before the server has seen a worker of that build.
      const moved = await until(() =>
        hands.cli(facts.cli, ...move).then(
          () => true,
          () => undefined,
        ),
      );
      if (moved !== true) throw new Error(`not moved: ${await hands.cli(facts.cli, ...move)}`);
      await wake(hands, facts.id);
      return orderFromWithin(hands, facts, await taking, HOSTILE);
    },
  },
  {
    id: 'workflow-queue-taken',
    cases: [52],
    words: "a worker of their own takes a held run's tasks while the worker is away, and the run orders the payment with forged votes",
    holds: ['namespace write'],
    expected: 'signature_invalid',
    guard: 'signature of a decision',
    alone: true,
    prepare: heldWithoutWorker,
    strike: async (hands, facts) => {
      await wake(hands, facts.id);
      return orderFromWithin(hands, facts, await takeTask(hands, facts.id));
    },
    restore: async (stage) => void (await stage.processes.startWorker()),
  },
  {
    id: 'run-says-done',
    cases: [52],
    words: 'the same worker ends the run as succeeded; an agent that knows no key of the executor waits for it at the honest API',
    holds: ['namespace write'],
    expected: 'awaiting_approval',
    guard: 'the API proves an end',
    alone: true,
    prepare: heldWithoutWorker,
    strike: async (hands, facts) => {
      await wake(hands, facts.id);
      const reason = { code: 'succeeded', text: 'It ran.' };
      const outcome = { id: facts.id, status: 'succeeded', effect: 'done', final: true, reason, retry: 'never' };
      await answerTask(hands, await takeTask(hands, facts.id), [endedAs({ ...outcome, receipt: [] })]);
      return 'ended';
    },
    victim: (stage, facts) => stage.agentSees(facts.id, stage.url, { knowsKeys: false }),
    fooled: (seen) => seen === 'succeeded',
    restore: async (stage) => void (await stage.processes.startWorker()),
  },
];
