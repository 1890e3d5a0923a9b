import { proxyActivities } from '@temporalio/workflow';

/** The attacker's workflow: straight to the executor, with no review at all. */
export async function orderIt(order: unknown): Promise<unknown> {
  const { advance } = proxyActivities<{ advance(input: unknown): Promise<unknown> }>({
    taskQueue: 'keyturn-executor-bank',
    startToCloseTimeout: '20s',
    retry: { maximumAttempts: 1 },
  });
  return advance(order);
}
