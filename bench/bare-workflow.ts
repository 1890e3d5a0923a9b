import { condition, defineQuery, defineUpdate, proxyActivities, setHandler } from '@temporalio/workflow';

/** What Keyturn is measured against: one activity, two unsigned Updates, a second activity that pays. No checks at all. */
export const approve = defineUpdate<number, [string]>('approve');
/** What a reviewer reads before voting: without it there is nothing to agree to. */
export const prepared = defineQuery<string>('prepared');

/** `hands`: the queue of the worker that acts; left out, the workflow's own. */
export async function bareApproval(vendor: string, hands?: string): Promise<string> {
  const { prepare, pay } = proxyActivities<{ prepare(vendor: string): Promise<string>; pay(vendor: string): Promise<string> }>({
    startToCloseTimeout: '1m',
    ...(hands === undefined ? {} : { taskQueue: hands }),
  });
  const votes: string[] = [];
  let shown = '';
  setHandler(prepared, () => shown);
  setHandler(approve, (person) => votes.push(person));
  shown = await prepare(vendor);
  await condition(() => votes.length >= 2);
  return pay(vendor);
}
