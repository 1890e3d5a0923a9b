import { sleep } from '@temporalio/workflow';
import type { Ended } from '../../src/domain/ended.js';
import { agentAction as present } from '../../src/workflows/index.js';

export { executorManifest, lodgeStop } from '../../src/workflows/index.js';

/** A build to come that orders its commands otherwise: what an older build began, it cannot replay. */
export async function agentAction(request: unknown): Promise<Ended> {
  const first = sleep(1);
  const ended = await present(request);
  await first;
  return ended;
}
