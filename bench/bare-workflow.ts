import { condition, defineUpdate, proxyActivities, setHandler } from '@temporalio/workflow';

/** What Keyturn is measured against: one activity, two unsigned Updates, a second activity that pays. No checks at all. */
export const approve = defineUpdate<number, [string]>('approve');

export async function bareApproval(vendor: string): Promise<string> {
  const { prepare, pay } = proxyActivities<{ prepare(vendor: string): Promise<string>; pay(vendor: string): Promise<string> }>({
    startToCloseTimeout: '1m',
  });
  const votes: string[] = [];
  setHandler(approve, (person) => votes.push(person));
  await prepare(vendor);
  await condition(() => votes.length >= 2);
  return pay(vendor);
}
