import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { Client, Connection } from '@temporalio/client';

/**
 * An attacker with full access to the namespace and nothing else: a worker of his own whose workflow orders the payment at the executor's
 * queue, with forged votes. Prints what the executor answered.
 */
const order: unknown = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8'));
Runtime.install({ logger: new DefaultLogger('ERROR') });
const address = process.env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233';
const connection = await NativeConnection.connect({ address });
const taskQueue = 'rogue';
const worker = await Worker.create({
  connection,
  taskQueue,
  workflowsPath: fileURLToPath(new URL('./rogue-workflow.js', import.meta.url)),
});
const clientConnection = await Connection.connect({ address });
const client = new Client({ connection: clientConnection });
const answer: unknown = await worker.runUntil(async (): Promise<unknown> =>
  client.workflow.execute('orderIt', { taskQueue, workflowId: `rogue-${Date.now()}`, args: [order] }),
);
await clientConnection.close();
await connection.close();
const payload = (answer as { payload: string }).payload;
const { result } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { result: { kind: string; code?: string; check?: number } };
console.log(JSON.stringify({ kind: result.kind, code: result.code, check: result.check }));
