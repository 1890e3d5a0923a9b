import type { Client } from '@temporalio/client';
import { decisionOf } from '../demo/outside.js';
import { DEPLOYMENT, type Cast, type Person } from '../demo/people.js';
import { digestOfSigned, type Signed } from '../src/domain/dsse.js';
import { actionIdOf, type ActionId } from '../src/domain/ids.js';
import { snapshotSchema } from '../src/domain/review/snapshot.js';
import { signerFrom } from '../src/files/key-files.js';
import { WORKFLOW_QUEUE } from '../src/temporal/names.js';
import type { Notices } from './notices.js';

const IBAN = 'DE89370400440532013000';
const VOTERS = ['ana', 'ben'] as const;

/** One kind of workflow: propose, then agree twice; the vendor names the payment in the bank's book. */
export interface Contender {
  /** Starts it, and resolves when people were told and have read what it asks: with a vote of each. */
  propose(client: Client, vendor: string): Promise<(() => Promise<void>)[]>;
  finish(client: Client, vendor: string): Promise<void>;
}

/** `taskQueue` is its workflow's; `hands` that of the process that acts, where that is another. */
export const bareContender = (notices: Notices, taskQueue = 'bare', hands?: string): Contender => ({
  async propose(client, vendor) {
    const handle = await client.workflow.start('bareApproval', {
      workflowId: vendor,
      taskQueue,
      args: hands === undefined ? [vendor] : [vendor, hands],
    });
    await notices.asked(vendor);
    await handle.query<string>('prepared');
    return VOTERS.map((person) => async () => void (await handle.executeUpdate('approve', { args: [person] })));
  },
  finish: async (client, vendor) => void (await client.workflow.getHandle(vendor).result()),
});

export const idOf = (vendor: string): ActionId => actionIdOf(DEPLOYMENT, 'ap-agent', vendor);

export class KeyturnContender implements Contender {
  private readonly agent;
  constructor(
    private readonly cast: Cast,
    private readonly notices: Notices,
  ) {
    this.agent = signerFrom(cast.agentKey, 'the agent');
  }

  /** Starts an action, and resolves when people were told. */
  async start(client: Client, vendor: string): Promise<ActionId> {
    const request = this.agent.sign('request', {
      v: 1,
      deployment: DEPLOYMENT,
      agent: 'ap-agent',
      type: 'payments.transfer',
      params: { vendor, iban: IBAN, cents: 100 },
      reason: 'bench',
      idempotencyKey: vendor,
    });
    const id = idOf(vendor);
    await client.workflow.start('agentAction', { workflowId: id, taskQueue: WORKFLOW_QUEUE, args: [request] });
    await this.notices.asked(id);
    return id;
  }

  /** An approval by this person of what the action shows now. */
  async approval(client: Client, id: ActionId, person: Person): Promise<Signed> {
    const shown = snapshotSchema.parse(await client.workflow.getHandle(id).query('action'));
    const signer = this.cast.people[person];
    return signer.sign('decision', decisionOf(person, shown, { verdict: 'approve' }, signer));
  }

  async send(client: Client, id: ActionId, signed: Signed): Promise<void> {
    await client.workflow.getHandle(id).executeUpdate('decision', { args: [signed], updateId: digestOfSigned(signed) });
  }

  async propose(client: Client, vendor: string): Promise<(() => Promise<void>)[]> {
    const id = await this.start(client, vendor);
    const shown = snapshotSchema.parse(await client.workflow.getHandle(id).query('action'));
    return VOTERS.map((person) => {
      const signer = this.cast.people[person];
      const signed = signer.sign('decision', decisionOf(person, shown, { verdict: 'approve' }, signer));
      return () => this.send(client, id, signed);
    });
  }

  async finish(client: Client, vendor: string): Promise<void> {
    await client.workflow.getHandle(idOf(vendor)).result();
  }
}
