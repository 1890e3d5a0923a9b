import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';

const READY_MS = 60_000;

/** The dev server's own default is one day. */
const RETENTION_SECONDS = 30 * 24 * 60 * 60;

interface Waiting {
  address: string;
  namespace: string;
  /** Asked after each failed try: whether to give up. */
  isOver: () => boolean;
}

/** Resolves once the server answers and its namespace keeps closed runs for 30 days. Throws the last error after a minute. */
export async function untilReady({ address, namespace, isOver }: Waiting): Promise<void> {
  const end = performance.now() + READY_MS;
  for (;;) {
    try {
      await once(address, namespace);
      return;
    } catch (error) {
      if (isOver() || performance.now() > end) throw error;
      await sleep(50);
    }
  }
}

async function once(address: string, namespace: string): Promise<void> {
  // A new connection for each try: gRPC backs off for a second after a refused one.
  const connection = await Connection.connect({ address, connectTimeout: 500 });
  try {
    await keepLonger(connection, namespace);
  } finally {
    await connection.close();
  }
}

async function keepLonger({ workflowService }: Connection, namespace: string): Promise<void> {
  const { config } = await workflowService.describeNamespace({ namespace });
  const retention = proto.google.protobuf.Duration.fromObject({ seconds: RETENTION_SECONDS });
  if (config?.workflowExecutionRetentionTtl?.seconds?.equals(retention.seconds) === true) return;
  await workflowService.updateNamespace({ namespace, config: { workflowExecutionRetentionTtl: retention } });
}
