import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { attributes } from '../../src/temporal/attributes.js';

const { INDEXED_VALUE_TYPE_KEYWORD, INDEXED_VALUE_TYPE_KEYWORD_LIST, INDEXED_VALUE_TYPE_DATETIME } =
  proto.temporal.api.enums.v1.IndexedValueType;
const TYPES = { KEYWORD: INDEXED_VALUE_TYPE_KEYWORD, KEYWORD_LIST: INDEXED_VALUE_TYPE_KEYWORD_LIST, DATETIME: INDEXED_VALUE_TYPE_DATETIME };
const DAY_SECONDS = 24 * 60 * 60;
/** Each of the server's services reads namespaces anew this often (`system.namespaceCacheRefreshInterval`). */
const CACHES_MS = 2_000;
const PATIENCE_MS = 60_000;

/**
 * Registers a namespace with our search attributes on a server that runs already, as an operator does before anything is deployed, and resolves once runs may
 * use them. Without a name: one of its own, so that task queues of tests at the same time do not meet.
 */
export async function makeNamespace(address: string, namespace = `keyturn-${randomUUID()}`): Promise<string> {
  const connection = await Connection.connect({ address });
  try {
    const retention = proto.google.protobuf.Duration.fromObject({ seconds: DAY_SECONDS });
    await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: retention });
    const wanted = Object.fromEntries(Object.values(attributes).map(({ name, type }) => [name, TYPES[type]]));
    await insist(() => connection.operatorService.addSearchAttributes({ namespace, searchAttributes: wanted }));
    const query = Object.values(attributes).map(({ name }) => `${name} IS NULL`);
    await insist(() => connection.workflowService.countWorkflowExecutions({ namespace, query: query.join(' AND ') }));
  } finally {
    await connection.close();
  }
  await sleep(CACHES_MS);
  return namespace;
}

async function insist(call: () => Promise<unknown>): Promise<void> {
  for (const end = performance.now() + PATIENCE_MS; ;) {
    try {
      await call();
      return;
    } catch (error) {
      if (performance.now() > end) throw error;
      await sleep(100);
    }
  }
}
