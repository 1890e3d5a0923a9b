import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure, WorkflowNotFoundError, WorkflowUpdateFailedError, type Client } from '@temporalio/client';
import { z } from 'zod';
import { ERROR_CODES } from '../../domain/codes.js';
import { digestOfSigned, type Signed } from '../../domain/dsse.js';
import { digestSchema, type ActionId } from '../../domain/ids.js';
import type { Fate } from '../../domain/review/fate.js';
import { fateSchema } from '../../domain/review/snapshot.js';
import { refused, temporalAway } from '../problem.js';
import { isBetweenTasks, isNoAnswer, isUnreached, PATIENCE_MS, within } from './calls.js';

/** Decisions go to one door of the workflow, cancels and resolves to another, the agent's answers to a third. */
export type Door = 'decision' | 'lodge' | 'answer';

/** `judged` by the workflow · `recorded`: Temporal keeps the signal until a worker is back · `ended`: the run is closed. */
export type Delivered = { readonly kind: 'judged'; readonly fate: Fate } | { readonly kind: 'recorded' } | { readonly kind: 'ended' };

const SIGNAL_MS = 2_000;
const RETRY_MS = 100;
const receiptSchema = z.strictObject({ digest: digestSchema.nullable(), fate: fateSchema });

/**
 * Sends a message as an Update, because its author deserves an answer; if no worker gives one, as the Signal that Temporal keeps (§8). Both may
 * arrive: it counts once, by its digest. Throws the workflow's refusal, or `temporal_unavailable`.
 */
export async function deliver(client: Client, id: ActionId, door: Door, signed: Signed): Promise<Delivered> {
  try {
    return await update(client, id, door, signed);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { kind: 'ended' };
    if (!isNoAnswer(error)) throw error;
  }
  try {
    await within(client, SIGNAL_MS, () => client.workflow.getHandle(id).signal(door, signed));
    return { kind: 'recorded' };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { kind: 'ended' };
    if (isUnreached(error)) throw temporalAway('Not recorded: Temporal does not answer. Sent again, it counts once.');
    if (isNoAnswer(error))
      throw temporalAway('Not recorded, as far as this API knows: Temporal did not answer in time. Sent again, it counts once.');
    throw error;
  }
}

async function update(client: Client, id: ActionId, door: Door, signed: Signed): Promise<Delivered> {
  const digest = digestOfSigned(signed);
  // Temporal dedupes update ids without looking at content: somebody may have used this one up with another message.
  for (const updateId of [digest, `${digest}-${randomUUID()}`]) {
    const receipt = receiptSchema.safeParse(await patiently(() => execute(client, id, door, signed, updateId)));
    if (receipt.success && receipt.data.digest === digest) return { kind: 'judged', fate: receipt.data.fate };
  }
  throw refused('receipt_invalid', 'the workflow answered for another message than the one sent');
}

/** A run that has had too many wrong signals takes decisions by Update alone (§8): an Update is not given up for one failed task. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isBetweenTasks(error) || Date.now() > end) throw error;
      await sleep(RETRY_MS);
    }
  }
}

async function execute(client: Client, id: ActionId, door: Door, signed: Signed, updateId: string): Promise<unknown> {
  try {
    return await within(client, PATIENCE_MS, () =>
      client.workflow.getHandle(id).executeUpdate<unknown, [Signed]>(door, { args: [signed], updateId }),
    );
  } catch (error) {
    if (!(error instanceof WorkflowUpdateFailedError)) throw error;
    const { cause } = error;
    const code = ERROR_CODES.find((each) => cause instanceof ApplicationFailure && each === cause.type);
    throw refused(code ?? 'request_invalid', cause?.message.slice(0, 1_000));
  }
}
