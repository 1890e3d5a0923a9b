import { proxyActivities } from '@temporalio/workflow';
import { lodgeStopInput } from '../domain/objects/answer.js';
import { executorQueue } from '../temporal/names.js';

/**
 * Carries one signed freeze or thaw to one executor's ledger: Temporal keeps it while that executor is away. It judges nothing; whoever asked reads
 * the executor's signed answer.
 */
export async function lodgeStop(executor: string, signed: unknown): Promise<unknown> {
  const { lodge } = proxyActivities<{ lodge(input: unknown): Promise<unknown> }>({
    taskQueue: executorQueue(executor),
    startToCloseTimeout: '10s',
    retry: { initialInterval: '200ms', maximumInterval: '5s' },
    summary: 'put a freeze or thaw on record',
  });
  return lodge(lodgeStopInput(signed));
}
