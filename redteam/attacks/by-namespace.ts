import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DEPLOYMENT } from '../../demo/people.js';
import { signerOf, signedSchema, type Signer } from '../../src/domain/dsse.js';
import { toCrockford } from '../../src/domain/bytes.js';
import { actionIdOf } from '../../src/domain/ids.js';
import { packageRoot } from '../../src/temporal/paths.js';
import type { Attack, Facts } from '../attack.js';
import { until, type Hands } from '../hands.js';
import { held, heldWithVotes, IBAN, ranAlready } from '../stage.js';
import { forgedVotes, renamed } from '../town.js';

/** What somebody with write access to the Temporal namespace tries: no key of anybody, but everything Temporal holds, and a worker of their own. */
const stranger = (): Signer => signerOf(randomBytes(32));
const forged = (facts: Facts) => forgedVotes(stranger(), facts, facts.keyIds);

const reset = async (hands: Hands, { id, cli }: Facts): Promise<void> => {
  const first = await hands.firstTask(id);
  const to = ['--workflow-id', id, '--event-id', first, '--reapply-exclude', 'All', '--reason', 'to get rid of it'];
  await hands.cli(cli, 'workflow', 'reset', ...to);
};

/** Resets the run, and approves what is there now with votes that were good once. */
async function resetAndApprove(hands: Hands, facts: Facts): Promise<string> {
  await reset(hands, facts);
  await until(async () => ((await hands.snapshot(facts.id)).digest === null ? undefined : true), 3_000);
  for (const vote of facts.votes) await hands.update(facts.id, vote);
  return hands.end((await hands.client()).workflow.getHandle(facts.id));
}

/** Orders seal and execution of what a run was started with, as if it had never run. */
async function runAgain(hands: Hands, id: string, request: unknown): Promise<string> {
  const sealed = await hands.told('seal', { actionId: id, have: 0, request });
  return sealed['kind'] === 'sealed' ? hands.advance(id, String(sealed['digest']), []) : String(sealed['code'] ?? sealed['kind']);
}

