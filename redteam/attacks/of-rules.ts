import { writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { Worker } from '@temporalio/worker';
import { digestOf } from '../../src/domain/hash.js';
import { readPayload, signerOf } from '../../src/domain/dsse.js';
import { toInstant } from '../../src/domain/instant.js';
import { entrySchema } from '../../src/domain/objects/entry.js';
import { openNativeConnection } from '../../src/temporal/connection.js';
import { executorQueue } from '../../src/temporal/names.js';
import type { Attack } from '../attack.js';
import { until } from '../hands.js';
import { heldWithVotes } from '../stage.js';
import { LATER, policyText } from '../town.js';

/** Attacks for which policy or roster changes, or a part is stopped: one at a time, after all others. */
export const ofRules: readonly Attack[] = [
  {
    id: 'thief-of-a-queue',
    cases: [51],
    words: "a worker of their own takes the executor's queue while it is away, and completes its activity: succeeded",
    holds: ['namespace write'],
    expected: 'receipt_invalid',
    guard: "the executor's answers are signed",
    alone: true,
    prepare: async (stage, vendor) => {
      const facts = await heldWithVotes(stage, vendor);
      await stage.processes.kill('executor');
      return facts;
    },
    strike: async (hands, facts) => {
      const before = await hands.snapshot(facts.id);
      const sealed = entrySchema.parse(readPayload('entry', before.entries.at(-1) ?? noEntry()));
      const { deployment, ledger, epoch, seq } = sealed;
      const head = { v: 1, deployment, ledger, epoch };
      const thief = signerOf(randomBytes(32));
      const ended = thief.sign('entry', {
        ...head,
        seq: seq + 1,
        prev: null,
        prevOfAction: digestOf(readPayload('entry', before.entries.at(-1) ?? noEntry())),
        at: toInstant(Date.now()),
        kind: 'ended',
        actionId: facts.id,
        status: 'succeeded',
        reason: { code: 'succeeded', text: 'It ran.' },
      });
      const complete = async (input: { readonly have: number }): Promise<unknown> =>
        thief.sign('answer', {
          ...head,
          activity: 'advance',
          actionId: facts.id,
          asked: digestOf(input),
          status: 'succeeded',
          entries: [ended],
          result: { kind: 'end' },
        });
      const connection = await openNativeConnection({ connectionOptions: { address: hands.address }, namespace: 'default' });
      const worker = await Worker.create({
        connection,
        namespace: 'default',
        taskQueue: executorQueue('bank'),
        activities: { advance: complete },
      });
      const seen = await worker.runUntil(async () => {
        for (const vote of facts.votes) await hands.update(facts.id, vote);
        return until(async () => {
          const { receiptsInvalid, outcome } = await hands.snapshot(facts.id);
          return outcome.status === 'succeeded' ? 'believed' : receiptsInvalid > 0 ? 'receipt_invalid' : undefined;
        });
      });
      await connection.close();
      return seen ?? 'nothing';
    },
    fooled: (seen) => seen === 'believed',
    restore: async (stage) => void (await stage.processes.startExecutor()),
    honest: 1,
  },
  ...[
    {
      id: LATER.tightened,
      cases: [31],
      words: 'two true approvals ordered to be counted after the policy came to ask for three',
      guard: 'the present policy is asked' as const,
    },
    {
      id: LATER.denied,
      cases: [67, 31],
      words: 'two true approvals ordered to be counted after the policy came to deny the payment',
      guard: 'deny wins' as const,
    },
  ].map((each): Attack => ({
    ...each,
    holds: ['namespace write'],
    expected: 'policy_stale',
    alone: true,
    prepare: (stage, vendor) => stage.underOldPolicy(vendor),
    strike: (hands, facts) => hands.advance(facts.id, facts.digest, facts.votes),
  })),
  {
    id: LATER.rolledBack,
    cases: [47],
    words: 'an old policy.yaml, in which the payment was not denied, is put back in place before the execution is ordered',
    holds: ['policy.yaml', 'namespace write'],
    expected: 'roster_stale',
    guard: 'no lower version',
    alone: true,
    prepare: (stage, vendor) => stage.underOldPolicy(vendor),
    strike: async (hands, facts) => {
      await writeFile(hands.holds.policyFile ?? '', policyText(1));
      return hands.advance(facts.id, facts.digest, facts.votes);
    },
    restore: (stage) => stage.newPolicy(),
  },
  {
    id: 'key-ended-after-the-vote',
    cases: [46],
    words: 'an approval made in time by a key that ended since, ordered to be counted',
    holds: ['namespace write'],
    expected: 'approver_stale',
    guard: 'eligible at execution',
    alone: true,
    prepare: async (stage, vendor) => {
      const facts = await heldWithVotes(stage, vendor, { voters: ['fay', 'ana'] });
      await stage.newRoster();
      return facts;
    },
    strike: (hands, facts) => hands.advance(facts.id, facts.digest, facts.votes),
  },
];

function noEntry(): never {
  throw new Error('the run has no entry');
}