export const byNamespace: readonly Attack[] = [
  {
    id: 'forged-signal',
    cases: [49],
    words: 'temporal workflow signal with forged votes; and with plain words such as "approve"',
    holds: ['namespace write'],
    expected: 'signature_invalid',
    guard: 'signature of a decision',
    prepare: held,
    strike: async (hands, facts) => {
      const file = join(process.cwd(), `${facts.id}.json`);
      for (const vote of forged(facts)) {
        await writeFile(file, JSON.stringify(vote));
        await hands.cli(facts.cli, 'workflow', 'signal', '--name', 'decision', '--workflow-id', facts.id, '--input-file', file);
      }
      const code = await until(async () => {
        const { total, last } = (await hands.snapshot(facts.id)).refused;
        return total === 2 ? last?.code : undefined;
      }, 6_000);
      for (const name of ['decision', 'approve'])
        await hands.cli(facts.cli, 'workflow', 'signal', '--name', name, '--workflow-id', facts.id, '--input', '"approve"');
      return code ?? 'counted';
    },
  },
  {
    id: 'forged-batch',
    cases: [49, 53],
    words: 'one batch operation of the temporal command line signals forged votes to every held action',
    holds: ['namespace write'],
    expected: 'signature_invalid',
    guard: 'signature of a decision',
    prepare: held,
    strike: async (hands, facts) => {
      const file = join(process.cwd(), `${facts.id}.json`);
      const query = `WorkflowId = '${facts.id}'`;
      for (const vote of forged(facts)) {
        await writeFile(file, JSON.stringify(vote));
        await hands.cli(
          facts.cli,
          'workflow',
          'signal',
          '--name',
          'decision',
          '--query',
          query,
          '--reason',
          'all',
          '--yes',
          '--input-file',
          file,
        );
      }
      const code = await until(async () => {
        const { total, last } = (await hands.snapshot(facts.id)).refused;
        return total === 2 ? last?.code : undefined;
      }, 15_000);
      return code ?? 'counted';
    },
  },
  {
    id: 'forged-update',
    cases: [50],
    words: 'Updates with forged votes, by @temporalio/client',
    holds: ['namespace write'],
    expected: 'signature_invalid',
    guard: 'signature of a decision',
    prepare: held,
    strike: async (hands, facts) => {
      const fates = [];
      for (const vote of forged(facts)) fates.push(await hands.update(facts.id, vote));
      return fates[1] ?? '';
    },
  },
  {
    id: 'standalone-advance',
    cases: [53],
    words: "the executor's activity advance, started with no workflow, with forged votes",
    holds: ['namespace write'],
    expected: 'signature_invalid',
    guard: 'signature of a decision',
    prepare: held,
    strike: (hands, facts) => hands.advance(facts.id, facts.digest, forged(facts)),
  },
  {
    id: 'rogue-worker',
    cases: [52],
    words: "a worker of their own whose workflow orders the payment at the executor's queue, with forged votes",
    holds: ['namespace write'],
    expected: 'signature_invalid',
    guard: 'signature of a decision',
    prepare: held,
    strike: async (hands, facts) => {
      const file = join(process.cwd(), `${facts.id}.json`);
      await writeFile(file, JSON.stringify({ actionId: facts.id, have: 0, digest: facts.digest, decisions: forged(facts) }));
      const child = spawn(process.execPath, [join(packageRoot, 'dist/demo/rogue-worker.js'), file], {
        env: { ...process.env, TEMPORAL_ADDRESS: hands.address },
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
      await new Promise((done) => child.once('close', done));
      const { kind, code } = JSON.parse(output) as { kind: string; code?: string };
      return code ?? kind;
    },
  },
  {
    id: 'stranger-request',
    cases: [53],
    words: "agentAction started with a request in an agent's name that its key never signed, for what runs without people",
    holds: ['namespace write'],
    expected: 'credential_invalid',
    guard: 'signature of a request',
    prepare: async () => ({}),
    strike: async (hands, { vendor, keyIds }) => {
      const params = { vendor, iban: IBAN, cents: 100 };
      const body = {
        v: 1,
        deployment: DEPLOYMENT,
        agent: 'ap-agent',
        type: 'payments.urgent',
        params,
        reason: 'x',
        idempotencyKey: vendor,
      };
      const request = renamed(stranger().sign('request', body), keyIds['ap-agent'] ?? '');
      const id = actionIdOf(DEPLOYMENT, 'ap-agent', vendor);
      return hands.end(await hands.start(id, [request]));
    },
  },
  {
    id: 'foreign-id',
    cases: [35, 55],
    words: 'the true request of a payment that ran, started once more under another id',
    holds: ['namespace write'],
    expected: 'audience_mismatch',
    guard: 'id follows from the request',
    honest: 1,
    prepare: ranAlready,
    strike: async (hands, { id }) => {
      const request = await hands.firstInput(id);
      const foreign = `act_${toCrockford(randomBytes(32)).slice(0, 26)}`;
      return hands.end(await hands.start(foreign, [request]));
    },
  },
  {
    id: 'reset-before-rejection',
    cases: [54, 14],
    words: 'a run reset to before its rejection, nothing reapplied, then approved with two true votes that were on their way',
    holds: ['namespace write'],
    expected: 'rejected',
    guard: 'the ledger keeps a rejection',
    prepare: async (stage, vendor) => {
      const facts = await heldWithVotes(stage, vendor);
      await stage.decide('cleo', facts, { verdict: 'reject', reason: 'paid in October' });
      await stage.ended(facts.id);
      return facts;
    },
    strike: resetAndApprove,
  },
  {
    id: 'reset-before-cancel',
    cases: [54],
    words: "a run reset to before the agent's cancel, nothing reapplied, then approved with two true votes",
    holds: ['namespace write'],
    expected: 'cancelled',
    guard: 'the ledger keeps a cancel',
    prepare: async (stage, vendor) => {
      const facts = await heldWithVotes(stage, vendor);
      await stage.agent('ap-agent').cancel(facts.id);
      await stage.ended(facts.id);
      return facts;
    },
    strike: resetAndApprove,
  },
  {
    id: 'reset-after-it-ran',
    cases: [54, 65],
    words: 'a payment that ran is reset to its start, and its seal and execution are ordered again',
    holds: ['namespace write'],
    expected: 'end',
    guard: 'it runs once',
    honest: 1,
    prepare: ranAlready,
    strike: async (hands, facts) => {
      await reset(hands, facts);
      return runAgain(hands, facts.id, await hands.firstInput(facts.id));
    },
  },
  {
    id: 'deleted-and-started-again',
    cases: [55],
    words: 'the run of a payment that ran is deleted from Temporal and started anew under its id',
    holds: ['namespace write'],
    expected: 'end',
    guard: 'it runs once',
    honest: 1,
    prepare: ranAlready,
    strike: async (hands, facts) => {
      const request = await hands.firstInput(facts.id);
      await hands.delete(facts.id);
      await until(() =>
        hands.firstInput(facts.id).then(
          () => undefined,
          () => true,
        ),
      );
      await hands.start(facts.id, [request]);
      return runAgain(hands, facts.id, signedSchema.parse(request));
    },
  },
  {
    id: 'old-votes-new-revision',
    cases: [26, 32],
    words: 'two true approvals of revision 1 ordered to be counted on revision 2, which a reviewer made since',
    holds: ['namespace write'],
    expected: 'revision_stale',
    guard: 'a vote is for one revision',
    prepare: async (stage, vendor) => {
      const { votes, ...first } = await heldWithVotes(stage, vendor);
      await stage.decide('cleo', first, { verdict: 'modify', reason: 'typo', patch: { '/cents': 820_000 } });
      return { ...(await stage.at(first.id, 2)), votes };
    },
    strike: (hands, facts) => hands.advance(facts.id, facts.digest, facts.votes),
  },
  {
    id: 'other-actions-votes',
    cases: [27, 35],
    words: 'two true approvals of one payment ordered to be counted on a second, equal one',
    holds: ['namespace write'],
    expected: 'audience_mismatch',
    guard: 'a vote is for one action',
    prepare: async (stage, vendor) => {
      const { votes } = await heldWithVotes(stage, vendor);
      return { ...(await held(stage, vendor, { key: `${vendor}-second` })), votes };
    },
    strike: (hands, facts) => hands.advance(facts.id, facts.digest, facts.votes),
  },
  {
    id: 'frozen',
    cases: [],
    words: 'what people agreed to and then froze, ordered past the workflow that waits',
    holds: ['namespace write'],
    expected: 'frozen',
    guard: 'a freeze holds',
    prepare: (stage, vendor) => frozen(stage, vendor),
    strike: (hands, facts) => hands.advance(facts.id, facts.digest, facts.votes),
  },
];

async function frozen(stage: Parameters<Attack['prepare']>[0], vendor: string) {
  const facts = await heldWithVotes(stage, vendor, { agent: 'cold-agent' });
  return { ...facts, freeze: await stage.freeze('cold-agent') };
}
export const frozenFacts = frozen;
